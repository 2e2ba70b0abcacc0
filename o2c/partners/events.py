"""Events of a partner: how it is reached, with which faults it is simulated, and when it does not answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.event import Event, Pii, Upcast
from o2c.kernel.shapes import Done, FellOut, Requested

FaultKind = Literal["none", "transient", "refused", "permanent", "unknown", "outage"]


class PartnerLinked(Event, name="partner.linked", stream="partner"):
    """The partner is reached over the network at `url`. `credential` names the environment variable that holds the token, never the
    token."""

    example = {
        "partner": "credit-bureau", "url": "https://bureau.example.org/v1", "credential": "BUREAU_TOKEN", "timeout_ms": 10000,
        "calls_max": 8,
    }  # fmt: skip
    partner: str
    url: str
    credential: str
    timeout_ms: int
    calls_max: int


class PartnerSimulated(Event, name="partner.simulated", stream="partner"):
    """The partner is simulated again, with all its faults."""

    example = {"partner": "credit-bureau"}
    partner: str


class PlannedFault(BaseModel):
    """A fault of a simulated partner: its kind, how many calls in a hundred meet it (decimals as text), and when; without a time,
    always."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: FaultKind
    percent: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the fault is planned for a time; the period is half-open."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)


class PartnerFaultsPlanned(Event, name="partner.faults-planned", stream="partner"):
    """The partner is simulated with these faults from now on, in place of all that was planned before; what they do not name comes as
    usual."""

    example = {
        "partner": "network",
        "faults": [{"kind": "outage", "percent": "100", "starts_at": "2026-01-05T10:00:00Z", "ends_at": "2026-01-05T12:00:00Z"}],
    }  # fmt: skip
    partner: str
    faults: tuple[PlannedFault, ...]


class PartnerWentDown(Event, name="partner.went-down", stream="partner"):
    """The partner does not answer since `since`: what would be asked of it is parked. `by` is who said so, or `detection`.

    What somebody `declared` lasts until somebody takes it back. What was detected rests on figures: of the last `calls` calls within
    `window_s` seconds, of `orders` orders, `failed` met nobody; and `answers_min` answers in a row bring it up. Older events do not say of
    how many orders (0: each call was of another), nor how many answers (0: as the partner's rule says).
    """

    example = {
        "partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "since": "2026-01-05T10:00:00Z", "by": "ann", "declared": True,
        "note": "planned work on the core until noon",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"orders": 0, "answers_min": 0}),)
    partner: str
    outage: str
    since: datetime
    by: str
    declared: bool
    note: Annotated[str, Pii("note")] = ""
    calls: int = 0
    failed: int = 0
    window_s: int = 0
    orders: int = 0
    answers_min: int = 0


class PartnerCameUp(Event, name="partner.came-up", stream="partner"):
    """The partner answers again since `up_at`. Its parked calls are made one after another, `rate_per_min` of them in a minute."""

    example = {
        "partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "up_at": "2026-01-05T12:00:00Z", "by": "ann", "rate_per_min": 60,
        "note": "the supplier called",
    }  # fmt: skip
    partner: str
    outage: str
    up_at: datetime
    by: str
    rate_per_min: int
    note: Annotated[str, Pii("note")] = ""


class PartnerCallsResumed(Event, name="partner.calls-resumed", stream="partner"):
    """So many parked calls got their times, one after another, the last of them `until`: the partner is draining until then."""

    example = {
        "partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "calls": 500, "until": "2026-01-05T12:08:20Z",
    }  # fmt: skip
    partner: str
    outage: str
    calls: int
    until: datetime


class PartnerProbeRequested(Requested, name="partner.probe-requested", step="partner-probe", stream="partner"):
    """A partner was found to be down: from `due_at` on one of its parked calls is made, to see whether it is up again."""

    example = {"partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "due_at": "2026-01-05T10:09:00Z"}
    partner: str
    outage: str


class PartnerProbeOpened(Done, name="partner.probe-opened", step="partner-probe", stream="partner"):
    """The next call of a partner that is down is made, be it parked or due by itself: it shows whether the partner is up since
    `opened_at`."""

    example = {"partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "opened_at": "2026-01-05T10:09:00Z"}
    partner: str
    outage: str
    opened_at: datetime


class PartnerProbeFellOut(FellOut, name="partner.probe-fell-out", step="partner-probe", stream="partner"):
    """A probe could not be opened, for a defect of ours: the partner stays down until a person sees to it."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class PartnerProbed(Event, name="partner.probed", stream="partner"):
    """A call was made to see whether the partner is up again: it was `answered`, be it by a refusal, or met nobody."""

    example = {"partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "answered": True}
    partner: str
    outage: str
    answered: bool
