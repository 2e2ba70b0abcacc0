"""Events of a number that leaves for another operator: what was agreed with the clearing house, and the steps of the day.

Source: porting facts, section 3.3 (port-out: request received, authorised or rejected, locked, deactivated, completed; failed at cut-over,
reactivated).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from o2c.kernel.event import Event, Names
from o2c.kernel.shapes import Done, FellOut, OfItem, Requested

Ground = Literal["code", "code-expired", "leaving", "sim-swap", "locked", "porting"]
"""Why a request is rejected: the code is not ours for this number, or too old for the day; the product or its number is ending already; its
SIM was changed within the hold; the customer locked the number; another request for it was authorised."""
_FELL = {
    "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
    "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
}  # fmt: skip


class PortOutAuthorised(Event, name="port-out.authorised", stream="product"):
    """Another operator takes the number over in the window from `window_opens_at` to `window_closes_at`; it can be taken back until
    `cutoff_at`.

    `reference` is the clearing house's own. Days are local to `zone`: `wished_on` the one that was asked for (empty: as soon as possible),
    `agreed_on` that of the window, `deadline_on` the one by which the market's `rules` want it done.
    """

    example = {
        "reference": "PRT-901", "operator": "Other Mobile", "msisdn": "+447700910001", "wished_on": "", "agreed_on": "2026-03-06", "deadline_on": "2026-03-06",
        "window_opens_at": "2026-03-06T09:00:00Z", "window_closes_at": "2026-03-06T17:00:00Z", "cutoff_at": "2026-03-05T17:00:00Z",
        "zone": "Europe/London", "rules": "GB@2026-01",
    }  # fmt: skip
    reference: str
    operator: str
    msisdn: Annotated[str, Names("number")]
    wished_on: str
    agreed_on: str
    deadline_on: str
    window_opens_at: datetime
    window_closes_at: datetime
    cutoff_at: datetime
    zone: str
    rules: str


class PortOutRejected(Event, name="port-out.rejected", stream="product"):
    """The request of another operator was rejected on a ground of the market; `word` is the market's own for it."""

    example = {"reference": "PRT-901", "operator": "Other Mobile", "ground": "code", "word": "CODE-MISMATCH", "asked_on": "2026-03-05"}
    reference: str
    operator: str
    ground: Ground
    word: str
    asked_on: str


class PortOutWithdrawn(Event, name="port-out.withdrawn", stream="product"):
    """The port was taken back before its cut-off: the number, and the product, stay."""

    example = {"reference": "PRT-901"}
    reference: str


class SwitchOffRequested(Requested, name="port-out.switch-off-requested", step="port-out", stream="product"):
    """The network is to switch the service off when the window of the port opens."""

    example = {"attempt": 1, "due_at": "2026-03-06T09:00:00Z"}


class ServiceSwitchedOff(Done, name="port-out.switched-off", step="port-out", stream="product"):
    """The service is off, since the local date `switched_off_on`; the other operator cuts the number over."""

    example = {"switched_off_on": "2026-03-06"}
    switched_off_on: str


class SwitchOffFellOut(FellOut, name="port-out.fell-out", step="port-out", stream="product"):
    """The network did not switch the service off."""

    upcasts = ()
    example = _FELL


class CutoverAwaited(Requested, name="port-out.cutover-awaited", step="port-out-cutover", stream="product"):
    """The clearing house is to say whether the number was cut over."""

    example = {"attempt": 1, "due_at": "2026-03-06T09:00:00Z"}


class PortOutCompleted(Done, name="port-out.completed", step="port-out-cutover", stream="product"):
    """The number is with the other `operator` since the local date `ported_on`, later than agreed by `late_days` and `late_working_days`.

    `early_minor` is what the contract costs that ended before its term, net, charged once under `early_charge` (`ORDER/ITEM`, empty where
    it costs nothing).
    """

    example = {
        "msisdn": "+447700910001", "operator": "Other Mobile", "agreed_on": "2026-03-06", "ported_on": "2026-03-06", "late_days": 0, "late_working_days": 0,
        "early_minor": 18500, "early_charge": "960dd07c-b654-5d95-9a31-65845ce3ab78/1-port-out",
    }  # fmt: skip
    msisdn: Annotated[str, Names("number")]
    operator: str
    agreed_on: str
    ported_on: str
    late_days: int
    late_working_days: int
    early_minor: int
    early_charge: str


class PortOutFailed(OfItem, name="port-out.failed", step="port-out-cutover", stream="product"):
    """The number was not cut over (`word` is the clearing house's; empty where a person said so): the product stays, and its service is
    switched on again."""

    shape: ClassVar[str] = "cancelled"
    example = {"reference": "PRT-901", "word": "FAILED"}
    attempt: int = 1
    reference: str
    word: str


class PortOutCutoverFellOut(FellOut, name="port-out-cutover.fell-out", step="port-out-cutover", stream="product"):
    """The clearing house did not say what came of the cut-over."""

    upcasts = ()
    example = {**_FELL, "reason": "NP-CUTOVER", "queue": "porting"}


class ReactivationRequested(Requested, name="reactivation.requested", step="reactivation", stream="product"):
    """The network is to switch a service on again whose number was not ported after all."""

    example = {"attempt": 1, "due_at": "2026-03-06T12:00:00Z"}


class ServiceReactivated(Done, name="reactivation.completed", step="reactivation", stream="product"):
    """The service is on again, since `reactivated_at`; the product goes on as before."""

    example = {"reactivated_at": "2026-03-06T12:01:00Z"}
    reactivated_at: datetime


class ReactivationFellOut(FellOut, name="reactivation.fell-out", step="reactivation", stream="product"):
    """A service whose number was not ported is not on again: its customer is without any."""

    upcasts = ()
    example = {**_FELL, "reason": "NP-REACT", "queue": "urgent"}


class PortingCodeLapseAwaited(Requested, name="porting-code.lapse-awaited", step="porting-code", stream="product"):
    """A code that was given is good until `due_at`."""

    example = {"attempt": 1, "due_at": "2026-04-05T00:00:00Z"}


class PortingCodeLapsed(Done, name="porting-code.lapsed", step="porting-code", stream="product"):
    """Nobody used the code in time; it is worth nothing any more. `valid_through` was its last day."""

    example = {"valid_through": "2026-04-04"}
    valid_through: str


class PortingCodeFellOut(FellOut, name="porting-code.fell-out", step="porting-code", stream="product"):
    """The lapse of a code could not be settled."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class ProductLocked(Event, name="product.locked", stream="product"):
    """The customer wants the number to go to nobody, from the local date `locked_on` on, until the lock is lifted."""

    example = {"locked_on": "2026-03-05"}
    locked_on: str


class ProductUnlocked(Event, name="product.unlocked", stream="product"):
    """The customer lifted the lock of the number."""

    example = {"unlocked_on": "2026-03-05"}
    unlocked_on: str
