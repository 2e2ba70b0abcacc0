"""What a service period has earned by a day, exact to the minor unit."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from o2c.kernel.money import half_up
from o2c.kernel.periods import Period


def earned(net_minor: int, period: Period, through: date) -> int:
    """Give what a line has earned at the end of a day: its share of the days served by then, half-up, so that the days sum to the line.

    ValueError for a period without days. Source: IFRS 15, 39-45 (progress by time that has passed).
    """
    if not period.days:
        raise ValueError("a period without days earns nothing day by day")
    served = min(max((through - period.start).days + 1, 0), period.days)
    return half_up(Fraction(net_minor * served, period.days))


def earned_on(net_minor: int, period: Period, day: date, *, posted_on: date) -> int:
    """Give what is recognised on one day of a line that was posted on a day: all that was served before is recognised on that day.

    ValueError as `earned`.
    """
    if day < posted_on:
        return 0
    before = 0 if day == posted_on else earned(net_minor, period, date.fromordinal(day.toordinal() - 1))
    return earned(net_minor, period, day) - before
