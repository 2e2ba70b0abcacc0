"""Events of a port-in: the window agreed with the donor, kept, moved or missed; the cut-over in it; and the request taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from o2c.kernel.event import Names, Upcast
from o2c.kernel.shapes import Done, FellOut, OfItem, RecallRequested, Replanned, Requested

Cause = Literal["sim", "delivery", "activation", "download", "cut-over", "code"]
"""What stood in the way of an agreed window: no SIM from stock, one not delivered, a line not switched on, a profile not downloaded, a
cut-over that failed, a code too old."""

_WINDOW = {
    "window_opens_at": "2026-01-06T09:00:00Z", "window_closes_at": "2026-01-06T17:00:00Z", "cutoff_at": "2026-01-05T17:00:00Z",
    "agreed_on": "2026-01-06", "deadline_on": "2026-01-06", "zone": "Europe/London", "rules": "GB@2026-01",
}  # fmt: skip
_MOVED = {
    "window_opens_at": "2026-01-09T09:00:00Z", "window_closes_at": "2026-01-09T17:00:00Z", "cutoff_at": "2026-01-08T17:00:00Z",
    "agreed_on": "2026-01-09", "deadline_on": "2026-01-06", "zone": "Europe/London", "rules": "GB@2026-01",
}  # fmt: skip


class PortInRequested(Requested, name="porting.requested", step="porting", stream="order"):
    """The donor is to be asked for the number, through the clearing house; once more, if the window agreed before cannot be met
    (`replaces`)."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}
    upcasts = (Upcast(defaults={"replaces": None}),)
    replaces: datetime | None = None


class PortAgreed(Done):
    """A window for the port is agreed: from `window_opens_at` to `window_closes_at`; it can be moved or dropped until `cutoff_at`.

    Days are local to `zone`. `wished_on` is the day the customer wished (empty: none), `agreed_on` the day of the window, `deadline_on` the
    day by which the market's `rules` want the port done, and `missed_on` the first agreed day on which the number was not cut over (empty:
    none). Fields that a window agreed before they were kept does not have are empty.
    """

    msisdn: Annotated[str, Names("number")]
    window_opens_at: datetime
    reference: str
    window_closes_at: datetime | None = None
    cutoff_at: datetime | None = None
    wished_on: str = ""
    agreed_on: str = ""
    deadline_on: str = ""
    missed_on: str = ""
    zone: str = ""
    rules: str = ""


_UNTOLD: dict[str, Any] = {
    "window_closes_at": None, "cutoff_at": None, "wished_on": "", "agreed_on": "", "deadline_on": "", "missed_on": "", "zone": "", "rules": "",
}  # fmt: skip


class PortInScheduled(PortAgreed, name="porting.scheduled", step="porting", stream="order"):
    """The donor accepted; the port window opens at `window_opens_at`."""

    example = {"item": "1", "msisdn": "+447700900123", "reference": "PRT-778", **_WINDOW}
    upcasts = (Upcast(defaults=_UNTOLD),)


class PortRescheduled(PortAgreed, name="porting.rescheduled", step="porting", stream="order"):
    """Another window was agreed with the donor, in place of the one that opened at `replaced`, because of `cause`.

    It was agreed before the cut-off of the old one, or the old one was missed: then the port is late, by `late_days` calendar days and
    `late_working_days` working days from `missed_on` to the day now agreed.
    """

    example = {
        "item": "1", "attempt": 2, "msisdn": "+447700900123", "reference": "PRT-779", **_MOVED,
        "replaced": "2026-01-06T09:00:00Z", "cause": "delivery",
    }  # fmt: skip
    replaced: datetime
    cause: Cause
    late_days: int = 0
    late_working_days: int = 0


class PortWindowKept(PortAgreed, name="porting.window-kept", step="porting", stream="order"):
    """The clearing house moves the window no more: its cut-off is past, and what was agreed before stands (`kept`)."""

    example = {"item": "1", "attempt": 2, "msisdn": "+447700900123", "reference": "PRT-778", **_WINDOW, "kept": True}
    kept: bool = True


