"""When a fitter's visit is done, and when it is called off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.appointment.events import AppointmentCancelled, AppointmentKept
from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work
from o2c.markets.base import end_of_working_day

VISIT_WORKING_DAYS = 6
"""Within how many working days after the booking a fitter normally comes. Source: the field force's own terms."""


def visited_by(work: Work, at: datetime) -> datetime:
    """Give the time by which a fitter who is booked at a time has normally come."""
    return end_of_working_day(work.market, at, VISIT_WORKING_DAYS)


def visit(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the field force: the `address`, and the `line_id` that qualification gave."""
    return {"address": work.subject.place, "line_id": work.outcomes.get("qualification", {}).get("line_id", "")}


def kept(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the visit took place, under the field force's reference."""
    return just(AppointmentKept(item=work.item, attempt=work.attempt, reference=str(data.get("reference", ""))))


def called_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the visit is called off: the field force confirmed that nobody will come."""
    return just(AppointmentCancelled(item=work.item, attempt=work.attempt))
