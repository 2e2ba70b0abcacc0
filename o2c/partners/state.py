"""A partner as a fold of its stream: how it is reached, and the faults it is simulated with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.partners.events import PartnerFaultsPlanned, PartnerLinked, PartnerSimulated, PlannedFault


@dataclass(frozen=True, slots=True)
class PartnerState:
    """A partner so far; `linked` is None for one that is simulated, with the faults that are `planned` for it."""

    linked: PartnerLinked | None = None
    planned: tuple[PlannedFault, ...] = ()


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
    return state


KIND = StreamKind(category="partner", shape_version=2, state_type=PartnerState, initial=lambda _: PartnerState(), evolve=evolve)
