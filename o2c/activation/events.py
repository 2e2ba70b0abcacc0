"""Events of the step that switches a service on in the network."""

from __future__ import annotations

from typing import ClassVar

from o2c.kernel.shapes import Done, FellOut, RecallRequested, Requested, Undone


class ActivationRequested(Requested, name="activation.requested", step="activation", stream="order"):
    """The network is to switch the service on."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class ServiceActivated(Done, name="service.activated", step="activation", stream="order"):
    """The service is on. `starts_on` is the local date of the market it is charged from."""

    example = {"item": "1", "starts_on": "2026-01-05"}
    starts_on: str


class ActivationFellOut(FellOut, name="activation.fell-out", step="activation", stream="order"):
    """The network refused, failed, or did not answer."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class ServiceDeactivated(Undone, name="service.deactivated", step="activation", stream="order"):
    """The item ended and its service was switched off."""

    noun: ClassVar[str] = "service"
    example = {"item": "1"}


class ServiceChangeRequested(Requested, name="service-change.requested", step="service-change", stream="order"):
    """The network is to change a service that is on, or to switch it off."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-03-05T09:00:00Z"}


class ServiceChanged(Done, name="service.changed", step="service-change", stream="order"):
    """The network has done so, on the local date `changed_on` of the market."""

    example = {"item": "1", "changed_on": "2026-03-05"}
    changed_on: str


class ServiceChangeFellOut(FellOut, name="service-change.fell-out", step="service-change", stream="order"):
    """The network refused, failed, or did not answer."""

    upcasts = ()
    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class ActivationCancelRequested(RecallRequested, name="activation-cancel.requested", step="activation-cancel", stream="order"):
    """The item ended, or is to be switched on otherwise: the network is to switch the service off that it switched on, or may have."""

    noun: ClassVar[str] = "service"
    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:02:00Z"}


class ActivationCancelled(Done, name="activation-cancel.confirmed", step="activation-cancel", stream="order"):
    """The network has the service off, since the local date `off_on` of the market."""

    example = {"item": "1", "off_on": "2026-01-05"}
    off_on: str


class ActivationCancelFellOut(FellOut, name="activation-cancel.fell-out", step="activation-cancel", stream="order"):
    """The network did not switch the service off, or did not answer: a SIM may be on that no product has."""

    upcasts = ()
    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class ServiceChangeCancelRequested(RecallRequested, name="service-change-cancel.requested", step="service-change-cancel", stream="order"):
    """The item that changes a service ended: the network is to serve the product again as it stands in the inventory."""

    noun: ClassVar[str] = "change"
    example = {"item": "1", "attempt": 1, "due_at": "2026-03-05T09:02:00Z"}


class ServiceChangeCancelled(Done, name="service-change-cancel.confirmed", step="service-change-cancel", stream="order"):
    """The network serves the product as it stood, since the local date `restored_on` of the market."""

    example = {"item": "1", "restored_on": "2026-03-05"}
    restored_on: str


class ServiceChangeCancelFellOut(FellOut, name="service-change-cancel.fell-out", step="service-change-cancel", stream="order"):
    """The network did not take the change back, or did not answer: it may serve a product by what that has not."""

    upcasts = ()
    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
    }  # fmt: skip
