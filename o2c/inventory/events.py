"""Events of the step that brings a product in line with what an order changed of it."""

from __future__ import annotations

from o2c.kernel.event import Upcast
from o2c.kernel.shapes import Done, FellOut, Requested


class InventoryUpdateRequested(Requested, name="inventory-update.requested", step="inventory", stream="order"):
    """All that was to be done for the change is done; the product and its charge are to follow."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-03-05T09:00:00Z"}


class InventoryUpdated(Done, name="inventory.updated", step="inventory", stream="order"):
    """The product stands as it was ordered from the local date `effective_on` on, and is charged so. An early end of its term costs
    `early_minor`, net, charged once under `early_charge` (`ORDER/ITEM`; empty: under the item itself)."""

    example = {
        "item": "1",
        "product": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1",
        "effective_on": "2026-03-05",
        "early_minor": 0,
        "early_charge": "",
    }
    upcasts = (Upcast(defaults={"early_charge": ""}),)
    product: str
    effective_on: str
    early_minor: int = 0
    early_charge: str = ""


class InventoryUpdateFellOut(FellOut, name="inventory-update.fell-out", step="inventory", stream="order"):
    """The product could not be changed."""

    upcasts = ()
    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
