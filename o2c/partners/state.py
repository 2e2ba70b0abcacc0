"""A partner as a fold of its stream: how it is reached, the faults it is simulated with, and its last outage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from o2c.kernel.agenda import NEVER, AgendaChange, Dropped, by_shape
from o2c.kernel.event import Event
from o2c.kernel.shapes import FellOut, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Record, noted
from o2c.partners.events import (
    PartnerCallsResumed,
    PartnerCameUp,
    PartnerFaultsPlanned,
    PartnerLinked,
    PartnerProbed,
    PartnerProbeOpened,
    PartnerProbeRequested,
    PartnerSimulated,
    PartnerWentDown,
    PlannedFault,
)


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without the partner, `until` None while it lasts. `by` and `ended_by` are who said so, or `detection`.

    `drained_until` is when the last of its parked calls is made that have a time already; None while none has. Since it is `probing`, the
    next call is made; `answers` counts the calls in a row that were answered so, and `answers_min` is how many bring it up (0: as its rule
    says).
    """

    outage: str
    since: datetime
    by: str
    declared: bool
    until: datetime | None = None
    ended_by: str = ""
    rate_per_min: int = 0
    drained_until: datetime | None = None
    probing: datetime | None = None
    answers: int = 0
    answers_min: int = 0


@dataclass(frozen=True, slots=True)
class PartnerState:
    """A partner so far; `linked` is None for one that is simulated, with the faults that are `planned` for it. `outage` is the last one."""

    linked: PartnerLinked | None = None
    planned: tuple[PlannedFault, ...] = ()
    outage: Outage | None = None
    records: dict[str, Record] = field(default_factory=dict)

    @property
    def down(self) -> Outage | None:
        """The outage that lasts; None for a partner that is up."""
        return self.outage if self.outage and self.outage.until is None else None

    def down_at(self, at: datetime) -> Outage | None:
        """The outage in which a time falls; None for a time at which the partner was up, or not known to be down."""
        outage = self.outage
        return outage if outage and outage.since <= at and (outage.until is None or at < outage.until) else None


def stream_of(partner: str) -> str:
    """Give the name of the stream of a partner's link: `partner-` and the partner's name."""
    return f"partner-{partner}"


def evolve(state: PartnerState, event: Event) -> PartnerState:
    match event:
        case PartnerLinked():
            return replace(state, linked=event)
        case PartnerSimulated():
            return replace(state, linked=None)
        case PartnerFaultsPlanned():
            return replace(state, planned=event.faults)
        case PartnerWentDown():
            return replace(state, outage=Outage(event.outage, event.since, event.by, event.declared, answers_min=event.answers_min))
        case PartnerCameUp() if state.outage and state.outage.outage == event.outage:
            ended = replace(state.outage, until=event.up_at, ended_by=event.by, rate_per_min=event.rate_per_min)
            return replace(state, outage=ended)
        case PartnerCallsResumed() if state.outage and state.outage.outage == event.outage:
            return replace(state, outage=replace(state.outage, drained_until=event.until))
        case PartnerProbeRequested():
            return replace(state, records={})
        case PartnerProbeOpened() if state.outage:
            return replace(state, outage=replace(state.outage, probing=event.opened_at))
        case PartnerProbed() if state.outage:
            return replace(state, outage=replace(state.outage, probing=None, answers=state.outage.answers + 1 if event.answered else 0))
        case FellOut():
            return replace(state, records=noted(state.records, event, step_of(event)))
    return state


PROBE = "partner-probe"


def agenda(state: PartnerState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put probes on the agenda before all that is due with them, and take them off when somebody says how the partner stands."""
    if isinstance(event, PartnerCameUp) or (isinstance(event, PartnerWentDown) and event.declared):
        return (Dropped(stream, "", PROBE),)
    return by_shape(stream, event, priority=0, since=NEVER)


def not_before(state: PartnerState) -> datetime | None:
    """Give the time before which nothing is said of the partner: that of the last word on its outage."""
    return (state.outage.until or state.outage.since) if state.outage else None


KIND = StreamKind(
    category="partner",
    shape_version=3,
    state_type=PartnerState,
    initial=lambda _: PartnerState(),
    evolve=evolve,
    agenda=agenda,
    not_before=not_before,
)
