"""Office hours of a market, and how much of a span of time is worked in them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from o2c.kernel.periods import local_date, local_time
from o2c.markets.base import Market, is_working_day


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """The hours (local) in which back offices work, on the working days of the market's calendar."""

    opens: time
    closes: time
    source: str


_USUAL = OfficeHours(time(9), time(17), "the operator's own practice [M]")
OFFICE_HOURS: Mapping[str, OfficeHours] = {"GB": _USUAL, "NL": _USUAL}
"""By market code; the usual ones for a market without hours of its own. No statute sets them, so they stand apart from the rules that
orders pin: past figures change when these do."""


def office_hours(market: Market) -> OfficeHours:
    """Give the office hours of a market."""
    return OFFICE_HOURS.get(market.code, _USUAL)


def working_time(market: Market, start: datetime, end: datetime) -> timedelta:
    """How much of the span from `start` to `end` (half-open) lies in office hours on working days; nothing of one that ends before it
    starts."""
    hours, zone = office_hours(market), market.zone
    day, last, worked = local_date(start, zone), local_date(end, zone), timedelta()
    while day <= last:
        if is_working_day(market.calendar, day):
            opens, closes = (local_time(day, clock.hour, clock.minute, zone) for clock in (hours.opens, hours.closes))
            worked += max(min(end, closes) - max(start, opens), timedelta())
        day += timedelta(days=1)
    return worked
