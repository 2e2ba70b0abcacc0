"""Events of a fixed service that is taken over from another provider by One Touch Switch, which we lead.

Source: Ofcom General Conditions of Entitlement, C7; TOTSCO, OTS message specification (match, order, trigger, cancel) [M].
"""

from __future__ import annotations

from typing import ClassVar

from o2c.kernel.event import Upcast
from o2c.kernel.shapes import Done, FellOut, RecallRequested, Requested

_REQUESTED = {"item": "1", "attempt": 1, "due_at": "2026-03-05T10:00:00Z"}
_REFERENCE = "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"
_FELL = {"item": "1", "fallout": _REFERENCE, "fault_class": "business", "origin": "partner", "queue": "porting"}
_SILENT = {
    **_FELL,
    "fault_class": "technical",
    "recoverability": "transient",
    "waiting_for": "us",
    "reason": "SW-TMO",
    "partner_code": "UNAVAILABLE",
}


class SwitchMatchRequested(Requested, name="switch-match.requested", step="switch-match", stream="order"):
    """The losing provider is to be asked, through the hub, whether the customer has a fixed service with it at this address."""

    example = _REQUESTED


class SwitchInMatched(Done, name="switch-match.completed", step="switch-match", stream="order"):
    """The provider `losing` has the customer: we may order under its `reference` through the local day `valid_through`. It told its
    customer itself what switching means, by `implications_by`: what an early end costs, and the `services` that end with it, in its own
    words."""

    example = {
        "item": "1", "reference": _REFERENCE, "losing": "Other Fibre", "valid_through": "2026-04-04", "implications_by": "e-mail", "services": ["broadband", "telephone"],
    }  # fmt: skip
    reference: str
    losing: str
    valid_through: str
    implications_by: str
    services: tuple[str, ...] = ()


class SwitchMatchFellOut(FellOut, name="switch-match.fell-out", step="switch-match", stream="order"):
    """The losing provider does not know the customer, knows several of its services there, or did not answer; or the market has no such
    switch."""

    upcasts = ()
    example = {**_FELL, "reason": "SW-NOMATCH", "recoverability": "correctable", "waiting_for": "customer", "partner_code": "NO-MATCH"}


class SwitchOrderRequested(Requested, name="switch-order.requested", step="switch-order", stream="order"):
    """The switch is to be ordered under the reference, for the day for which the service is promised."""

    example = _REQUESTED


class SwitchInOrdered(Done, name="switch-order.completed", step="switch-order", stream="order"):
    """The losing provider took the order for the local day `planned_on`; it ends its service when ours is on, whatever day that is. It was
    the day for which our service was promised then (`promised_on`; empty where that was not kept): where that moves it is ordered for the
    new one."""

    example = {"item": "1", "reference": _REFERENCE, "planned_on": "2026-03-19", "promised_on": "2026-03-19"}
    upcasts = (Upcast(defaults={"promised_on": ""}),)
    reference: str
    planned_on: str
    promised_on: str = ""


class SwitchOrderFellOut(FellOut, name="switch-order.fell-out", step="switch-order", stream="order"):
    """The reference is too old, so that the customer is matched anew; or the losing provider refused, or did not answer."""

    upcasts = ()
    example = {**_FELL, "reason": "SW-EXPIRED", "recoverability": "correctable", "waiting_for": "us", "partner_code": "EXPIRED"}


class SwitchTriggerRequested(Requested, name="switch-trigger.requested", step="switch-trigger", stream="order"):
    """Our service is on: the losing provider is to be told, and ends its own."""

    example = _REQUESTED


class SwitchInTriggered(Done, name="switch-trigger.completed", step="switch-trigger", stream="order"):
    """The losing provider ends its service as of the local day `activated_on`, since which ours is on."""

    example = {"item": "1", "reference": _REFERENCE, "activated_on": "2026-03-19"}
    reference: str
    activated_on: str


class SwitchTriggerFellOut(FellOut, name="switch-trigger.fell-out", step="switch-trigger", stream="order"):
    """The losing provider does not end its service though ours is on: the customer pays both until somebody settles it."""

    upcasts = ()
    example = {**_FELL, "reason": "SW-TRIGGER", "recoverability": "fatal", "waiting_for": "us", "partner_code": "NOT-ORDERED"}


class SwitchCancelRequested(RecallRequested, name="switch-cancel.requested", step="switch-cancel", stream="order"):
    """The item ended: the losing provider is to be told that its customer stays."""

    noun: ClassVar[str] = "switch"
    example = _REQUESTED


class SwitchInCancelled(Done, name="switch-cancel.confirmed", step="switch-cancel", stream="order"):
    """The losing provider keeps the customer."""

    example = {"item": "1"}


class SwitchCancelFellOut(FellOut, name="switch-cancel.fell-out", step="switch-cancel", stream="order"):
    """The losing provider did not answer that it keeps the customer; somebody has to tell it."""

    upcasts = ()
    example = _SILENT
