"""The number's entries for the plan: assignment, the change to a ported number, arrival, and the ends of a reservation and of a rest."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import ByPartner, Ending, FromPool, Step
from o2c.numbers import rules
from o2c.numbers.events import (
    NumberChangeFellOut,
    NumberChangeRequested,
    NumberFellOut,
    NumberQuarantined,
    NumberRequested,
    NumberReserved,
    NumberRestockFellOut,
    NumbersAnnounced,
    NumbersFellOut,
    ReservationFellOut,
)
from o2c.orders.wish import PORT_IN
from o2c.stock.state import announced_rows

STEP = Step(
    name="number",
    requested=NumberRequested,
    fell_out=NumberFellOut,
    complete=rules.assign,
    lead=timedelta(seconds=20),
    draw=FromPool(
        pool=rules.pool_of,
        out_of_stock="INV-NUM",
        sources={"number-arrival": rules.brings, "number-restock": rules.brings_back},
        stream_of=rules.stream_taken,
    ),
    ending=Ending(
        undo=rules.release,
        cease=rules.cease,
        let_go=rules.let_go,
    ),
)
CHANGE = Step(
    name="number-change",
    requested=NumberChangeRequested,
    fell_out=NumberChangeFellOut,
    complete=rules.change,
    check=rules.change_flaw,
    guards=rules.guards_of_change,
    part=PORT_IN,
    ask=ByPartner(
        partner="network",
        payload=rules.provisioned,
    ),
    ending=Ending(
        give_up=rules.keep,
    ),
)
ARRIVAL = Step(
    name="number-arrival",
    requested=NumbersAnnounced,
    fell_out=NumbersFellOut,
    complete=rules.arrive,
    reads=rules.arrival_streams,
    facts=announced_rows,
)
RESERVATION = Step(name="reservation", requested=NumberReserved, fell_out=ReservationFellOut, complete=rules.lapse, facts=rules.kept_for)
RESTOCK = Step(
    name="number-restock", requested=NumberQuarantined, fell_out=NumberRestockFellOut, complete=rules.rested, facts=rules.at_rest
)
