"""Events of a product that ended with the one that it relied on, until the network has it off."""

from __future__ import annotations

from o2c.kernel.shapes import Done, FellOut, Requested


class ProductOffRequested(Requested, name="product-off.requested", step="product-off", stream="product"):
    """The product ended with the one that it relied on: the network is to switch it off, too."""

    example = {"attempt": 1, "due_at": "2026-06-05T09:00:45Z"}


class ProductOff(Done, name="product-off.completed", step="product-off", stream="product"):
    """The network has the service off, since the local date `off_on` of the market."""

    example = {"off_on": "2026-06-05"}
    off_on: str


class ProductOffFellOut(FellOut, name="product-off.fell-out", step="product-off", stream="product"):
    """The network did not switch off a service that ended with another: it may be on without a product."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
    }  # fmt: skip
