"""The SIM's entries for the plan: assignment to an item, the arrival of a delivery, the restocking of what came back."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import Ending, FromPool, Renewal, Step
from o2c.sim import rules
from o2c.sim.events import SimFellOut, SimRequested, SimRestockFellOut, SimReturned, SimsAnnounced, SimsFellOut
from o2c.stock.state import announced_rows

STEP = Step(
    name="sim",
    requested=SimRequested,
    fell_out=SimFellOut,
    complete=rules.assign,
    lead=timedelta(minutes=1),
    draw=FromPool(
        pool=rules.pool_of,
        out_of_stock="INV-SIM",
        sources={"sim-arrival": rules.brings, "sim-restock": rules.brings_back},
        stream_of=rules.stream_taken,
    ),
    ending=Ending(
        undo=rules.release,
        cease=rules.cease,
    ),
    renewal=Renewal(
        lose=rules.lose,
    ),
)
ARRIVAL = Step(
    name="sim-arrival",
    requested=SimsAnnounced,
    fell_out=SimsFellOut,
    complete=rules.arrive,
    check=rules.imsi_flaw,
    guards=rules.own_imsis,
    reads=rules.arrival_streams,
    facts=announced_rows,
)
RESTOCK = Step(name="sim-restock", requested=SimReturned, fell_out=SimRestockFellOut, complete=rules.restock, facts=rules.came_back)
