"""Events of a port-in: the request to the donor, the cut-over in its window, and the request taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from o2c.kernel.event import Names
from o2c.kernel.shapes import Done, FellOut, RecallRequested, Requested


class PortInRequested(Requested, name="porting.requested", step="porting", stream="order"):
    """The donor is to be asked for the number, through the clearing house."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class PortInScheduled(Done, name="porting.scheduled", step="porting", stream="order"):
    """The donor accepted; the port window opens at `window_opens_at`."""

    example = {"item": "1", "msisdn": "+447700900123", "window_opens_at": "2026-01-06T09:00:00Z", "reference": "PRT-778"}
    msisdn: Annotated[str, Names("number")]
    window_opens_at: datetime
    reference: str


class PortInFellOut(FellOut, name="porting.fell-out", step="porting", stream="order"):
    """The code or number is wrong, the number is spoken for, or the donor rejected with a code."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-CODE", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "porting", "partner_code": "CODE-EXPIRED",
    }  # fmt: skip


class CutoverRequested(Requested, name="cutover.requested", step="cutover", stream="order"):
    """The number is to be cut over when its window opens."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class NumberPortedIn(Done, name="cutover.number-ported-in", step="cutover", stream="order"):
    """The number is ours."""

    example = {"item": "1", "msisdn": "+447700900123"}
    msisdn: Annotated[str, Names("number")]


class CutoverFellOut(FellOut, name="cutover.fell-out", step="cutover", stream="order"):
    """The cut-over failed or was not answered."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-CUTOVER", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "porting", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class PortInCancelRequested(RecallRequested, name="porting-cancel.requested", step="porting-cancel", stream="order"):
    """The item ended: the donor is to be told, through the clearing house, that the number stays where it is."""

    noun: ClassVar[str] = "port-in"
    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class PortInCancelled(Done, name="porting-cancel.confirmed", step="porting-cancel", stream="order"):
    """The number will not be ported; another order may bring it."""

    example = {"item": "1", "msisdn": "+447700900123"}
    msisdn: Annotated[str, Names("number")]


class PortInCancelFellOut(FellOut, name="porting-cancel.fell-out", step="porting-cancel", stream="order"):
    """The clearing house did not answer, or it is too late: the number will come although nobody wants it, and a person settles it."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-LATE", "fault_class": "business", "origin": "partner",
        "recoverability": "fatal", "waiting_for": "us", "queue": "porting", "partner_code": "TOO-LATE",
    }  # fmt: skip
