"""When a fitter's visit is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.appointment.events import AppointmentCancelled, AppointmentKept
from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work


def visit(work: Work) -> Mapping[str, Any]:
    return {"address": work.subject.place, "line_id": work.outcomes.get("qualification", {}).get("line_id", "")}


def kept(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(AppointmentKept(item=work.item, attempt=work.attempt, reference=str(data.get("reference", ""))))


def called_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(AppointmentCancelled(item=work.item, attempt=work.attempt))
