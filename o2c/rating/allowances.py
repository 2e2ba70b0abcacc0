"""Included units as they are granted, used and carried over: pure, exact, and by the order in which they are used.

Source: billing facts, section 6.3, O2 (rollover) and O4 (the order in which grants are used).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from o2c.kernel.periods import Period
from o2c.kernel.recurrence import Recurrence
from o2c.rating.proration import before_first_cycle
from o2c.rating.tariff import Allowance
from o2c.rating.units import in_base

_MONTH = Recurrence("month")


@dataclass(frozen=True, slots=True)
class Grant:
    """Units granted to a line (`ORDER/ITEM`), in the base unit: `left` of them can be used on the days from `starts` to `ends` (exclusive).

    `created` tells apart grants that end on one day: the earlier one is used first. What was carried over serves the line `also` under the
    charges that took the place of its own, as another plan's does. `drawn` is what each line used of it in the running bill period, where
    there is a limit to that.
    """

    owner: str
    allowance: Allowance
    left: Fraction
    starts: date
    ends: date
    created: date
    also: tuple[str, ...] = ()
    drawn: tuple[tuple[str, Fraction], ...] = ()

    @property
    def turn(self) -> tuple[int, date, date, str, str]:
        """The order of use: the lower priority number, then the earlier end, then the earlier creation; names break ties."""
        return (self.allowance.priority, self.ends, self.created, self.owner, self.allowance.name)

    def serves(self, owner: str, usage: str, zone: str, on: date) -> bool:
        """Whether it can be used for a record of a line on a day."""
        return (
            (owner in (self.owner, *self.also) or self.allowance.shared)
            and self.starts <= on < self.ends
            and self.allowance.serves(usage, zone)
        )

    def room(self, owner: str) -> Fraction:
        """How much of it a line can use: what is left, and no more than one line can have of a pool (polarsource/polar #9068)."""
        most = self.allowance.line_max
        if most is None:
            return self.left
        return min(self.left, max(in_base(most, self.allowance.unit) - dict(self.drawn).get(owner, Fraction(0)), Fraction(0)))

    def less(self, owner: str, taken: Fraction) -> Grant:
        """The grant after a line used so much of it."""
        if self.allowance.line_max is None:
            return replace(self, left=self.left - taken)
        drawn = dict(self.drawn)
        drawn[owner] = drawn.get(owner, Fraction(0)) + taken
        return replace(self, left=self.left - taken, drawn=tuple(sorted(drawn.items())))


def granted(owner: str, allowance: Allowance, period: Period, *, from_day: date | None = None) -> Grant:
    """The grant of a bill period; with `from_day`, of the part of it from that day on, by days where the allowance is prorated."""
    begins = max(from_day or period.start, period.start)
    share = before_first_cycle(Period(begins, period.end), period.end, _MONTH) if allowance.prorated else Fraction(1)
    ends = period.end if allowance.periods == 1 else _MONTH.begins(period.end, allowance.periods - 1)
    return Grant(owner, allowance, in_base(allowance.quantity, allowance.unit) * share, begins, ends, begins)


def used(grants: Sequence[Grant], owner: str, usage: str, zone: str, on: date, quantity: Fraction) -> tuple[tuple[Grant, ...], Fraction]:
    """The grants after a record used what it could of them, and the quantity (in the base unit) that none of them covered."""
    left = list(grants)
    for place in sorted(range(len(left)), key=lambda place: left[place].turn):
        if quantity > 0 and left[place].left > 0 and left[place].serves(owner, usage, zone, on):
            taken = min(quantity, left[place].room(owner))
            left[place] = left[place].less(owner, taken)
            quantity -= taken
    return tuple(left), quantity


def rolled_over(left: Fraction, rollover_min: Fraction, rollover_max: Fraction) -> Fraction:
    """What is carried over of what is left: brought up to the minimum, and never above the maximum (O2: of 90 left with a maximum of 50,
    50)."""
    return min(max(left, rollover_min), rollover_max)


def carried(grants: Sequence[Grant], period_end: date) -> tuple[Grant, ...]:
    """The grants that go on after the end of a period: those that last longer, and what the ending ones carry into the next period.

    What ends of one allowance of a line is carried over together, so that rollovers do not pile up beyond its maximum.
    """
    lasting = [replace(grant, drawn=()) for grant in grants if grant.ends > period_end]
    ending: dict[tuple[str, str], list[Grant]] = {}
    for grant in grants:
        if grant.ends == period_end:
            ending.setdefault((grant.owner, grant.allowance.name), []).append(grant)
    for same in ending.values():
        newest = max(same, key=lambda grant: grant.created)
        low, high = (in_base(bound, newest.allowance.unit) for bound in (newest.allowance.rollover_min, newest.allowance.rollover_max))
        if over := rolled_over(sum((grant.left for grant in same), Fraction(0)), low, high):
            lasting.append(replace(newest, left=over, starts=period_end, ends=_MONTH.begins(period_end, 1), drawn=()))
    return tuple(lasting)
