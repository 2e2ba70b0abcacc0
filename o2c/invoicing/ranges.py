"""Ranges of numbers that an authority approves for invoices, or credit notes, beforehand: when one may be approved, and from which one a
paper takes its number.

Such a range has a first and a last number and days on which it is valid, as several countries' tax authorities give them to a supplier
(Colombia, say: Estatuto Tributario, art. 617 and 684-2, and DIAN, Resolution 000165 of 2023 [M]; credit notes there need none, as they do
in Chile [M]). A range without a number left, or over its last day, gives none: the paper waits as a fallout until another is approved, and
then goes on by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from o2c.invoicing.of_market import seller_of
from o2c.invoicing.papers import NumberRange, Paper, Seller, series_of
from o2c.invoicing.range_events import RANGES, RangeApproved, RangeClosed, pool_of
from o2c.invoicing.range_state import RangesState
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work

NO_NUMBER = "BIL-SERIES"
"""The reason code of a paper for which no approved number is left."""
_PREFIX = re.compile(r"[A-Z0-9.-]{0,19}[A-Z.-]")
_OURS = re.compile(r"-(INV|CRN)-")
NUMBER_MAX = 10**15


class NoNumberLeft(ValueError):
    """No approved number may be taken: told in the words of the fallout."""


def approve(state: RangesState, wanted: NumberRange, *, low_days: int, paper: Paper = "INV") -> Decision:
    """Let papers of a kind take numbers of a range from now on, after those approved before; nothing for one that was approved so.

    Raises Refused: usage (a prefix that has other than capitals, digits, `-` and `.`, ends in a digit, or is that of a series of ours;
    numbers or days that end before they begin; a warning at no fewer numbers than there are), conflict (it was approved otherwise, or
    shares numbers with another).
    """
    if flaw := _flaw(wanted, low_days):
        raise Refused(f"range {wanted.prefix[:20]}{str(wanted.first)[:20]} to {str(wanted.last)[:20]}: {flaw}; it was not approved")
    told = RangeApproved(approved=wanted, low_days=low_days, paper=paper)
    if state.approved.get(wanted.name) == told:
        return NOTHING
    for name, other in state.approved.items():
        if _shared(other.approved, wanted):
            raise Refused(f"range {wanted.name}: range {name}, approved before, has some of its numbers; name others", kind="conflict")
    return just(told)


def _flaw(wanted: NumberRange, low_days: int) -> str:
    if not _PREFIX.fullmatch(wanted.prefix) or _OURS.search(wanted.prefix):
        return "a prefix is at most 20 of A-Z, 0-9, `-` and `.`, ends in no digit, and is none of a series of the year (`-INV-`)"
    if not 1 <= wanted.first <= wanted.last < NUMBER_MAX:
        return "its last number comes before its first, or they are no numbers above nothing"
    if wanted.valid_to and wanted.valid_to < wanted.valid_from:
        return "it ends before it begins"
    if not wanted.approval.strip() or not wanted.approval.isprintable() or len(wanted.approval) > 80:
        return "name the authority's decision (at most 80 characters)"
    if not 0 <= wanted.low_at < wanted.count or not 0 <= low_days <= 366:
        return "a warning is due when fewer numbers are left than it has, and at most 366 days before they are used"
    return ""


def _shared(one: NumberRange, other: NumberRange) -> bool:
    """Whether two ranges have a number in common, as text. Prefixes end in no digit, so that the same text has the same prefix."""
    same = one.prefix == other.prefix and len(str(one.last)) == len(str(other.last))
    return same and one.first <= other.last and other.first <= one.last


def close(state: RangesState, name: str) -> Decision:
    """Take no further number of a range; nothing for one that gives none any more. Raises Refused (missing)."""
    if name not in state.approved:
        raise Refused(f"there is no approved range {name[:40]}; see `o2c number-ranges list`", kind="missing")
    return NOTHING if name in state.over else just(RangeClosed(range=name))


def numbered_by(work: Work, day: date, at: datetime, paper: Paper = "INV") -> tuple[str, NumberRange]:
    """Name the series, with the range that it is, of which a paper of a day takes its number at a time: the first one that may give one, or
    (no range) the series of the year where none is needed. Raises NoNumberLeft where one is."""
    seller, state = supplier_of(work), _ranges(work)
    needed = paper == "INV" and work.market.invoicing.numbers_approved
    if not needed and not state.all_of(seller.entity, paper):
        return series_of(seller, paper, day.isoformat()), NumberRange()
    today = local_date(at, work.market.zone).isoformat()
    usable = next((one for one in state.of(seller.entity, paper) if one.valid_on(today)), None)
    if usable is None:
        of = "credit notes of " if paper == "CRN" else ""
        raise NoNumberLeft(f"no range approved for {of}{seller.entity} has a number left on {today}")
    return usable.name, usable


def supplier_of(work: Work) -> Seller:
    """Who issues a paper: the market's supplier, or, of a credit note, whoever issued its invoice."""
    issued = getattr(work.state, "issued", None)
    return issued.supplier if issued and issued.supplier.entity else seller_of(work.market)


def _ranges(work: Work) -> RangesState:
    return work.read.get(RANGES) or RangesState()


def numbers_of(work: Work, paper: Paper = "INV") -> str:
    """Name the pool for which a paper waits that finds no number left."""
    return pool_of(supplier_of(work).entity, paper)


Completes = Callable[[Work, Mapping[str, Any], datetime], Decision]


def lacking(complete: Completes, paper: Paper = "INV") -> Callable[[Work, datetime], str]:
    """Give the check of a step that issues papers: where no approved number is left for the one that it would issue, it falls out."""

    def check(work: Work, at: datetime) -> str:
        lacks = _lacks(work, at, paper) and _would_lack(complete, work, at)
        return f"{NO_NUMBER}: {lacks}" if lacks else ""

    return check


def opening(complete: Completes, paper: Paper = "INV") -> Callable[[Work, datetime], datetime]:
    """Give when such a step may begin: where no approved number may be taken yet, and one may on a day to come, on that day."""

    def open_from(work: Work, at: datetime) -> datetime:
        begins = [one.valid_from for one in _ranges(work).of(supplier_of(work).entity, paper) if one.valid_from] if work.read else []
        later = [day for day in begins if day > local_date(at, work.market.zone).isoformat()]
        if not later or not _lacks(work, at, paper) or not _would_lack(complete, work, at):
            return at
        return local_time(date.fromisoformat(min(later)), 0, 0, work.market.zone)

    return open_from


def _lacks(work: Work, at: datetime, paper: Paper) -> bool:
    try:
        numbered_by(work, local_date(at, work.market.zone), at, paper)
    except NoNumberLeft:
        return True
    return False


def _would_lack(complete: Completes, work: Work, at: datetime) -> str:
    """A run with nothing to bill needs no number."""
    try:
        complete(work, {}, at)
    except NoNumberLeft as lacks:
        return str(lacks)
    return ""
