"""What was open of an invoice past its due day, day by day: all that interest for late payment is reckoned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.frozen import changed


@dataclass(frozen=True, slots=True)
class Late:
    """What was open past its due day on an invoice of a business: by how much that changed, in minor units, and the local day of each change. A change
    counts from the day after it, so that of a debt that is due on one day and paid on another as many days count as lie between them."""

    invoice: str
    currency: str
    changes: tuple[tuple[str, int], ...] = ()

    @property
    def stretches(self) -> Iterator[tuple[date, int]]:
        """The days of change with what was open after each, in minor units, the earliest first."""
        days = sorted({day for day, _ in self.changes})
        sums = accumulate(sum(minor for of, minor in self.changes if of == day) for day in days)
        return ((date.fromisoformat(day), max(open_minor, 0)) for day, open_minor in zip(days, sums, strict=True))


def later(known: Late | None, event: ArrearsChanged, was_minor: int) -> Late:
    """Give what was late of an invoice after a change of what is open of it, before which `was_minor` was open.

    What is paid is late no more from the day on which it had come, what is credited was never owed, and what is taken back is owed again from its day.
    """
    late = known or Late(event.invoice, event.currency)
    change_minor, day = event.open_minor - was_minor, event.due_on
    if event.cause == "credit":
        change_minor, day = -event.credited_minor, min((day for day, _ in late.changes), default=day)
    elif change_minor < 0:
        day = event.paid_on or day
    return changed(late, changes=(*late.changes, (day, change_minor))) if change_minor else late
