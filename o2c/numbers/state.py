"""A number as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.numbers.events import NumberBroughtIn, NumberQuarantined, NumberReceived, NumberTaken


@dataclass(frozen=True, slots=True)
class NumberState:
    """`status` is empty before the number was received, then available, golden, assigned, quarantined or ported_in."""

    status: str = ""


def stream_of(msisdn: str) -> str:
    return f"number-{msisdn}"


def evolve(state: NumberState, event: Event) -> NumberState:
    match event:
        case NumberReceived():
            return NumberState("golden" if event.number_class == "golden" else "available")
        case NumberTaken():
            return NumberState("assigned")
        case NumberQuarantined():
            return NumberState("quarantined")
        case NumberBroughtIn():
            return NumberState("ported_in")
    return state


KIND = StreamKind(category="number", shape_version=1, state_type=NumberState, initial=lambda _: NumberState(), evolve=evolve)
