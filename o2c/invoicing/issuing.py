"""Credit notes as they are issued: what is left of each line, the tax of the invoice's groups, a number; and those that wait for one.

Source: billing facts, section 6.4 (the notes of an invoice never exceed it, and the last takes the residue; a series may be a pre-approved
range).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from o2c.invoicing.events import CreditNoteIssued, CreditNoteRequested, InvoiceIssued, NoteNumberRequested, NoteReason, NotesNumbered
from o2c.invoicing.noted import InvoiceState, released
from o2c.invoicing.of_market import rated
from o2c.invoicing.papers import InvoiceLine, NoteLine, TaxSum, tax_sums
from o2c.invoicing.range_events import RANGES
from o2c.invoicing.ranges import NoNumberLeft, numbered_by, supplier_of
from o2c.kernel.arrears import credited_of
from o2c.kernel.balances import CreditReceived
from o2c.kernel.charges import account_stream
from o2c.kernel.debts import reversed_for
from o2c.kernel.decision import Decision, just
from o2c.kernel.frozen import changed
from o2c.kernel.lateness import claims_minor
from o2c.kernel.money import from_minor, half_up
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work, next_attempt

NUMBERING = "credit-note"
"""The step that issues the notes of an invoice that wait for a number."""


def standing(work: Work) -> InvoiceIssued:
    """The invoice of which something may be taken. Raises Refused (missing, conflict)."""
    issued: InvoiceIssued | None = work.state.issued
    if issued is None:
        raise Refused(f"{work.stream} is no invoice", kind="missing")
    if work.state.voided:
        raise Refused(f"invoice {issued.number} is void; nothing of it is left to credit", kind="conflict")
    return issued


def left_of(work: Work) -> dict[int, int]:
    """Give what is left to credit of each line of an invoice, net, by its place; without those of which nothing is."""
    lines = enumerate(work.state.issued.lines, 1)
    left = {place: line.net_minor - work.state.noted.taken_minor(place) for place, line in lines}
    return {place: net_minor for place, net_minor in left.items() if net_minor}


def lines_off(work: Work, wanted: Mapping[int, int]) -> tuple[NoteLine, ...]:
    """Give the lines of a note, over net amounts by the place of a line. Raises Refused where a line has not so much left, or there is
    none."""
    issued: InvoiceIssued = work.state.issued
    left = left_of(work)
    for place, net_minor in sorted(wanted.items()):
        if not 1 <= place <= len(issued.lines):
            raise Refused(f"invoice {issued.number} has no line {place}; it has {len(issued.lines)}")
        may = left.get(place, 0)
        if not net_minor or (net_minor > 0) != (may > 0) or abs(net_minor) > abs(may):
            has = from_minor(may, issued.currency)
            raise Refused(
                f"invoice {issued.number}: {has} net is left to credit of line {place}, not more and not less than something",
                kind="conflict",
            )
    if not wanted:
        raise Refused(f"invoice {issued.number} is credited in full already", kind="conflict")
    return tuple(note_line(place, rated_line(work, issued.lines[place - 1]), net_minor) for place, net_minor in sorted(wanted.items()))


def rated_line(work: Work, line: InvoiceLine) -> InvoiceLine:
    """A line with its rate: one of before lines said it has that of the day of issue."""
    return line if line.tax_percent else rated(line, work.market, date.fromisoformat(work.state.issued.issued_on))


def groups_of(work: Work) -> tuple[TaxSum, ...]:
    """The sums of the invoice by tax group."""
    return work.state.issued.taxes or tax_sums(rated_line(work, line) for line in work.state.issued.lines)


def note_line(place: int, line: InvoiceLine, net_minor: int, *, from_day: str = "") -> NoteLine:
    """Give what a note takes off a line of an invoice, by its place: so much net, from a day on where it is not all of the line's days."""
    return NoteLine(
        line=place,
        order=line.order,
        item=line.item,
        description=line.description or f"{line.offering}, {line.kind}",
        from_day=from_day or line.from_day,
        to_day=line.to_day,
        net_minor=net_minor,
        tax_group=line.tax_group,
        tax_category=line.tax_category,
        tax_percent=line.tax_percent,
    )


def taxes_of(work: Work, lines: tuple[NoteLine, ...]) -> tuple[TaxSum, ...]:
    """The sums of a note by the groups of its invoice.

    What is credited of a group's tax, by this note and all before, is the group's tax in the share that is credited of its net: so the
    notes of an invoice never come to more than its own tax, and the one that credits the last of a group takes what is left of its tax, to
    the minor unit. Raises Refused (conflict) for more than a group has.
    """
    found = []
    for group in groups_of(work):
        net_minor = sum(line.net_minor for line in lines if line.tax_group == group.group)
        if not any(line.tax_group == group.group for line in lines):
            continue
        places = enumerate(work.state.issued.lines, 1)
        after = net_minor + sum(work.state.noted.lines.get(str(n), 0) for n, line in places if line.tax_group == group.group)
        if not min(group.net_minor, 0) <= after <= max(group.net_minor, 0):
            raise Refused(
                f"{work.stream}: more than the tax group {group.group} has; credit what lowers it too, a discount say", kind="conflict"
            )
        tax_after = half_up(Fraction(group.tax_minor * after, group.net_minor)) if group.net_minor else group.tax_minor
        tax_minor = tax_after - work.state.noted.taxes.get(group.group, 0)
        found.append(group.model_copy(update={"net_minor": net_minor, "tax_minor": tax_minor}))
    return tuple(found)


def total_of(lines: Sequence[NoteLine], taxes: Sequence[TaxSum]) -> int:
    """What a note comes to with tax, in minor units."""
    return sum(line.net_minor for line in lines) + sum(tax.tax_minor for tax in taxes)


