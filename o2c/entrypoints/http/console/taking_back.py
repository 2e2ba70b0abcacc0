"""Money that is taken off an invoice again, on the invoice's page: charged back or moved, which is seen before it is done, and chargebacks
that were won."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi.responses import Response

from o2c.entrypoints.http.console import invoices
from o2c.entrypoints.http.console.deeds import foreseen
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, router

pages = router()


@pages.post("/invoices/{invoice:path}/chargeback/preview")
def preview_chargeback(page: Asked, form: Sent, invoice: str) -> Response:
    """What a chargeback would take off the invoice. Nothing is written."""
    return _previewed(page, form, invoice, "chargeback")


@pages.post("/invoices/{invoice:path}/chargeback")
def charge_back(page: Asked, form: Sent, invoice: str) -> Response:
    """Take down that the payer's bank took a payment back."""
    how = {"case": form["case"], "amount": form["amount"], "payment": form["payment"], "reason": form["code"]}
    deed = partial(page.do, "payments.chargeback", invoice, wish=form["wish"], seen=form["seen"], **how)
    return invoices.carried_on(page, form, invoice, deed, "charged back", deed_name="chargeback")


@pages.post("/invoices/{invoice:path}/chargeback-won")
def win_back(page: Asked, form: Sent, invoice: str) -> Response:
    """Take down that a chargeback was won."""
    deed = partial(page.do, "payments.chargeback-won", invoice, case=form["case"], wish=form["wish"], seen=form["seen"])
    return invoices.carried_on(page, form, invoice, deed, "chargeback won", deed_name="chargeback-won")


@pages.post("/invoices/{invoice:path}/move/preview")
def preview_move(page: Asked, form: Sent, invoice: str) -> Response:
    """Where a payment would go, and how both invoices would stand. Nothing is written."""
    return _previewed(page, form, invoice, "move", to=form["to"])


@pages.post("/invoices/{invoice:path}/move")
def move(page: Asked, form: Sent, invoice: str) -> Response:
    """Move a payment to the invoice that it was meant for."""
    how = {"to": form["to"], "amount": form["amount"], "payment": form["payment"], "reason": form["why"]}
    deed = partial(page.do, "payments.move", invoice, wish=form["wish"], seen=form["seen"], **how)
    return invoices.carried_on(page, form, invoice, deed, "payment moved", deed_name="move")


def _previewed(page: Page, form: Form, invoice: str, deed: str, **how: Any) -> Response:
    ask = partial(page.ask, "payments.preview", invoice, amount=form["amount"], payment=form["payment"], **how)
    return foreseen(page, form, ask, partial(invoices.shown, page, invoice, deed=deed), as_name="taking")
