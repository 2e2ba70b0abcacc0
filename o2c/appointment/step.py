"""The appointment's entries for the plan: the booking, and the booking called off."""

from __future__ import annotations

from datetime import timedelta

from o2c.appointment import rules
from o2c.appointment.events import (
    AppointmentCancelFellOut,
    AppointmentCancelRequested,
    AppointmentFellOut,
    AppointmentRequested,
)
from o2c.kernel.step import RECALL_LEAD, ByPartner, Ending, Step, always
from o2c.orders.compensating import streams_read
from o2c.orders.dates import from_start

STEP = Step(
    name="appointment",
    requested=AppointmentRequested,
    fell_out=AppointmentFellOut,
    complete=rules.kept,
    reads=streams_read,
    correction_flaw=rules.choice_flaw,
    choices=rules.choices,
    lead=timedelta(minutes=5),
    open_from=from_start,
    forecast=rules.visited_by,
    forceable=True,
    ask=ByPartner(
        partner="field-force",
        payload=rules.visit,
        timed=rules.visit_wish,
        beside=rules.not_kept,
    ),
    ending=Ending(
        recall="appointment-cancel",
        done_for_good=always,
    ),
)
CANCEL = Step(
    name="appointment-cancel",
    requested=AppointmentCancelRequested,
    fell_out=AppointmentCancelFellOut,
    complete=rules.called_off,
    lead=RECALL_LEAD,
    forceable=True,
    ask=ByPartner(
        partner="field-force",
        payload=rules.visit,
    ),
)
