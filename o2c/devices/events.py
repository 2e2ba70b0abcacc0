"""Events of a device, and of the step that assigns one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from o2c.kernel.event import Event, Names
from o2c.kernel.shapes import Done, FellOut, Freed, HeldByItem, Offered, OutOfStock, Renewed, Requested, Undone, Withdrawn
from o2c.stock.events import StockAnnounced, StockArrived

IMEI, SKU = "001010120000003", "lark-9-black-128"
Imei = Annotated[str, Names("device")]
BlockCause = Literal["lost", "stolen", "not-returned"]
"""Why a device must not be used: lost on its way, stolen, or out of the house when its item ended, so that nobody pays for it."""
UnblockReason = Literal["found", "came-back", "blocked-in-error"]
"""Why a device may be used again: found after it was lost or stolen, sent back by whoever had kept it, or marked by mistake."""
_STOPPED = {
    "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
    "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
}  # fmt: skip


class DeviceRequested(Requested, name="device.requested", step="device", stream="order"):
    """A device of the ordered SKU is to be taken from stock."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class DeviceAssigned(Done, name="device.assigned", step="device", stream="order"):
    """A device was taken from stock for the item."""

    example = {"item": "1", "imei": IMEI, "sku": SKU}
    imei: Imei
    sku: str


class DeviceFellOut(OutOfStock, name="device.fell-out", step="device", stream="order"):
    """No device could be assigned; out of stock waits for the next delivery, which is due at `expected_at` if it is announced."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "INV-DEVICE", "fault_class": "business", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "partner", "queue": "inventory", "awaits": f"device/{SKU}",
        "detail": "expected on 2026-02-02", "expected_at": "2026-02-02T00:00:00Z",
    }  # fmt: skip
    upcasts = ()


class DeviceReleased(Undone, name="device.released", step="device", stream="order"):
    """The item ended and gave its device back, or lost it if it had left the house."""

    noun: ClassVar[str] = "device"
    example = {"item": "1", "imei": IMEI}
    imei: Imei


class DeviceLost(Renewed, name="device.lost", step="device", stream="order"):
    """The item's device was lost on its way: it is blocked, and another of the same SKU is to be taken. The customer pays once, for the one
    delivered."""

    example = {"item": "1", "imei": IMEI}
    imei: Imei


class DevicesAnnounced(StockAnnounced, name="devices.announced", step="device-arrival", stream="delivery"):
    """A delivery of devices is to be taken in: rows of IMEI, SKU."""

    example = {"due_at": "2026-02-02T00:00:00Z", "rows": [[IMEI, SKU]]}


class DevicesArrived(StockArrived, name="devices.arrived", step="device-arrival", stream="delivery"):
    """A delivery of devices was taken in."""

    example = {"pools": {f"device/{SKU}": 1}}


class DevicesFellOut(FellOut, name="devices.fell-out", step="device-arrival", stream="delivery"):
    """A delivery of devices could not be taken in."""

    example = _STOPPED
    upcasts = ()


class OfDevice(Event):
    """Base of the events of a device in stock: its IMEI (3GPP TS 23.003) and its SKU, by which it is ordered."""

    imei: Imei
    sku: str


class DeviceReceived(Offered, OfDevice, name="device.received", stream="device"):
    """A device came into stock."""

    example = {"imei": IMEI, "sku": SKU}

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the device into the pool of its SKU."""
        return f"device/{self.sku}", self.imei, {"imei": self.imei, "sku": self.sku}


class DeviceTaken(Withdrawn, HeldByItem, OfDevice, name="device.taken", stream="device"):
    """An order item took the device."""

    example = {"imei": IMEI, "sku": SKU, "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}

    def withdrawal(self) -> tuple[str, str]:
        """Take the device out of the pool of its SKU."""
        return f"device/{self.sku}", self.imei


class DeviceReturned(Requested, Freed, OfDevice, name="device.returned", step="device-restock", stream="device"):
    """The device came back unused; it is to be counted and shelved by `due_at`."""

    example = {"imei": IMEI, "sku": SKU, "due_at": "2026-01-06T00:00:00Z"}


class DeviceBlocked(Withdrawn, OfDevice, name="device.blocked", stream="device"):
    """The device must not be used in any network: nobody gets it again. Whoever holds it goes on holding it.

    Source: GSMA Device Registry, TS.06 and the list of blocked devices (3GPP TS 22.016, EIR) [M].
    """

    example = {"imei": IMEI, "sku": SKU, "cause": "stolen"}
    cause: BlockCause

    def withdrawal(self) -> tuple[str, str]:
        """Take the device out of the pool of its SKU, if it is there."""
        return f"device/{self.sku}", self.imei


class DeviceGivenUp(Freed, DeviceBlocked, name="device.given-up", stream="device"):
    """The device is with no item any more and will not come back by itself: lost on its way, or out of the house when its item ended. It is
    blocked."""

    example = {"imei": IMEI, "sku": SKU, "cause": "lost"}


class DeviceScrapped(Freed, OfDevice, name="device.scrapped", stream="device"):
    """The device came back used or damaged: it is with no item any more, and nobody gets it again as new."""

    example = {"imei": IMEI, "sku": SKU, "cause": "used"}
    cause: Literal["used", "damaged"]


class DeviceUnblocked(OfDevice, name="device.unblocked", stream="device"):
    """The device may be used again: whoever holds it goes on holding it; with nobody, it comes back, to be looked at and shelved
    (`device.returned`).

    Source: GSMA Device Registry, TS.06: whoever had a device put on the list has it taken off [M].
    """

    example = {"imei": IMEI, "sku": SKU, "reason": "found"}
    reason: UnblockReason


class DeviceRestocked(Done, Offered, OfDevice, name="device.restocked", step="device-restock", stream="device"):
    """The device that came back can be assigned again."""

    example = {"imei": IMEI, "sku": SKU}

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the device back into the pool of its SKU."""
        return f"device/{self.sku}", self.imei, {"imei": self.imei, "sku": self.sku}


class DeviceRestockFellOut(FellOut, name="device.restock-fell-out", step="device-restock", stream="device"):
    """A device that came back could not be restocked."""

    example = _STOPPED
    upcasts = ()
