"""Events of a fitter's appointment, and of calling it off."""

from __future__ import annotations

from typing import ClassVar

from o2c.kernel.shapes import Done, FellOut, RecallRequested, Requested


class AppointmentRequested(Requested, name="appointment.requested", step="appointment", stream="order"):
    """A fitter's visit is to be booked."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class AppointmentKept(Done, name="appointment.kept", step="appointment", stream="order"):
    """The fitter came and connected the line."""

    example = {"item": "1", "reference": "VIS-1207"}
    reference: str = ""


class AppointmentFellOut(FellOut, name="appointment.fell-out", step="appointment", stream="order"):
    """No visit could be booked or kept."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "LOG-VISIT", "fault_class": "technical", "origin": "partner",
        "recoverability": "transient", "waiting_for": "us", "queue": "logistics", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class AppointmentCancelRequested(RecallRequested, name="appointment-cancel.requested", step="appointment-cancel", stream="order"):
    """The item ended: the field force is to call the fitter's visit off."""

    noun: ClassVar[str] = "fitter's visit"
    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class AppointmentCancelled(Done, name="appointment-cancel.confirmed", step="appointment-cancel", stream="order"):
    """Nobody will come."""

    example = {"item": "1"}


class AppointmentCancelFellOut(FellOut, name="appointment-cancel.fell-out", step="appointment-cancel", stream="order"):
    """The field force did not answer, or the fitter is on the way; somebody has to call him back."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "LOG-ENROUTE", "fault_class": "business", "origin": "partner",
        "recoverability": "fatal", "waiting_for": "us", "queue": "logistics", "partner_code": "EN-ROUTE",
    }  # fmt: skip
