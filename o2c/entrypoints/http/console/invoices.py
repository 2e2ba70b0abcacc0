"""One invoice: what it says, what came in and what was taken off it, its papers, credit notes with a preview and a second person, its
void."""

from __future__ import annotations

from base64 import b64decode
from functools import partial
from typing import Any, Literal

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.invoices import REASONS
from o2c.entrypoints.http.console.deeds import carried, foreseen
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.reading import day_of

pages = router()
LINE = "line."
"""The fields of what is credited begin so; behind it stands the place of the line."""
KEPT = frozenset({"reason", "comment", "case", "amount", "payment", "code", "to", "why"})
"""The fields of a form that is seen before it is done, beside those of lines: they are sent again with it."""
Paper = Literal["pdf", "html", "ubl"]


@pages.post("/invoices/{invoice:path}/personal")
def with_personal(page: Asked, form: Sent, invoice: str) -> Response:
    """The same with the customer's name and address, and the comments on notes; that they were shown is on record."""
    return shown(page, invoice, personal=True, why=form["why"])


@pages.get("/invoices/{invoice:path}/papers/{paper}")
def paper_without(page: Asked, invoice: str, paper: Paper, note: str = "") -> Response:
    """A paper without name and address, to look at: by law it is none."""
    return _file(page.ask(f"invoices.{paper}", invoice, note=note))


@pages.post("/invoices/{invoice:path}/papers")
def paper_with(page: Asked, form: Sent, invoice: str) -> Response:
    """The paper as the customer has it, with name and address; that it was taken is on record."""
    if form["paper"] not in ("pdf", "html", "ubl"):
        raise Refused("a paper is a pdf, a page (html) or ubl; choose one that the page offers")
    return _file(page.ask(f"invoices.{form['paper']}", invoice, note=form["note"], personal=True, why=form["why"]))


def _file(paper: Any) -> Response:
    """A paper to save. It is never shown in the console's own frame: its looks stand inside it, which our policy forbids."""
    content = b64decode(paper["content"]) if paper["media_type"] == "application/pdf" else paper["content"].encode()
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quoted(paper['name'])}"}
    return Response(content, media_type=paper["media_type"], headers=headers)


@pages.post("/invoices/{invoice:path}/credit-note/preview")
def preview(page: Asked, form: Sent, invoice: str) -> Response:
    """What a credit note would come to, and whether somebody else would have to approve it. Nothing is written."""
    return foreseen(page, form, partial(page.ask, "credit-notes.preview", invoice, lines=_lines(form)), partial(shown, page, invoice))


@pages.post("/invoices/{invoice:path}/credit-note")
def issue(page: Asked, form: Sent, invoice: str) -> Response:
    """Issue the note that was previewed, or ask for it where a second person has to approve."""
    how = {"reason": form["reason"], "comment": form["comment"], "lines": _lines(form)}
    deed = partial(page.do, "credit-notes.issue", invoice, wish=form["wish"], seen=form["seen"], **how)
    return carried_on(page, form, invoice, deed, "credit note")


@pages.post("/invoices/{invoice:path}/approve")
def approve(page: Asked, form: Sent, invoice: str) -> Response:
    """Approve a credit note that somebody else asked for."""
    deed = partial(page.do, "credit-notes.approve", invoice, form["note"], wish=form["wish"], seen=form["seen"])
    return carried_on(page, form, invoice, deed, "approved")


@pages.post("/invoices/{invoice:path}/void")
def void(page: Asked, form: Sent, invoice: str) -> Response:
    """Declare the invoice void."""
    deed = partial(page.do, "invoices.void", invoice, reason=form["reason"], comment=form["comment"], wish=form["wish"], seen=form["seen"])
    return carried_on(page, form, invoice, deed, "void")


@pages.post("/invoices/{invoice:path}/payment")
def record(page: Asked, form: Sent, invoice: str) -> Response:
    """Record a payment that came by bank."""

    def deed() -> Any:
        arrived_on = day_of(form["arrived_on"]) if form["arrived_on"] else None
        how: dict[str, Any] = {
            "amount": form["amount"],
            "reference": form["reference"],
            "arrived_on": arrived_on,
            "sure": form["sure"] == "yes",
        }
        return page.do("payments.record", invoice, wish=form["wish"], **how)

    return carried_on(page, form, invoice, deed, "payment recorded", deed_name="payment")


@pages.get("/invoices/{invoice:path}")
def one(page: Asked, invoice: str, done: str = "") -> Response:
    """An invoice, by its number of the series or by its name."""
    return shown(page, invoice, done=done)


def carried_on(page: Page, form: Form, invoice: str, deed: Any, what: str, *, deed_name: str = "") -> Response:
    """Do what a form of an invoice's page asks for, and go back to the page. `deed_name` is the form that stands open where it is
    refused."""
    return carried(page, form, deed, partial(shown, page, invoice, deed=deed_name), f"/console/invoices/{quoted(invoice)}", what)


def _lines(form: Form) -> dict[str, str] | None:
    """What is credited by line; None for all that is left of the invoice."""
    return form.beginning(LINE) or None


def shown(
    page: Page,
    invoice: str,
    *,
    personal: bool = False,
    why: str = "",
    form: Form = NOTHING,
    foreseen: Any = None,
    taking: Any = None,
    **of_form: Any,
) -> Response:
    """The page of an invoice. `foreseen` is what a credit note would come to, `taking` what taking money off it would."""
    row = page.ask("invoices.show", invoice, personal=personal, why=why)
    name = row["invoice"]
    paid = page.ask("payments.show", name)
    told = {"row": row, "paid": paid, "seen": page.seen("invoices.show", name), "reasons": REASONS, "foreseen": foreseen, "taking": taking}
    kept = [(field, form[field]) for field in form.values if (field in KEPT or field.startswith(LINE)) and form[field]]
    again: dict[str, Any] = {"form": form, "kept": kept, "to_win": _to_win(paid["payments"])}
    return page.shown("invoice.html", personal=personal, **of_form, **again, **told)


def _to_win(payments: list[Any]) -> list[str]:
    """The cases of chargebacks that were not won, in the order in which they came."""
    won = {row["of"] for row in payments if row["what"] == "won-back"}
    return list(dict.fromkeys(row["of"] for row in payments if row["what"] == "charged-back" and row["of"] not in won))
