"""The desk for invoices: what is taken off them, and their void."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast, get_args

from o2c.desk.act import Deed, act
from o2c.desk.payments import NEARLY_DUE
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing import notes
from o2c.invoicing.events import NoteReason
from o2c.invoicing.invoice import note_work
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.range_events import RANGES
from o2c.kernel.charges import invoice_stream
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.views.credit_notes import net_lines
from o2c.views.invoices import issued_invoice

REASONS: tuple[str, ...] = get_args(NoteReason)


def issue_credit_note(
    app: Engine, context: Context, invoice: str, *, reason: str, comment: str = "", lines: Mapping[str, str] | None = None
) -> Written:
    """Issue a credit note for an invoice: over some net amounts of its lines, or over all that is left of it when no lines are named.

    `lines` are decimal amounts, without tax, by the place of the line from 1. What was paid already becomes a credit of the account, the
    rest lowers what is open. Over more than the market's limit the note waits for a second person (`credit-notes.approve`); the invoice's
    page shows it. Raises Refused: missing (no such invoice), conflict (void, or more than is left of a line or of the invoice), usage (no
    such line, amount or reason).
    """
    given, currency = _reason(reason), _currency(app, invoice)
    wanted = net_lines(invoice, lines, currency)

    def take(state: InvoiceState, at: datetime) -> Decision:
        work = _work(app, invoice, state)
        how = {"comment": comment, "author": context.actor}
        return notes.request(work, lines=wanted, reason=given, at=at, begun_by=_begun_by(app, at), **how)

    wish = ["credit note", invoice, reason, comment, sorted((wanted or {}).items())]
    return act(app, context, "credit-notes.issue", Deed(invoice_stream(invoice), (take,), wish))


def approve_credit_note(app: Engine, context: Context, invoice: str, note: str) -> Written:
    """Issue a credit note that somebody else asked for and that one person may not issue alone.

    Raises Refused: missing (no such invoice or note), forbidden (who asked for it), conflict (so much is not left of the invoice any more).
    """
    issued_invoice(app, invoice)

    def take(state: InvoiceState, at: datetime) -> Decision:
        work = _work(app, invoice, state)
        return notes.approve(work, note, approved_by=context.actor, at=at, begun_by=_begun_by(app, at))

    return act(app, context, "credit-notes.approve", Deed(invoice_stream(invoice), (take,), ["approve credit note", note]))


def void_invoice(app: Engine, context: Context, invoice: str, *, reason: str, comment: str = "") -> Written:
    """Declare an invoice void of which nothing was paid or credited: it keeps its number, and nothing of it is to be paid.

    What it billed stays billed: no other bill has these days, and assurance tells of none (decisions/0080), so that a bill which is wrong
    in part is put right by a credit note. Raises Refused: missing (no such invoice), conflict (money came, a note was issued, something of
    it is paid in instalments, or it comes to more than one person may give up: issue a credit note), usage (no such reason).
    """
    given = _reason(reason)
    issued_invoice(app, invoice)

    def take(state: InvoiceState, at: datetime) -> Decision:
        work = app.work(invoice_stream(invoice), state, "", "payment")
        return notes.void(work, reason=given, comment=comment, begun_by=_begun_by(app, at))

    return act(app, context, "invoices.void", Deed(invoice_stream(invoice), (take,), ["void", reason, comment]))


def _work(app: Engine, invoice: str, state: InvoiceState) -> Work:
    """What a note is decided by; one decided by a range that is used up meanwhile is stale, and decided anew."""
    return note_work(state, invoice_stream(invoice), app.book, app.load_one(RANGES).state)


def _begun_by(app: Engine, at: datetime) -> datetime:
    return app.clock().latest(at) + NEARLY_DUE


def _reason(text: str) -> NoteReason:
    if text not in REASONS:
        raise Refused(f"a reason is one of {', '.join(REASONS)}, not {text[:40]!r}")
    return cast("NoteReason", text)


def _currency(app: Engine, invoice: str) -> str:
    issued = issued_invoice(app, invoice).issued
    assert issued is not None
    return issued.currency
