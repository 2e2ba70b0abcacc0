"""The appointment's entry for the plan."""

from __future__ import annotations

from datetime import timedelta

from o2c.appointment import rules
from o2c.appointment.events import AppointmentFellOut, AppointmentRequested
from o2c.kernel.step import Step

STEP = Step(
    name="appointment",
    requested=AppointmentRequested,
    fell_out=AppointmentFellOut,
    complete=rules.kept,
    partner="field-force",
    payload=rules.visit,
    codes={"UNAVAILABLE": "LOG-VISIT", "PERMANENT": "LOG-NOVISIT", "REFUSED": "LOG-NOVISIT"},
    silence="LOG-VISIT",
    lead=lambda work: timedelta(minutes=5),
    forceable=True,
)
