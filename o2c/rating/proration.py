"""Shares of a recurring amount: cycles of a bill day that may be the 29th to the 31st, in advance or in arrears, by actual days or by
months of thirty.

A share is an exact number of cycles (1 is a whole one). Source: billing facts, section 6.3, cases K1 to K10.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import takewhile
from typing import Literal

from o2c.kernel.periods import Period
from o2c.kernel.recurrence import UNITS, Recurrence

CYCLE_DAY_MAX = 31
MONTH_OF_THIRTY = 30
Mode = Literal["advance", "arrears"]


@dataclass(frozen=True, slots=True)
class Share:
    """Days that are charged, and the number of cycles that they come to."""

    days: Period
    cycles: Fraction


def cycle_day_from(day: date, anchor: int) -> date:
    """The first bill day on or after a day; a month that lacks the day has its last. ValueError for an anchor outside 1 to 31."""
    this = _in_month(day.year, day.month, anchor)
    return this if this >= day else _in_month(day.year + day.month // 12, day.month % 12 + 1, anchor)


def shares(
    start: date, *, anchor: int, through: date, mode: Mode, end: date | None = None, recurrence: Recurrence | None = None
) -> tuple[Share, ...]:
    """The shares to charge of a service that runs from `start` to `end` (exclusive; None: open), up to a day.

    In advance, whatever begins on or before the day is charged; in arrears, whatever has ended on or before it. Before the first bill day
    stands a part, by the days of the cycle that would end there; a last part goes by the days of the cycle it begins. A price in days or
    weeks has its cycles from `start`. ValueError for an end before the start.
    """
    every = recurrence or Recurrence()
    life = Period(start, end or date.max)
    return tuple(
        takewhile(lambda share: (share.days.start if mode == "advance" else share.days.end) <= through, _from(life, anchor, every))
    )


def _from(life: Period, anchor: int, every: Recurrence) -> Iterator[Share]:
    """Every share of a life, in turn; without end where it has none."""
    months = UNITS[every.unit][0] * every.length
    first = cycle_day_from(life.start, anchor) if months else life.start
    if first > life.start:
        days = Period(life.start, min(first, life.end))
        yield Share(days, before_first_cycle(days, first, every))
    turn = 0
    while (begins := _begins(first, anchor, every, turn)) < life.end:
        ends = _begins(first, anchor, every, turn + 1)
        days = Period(begins, min(ends, life.end))
        yield Share(days, Fraction(days.days, (ends - begins).days))
        turn += 1


def _begins(first: date, anchor: int, every: Recurrence, turn: int) -> date:
    months = UNITS[every.unit][0] * every.length * turn
    if not months:
        return every.begins(first, turn)
    month = first.year * 12 + first.month - 1 + months
    return _in_month(month // 12, month % 12 + 1, anchor)


def before_first_cycle(days: Period, first: date, every: Recurrence) -> Fraction:
    """The share of days before the first bill day: over those from the same day a cycle earlier (K3: 14 of 31 before 28 February)."""
    months = UNITS[every.unit][0] * every.length
    month = first.year * 12 + first.month - 1 - months
    return Fraction(days.days, (first - _in_month(month // 12, month % 12 + 1, first.day)).days)


def after_last_cycle(billed_through: date, end: date, every: Recurrence) -> Fraction:
    """The share from a bill day up to an end that may be several cycles later, by the days of the first of them (K7)."""
    return Fraction((end - billed_through).days, every.period(billed_through, 0).days)


def days_of_thirty(start: date, end: date) -> int:
    """The days between two dates where every month has thirty: the 31st counts as the 30th (30E/360, ISDA 2006 section 4.16(g)) (K8,
    K9)."""
    first, last = (min(day.day, MONTH_OF_THIRTY) for day in (start, end))
    return ((end.year - start.year) * 12 + end.month - start.month) * MONTH_OF_THIRTY + last - first


def share_of_thirty(start: date, end: date) -> Fraction:
    """The share of a month between two dates where every month has thirty days."""
    return Fraction(days_of_thirty(start, end), MONTH_OF_THIRTY)


def _in_month(year: int, month: int, anchor: int) -> date:
    if not 1 <= anchor <= CYCLE_DAY_MAX:
        raise ValueError(f"day {anchor} is in no month")
    return date(year, month, min(anchor, monthrange(year, month)[1]))