class PortPostponed(Replanned, name="porting.postponed", step="porting", stream="order"):
    """The donor gave the agreed window up, because it cannot be met (`held_up_by`); another is asked for when the line is on."""

    example = {"item": "1", "waits": ["activation"], "replaced": "2026-01-06T09:00:00Z", "held_up_by": "delivery"}
    replaced: datetime
    held_up_by: Cause
    missed_on: str = ""


class CutoverPostponed(Replanned, name="cutover.postponed", step="cutover", stream="order"):
    """The number cannot be cut over in its window; the cut-over waits until another is agreed."""

    example = {"item": "1"}


class PortWindowMissed(OfItem, name="porting.window-missed", step="porting", stream="order"):
    """The agreed window closed and the number was not cut over: the port is late from `agreed_on` on, because of `cause`."""

    example = {"item": "1", "agreed_on": "2026-01-06", "window_opens_at": "2026-01-06T09:00:00Z", "cause": "delivery"}
    agreed_on: str
    window_opens_at: datetime
    cause: Cause


class PortInFellOut(FellOut, name="porting.fell-out", step="porting", stream="order"):
    """The code or number is wrong, the number is spoken for, or the donor rejected with a code."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-CODE", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "porting", "partner_code": "CODE-EXPIRED",
    }  # fmt: skip


class CutoverRequested(Requested, name="cutover.requested", step="cutover", stream="order"):
    """The number is to be cut over in its window. It is looked at before: at the last hour in which the window can be moved, if the line is
    not on yet, and else when the window opens."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class NumberPortedIn(Done, name="cutover.number-ported-in", step="cutover", stream="order"):
    """The number is ours, since `ported_on` (local), in the window agreed for `agreed_on`.

    `late_days` and `late_working_days` count from the first agreed day that was missed; 0 when none was. A port from before this was
    counted has neither day nor count.
    """

    example = {
        "item": "1", "msisdn": "+447700900123", "agreed_on": "2026-01-06", "ported_on": "2026-01-06", "late_days": 0, "late_working_days": 0,
    }  # fmt: skip
    upcasts = (Upcast(defaults={"agreed_on": "", "ported_on": "", "late_days": None, "late_working_days": None}),)
    msisdn: Annotated[str, Names("number")]
    agreed_on: str = ""
    ported_on: str = ""
    late_days: int | None = None
    late_working_days: int | None = None


class CutoverFellOut(FellOut, name="cutover.fell-out", step="cutover", stream="order"):
    """The cut-over failed or was not answered."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-CUTOVER", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "porting", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class PortInCancelRequested(RecallRequested, name="porting-cancel.requested", step="porting-cancel", stream="order"):
    """The item ended, or goes on without its port-in: the donor is to be told, through the clearing house, that the number stays where it
    is."""

    noun: ClassVar[str] = "port-in"
    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class PortInCancelled(Done, name="porting-cancel.confirmed", step="porting-cancel", stream="order"):
    """The number will not be ported; another order may bring it."""

    example = {"item": "1", "msisdn": "+447700900123"}
    msisdn: Annotated[str, Names("number")]


class PortInCancelRefused(OfItem, name="porting-cancel.refused", step="porting-cancel", stream="order"):
    """The clearing house drops the port no more, its cut-off was past when it was asked: the number comes in its window, and the line takes
    it."""

    shape: ClassVar[str] = "cancelled"
    example = {"item": "1", "msisdn": "+447700900123", "window_opens_at": "2026-01-06T09:00:00Z"}
    attempt: int = 1
    msisdn: Annotated[str, Names("number")]
    window_opens_at: datetime


class PortInCancelFellOut(FellOut, name="porting-cancel.fell-out", step="porting-cancel", stream="order"):
    """The clearing house did not answer, or it is too late: the number will come although nobody wants it, and a person settles it."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-LATE", "fault_class": "business", "origin": "partner",
        "recoverability": "fatal", "waiting_for": "us", "queue": "porting", "partner_code": "TOO-LATE",
    }  # fmt: skip
