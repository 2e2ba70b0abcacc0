"""A number as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.numbers.events import NumberBroughtIn, NumberQuarantined, NumberReceived, NumberRested, NumberTaken
from o2c.stock.state import stock_agenda


@dataclass(frozen=True, slots=True)
class NumberState:
    """`status` is empty before the number was received, then available, golden, assigned, quarantined or ported_in; `resting` is
    the number in quarantine."""

    status: str = ""
    resting: str = ""


def stream_of(msisdn: str) -> str:
    return f"number-{msisdn}"


def evolve(state: NumberState, event: Event) -> NumberState:
    match event:
        case NumberReceived():
            return NumberState("golden" if event.number_class == "golden" else "available")
        case NumberTaken():
            return NumberState("assigned")
        case NumberQuarantined():
            return NumberState("quarantined", event.msisdn)
        case NumberRested():
            return NumberState("available")
        case NumberBroughtIn():
            return NumberState("ported_in")
    return state


KIND = StreamKind(
    category="number", shape_version=1, state_type=NumberState, initial=lambda _: NumberState(), evolve=evolve, agenda=stock_agenda
)
