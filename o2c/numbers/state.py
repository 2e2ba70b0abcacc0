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
    NumberClaimDropped,
    NumberPortedOut,
    NumberQuarantined,
    NumberReceived,
    NumberReservationLapsed,
    NumberReservationReleased,
    NumberReserved,
    NumberRested,
    NumberReturned,
    NumberTaken,
)
from o2c.stock.state import stock_agenda


@dataclass(frozen=True, slots=True)
class NumberState:
    """A number: its status, class, holder and reservation.

    `status` is empty before the number was received, then available, golden, reserved, assigned, quarantined or ported_in; returned for one
    that is not ours any more, ported_out for one that serves at another operator. `brought_in` says that it is of another operator's range
    and only ours as long as its customer's line. `resting` is the number itself while it is in quarantine. `order`, `item` and `customer`
    are those that it was last reserved for or taken by; of a number that rests, `customer` is whose it was. `kept_until` is the end of the
    reservation. `rests_until` is the end of the rest, kept while the former customer has it reserved, as are `use`, `claimable` and
    `free_by` of the rest. `records` are its steps that stand still.
    """

    status: str = ""
    resting: str = ""
    number_class: str = "normal"
    order: str = ""
    item: str = ""
    customer: str = ""
    kept_until: datetime | None = None
    rests_until: datetime | None = None
    use: str = ""
    claimable: bool = False
    free_by: datetime | None = None
    brought_in: bool = False
    records: dict[str, Record] = field(default_factory=dict)


def stream_of(msisdn: str) -> str:
    """Give the name of a number's stream: `number-` and the MSISDN in E.164 form."""
    return f"number-{msisdn}"


def evolve(state: NumberState, event: Event) -> NumberState:
    match event:
        case NumberReceived() | NumberRested() | NumberReservationReleased() | NumberReservationLapsed():
            return NumberState("golden" if event.number_class == "golden" else "available", number_class=event.number_class)
        case NumberReserved():
            return replace(
                state,
                status="reserved",
                resting="",
                records={},
                number_class=event.number_class,
                order=event.order,
                item=event.item,
                customer=event.customer,
                kept_until=event.due_at,
            )
        case NumberTaken():
            taken = replace(state, status="assigned", resting="", order=event.order, item=event.item)
            return replace(taken, rests_until=None, use="", claimable=False, free_by=None) if state.rests_until else taken
        case NumberQuarantined():
            return NumberState(
                "quarantined",
                event.msisdn,
                number_class=state.number_class,
                customer=event.customer,
                rests_until=event.due_at,
                use=event.use,
                claimable=event.claimable,
                free_by=event.free_by,
                brought_in=state.brought_in,
            )
        case NumberClaimDropped():
            return replace(state, status="quarantined", resting=event.msisdn, order="", item="", kept_until=None)
        case NumberBroughtIn():
            return NumberState("ported_in", order=event.order, item=event.item, brought_in=True)
        case NumberReturned():
            return NumberState("returned")
        case NumberPortedOut():
            return NumberState("ported_out", number_class=state.number_class, brought_in=state.brought_in)
        case FellOut():
            return replace(state, records=noted(state.records, event, step_of(event)))
    return state


def agenda(state: NumberState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Change the agenda as all stock does.

    A number that is taken while it is reserved, or whose claim is dropped, drops the end of its reservation; one that is reserved while it
    rests drops the end of its rest.
    """
    changes = stock_agenda(state, event, stream)
    if isinstance(event, NumberTaken) and state.kept_until is not None:
        return (*changes, Dropped(stream, state.item, "reservation"))
    if isinstance(event, NumberClaimDropped):
        return (*changes, Dropped(stream, event.reserved_item, "reservation"))
    if isinstance(event, NumberReserved) and state.rests_until is not None:
        return (*changes, Dropped(stream, "", "number-restock"))
    return changes


def _owner(state: NumberState) -> tuple[str | None, str | None]:
    return state.order or None, state.customer or None


KIND = StreamKind(
    category="number", shape_version=4, state_type=NumberState, initial=lambda _: NumberState(), evolve=evolve, agenda=agenda, owner=_owner
)