def issue_note(
    work: Work,
    note: str,
    lines: tuple[NoteLine, ...],
    *,
    reason: NoteReason,
    comment: str,
    author: str,
    approved_by: str,
    at: datetime,
    begun_by: datetime,
    dispute: str = "",
    ended_on: str = "",
) -> Decision:
    """Give a credit note over lines, with the credit of what was paid of them, and what collections are told. It is not held against any
    limit.

    Where notes take their numbers from approved ranges and none has one left, the note waits for one, and its lines are kept for it;
    `ended_on` is then the day from which on days are credited (empty: whole lines are).
    """
    issued: InvoiceIssued = work.state.issued
    today = local_date(at, work.market.zone)
    try:
        series, number_range = numbered_by(work, today, at, "CRN")
    except NoNumberLeft:
        how = {"comment": comment, "author": author, "approved_by": approved_by, "dispute": dispute, "ended_on": ended_on}
        return _await_number(work, note, lines, at, reason=reason, **how)
    taxes = taxes_of(work, lines)
    net_minor, tax_minor = sum(line.net_minor for line in lines), sum(tax.tax_minor for tax in taxes)
    of_open_minor = min(net_minor + tax_minor, max(work.state.owed_minor, 0))
    event = CreditNoteIssued(
        note=note,
        series=series,
        number_range=number_range,
        invoice=issued.number,
        invoice_number=issued.legal_number or issued.number,
        account=issued.account,
        customer=issued.customer,
        market=issued.market,
        reason=reason,
        author=author,
        approved_by=approved_by,
        issued_on=today.isoformat(),
        issued_at=at,
        supplier=supplier_of(work),
        customer_name=issued.customer_name,
        customer_address=issued.customer_address,
        comment=comment,
        dispute=dispute,
        currency=issued.currency,
        lines=lines,
        taxes=taxes,
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        of_open_minor=of_open_minor,
        credit_minor=net_minor + tax_minor - of_open_minor,
    )
    settled = called_off(work, begun_by) if of_open_minor and of_open_minor == work.state.open_minor else ()
    told = credited_of(work.state, work.market, of_open_minor, event.total_minor, claims_minor(event.lines), today.isoformat())
    return Decision((event, *reversed_for(work.state, of_open_minor), *settled), (*credited(work.state, event.credit_minor), *told))


def _await_number(work: Work, note: str, lines: tuple[NoteLine, ...], at: datetime, **how: Any) -> Decision:
    """Keep the lines of a note for when a number is approved, and ask for the step that issues it then unless it waits already."""
    state: InvoiceState = work.state
    of = {str(line.line): line.net_minor for line in lines}
    wanted = CreditNoteRequested(note=note, lines=of, total_minor=total_of(lines, taxes_of(work, lines)), awaits_number=True, **how)
    if state.noted.awaiting:
        return just(wanted)
    return just(wanted, NoteNumberRequested(attempt=next_attempt(state.records, NUMBERING), due_at=at))


def issue_awaiting(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Issue the first of the notes that wait for a number, and ask for the next; done when none is left. Raises NoNumberLeft where there is
    no number yet.

    Each is of a command of its own, so that the last number of a range is one note's, and the next note is decided by what is left then.
    """
    state: InvoiceState = work.state
    if not state.noted.awaiting or state.voided:
        return just(NotesNumbered(attempt=work.attempt))
    wanted, *more = state.noted.awaiting
    numbered_by(work, local_date(at, work.market.zone), at, "CRN")
    kept = changed(work, state=changed(state, noted=released(state.noted, wanted)))
    lines = _kept_lines(kept, wanted)
    how = {"comment": wanted.comment, "author": wanted.author, "approved_by": wanted.approved_by, "dispute": wanted.dispute}
    issued = issue_note(kept, wanted.note, lines, reason=wanted.reason, at=at, begun_by=at, **how)
    goes_on = NoteNumberRequested(attempt=work.attempt + 1, due_at=at) if more else NotesNumbered(attempt=work.attempt)
    return issued + just(goes_on)


def _kept_lines(work: Work, wanted: CreditNoteRequested) -> tuple[NoteLine, ...]:
    """The lines that were kept for a note; where it credits days, those from the day on from which they are not served."""
    lines = lines_off(work, {int(place): net_minor for place, net_minor in wanted.lines.items()})
    return tuple(
        line.model_copy(update={"from_day": wanted.ended_on}) if line.from_day < wanted.ended_on < line.to_day else line for line in lines
    )


def ranges_read(work: Work) -> tuple[str, ...]:
    """Name the stream that whoever issues a note reads: the approved ranges of numbers."""
    return (RANGES,)


def credited(state: InvoiceState, amount_minor: int) -> tuple[tuple[str, CreditReceived], ...]:
    """What was paid already is a credit of the account, as it came last."""
    issued = state.issued
    if not amount_minor or issued is None:
        return ()
    method, reference = state.paid_by
    credit = CreditReceived(
        account=issued.account,
        customer=issued.customer,
        currency=issued.currency,
        amount_minor=amount_minor,
        invoice=issued.number,
        method=method,
        reference=reference,
    )
    return ((account_stream(issued.account), credit),)


def called_off(work: Work, begun_by: datetime) -> tuple[StepCancelled, ...]:
    """Call off what is still to be collected, unless the provider may have been asked: its money then is a credit of the account."""
    record = work.state.records.get("payment")
    if record is None or work.state.demanded_minor:
        return ()
    next_at = record.retry_at or record.sent_from
    to_come = next_at is not None and next_at > begun_by
    return (StepCancelled(step="payment"),) if to_come or record.waiting_for else ()
