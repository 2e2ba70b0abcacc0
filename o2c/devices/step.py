"""The device's entries for the plan: assignment to an item, the arrival of a delivery, the restocking of what came back."""

from __future__ import annotations

from datetime import timedelta

from o2c.devices import rules
from o2c.devices.events import (
    DeviceFellOut,
    DeviceRequested,
    DeviceRestockFellOut,
    DeviceReturned,
    DevicesAnnounced,
    DevicesFellOut,
)
from o2c.kernel.step import Ending, FromPool, Renewal, Step
from o2c.stock.state import announced_rows

STEP = Step(
    name="device",
    requested=DeviceRequested,
    fell_out=DeviceFellOut,
    complete=rules.assign,
    lead=timedelta(minutes=1),
    draw=FromPool(
        pool=rules.pool_of,
        out_of_stock="INV-DEVICE",
        sources={"device-arrival": rules.brings, "device-restock": rules.brings_back},
        stream_of=rules.stream_taken,
    ),
    ending=Ending(
        undo=rules.release,
    ),
    renewal=Renewal(
        lose=rules.lose,
    ),
)
ARRIVAL = Step(
    name="device-arrival",
    requested=DevicesAnnounced,
    fell_out=DevicesFellOut,
    complete=rules.arrive,
    reads=rules.arrival_streams,
    facts=announced_rows,
)
RESTOCK = Step(
    name="device-restock", requested=DeviceReturned, fell_out=DeviceRestockFellOut, complete=rules.restock, facts=rules.came_back
)
