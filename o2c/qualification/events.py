"""Events of the step that qualifies an address."""

from __future__ import annotations

from o2c.kernel.shapes import Done, FellOut, Requested


class QualificationRequested(Requested, name="qualification.requested", step="qualification", stream="order"):
    """The access network is to say whether it serves the address."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class AddressQualified(Done, name="qualification.passed", step="qualification", stream="order"):
    """The access network serves the address, on the line it names."""

    example = {"item": "1", "line_id": "LN-4711"}
    line_id: str


class QualificationFellOut(FellOut, name="qualification.fell-out", step="qualification", stream="order"):
    """The address is incomplete or not served, or the access network did not answer."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "DQ-ADDR", "fault_class": "data", "origin": "upstream",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "data-quality",
    }  # fmt: skip
