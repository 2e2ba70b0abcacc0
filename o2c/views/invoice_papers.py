"""An invoice with everything that it says and what was taken off it, and its papers: as a PDF, a page, and UBL."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from o2c.engine.app import Engine
from o2c.invoicing.parts import parts_of, parts_of_note, purchase_order_of_note
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.kernel.refusal import Refused
from o2c.views.invoices import issued_invoice
from o2c.views.paper.content import Paper, paper_of_invoice, paper_of_note
from o2c.views.reading import plain
from o2c.views.shown import InvoicePaperShown, RenderedShown

if TYPE_CHECKING:
    from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
    from o2c.invoicing.state import AccountState
    from o2c.kernel.event import Fact

NAME_OF_INVOICE = """SELECT substr(stream, 9) AS invoice FROM o2c.event
WHERE type = 'invoice.issued' AND body ->> 'legal_number' = %s AND body ->> 'legal_number' <> ''"""
"""The name of the invoice with a number of a series. Parameter: that number."""

_PARTICULARS = (
    *("account", "customer", "currency", "purchase_order", "issued_on", "tax_point", "due_on", "method", "market"),
    *("net_minor", "tax_minor", "total_minor", "credit_used_minor", "final"),
)
_OF_NOTE = (
    *("note", "legal_number", "issued_on", "reason", "author", "approved_by", "net_minor", "tax_minor", "total_minor"),
    *("of_open_minor", "credit_minor"),
)


def invoice_name(app: Engine, invoice: str) -> str:
    """Give the name of an invoice that is named by it or by its legal number; what is neither is given back."""
    found = app.reads.rows(NAME_OF_INVOICE, invoice)
    return str(found[0]["invoice"]) if found else invoice


def show_paper(app: Engine, invoice: str, *, personal: bool = False) -> InvoicePaperShown:
    """An invoice with all that it says: supplier, lines, sums of each rate, its parts by cost centre, and the credit notes that were issued
    for it, or wait for a second person.

    `invoice` is its name (account and day) or its legal number. `personal` adds the customer's name and address, and comments on notes.
    Raises Refused (missing).
    """
    name = invoice_name(app, invoice)
    state = issued_invoice(app, name)
    issued = state.issued
    assert issued is not None
    body = issued.model_dump(mode="json")
    hidden = ("customer_name", "customer_address") if personal else ()
    wanted = [
        {
            "note": one.note,
            "reason": one.reason,
            "author": one.author,
            "total_minor": one.total_minor,
            "awaits_number": one.awaits_number,
            **({"comment": one.comment} if personal else {}),
        }
        for one in state.noted.wanted.values()
    ]
    told = {
        "invoice": issued.number,
        "legal_number": issued.legal_number or issued.number,
        "state": state.standing,
        **{key: body[key] for key in (*_PARTICULARS, *hidden)},
        "credits_used": body["credits_used"],
        "supplier": body["supplier"],
        "lines": body["lines"],
        "taxes": body["taxes"],
        "parts": [asdict(part) for part in parts_of(issued.lines, issued.taxes)],
        "endings": body["endings"],
        "paid_minor": state.paid_minor,
        "credited_minor": state.noted.total_minor,
        "open_minor": max(state.open_minor, 0),
        "notes": [_shown_note(note, issued, personal) for note in _notes(app, name)],
        "waiting_notes": wanted,
    }
    return cast("InvoicePaperShown", plain(told))


def _shown_note(note: CreditNoteIssued, issued: InvoiceIssued, personal: bool) -> dict[str, Any]:
    body = note.model_dump(mode="json")
    return {
        **{key: body[key] for key in _OF_NOTE},
        "purchase_order": purchase_order_of_note(note.lines, issued.lines),
        "lines": body["lines"],
        "taxes": body["taxes"],
        "parts": [asdict(part) for part in parts_of_note(note.lines, note.taxes, issued.lines)],
        **({"comment": note.comment} if personal else {}),
    }


def _notes(app: Engine, invoice: str) -> list[CreditNoteIssued]:
    facts = cast("list[Fact]", list(app.events.get(invoice_stream(invoice))))
    return [cast("CreditNoteIssued", fact.event) for fact in facts if fact.event.type_name == "credit-note.issued"]


def invoice_pdf(app: Engine, invoice: str, *, note: str = "", personal: bool = False) -> RenderedShown:
    """An invoice, or one of its credit notes (`note`), as a PDF; its bytes are base64. `personal` puts the customer's name and address on
    it, without which it is no invoice by law. It is the same for ever, whatever changed since. Raises Refused (missing)."""
    from o2c.views.paper.pdf import pdf_of

    paper = _paper(app, invoice, note, personal)
    return _rendered(paper, "application/pdf", "pdf", b64encode(pdf_of(paper)).decode())


def invoice_html(app: Engine, invoice: str, *, note: str = "", personal: bool = False) -> RenderedShown:
    """An invoice, or one of its credit notes (`note`), as a page for a screen and for print. `personal` as for the PDF. Raises Refused
    (missing)."""
    from o2c.views.paper.page import page_of

    paper = _paper(app, invoice, note, personal)
    return _rendered(paper, "text/html", "html", page_of(paper))


def invoice_ubl(app: Engine, invoice: str, *, note: str = "", personal: bool = False) -> RenderedShown:
    """An invoice, or one of its credit notes (`note`), as UBL 2.1 by EN 16931. `personal` as for the PDF; without it the customer is named
    by its id.

    Raises Refused: missing; conflict for one that breaks a rule of the norm, such as an invoice of before they had all particulars.
    """
    from o2c.views.paper.en16931 import broken
    from o2c.views.paper.ubl import ubl_of

    paper = _paper(app, invoice, note, personal)
    document = ubl_of(paper)
    if rules := broken(document):
        raise Refused(f"invoice {invoice}: it does not say all that EN 16931 wants ({', '.join(rules)}); send the PDF", kind="conflict")
    return _rendered(paper, "application/xml", "xml", document)


def _paper(app: Engine, invoice: str, note: str, personal: bool) -> Paper:
    name = invoice_name(app, invoice)
    state = issued_invoice(app, name)
    assert state.issued is not None
    if not note:
        owing = cast("AccountState", app.load_one(account_stream(state.issued.account)).state)
        return paper_of_invoice(state.issued, agreements=owing.instalments.values(), void=state.voided, personal=personal)
    found = next((one for one in _notes(app, name) if note in (one.note, one.legal_number)), None)
    if found is None:
        raise Refused(f"invoice {name} has no credit note {note[:60]} that was issued; see `o2c invoices show`", kind="missing")
    return paper_of_note(found, of_invoice=state.issued.lines, personal=personal)


def _rendered(paper: Paper, media_type: str, ending: str, content: str) -> RenderedShown:
    return {
        "invoice": paper.name,
        "customer": paper.customer,
        "name": f"{paper.number}.{ending}",
        "media_type": media_type,
        "content": content,
    }
