"""When an order or an item is wished: the days its channel named, judged as text, and what must not begin before them.

Source: TM Forum TMF622 v4.0.0, ProductOrder.requestedStartDate (the seller may not begin operationally before it) and
.requestedCompletionDate; where only a start is named, it is the day wished too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from o2c.kernel.periods import local_date, local_time, parse_time
from o2c.kernel.work import Work
from o2c.markets.base import Market
from o2c.orders.wish import Line, around

PARCEL_WORKING_DAYS = 3
"""Within how many working days after its hand-over a parcel is normally delivered. Source: the couriers' own terms."""
DOWNLOAD_DAYS = 1
"""How long it normally takes at most until an eSIM is on the customer's device; most are there within the hour."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def wished_days(line: Line, by_id: Mapping[str, Line], start: str, completion: str, zone: str) -> tuple[str, str]:
    """Give the day before which nothing of a line begins, and the day for which it is wished; ISO days of the zone, empty for none.

    `start` and `completion` are the order's own texts, which hold where neither the line nor a bundle around it says otherwise. A line that
    begins later than the order is wished is wished for the day it begins. ValueError for a text that is no date (see `flaw_of_dates`).
    """
    upper = tuple(around(line, by_id))
    begins = next((text for each in upper if (text := each.requested_start)), start)
    wished = next((text for each in upper if (text := each.requested_completion)), completion)
    if not begins and not wished:
        return "", ""
    start_on = _day(begins, zone).isoformat() if begins else ""
    return start_on, max(start_on, _day(wished, zone).isoformat() if wished else "")


def flaw_of_dates(start: str, completion: str, lines: Sequence[Line], captured_at: datetime, market: Market) -> str:
    """Give the first reason why the days that an order and its lines name cannot be kept (DQ-DATE with detail); empty for none.

    A text that is neither a day nor a time with a zone, a completion before its start, a day wished before the order's own, or later than
    the market plans ahead (`order_horizon_days`). Days that passed while the order waited are no flaw: they are judged by its own day.
    """
    for name, begins, wished in _named(start, completion, lines):
        for field, text in (("requestedStartDate", begins), ("requestedCompletionDate", wished)):
            if text and not _is_day(text, market.zone):
                return f"DQ-DATE: {field} of {name} is no date"
        if begins and wished and _day(wished, market.zone) < _day(begins, market.zone):
            return f"DQ-DATE: {name} is to be complete before it may begin"
        day, today = _day(wished or begins, market.zone), local_date(captured_at, market.zone)
        if day < today:
            return f"DQ-DATE: the day wished for {name} is before the order's own"
        if day > today + timedelta(days=market.order_horizon_days):
            return f"DQ-DATE: the day wished for {name} is more than {market.order_horizon_days} days ahead"
    return ""


def from_start(work: Work, at: datetime) -> datetime:
    """Give the time itself, or the beginning of the first day on which work for an item may begin, where that is later."""
    return _opened(work.subject.start_on, work, at)


def from_wish(work: Work, at: datetime) -> datetime:
    """Give the time itself, or the beginning of the day for which an item is wished, where that is later."""
    return _opened(work.subject.wished_on, work, at)


def _opened(day: str, work: Work, at: datetime) -> datetime:
    return max(at, local_time(date.fromisoformat(day), 0, 0, work.market.zone)) if day else at


def _named(start: str, completion: str, lines: Sequence[Line]) -> Iterator[tuple[str, str, str]]:
    """Whoever names a day, with its start and completion: the order, then its lines."""
    if start or completion:
        yield "the order", start, completion
    for line in lines:
        if line.requested_start or line.requested_completion:
            yield f"item {line.item}", line.requested_start, line.requested_completion


def _is_day(text: str, zone: str) -> bool:
    try:
        _day(text, zone)
    except ValueError:
        return False
    return True


def _day(text: str, zone: str) -> date:
    """The day that a text means on the calendar of a zone: a day without time is one of that calendar already."""
    return date.fromisoformat(text) if _DAY.fullmatch(text) else local_date(parse_time(text), zone)
