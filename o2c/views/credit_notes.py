"""A credit note before anybody issues it: what it would come to, and whether a second person would have to approve it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from o2c.engine.app import Engine
from o2c.invoicing.parts import parts_of_note
from o2c.kernel.charges import invoice_stream
from o2c.kernel.money import to_minor
from o2c.kernel.refusal import Refused
from o2c.views.invoice_papers import invoice_name
from o2c.views.invoices import issued_invoice
from o2c.views.reading import plain
from o2c.views.shown import CreditNotePreviewShown


def preview_credit_note(app: Engine, invoice: str, *, lines: Mapping[str, str] | None = None) -> CreditNotePreviewShown:
    """What a credit note over some net amounts of an invoice's lines, or over all that is left of it when no lines are named, would come
    to. Nothing is written.

    `lines` are as for issuing it; amounts are minor units. `needs_approval` says that it would wait for a second person. Raises Refused:
    missing (no such invoice), conflict (void, or more than is left of a line or of the invoice), usage (no such line or amount).
    """
    from o2c.invoicing import issuing, notes

    name = invoice_name(app, invoice)
    state = issued_invoice(app, name)
    assert state.issued is not None
    work = app.work(invoice_stream(name), state, "", "payment")
    taken, taxes = notes.drafted(work, net_lines(name, lines, state.issued.currency))
    net_minor, total_minor = sum(line.net_minor for line in taken), issuing.total_of(taken, taxes)
    above_minor = notes.approved_above_minor(work)
    of_open_minor = min(total_minor, max(state.open_minor, 0))
    told = {
        "invoice": name,
        "currency": state.issued.currency,
        "lines": [line.model_dump(mode="json") for line in taken],
        "taxes": [tax.model_dump(mode="json") for tax in taxes],
        "parts": [asdict(part) for part in parts_of_note(taken, taxes, state.issued.lines)],
        "net_minor": net_minor,
        "tax_minor": total_minor - net_minor,
        "total_minor": total_minor,
        "of_open_minor": of_open_minor,
        "credit_minor": total_minor - of_open_minor,
        "needs_approval": total_minor > above_minor,
        "approved_above_minor": above_minor,
    }
    return cast("CreditNotePreviewShown", plain(told))


def net_lines(invoice: str, lines: Mapping[str, str] | None, currency: str) -> dict[int, int] | None:
    """What is to be credited of which line, in net minor units by the place of the line; None where no line is named. Raises Refused
    (usage)."""
    return {_place(invoice, place): _net(amount, currency) for place, amount in lines.items()} if lines else None


def _place(invoice: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Refused(f"invoice {invoice}: a line is named by its place, 1 for the first, not {text[:20]!r}")
    return int(text)


def _net(amount: str, currency: str) -> int:
    try:
        return to_minor(amount, currency)
    except ValueError as error:
        raise Refused(f"{error}; write the amount as 23.99, without tax") from None
