"""The number's entries for the plan: assignment to an item, the change to a number brought in, the arrival of a delivery, the ends of a
reservation and of a quarantine."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import Step
from o2c.numbers import rules
from o2c.numbers.events import (
    NumberChangeFellOut,
    NumberChangeRequested,
    NumberFellOut,
    NumberQuarantined,
    NumberRequested,
    NumberReserved,
    NumbersAnnounced,
)

STEP = Step(
    name="number",
    requested=NumberRequested,
    fell_out=NumberFellOut,
    complete=rules.assign,
    pool=rules.pool_of,
    out_of_stock="INV-NUM",
    undo=rules.release,
    let_go=rules.let_go,
    lead=lambda work: timedelta(seconds=20),
)
CHANGE = Step(
    name="number-change",
    requested=NumberChangeRequested,
    fell_out=NumberChangeFellOut,
    complete=rules.change,
    check=rules.change_flaw,
    guards=rules.guards_of_change,
)
ARRIVAL = Step(
    name="number-arrival", requested=NumbersAnnounced, fell_out=NumberFellOut, complete=rules.arrive, reads=rules.arrival_streams
)
RESERVATION = Step(name="reservation", requested=NumberReserved, fell_out=NumberFellOut, complete=rules.lapse)
RESTOCK = Step(name="number-restock", requested=NumberQuarantined, fell_out=NumberFellOut, complete=rules.rested)
