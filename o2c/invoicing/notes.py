"""What may be taken off an invoice: credit notes line by line, with the tax of its groups, and the void of an invoice that nobody paid.

Source: billing facts, section 6.4 (a finalised invoice is never edited; the notes of an invoice never exceed it, and the last takes the
residue).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from o2c.invoicing.discounts import LINE_KIND
from o2c.invoicing.events import CreditNoteRequested, InvoiceVoided, NoteReason
from o2c.invoicing.issuing import (
    called_off,
    credited,
    groups_of,
    issue_note,
    left_of,
    lines_off,
    note_line,
    rated_line,
    standing,
    taxes_of,
    total_of,
)
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.papers import InvoiceLine, NoteLine, TaxSum
from o2c.kernel.arrears import credited_of
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.lateness import claims_minor
from o2c.kernel.money import allocate, from_minor, half_up, part_of
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work

ENGINE = "engine"
"""The author of notes that follow by themselves."""
RECURRING = frozenset({"period", "part-period"})


def request(
    work: Work, *, lines: Mapping[int, int] | None, reason: NoteReason, comment: str, author: str, at: datetime, begun_by: datetime
) -> Decision:
    """Credit some net minor units of lines of an invoice, by their place from 1, or (None) all that is left of it.

    A note over more than the market lets one person issue waits for a second one. `begun_by` is the time up to which an attempt to collect
    may have begun: a later one is called off when nothing is left to pay. Raises Refused: conflict (void, nothing left, more than is left
    of a line or of its tax group), usage (no such line, nothing to credit).
    """
    taken, taxes = drafted(work, lines)
    total_minor = total_of(taken, taxes)
    note = f"{work.state.issued.number}-C{work.state.noted.count + 1}"
    if total_minor > approved_above_minor(work):
        wanted = {str(line.line): line.net_minor for line in taken}
        return just(CreditNoteRequested(note=note, reason=reason, author=author, lines=wanted, total_minor=total_minor, comment=comment))
    return issue_note(work, note, taken, reason=reason, comment=comment, author=author, approved_by="", at=at, begun_by=begun_by)


def drafted(work: Work, lines: Mapping[int, int] | None) -> tuple[tuple[NoteLine, ...], tuple[TaxSum, ...]]:
    """What a note over some net minor units of lines, or (None) over all that is left, would say: its lines, and the sums of its tax
    groups.

    Raises Refused as `request` does.
    """
    standing(work)
    taken = lines_off(work, left_of(work) if lines is None else lines)
    return taken, taxes_of(work, taken)


def approve(work: Work, note: str, *, approved_by: str, at: datetime, begun_by: datetime) -> Decision:
    """Issue a note that was asked for, by a second person; nothing for one that was issued.

    Raises Refused: missing (no such note), forbidden (its author), conflict (what is left of the invoice has become less).
    """
    issued = standing(work)
    wanted = work.state.noted.wanted.get(note)
    if wanted is None:
        if note in {f"{issued.number}-C{n}" for n in range(1, work.state.noted.count + 1)}:
            return NOTHING
        raise Refused(f"invoice {issued.number} has no credit note {note[:60]}; see `o2c invoices show`", kind="missing")
    if wanted.awaits_number:
        raise Refused(
            f"credit note {note} waits for a number, and for nobody; approve a range (`o2c number-ranges approve`)", kind="conflict"
        )
    if wanted.author == approved_by:
        raise Refused(f"credit note {note}: {approved_by} asked for it; somebody else has to approve it", kind="forbidden")
    taken = lines_off(work, {int(place): net_minor for place, net_minor in wanted.lines.items()})
    how = {"comment": wanted.comment, "author": wanted.author, "approved_by": approved_by, "dispute": wanted.dispute}
    return issue_note(work, note, taken, reason=wanted.reason, at=at, begun_by=begun_by, **how)


def conceded(work: Work, *, amount_minor: int, dispute: str, author: str, comment: str, at: datetime) -> Decision:
    """Credit what was disputed of an invoice, tax included, in minor units, once that is settled for its customer (`dispute`, the id of the
    event).

    It is taken off all lines by what is left of each, so that it comes to the amount; where no net amount with its tax comes to it exactly,
    to the next one above. A note over more than one person may issue waits for a second one. Nothing where nothing is left.
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
    how: dict[str, Any] = {"comment": comment, "author": author, "dispute": dispute}
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
    return total_of(lines, taxes_of(work, lines))


