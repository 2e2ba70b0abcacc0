"""A SIM as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from o2c.kernel.event import Event
from o2c.kernel.shapes import FellOut, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Record, noted
from o2c.sim.events import SimReceived, SimRestocked, SimReturned, SimScrapped, SimTaken
from o2c.stock.state import stock_agenda


@dataclass(frozen=True, slots=True)
class SimState:
    """A SIM: its status and, if it came back, its return.

    `status` is empty before the SIM was received, then available, assigned, returned or scrapped. `back` is the return that is to be
    restocked. `records` are its steps that stand still.
    """

    status: str = ""
    back: SimReturned | None = None
    records: dict[str, Record] = field(default_factory=dict)


def stream_of(iccid: str) -> str:
    """Give the name of a SIM's stream: `sim-` and the ICCID without filler."""
    return f"sim-{iccid}"


def evolve(state: SimState, event: Event) -> SimState:
    match event:
        case SimReceived() | SimRestocked():
            return SimState("available")
        case SimReturned():
            return SimState("returned", event)
        case SimScrapped():
            return SimState("scrapped")
        case SimTaken():
            return SimState("assigned")
        case FellOut():
            return replace(state, records=noted(state.records, event, step_of(event)))
    return state


KIND = StreamKind(category="sim", shape_version=1, state_type=SimState, initial=lambda _: SimState(), evolve=evolve, agenda=stock_agenda)
