"""Money before anybody takes it off an invoice: what a chargeback or a move would come to, and which invoice it would go to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from o2c.engine.app import Engine
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.reversals import MoneyTakenBack
from o2c.views.invoices import invoice_streams, issued_invoice
from o2c.views.reading import minor_of
from o2c.views.shown import TakingBackPreviewShown

if TYPE_CHECKING:
    from o2c.invoicing.noted import InvoiceState
    from o2c.kernel.decision import Decision
    from o2c.kernel.event import Event


def preview_taking_back(app: Engine, invoice: str, *, to: str = "", amount: str = "", payment: str = "") -> TakingBackPreviewShown:
    """What taking a payment off an invoice would come to: charged back, or with `to` moved to that invoice or account. Nothing is written.

    `amount` and `payment` are as for doing it, and so is `to`; amounts are minor units. Raises Refused as doing it would: missing (no such
    invoice, account or payment), usage (a transfer is charged back, several payments, another currency, the same invoice), conflict (more
    than is left of it).
    """
    state = issued_invoice(app, invoice)
    assert state.issued is not None
    target = meant_invoice(app, to) if to else ""
    amount_minor = minor_of(amount, state.issued.currency) if amount else None
    decision = _decided(app, invoice, state, target, amount_minor, payment.strip())
    taken = next(event for event in decision.events if isinstance(event, MoneyTakenBack))
    left = _folded(app, invoice, state, decision.events)
    told = {
        "invoice": invoice,
        "currency": state.issued.currency,
        "reference": taken.reference,
        "method": taken.method,
        "amount_minor": taken.amount_minor,
        "of_credit_minor": taken.of_credit_minor,
        "state": left.standing,
        "open_minor": max(left.open_minor, 0),
        **_there(app, target, decision),
    }
    return cast("TakingBackPreviewShown", told)


def _decided(app: Engine, invoice: str, state: InvoiceState, target: str, amount_minor: int | None, payment: str) -> Decision:
    from o2c.payments import taking_back

    assert state.issued is not None
    whose, now = account_stream(state.issued.account), app.clock().now
    work, account = app.work(invoice_stream(invoice), state, "", "payment"), app.load_one(whose).state
    today = local_date(now, work.market.zone).isoformat()
    if not target:
        return taking_back.charge_back(work, account, case="", amount_minor=amount_minor, payment=payment, reason="", today=today)
    other = app.work(invoice_stream(target), issued_invoice(app, target), "", "payment")
    said = {"case": "", "author": "", "comment": "", "today": today}
    return taking_back.move(work, account, other, amount_minor=amount_minor, payment=payment, begun_by=now, **said)


def _there(app: Engine, target: str, decision: Decision) -> dict[str, str | int]:
    """How the other invoice stands afterwards, and what of the money comes above it; empty where the money leaves for the payer's bank."""
    if not target:
        return {"to_invoice": "", "to_account": "", "to_customer": "", "to_state": "", "to_open_minor": 0, "to_credit_minor": 0}
    before, stream = issued_invoice(app, target), invoice_stream(target)
    assert before.issued is not None
    after = _folded(app, target, before, (event for name, event in decision.elsewhere if name == stream))
    return {
        "to_invoice": before.issued.number,
        "to_account": before.issued.account,
        "to_customer": before.issued.customer,
        "to_state": after.standing,
        "to_open_minor": max(after.open_minor, 0),
        "to_credit_minor": after.above_minor - before.above_minor,
    }


def _folded(app: Engine, invoice: str, state: InvoiceState, events: Iterable[Event]) -> InvoiceState:
    """The invoice as it would be after these events."""
    kind = app.kind(invoice_stream(invoice))
    for event in events:
        state = kind.evolve(state, event)
    return state


def meant_invoice(app: Engine, to: str) -> str:
    """The number of the invoice that is meant by an invoice's number, or by an account's id: the oldest of it that is open, else its last
    one.

    Raises Refused (missing).
    """
    if cast("InvoiceState", app.load_one(invoice_stream(to)).state).issued is not None:
        return to
    streams = invoice_streams(app, to)
    found: list[InvoiceState] = [one for loaded in app.load(streams).values() if (one := loaded.state).issued and not one.voided]
    if not found:
        raise Refused(f"no invoice {to}, and no account of that id has one; see `o2c customers show`", kind="missing")
    found.sort(key=lambda one: (one.issued.issued_on, one.issued.number) if one.issued else ("", ""))
    meant = next((one for one in found if one.owed_minor > 0), found[-1])
    return meant.issued.number if meant.issued else to
