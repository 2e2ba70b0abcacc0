"""What can happen to an intake."""

from __future__ import annotations

from o2c.kernel.event import Event


class IntakeClosed(Event, name="intake.closed"):
    """A file was gone through to its end: every line is captured, a duplicate, a resubmission or refused."""

    example = {"intake": "intake-3b1f/1", "lines": 7144, "captured": 7083, "duplicates": 31, "resubmitted": 30, "refused": 0}
    intake: str
    lines: int
    captured: int
    duplicates: int
    resubmitted: int
    refused: int
