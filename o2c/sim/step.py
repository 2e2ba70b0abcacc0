"""The SIM's entries for the plan: assignment to an item, the arrival of a delivery, the restocking of what came back."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import Step
from o2c.sim import rules
from o2c.sim.events import SimFellOut, SimRequested, SimReturned, SimsAnnounced

STEP = Step(
    name="sim",
    requested=SimRequested,
    fell_out=SimFellOut,
    complete=rules.assign,
    pool=rules.pool_of,
    out_of_stock="INV-SIM",
    undo=rules.release,
    lead=lambda work: timedelta(minutes=1),
)
ARRIVAL = Step(name="sim-arrival", requested=SimsAnnounced, fell_out=SimFellOut, complete=rules.arrive, reads=rules.arrival_streams)
RESTOCK = Step(name="sim-restock", requested=SimReturned, fell_out=SimFellOut, complete=rules.restock)
