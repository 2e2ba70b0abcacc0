"""A SIM as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.sim.events import SimReceived, SimReturned, SimTaken


@dataclass(frozen=True, slots=True)
class SimState:
    """`status` is empty before the SIM was received, then available or assigned."""

    status: str = ""


def stream_of(iccid: str) -> str:
    return f"sim-{iccid}"


def evolve(state: SimState, event: Event) -> SimState:
    match event:
        case SimReceived() | SimReturned():
            return SimState("available")
        case SimTaken():
            return SimState("assigned")
    return state


KIND = StreamKind(category="sim", shape_version=1, state_type=SimState, initial=lambda _: SimState(), evolve=evolve)
