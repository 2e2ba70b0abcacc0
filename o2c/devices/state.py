"""A device as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from o2c.devices.events import (
    DeviceBlocked,
    DeviceGivenUp,
    DeviceReceived,
    DeviceRestocked,
    DeviceReturned,
    DeviceScrapped,
    DeviceTaken,
    DeviceUnblocked,
)
from o2c.kernel.event import Event
from o2c.kernel.shapes import FellOut, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Record, noted
from o2c.stock.state import stock_agenda


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device: its SKU, its status and, if it came back, its return.

    `status` is empty before it was received, then available, assigned, returned, blocked or scrapped; `cause` says why it is blocked.
    `back` is the return that is to be restocked; `held` says whether an item has it. `records` are its steps that stand still.
    """

    sku: str = ""
    status: str = ""
    cause: str = ""
    back: DeviceReturned | None = None
    records: dict[str, Record] = field(default_factory=dict)
    held: bool = False


def stream_of(imei: str) -> str:
    """Give the name of a device's stream: `device-` and its IMEI."""
    return f"device-{imei}"


def evolve(state: DeviceState, event: Event) -> DeviceState:
    match event:
        case DeviceReceived() | DeviceRestocked():
            return DeviceState(event.sku, "available")
        case DeviceReturned():
            return DeviceState(event.sku, "returned", state.cause, event)
        case DeviceTaken():
            return DeviceState(event.sku, "assigned", held=True)
        case DeviceBlocked():
            return DeviceState(event.sku, "blocked", event.cause, held=state.held and not isinstance(event, DeviceGivenUp))
        case DeviceScrapped():
            return DeviceState(event.sku, "scrapped")
        case DeviceUnblocked():
            return replace(state, status="assigned" if state.held else "returned", cause="")
        case FellOut():
            return replace(state, records=noted(state.records, event, step_of(event)))
    return state


KIND = StreamKind(
    category="device", shape_version=3, state_type=DeviceState, initial=lambda _: DeviceState(), evolve=evolve, agenda=stock_agenda
)
