"""When a fitter's visit is done, and when it is called off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from o2c.appointment.events import AppointmentCancelled, AppointmentKept
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.work import Work
from o2c.markets.base import DOOR_UNTIL_HOUR, end_of_working_day
from o2c.markets.visits import ANY_WINDOW, visit_days, visit_flaw, visit_rules
from o2c.orders.compensating import missed_visit
from o2c.orders.wish import VISIT_DAY, VISIT_WINDOW

FULL = "LOG-FULL"
"""Our code for a day on which the field force has nobody left."""
NOBODY_CAME = "NOT-KEPT"
"""The field force's word for a visit that it did not make."""
VISIT_WORKING_DAYS = 6
"""Within how many working days after the booking a fitter normally comes. Source: the field force's own terms."""


def visited_by(work: Work, at: datetime) -> datetime:
    """Give the time by which a fitter who is booked at a time has normally come: on the day that was chosen, where that is still to
    come."""
    if chosen := chosen_day(work, at):
        return local_time(date.fromisoformat(chosen), DOOR_UNTIL_HOUR, 0, work.market.zone)
    return end_of_working_day(work.market, at, VISIT_WORKING_DAYS)


def visit(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the field force: the `address`, and the `line_id` that qualification gave."""
    return {"address": work.subject.place, "line_id": work.outcomes.get("qualification", {}).get("line_id", "")}


def chosen_day(work: Work, at: datetime) -> str:
    """Give the day (ISO, local to the market) that was chosen for the visit; empty for none, and for one that is over."""
    day = str(work.subject.characteristics.get(VISIT_DAY, ""))
    return day if day and day >= local_date(at, work.market.zone).isoformat() else ""


def visit_wish(work: Work, at: datetime) -> Mapping[str, Any]:
    """Give the part of the request that says when the fitter is to come: `visit_on`, and `window` unless any will do; nothing where nobody
    chose."""
    day, window = chosen_day(work, at), work.subject.characteristics.get(VISIT_WINDOW, ANY_WINDOW)
    if not day:
        return {}
    return {"visit_on": day} if window == ANY_WINDOW else {"visit_on": day, "window": window}


def choices(work: Work, at: datetime) -> Mapping[str, tuple[str, ...]]:
    """Give the days and windows that a customer may choose from, without the day that was found to be full."""
    days = visit_days(work.market, at, not_before=work.subject.start_on)
    return {
        VISIT_DAY: tuple(day for day in days if day != _full_day(work)),
        VISIT_WINDOW: (ANY_WINDOW, *visit_rules(work.market).windows),
    }


def choice_flaw(work: Work, changes: Mapping[str, str], at: datetime) -> str:
    """Give why the fitter cannot come as a correction says; empty when he can, and for a correction that says nothing of it."""
    if not changes.keys() & {VISIT_DAY, VISIT_WINDOW}:
        return ""
    day, window = (changes.get(key, work.subject.characteristics.get(key, "")) for key in (VISIT_DAY, VISIT_WINDOW))
    if flaw := visit_flaw(work.market, day, window, at, not_before=work.subject.start_on):
        return flaw
    return f"nobody is left on {day}; choose another day" if day == _full_day(work) else ""


def _full_day(work: Work) -> str:
    return str(work.subject.characteristics.get(VISIT_DAY, "")) if work.reason == FULL else ""


def kept(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the visit took place, under the field force's reference."""
    return just(AppointmentKept(item=work.item, attempt=work.attempt, reference=str(data.get("reference", ""))))


def not_kept(work: Work, code: str, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide what the customer is credited for a visit that nobody made; nothing for any other refusal."""
    return missed_visit(work, at) if code == NOBODY_CAME else NOTHING


def called_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the visit is called off: the field force confirmed that nobody will come."""
    return just(AppointmentCancelled(item=work.item, attempt=work.attempt))