def unserved(work: Work, *, order: str, item: str, ended_on: str, at: datetime) -> Decision:
    """Credit what an invoice charged in advance for a service from the day on from which it is not served; nothing where nothing of it is
    left.

    What stays is what a part period costs, by days, half-up; what is credited is the rest, so that the two make up the line. Of the
    discounts of a line those on the days that are not served go with it: what was billed is credited, and no more.
    """
    taken = unserved_lines(work, order=order, item=item, ended_on=ended_on)
    if not taken:
        return NOTHING
    note = f"{work.state.issued.number}-C{work.state.noted.count + 1}"
    how = {"comment": "", "author": ENGINE, "approved_by": ""}
    return issue_note(work, note, taken, reason="not-served", at=at, begun_by=at, ended_on=ended_on, **how)


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
            taken.append(note_line(n, rated_line(work, lines[n]), net_minor, from_day=from_day))
    return tuple(taken)


def _unserved(state: InvoiceState, place: int, line: InvoiceLine, ended: date) -> int:
    """What a line charged for the days from one on, and what of that is left of it; below zero for a discount."""
    start, end = date.fromisoformat(line.from_day), date.fromisoformat(line.to_day)
    if end <= ended:
        return 0
    sign, net_minor, noted = (-1 if line.net_minor < 0 else 1), abs(line.net_minor), state.noted
    kept = part_of(net_minor, max((ended - start).days, 0), (end - start).days)
    before = (net_minor - kept - sign * noted.not_served.get(str(place), 0), net_minor - sign * noted.taken_minor(place))
    return sign * max(min(before), 0)


def _at_most(found: dict[int, int], left_minor: int) -> dict[int, int]:
    """What is credited of a line (the first) and of its discounts: in all neither below nothing, as halves that were rounded might come to,
    nor above what is left of the tax group."""
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
    return sum(net_minor - state.noted.taken_minor(place) for place, net_minor in places)


def _net_of(lines: Sequence[NoteLine], group: str) -> int:
    return sum(line.net_minor for line in lines if line.tax_group == group)


def void(work: Work, *, reason: NoteReason, comment: str, begun_by: datetime) -> Decision:
    """Declare an invoice void of which nothing was paid or credited, or is paid in instalments; nothing for one that is. It keeps its
    number.

    Money that still comes, from a demand that is out, is a credit of the account. Raises Refused (conflict) when money came or a note was
    issued, later bills have instalments of it, or it comes to more than one person may give up: then a credit note is the way.
    """
    state: InvoiceState = work.state
    if state.voided:
        return NOTHING
    issued = standing(work)
    if state.payments or state.noted.total_minor or state.noted.kept or state.lowered_minor or state.open_minor <= 0:
        why = "was paid or credited, or is paid in instalments, if only in part"
        raise Refused(f"invoice {issued.number} {why}; issue a credit note for it (`o2c credit-notes issue`)", kind="conflict")
    if issued.total_minor > (alone_minor := approved_above_minor(work)):
        alone = f"{from_minor(alone_minor, issued.currency)} {issued.currency}"
        why = f"comes to more than one person may give up ({alone}); credit it with a note, which a second one approves"
        raise Refused(f"invoice {issued.number} {why} (`o2c credit-notes issue`)", kind="conflict")
    taken = tuple(note_line(place, rated_line(work, line), line.net_minor) for place, line in enumerate(issued.lines, 1))
    voided = InvoiceVoided(
        currency=issued.currency,
        lines=taken,
        taxes=groups_of(work),
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
    elsewhere = (*credited(state, issued.credit_used_minor), *told)
    return Decision((voided, *called_off(work, begun_by)), elsewhere)


def approved_above_minor(work: Work) -> int:
    """The most that one person may credit in a note, with tax, in minor units: the market's figure, which is the operator's own."""
    return int(work.market.invoicing.note_approved_above_minor)
