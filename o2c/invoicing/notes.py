"""What may be taken off an invoice: credit notes line by line, with the tax of its groups, and the void of an invoice that nobody paid.

Source: billing facts, section 6.4 (a finalised invoice is never edited; the notes of an invoice never exceed it, and the last takes the residue).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction

from o2c.invoicing.discounts import LINE_KIND
from o2c.invoicing.events import CreditNoteIssued, CreditNoteRequested, InvoiceIssued, InvoiceVoided, NoteReason
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.of_market import rated, seller_of
from o2c.invoicing.papers import InvoiceLine, NoteLine, TaxSum, series_of, tax_sums
from o2c.kernel.arrears import credited_of
from o2c.kernel.balances import CreditReceived
from o2c.kernel.charges import account_stream
from o2c.kernel.debts import reversed_for
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.lateness import claims_minor
from o2c.kernel.money import allocate, from_minor, half_up, part_of
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work

ENGINE = "engine"
"""The author of notes that follow by themselves."""
RECURRING = frozenset({"period", "part-period"})


def request(
    work: Work, *, lines: Mapping[int, int] | None, reason: NoteReason, comment: str, author: str, at: datetime, begun_by: datetime
) -> Decision:
    """Credit some net minor units of lines of an invoice, by their place from 1, or (None) all that is left of it.

    A note over more than the market lets one person issue waits for a second one. `begun_by` is the time up to which an attempt to collect
    may have begun: a later one is called off when nothing is left to pay. Raises Refused: conflict (void, nothing left, more than is left of a
    line or of its tax group), usage (no such line, nothing to credit).
    """
    taken, taxes = drafted(work, lines)
    total_minor = total_of(taken, taxes)
    note = f"{work.state.issued.number}-C{work.state.noted.count + 1}"
    if total_minor > approved_above_minor(work):
        wanted = {str(line.line): line.net_minor for line in taken}
        return just(CreditNoteRequested(note=note, reason=reason, author=author, lines=wanted, total_minor=total_minor, comment=comment))
    return issue_note(work, note, taken, reason=reason, comment=comment, author=author, approved_by="", at=at, begun_by=begun_by)


def drafted(work: Work, lines: Mapping[int, int] | None) -> tuple[tuple[NoteLine, ...], tuple[TaxSum, ...]]:
    """What a note over some net minor units of lines, or (None) over all that is left, would say: its lines, and the sums of its tax groups.

    Raises Refused as `request` does.
    """
    _standing(work)
    taken = lines_off(work, left_of(work) if lines is None else lines)
    return taken, _taxes(work, taken)


def approve(work: Work, note: str, *, approved_by: str, at: datetime, begun_by: datetime) -> Decision:
    """Issue a note that was asked for, by a second person; nothing for one that was issued.

    Raises Refused: missing (no such note), forbidden (its author), conflict (what is left of the invoice has become less).
    """
    issued = _standing(work)
    wanted = work.state.noted.wanted.get(note)
    if wanted is None:
        if note in {f"{issued.number}-C{n}" for n in range(1, work.state.noted.count + 1)}:
            return NOTHING
        raise Refused(f"invoice {issued.number} has no credit note {note[:60]}; see `o2c invoices show`", kind="missing")
    if wanted.author == approved_by:
        raise Refused(f"credit note {note}: {approved_by} asked for it; somebody else has to approve it", kind="forbidden")
    taken = lines_off(work, {int(place): net_minor for place, net_minor in wanted.lines.items()})
    how = {"comment": wanted.comment, "author": wanted.author, "approved_by": approved_by, "dispute": wanted.dispute}
    return issue_note(work, note, taken, reason=wanted.reason, at=at, begun_by=begun_by, **how)


def conceded(work: Work, *, amount_minor: int, dispute: str, author: str, comment: str, at: datetime) -> Decision:
    """Credit what was disputed of an invoice, tax included, in minor units, once that is settled for its customer (`dispute`, the id of the event).

    It is taken off all lines by what is left of each, so that it comes to the amount; where no net amount with its tax comes to it exactly, to the next
    one above. A note over more than one person may issue waits for a second one. Nothing where nothing is left.
    """
    state: InvoiceState = work.state
    left = left_of(work) if state.issued else {}
    if state.issued is None or state.voided or sum(left.values()) <= 0:
        return NOTHING
    try:
        lines = _made_of(work, left, amount_minor)
    except Refused:
        # Discounts leave nothing of a tax group to take it off: a person writes the note, and until then it is not collected.
        return NOTHING
    total_minor, note = _total(work, lines), f"{state.issued.number}-C{state.noted.count + 1}"
    how = {"comment": comment, "author": author, "dispute": dispute}
    if total_minor > approved_above_minor(work):
        wanted = {str(line.line): line.net_minor for line in lines}
        return just(CreditNoteRequested(note=note, reason="disputed", lines=wanted, total_minor=total_minor, **how))
    return issue_note(work, note, lines, reason="disputed", approved_by="", at=at, begun_by=at, **how)


def _made_of(work: Work, left: Mapping[int, int], amount_minor: int) -> tuple[NoteLine, ...]:
    """The lines that come to an amount with their tax, or to the next above; all that is left where that is less."""
    places, net_left = list(left), sum(left.values())
    low, high = 1, max(net_left, 1)
    while low < high:
        middle = (low + high) // 2
        enough = _total(work, _shared(work, left, places, middle)) >= amount_minor
        low, high = (low, middle) if enough else (middle + 1, high)
    return lines_off(work, left) if low >= net_left else _shared(work, left, places, low)


def _shared(work: Work, left: Mapping[int, int], places: Sequence[int], net_minor: int) -> tuple[NoteLine, ...]:
    """A net amount off all lines, by what is left of each; discounts go in the share in which what they lower goes."""
    charged, lowered = [place for place in places if left[place] > 0], [place for place in places if left[place] < 0]
    charged_minor = sum(left[place] for place in charged)
    taken_minor = half_up(Fraction(net_minor * charged_minor, sum(left.values())))
    parts = dict(zip(charged, allocate(taken_minor, [left[place] for place in charged]), strict=True))
    if lowered:
        parts |= zip(lowered, allocate(net_minor - taken_minor, [-left[place] for place in lowered]), strict=True)
    return lines_off(work, {place: part for place, part in parts.items() if part})


def _total(work: Work, lines: tuple[NoteLine, ...]) -> int:
    return total_of(lines, _taxes(work, lines))


def unserved(work: Work, *, order: str, item: str, ended_on: str, at: datetime) -> Decision:
    """Credit what an invoice charged in advance for a service from the day on from which it is not served; nothing where nothing of it is left.

    What stays is what a part period costs, by days, half-up; what is credited is the rest, so that the two make up the line. Of the discounts of a
    line those on the days that are not served go with it: what was billed is credited, and no more.
    """
    taken = unserved_lines(work, order=order, item=item, ended_on=ended_on)
    if not taken:
        return NOTHING
    note = f"{work.state.issued.number}-C{work.state.noted.count + 1}"
    how = {"comment": "", "author": ENGINE, "approved_by": ""}
    return issue_note(work, note, taken, reason="not-served", at=at, begun_by=at, **how)


def unserved_lines(work: Work, *, order: str, item: str, ended_on: str) -> tuple[NoteLine, ...]:
    """Give the lines of a note over what is not served of an item from a day on; none where nothing of it is left."""
    state: InvoiceState = work.state
    if state.issued is None or state.voided:
        return ()
    lines = dict(enumerate(state.issued.lines, 1))
    ended = date.fromisoformat(ended_on)
    taken: list[NoteLine] = []
    for place, line in lines.items():
        if (line.order, line.item) != (order, item) or line.kind not in RECURRING:
            continue
        found = {place: _unserved(state, place, line, ended)}
        found |= {n: _unserved(state, n, one, ended) for n, one in lines.items() if one.kind == LINE_KIND and one.of_line == place}
        for n, net_minor in _at_most(found, _left_of_group(state, line.tax_group) - _net_of(taken, line.tax_group)).items():
            from_day = max(ended_on, lines[n].from_day)
            taken.append(_note_line(n, _rated(work, lines[n]), net_minor, from_day=from_day))
    return tuple(taken)


def _unserved(state: InvoiceState, place: int, line: InvoiceLine, ended: date) -> int:
    """What a line charged for the days from one on, and what of that is left of it; below zero for a discount."""
    start, end = date.fromisoformat(line.from_day), date.fromisoformat(line.to_day)
    if end <= ended:
        return 0
    sign, net_minor, noted = (-1 if line.net_minor < 0 else 1), abs(line.net_minor), state.noted
    kept = part_of(net_minor, max((ended - start).days, 0), (end - start).days)
    before = (net_minor - kept - sign * noted.not_served.get(str(place), 0), net_minor - sign * noted.lines.get(str(place), 0))
    return sign * max(min(before), 0)


def _at_most(found: dict[int, int], left_minor: int) -> dict[int, int]:
    """What is credited of a line (the first) and of its discounts: in all neither below nothing, as halves that were rounded might come to, nor above
    what is left of the tax group."""
    [line, *discounts] = found
    credited = {line: found[line]}
    for place in discounts:
        credited[place] = -min(-found[place], sum(credited.values()))
    credited[line] = max(credited[line] - max(sum(credited.values()) - left_minor, 0), 0)
    return {place: net_minor for place, net_minor in credited.items() if net_minor} if sum(credited.values()) > 0 else {}


def _left_of_group(state: InvoiceState, group: str) -> int:
    """What was billed in a tax group and is not credited, net."""
    assert state.issued is not None
    places = [(place, line.net_minor) for place, line in enumerate(state.issued.lines, 1) if line.tax_group == group]
    return sum(net_minor - state.noted.lines.get(str(place), 0) for place, net_minor in places)


def _net_of(lines: Sequence[NoteLine], group: str) -> int:
    return sum(line.net_minor for line in lines if line.tax_group == group)


def void(work: Work, *, reason: NoteReason, comment: str, begun_by: datetime) -> Decision:
    """Declare an invoice void of which nothing was paid or credited, or is paid in instalments; nothing for one that is. It keeps its number.

    Money that still comes, from a demand that is out, is a credit of the account. Raises Refused (conflict) when money came or a note was issued,
    or later bills have instalments of it: then a credit note is the way.
    """
    state: InvoiceState = work.state
    if state.voided:
        return NOTHING
    issued = _standing(work)
    if state.payments or state.noted.total_minor or state.lowered_minor or state.open_minor <= 0:
        why = "was paid or credited, or is paid in instalments, if only in part"
        raise Refused(f"invoice {issued.number} {why}; issue a credit note for it (`o2c credit-notes issue`)", kind="conflict")
    taken = tuple(_note_line(place, _rated(work, line), line.net_minor) for place, line in enumerate(issued.lines, 1))
    voided = InvoiceVoided(
        currency=issued.currency,
        lines=taken,
        taxes=_groups(work),
        net_minor=issued.net_minor,
        tax_minor=issued.tax_minor,
        total_minor=issued.total_minor,
        of_open_minor=state.open_minor,
        credit_minor=issued.credit_used_minor,
        reason=reason,
        comment=comment,
    )
    today = local_date(begun_by, work.market.zone).isoformat()
    told = credited_of(state, work.market, state.open_minor, issued.total_minor, claims_minor(issued.lines), today)
    elsewhere = (*_credited(state, issued.credit_used_minor), *told)
    return Decision((voided, *_called_off(work, begun_by)), elsewhere)


def approved_above_minor(work: Work) -> int:
    """The most that one person may credit in a note, with tax, in minor units: the market's figure, which is the operator's own."""
    return int(work.market.invoicing.note_approved_above_minor)


def _standing(work: Work) -> InvoiceIssued:
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
    left = {place: line.net_minor - work.state.noted.lines.get(str(place), 0) for place, line in lines}
    return {place: net_minor for place, net_minor in left.items() if net_minor}


def lines_off(work: Work, wanted: Mapping[int, int]) -> tuple[NoteLine, ...]:
    """Give the lines of a note, over net amounts by the place of a line. Raises Refused where a line has not so much left, or there is none."""
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
    return tuple(_note_line(place, _rated(work, issued.lines[place - 1]), net_minor) for place, net_minor in sorted(wanted.items()))


def _rated(work: Work, line: InvoiceLine) -> InvoiceLine:
    """A line with its rate: one of before lines said it has that of the day of issue."""
    return line if line.tax_percent else rated(line, work.market, date.fromisoformat(work.state.issued.issued_on))


def _groups(work: Work) -> tuple[TaxSum, ...]:
    """The sums of the invoice by tax group."""
    return work.state.issued.taxes or tax_sums(_rated(work, line) for line in work.state.issued.lines)


def _note_line(place: int, line: InvoiceLine, net_minor: int, *, from_day: str = "") -> NoteLine:
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


def _taxes(work: Work, lines: tuple[NoteLine, ...]) -> tuple[TaxSum, ...]:
    """The sums of a note by the groups of its invoice.

    What is credited of a group's tax, by this note and all before, is the group's tax in the share that is credited of its net: so the notes of
    an invoice never come to more than its own tax, and the one that credits the last of a group takes what is left of its tax, to the minor unit.
    Raises Refused (conflict) for more than a group has.
    """
    found = []
    for group in _groups(work):
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
) -> Decision:
    """Give a credit note over lines, with the credit of what was paid of them, and what collections are told. It is not held against any limit."""
    issued: InvoiceIssued = work.state.issued
    taxes = _taxes(work, lines)
    net_minor, tax_minor = sum(line.net_minor for line in lines), sum(tax.tax_minor for tax in taxes)
    of_open_minor = min(net_minor + tax_minor, max(work.state.owed_minor, 0))
    today = local_date(at, work.market.zone).isoformat()
    supplier = issued.supplier if issued.supplier.entity else seller_of(work.market)
    event = CreditNoteIssued(
        note=note,
        series=series_of(supplier, "CRN", today),
        invoice=issued.number,
        invoice_number=issued.legal_number or issued.number,
        account=issued.account,
        customer=issued.customer,
        market=issued.market,
        reason=reason,
        author=author,
        approved_by=approved_by,
        issued_on=today,
        issued_at=at,
        supplier=supplier,
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
    settled = _called_off(work, begun_by) if of_open_minor and of_open_minor == work.state.open_minor else ()
    told = credited_of(work.state, work.market, of_open_minor, event.total_minor, claims_minor(event.lines), today)
    return Decision((event, *reversed_for(work.state, of_open_minor), *settled), (*_credited(work.state, event.credit_minor), *told))


def _credited(state: InvoiceState, amount_minor: int) -> tuple[tuple[str, CreditReceived], ...]:
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


def _called_off(work: Work, begun_by: datetime) -> tuple[StepCancelled, ...]:
    """Call off what is still to be collected, unless the provider may have been asked: its money then is a credit of the account."""
    if "payment" not in work.state.records or work.state.demanded_minor:
        return ()
    next_at = work.retry_at or work.sent.get("payment")
    to_come = next_at is not None and next_at > begun_by
    return (StepCancelled(step="payment"),) if to_come or work.waiting_for else ()
