"""A number as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from o2c.kernel.agenda import AgendaChange, Dropped
from o2c.kernel.event import Event
from o2c.kernel.shapes import FellOut, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Record, noted
from o2c.numbers.events import (
    NumberBroughtIn,
    NumberQuarantined,
    NumberReceived,
    NumberReservationLapsed,
    NumberReservationReleased,
    NumberReserved,
    NumberRested,
    NumberTaken,
)
from o2c.stock.state import stock_agenda


@dataclass(frozen=True, slots=True)
class NumberState:
    """A number: its status, class, holder and reservation.

    `status` is empty before the number was received, then available, golden, reserved, assigned, quarantined or ported_in. `resting` is the
    number itself while it is in quarantine. `order`, `item` and `customer` are those that it was last reserved for or taken by;
    `kept_until` is the end of the reservation. `records` are its steps that stand still.
    """

    status: str = ""
    resting: str = ""
    number_class: str = "normal"
    order: str = ""
    item: str = ""
    customer: str = ""
    kept_until: datetime | None = None
    records: dict[str, Record] = field(default_factory=dict)


def stream_of(msisdn: str) -> str:
    """Give the name of a number's stream: `number-` and the MSISDN in E.164 form."""
    return f"number-{msisdn}"


def evolve(state: NumberState, event: Event) -> NumberState:
    match event:
        case NumberReceived() | NumberRested() | NumberReservationReleased() | NumberReservationLapsed():
            return NumberState("golden" if event.number_class == "golden" else "available", number_class=event.number_class)
        case NumberReserved():
            return NumberState(
                "reserved",
                number_class=event.number_class,
                order=event.order,
                item=event.item,
                customer=event.customer,
                kept_until=event.due_at,
            )
        case NumberTaken():
            return replace(state, status="assigned", resting="", order=event.order, item=event.item)
        case NumberQuarantined():
            return NumberState("quarantined", event.msisdn, number_class=state.number_class)
        case NumberBroughtIn():
            return NumberState("ported_in", order=event.order, item=event.item)
        case FellOut():
            return replace(state, records=noted(state.records, event, step_of(event)))
    return state


def agenda(state: NumberState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Change the agenda as all stock does; a number that is taken while it is reserved drops the end of its reservation."""
    taken = isinstance(event, NumberTaken) and state.kept_until is not None
    return (*stock_agenda(state, event, stream), *((Dropped(stream, state.item, "reservation"),) if taken else ()))


def _owner(state: NumberState) -> tuple[str | None, str | None]:
    return state.order or None, state.customer or None


KIND = StreamKind(
    category="number", shape_version=1, state_type=NumberState, initial=lambda _: NumberState(), evolve=evolve, agenda=agenda, owner=_owner
)
