"""Events of the step that begins to charge for a service."""

from __future__ import annotations

from typing import Annotated, ClassVar

from o2c.kernel.event import Names, Upcast
from o2c.kernel.shapes import Done, FellOut, Requested, Undone


class ChargingRequested(Requested, name="charging.requested", step="charging", stream="order"):
    """The service is to be charged to the order's billing account."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class ChargingStarted(Done, name="charging.started", step="charging", stream="order"):
    """The account charges the service from the local date `starts_on`: the day it was activated.

    Version 2 names the product at rest that it was added to (`rests_with`; empty: none), and with which it begins at rest: for that
    product's reason (`rests_for`), and uncharged where that is (`rests_uncharged`)."""

    example = {"item": "1", "account": "BA-1001", "starts_on": "2026-01-05"}
    upcasts = (Upcast(defaults={"rests_with": "", "rests_for": "", "rests_uncharged": False}),)
    account: Annotated[str, Names("account")]
    starts_on: str
    rests_with: str = ""
    rests_for: str = ""
    rests_uncharged: bool = False


class ChargingFellOut(FellOut, name="charging.fell-out", step="charging", stream="order"):
    """The account could not take the charge."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class ChargingStopped(Undone, name="charging.stopped", step="charging", stream="order"):
    """The item ended; its charge was withdrawn."""

    noun: ClassVar[str] = "charge"
    example = {"item": "1"}
