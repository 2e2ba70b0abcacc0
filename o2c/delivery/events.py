"""Events of a parcel."""

from __future__ import annotations

from o2c.kernel.event import Upcast
from o2c.kernel.shapes import Done, FellOut, Requested, Undertaken


class DeliveryRequested(Requested, name="delivery.requested", step="delivery", stream="order"):
    """The SIM or device is to be handed to the courier."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class ParcelHandedOver(Undertaken, name="delivery.handed-over", step="delivery", stream="order"):
    """The courier took the parcel under a reference of its own: from now on it cannot be called back. It is asked about at
    `ask_again_at`."""

    example = {"item": "1", "attempt": 1, "reference": "PCL-20394", "ask_again_at": "2026-01-07T12:00:00Z"}


class ParcelDelivered(Done, name="delivery.delivered", step="delivery", stream="order"):
    """The parcel reached the customer, under the courier's reference, on the local day `delivered_on` (empty before the event said it)."""

    example = {"item": "1", "reference": "PCL-20394", "delivered_on": "2026-01-07"}
    upcasts = (Upcast(defaults={"delivered_on": ""}),)
    reference: str = ""
    delivered_on: str = ""


class DeliveryFellOut(FellOut, name="delivery.fell-out", step="delivery", stream="order"):
    """The address is incomplete or wrong, or the courier could not do it."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "LOG-ADDR", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "logistics", "partner_code": "WRONG-ADDRESS",
    }  # fmt: skip
