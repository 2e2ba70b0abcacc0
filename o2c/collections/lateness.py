"""What was open of an invoice past its due day, day by day: all that interest for late payment is reckoned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.frozen import changed
from o2c.kernel.lateness import LateCharged, LateOvercharged


@dataclass(frozen=True, slots=True)
class Billed:
    """What a bill charged for paying an invoice late, for all days before `to_day` that no bill had, in minor units, without what was too
    much of it."""

    bill: str
    to_day: str
    interest_minor: int
    fixed_minor: int


@dataclass(frozen=True, slots=True)
class Late:
    """What was open past its due day on an invoice of a business: by how much that changed, in minor units, and the local day of each
    change. A change counts from the day after it, so that of a debt that is due on one day and paid on another as many days count as lie
    between them.

    `billed` is what bills charged for it, `rates` are the percent by the first days of what was charged at them, by which these days are
    reckoned for good.
    """

    invoice: str
    currency: str
    changes: tuple[tuple[str, int], ...] = ()
    billed: tuple[Billed, ...] = ()
    rates: tuple[tuple[str, str], ...] = ()

    @property
    def billed_to(self) -> date | None:
        """The day before which all days are charged; None where no bill charged any."""
        return date.fromisoformat(max(each.to_day for each in self.billed)) if self.billed else None

    @property
    def billed_minor(self) -> tuple[int, int]:
        """What bills charged in all, in minor units, without what was too much: interest, and fixed sums."""
        return sum(each.interest_minor for each in self.billed), sum(each.fixed_minor for each in self.billed)

    @property
    def stretches(self) -> Iterator[tuple[date, int]]:
        """The days of change with what was open after each, in minor units, the earliest first."""
        days = sorted({day for day, _ in self.changes})
        sums = accumulate(sum(minor for of, minor in self.changes if of == day) for day in days)
        return ((date.fromisoformat(day), max(open_minor, 0)) for day, open_minor in zip(days, sums, strict=True))


def later(known: Late | None, event: ArrearsChanged, was_minor: int) -> Late:
    """Give what was late of an invoice after a change of what is open of it, before which `was_minor` was open that bears interest.

    What is paid is late no more from the day on which it had come, what is credited was never owed, and what is taken back is owed again
    from its day.
    """
    late = known or Late(event.invoice, event.currency)
    change_minor, day = event.bearing_minor - was_minor, event.due_on
    if event.cause == "credit":
        change_minor, day = -event.credited_minor, min((day for day, _ in late.changes), default=day)
    elif change_minor < 0:
        day = event.paid_on or day
    return changed(late, changes=(*late.changes, (day, change_minor))) if change_minor else late


def charged(late: Late, event: LateCharged | LateOvercharged) -> Late:
    """Give what was late of an invoice after a bill charged for it, or turned out to have charged too much."""
    if isinstance(event, LateCharged):
        rates = dict(late.rates) | {rate.from_day: rate.percent for rate in event.rates}
        billed = Billed(event.bill, event.to_day, event.interest_minor, event.fixed_minor)
        return changed(late, billed=(*late.billed, billed), rates=tuple(rates.items()))
    left = (
        changed(each, interest_minor=each.interest_minor - event.interest_minor, fixed_minor=each.fixed_minor - event.fixed_minor)
        if each.bill == event.bill
        else each
        for each in late.billed
    )
    return changed(late, billed=tuple(left))
