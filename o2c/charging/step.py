"""Charging's entry for the plan."""

from __future__ import annotations

from o2c.charging import rules
from o2c.charging.events import ChargingFellOut, ChargingRequested
from o2c.kernel.step import Ending, Step
from o2c.orders.in_life import base_ended

STEP = Step(
    name="charging",
    requested=ChargingRequested,
    fell_out=ChargingFellOut,
    complete=rules.start,
    check=base_ended,
    reads=rules.reads,
    open_from=rules.opens,
    ending=Ending(
        undo=rules.stop,
    ),
)
