"""The inventory's entry for the plan: the last step of every item that changes a product."""

from __future__ import annotations

from o2c.inventory import rules
from o2c.inventory.events import InventoryUpdateFellOut, InventoryUpdateRequested
from o2c.kernel.step import Step
from o2c.orders.changing import gone
from o2c.orders.dates import from_wish

STEP = Step(
    name="inventory",
    requested=InventoryUpdateRequested,
    fell_out=InventoryUpdateFellOut,
    complete=rules.update,
    check=gone,
    reads=rules.products,
    open_from=from_wish,
)
