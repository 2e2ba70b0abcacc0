"""Events of an intake."""

from __future__ import annotations

from o2c.kernel.event import Event, Upcast


class IntakeLineRefused(Event, name="intake.line-refused", stream="intake"):
    """A line of a file could not be taken down as an order and stands in quarantine. `sha256` is that of its raw bytes (hex), so that
    anybody can prove the quarantine file complete; the reason names no value of the line."""

    example = {
        "intake": "intake-3b1f/1", "line": 17, "reason": "orderDate is no time with a zone (RFC 3339)",
        "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }  # fmt: skip
    intake: str
    line: int
    reason: str
    sha256: str


class IntakeClosed(Event, name="intake.closed", stream="intake"):
    """A file was gone through to its end: every line is captured, a duplicate, a resubmission or refused.

    `quarantine_of` is the intake that had refused the lines of this one, where a person corrected them; empty otherwise.
    """

    example = {"intake": "intake-3b1f/1", "lines": 7144, "captured": 7083, "duplicates": 31, "resubmitted": 30, "refused": 0}
    upcasts = (Upcast(defaults={"quarantine_of": ""}),)
    intake: str
    lines: int
    captured: int
    duplicates: int
    resubmitted: int
    refused: int
    quarantine_of: str = ""
