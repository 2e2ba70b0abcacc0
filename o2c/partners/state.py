"""The link to a partner as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.partners.events import PartnerLinked, PartnerSimulated


@dataclass(frozen=True, slots=True)
class PartnerState:
    """The link to a partner; `linked` is None for one that is simulated."""

    linked: PartnerLinked | None = None


def stream_of(partner: str) -> str:
    """Give the name of the stream of a partner's link: `partner-` and the partner's name."""
    return f"partner-{partner}"


def evolve(state: PartnerState, event: Event) -> PartnerState:
    match event:
        case PartnerLinked():
            return PartnerState(event)
        case PartnerSimulated():
            return PartnerState()
    return state


KIND = StreamKind(category="partner", shape_version=1, state_type=PartnerState, initial=lambda _: PartnerState(), evolve=evolve)
