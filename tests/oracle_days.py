"""The calendar and the arithmetic of the oracle of money: London's days, banking days, months, periods and shares. Nothing of the engine is imported."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
NEVER = datetime.max.replace(tzinfo=LONDON)
HOLIDAYS_2026 = ("01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28")
BANK_HOLIDAYS = {"2025-12-25", "2025-12-26", *(f"2026-{day}" for day in HOLIDAYS_2026), "2027-01-01", "2027-03-26", "2027-03-29"}
"""Those of England and Wales (gov.uk/bank-holidays) around the time of the papers."""
LENGTHS = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}
Json, DAY = Mapping[str, Any], timedelta(1)


def banking(day: date) -> bool:
    return day.weekday() < 5 and str(day) not in BANK_HOLIDAYS


def due_on(run: date, method: str) -> date:
    if method != "direct-debit":
        return run + timedelta(14)
    banks = (day for n in range(1, 99) if banking(day := run + timedelta(n)))
    return next(day for count, day in enumerate(banks, 1) if count >= 10 and day >= run + timedelta(14))


def months_on(day: date, months: int) -> date:
    first = date(day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1, 1)
    return min(first + timedelta(day.day - 1), first.replace(day=monthrange(first.year, first.month)[1]))


def share(minor: int, above: int, below: int) -> int:
    """A share of an amount, half-up, away from nothing."""
    return (2 * abs(minor) * above + below) // (2 * below) * (1 if minor >= 0 else -1)


def period_of(terms: Json) -> tuple[int, int]:
    """The period of a recurring price as (months, days)."""
    months, days = LENGTHS[terms["period_unit"]]
    return months * terms["period_length"], days * terms["period_length"]
