"""The days and windows from which a customer chooses a fitter's visit, market by market. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from o2c.kernel.periods import local_date
from o2c.markets.base import Market, is_working_day, working_day_after

ANY_WINDOW = "any"
"""The word for whatever window suits the field force."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class VisitRules:
    """How far ahead a visit is chosen: the first day is `lead_working_days` after today, and `days_offered` working days are on offer.

    `windows` are the parts of a day (local, half-open) by their names.
    """

    lead_working_days: int
    days_offered: int
    windows: Mapping[str, tuple[time, time]]
    source: str


_USUAL = VisitRules(
    lead_working_days=2,
    days_offered=15,
    windows={"morning": (time(8), time(13)), "afternoon": (time(13), time(18))},
    source="the simulated field force's own terms; no statute sets them [M]",
)
VISITS: Mapping[str, VisitRules] = {"GB": _USUAL, "NL": _USUAL}
"""By market code. They are terms between an operator and his field force, so they stand apart from the rules that orders pin: a visit is
chosen by those of the day on which it is chosen."""


def visit_rules(market: Market) -> VisitRules:
    """Give the terms of the field force in a market; the usual ones for a market without terms of its own."""
    return VISITS.get(market.code, _USUAL)


def visit_days(market: Market, at: datetime, *, not_before: str = "") -> tuple[str, ...]:
    """Give the days (ISO, local to the market) that are on offer at a time, none before the day `not_before` (ISO; empty for any day).

    Source: the `source` of the market's visit rules.
    """
    rules = visit_rules(market)
    day = working_day_after(market.calendar, local_date(at, market.zone), rules.lead_working_days)
    if not_before > day.isoformat():
        day = working_day_after(market.calendar, date.fromisoformat(not_before) - timedelta(days=1), 1)
    days = [day]
    while len(days) < rules.days_offered:
        days.append(working_day_after(market.calendar, days[-1], 1))
    return tuple(each.isoformat() for each in days)


def visit_flaw(market: Market, day: str, window: str, at: datetime, *, not_before: str = "") -> str:
    """Give why no fitter comes on a day and in a window that were chosen at a time; empty when one does."""
    windows = (ANY_WINDOW, *visit_rules(market).windows)
    if window and window not in windows:
        return f"there is no window of that name; say one of {', '.join(windows)}"
    if not _is_day(day):
        return "the day of a visit is a date such as 2026-01-20"
    days = visit_days(market, at, not_before=not_before)
    if day in days:
        return ""
    offered = f"say a working day from {days[0]} to {days[-1]}"
    if day <= local_date(at, market.zone).isoformat():
        return f"{day} is not to come; {offered}"
    if not is_working_day(market.calendar, date.fromisoformat(day)):
        return f"no fitter comes on {day}, which is no working day; {offered}"
    return f"{day} is {'too soon' if day < days[0] else 'too far ahead'}; {offered}"


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False
