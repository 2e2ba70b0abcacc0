"""How often a price recurs, and the service periods that follow from the day it begins."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from o2c.kernel.periods import Period

UNITS = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}
"""A unit of time as (months, days). A quarter is three months."""
LENGTH_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Once every `length` days, weeks, months or years. ValueError for another unit or a length outside 1 to LENGTH_MAX.

    Periods are half-open and begin on the anniversaries of a first day: the day of the month of that first day, or the last day of a month
    that lacks it (31 January, 28 February, 31 March). Source: billing facts, section 6.3, cases K5, K10 and L11.
    """

    unit: str = "month"
    length: int = 1

    def __post_init__(self) -> None:
        if self.unit not in UNITS or not 1 <= self.length <= LENGTH_MAX:
            raise ValueError(f"{self.length} {self.unit} is no period of a recurring price")

    @property
    def monthly(self) -> bool:
        """Whether it is once a month, as bills are."""
        return (self.unit, self.length) == ("month", 1)

    @property
    def words(self) -> str:
        """For people: `a month`, `every 3 months`."""
        return f"a {self.unit}" if self.length == 1 else f"every {self.length} {self.unit}s"

    def begins(self, first_day: date, turn: int) -> date:
        """Give the day on which the period number `turn` begins, counted from 0 on the first day."""
        months, days = (part * self.length * turn for part in UNITS[self.unit])
        if not months:
            return first_day + timedelta(days=days)
        year, month = divmod(first_day.year * 12 + first_day.month - 1 + months, 12)
        return date(year, month + 1, min(first_day.day, monthrange(year, month + 1)[1]))

    def begun(self, first_day: date, day: date) -> int:
        """Count the periods that begin on or before a day; 0 before the first day."""
        if day < first_day:
            return 0
        months, days = (part * self.length for part in UNITS[self.unit])
        if not months:
            return (day - first_day).days // days + 1
        turn = ((day.year - first_day.year) * 12 + day.month - first_day.month) // months
        return turn + (self.begins(first_day, turn) <= day)

    def period(self, first_day: date, turn: int) -> Period:
        """Give the period number `turn`, counted from 0."""
        return Period(self.begins(first_day, turn), self.begins(first_day, turn + 1))

    def periods(self, first_day: date, *, since: date, through: date) -> Iterator[Period]:
        """Give the periods that begin on or after one day and on or before another, in turn."""
        for turn in range(self.begun(first_day, since - timedelta(days=1)), self.begun(first_day, through)):
            yield self.period(first_day, turn)
