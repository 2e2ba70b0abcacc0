"""The triggers in force, and one firing, as folds of their streams."""

from __future__ import annotations

from dataclasses import dataclass, field

from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.shapes import OfItem, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Record, noted
from o2c.triggers.events import OfFiring, TaskClosed, TriggerRetired, TriggerSet

AFTER_ORDERS = 9
"""Tasks come after what customers wait for."""


@dataclass(frozen=True, slots=True)
class TriggersState:
    """The `standing` triggers as they are now, by name, and how many `versions` each name ever had."""

    standing: dict[str, TriggerSet] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


def evolve(state: TriggersState, event: Event) -> TriggersState:
    """Fold one event."""
    match event:
        case TriggerSet():
            standing = {**state.standing, event.trigger: event}
            return TriggersState(dict(sorted(standing.items())), {**state.versions, event.trigger: event.version})
        case TriggerRetired():
            return changed(state, standing={name: each for name, each in state.standing.items() if name != event.trigger})
    return state


TRIGGERS = StreamKind(category="triggers", shape_version=1, state_type=TriggersState, initial=lambda _: TriggersState(), evolve=evolve)


@dataclass(frozen=True, slots=True)
class FiringState:
    """What came of an event that a trigger is on (`trigger` is empty before): of which order and customer it is, and how its task stands,
    if it is one (`records`; `closed` says how it ended)."""

    trigger: str = ""
    order: str = ""
    customer: str = ""
    closed: str = ""
    records: dict[str, Record] = field(default_factory=dict)


def evolve_firing(state: FiringState, event: Event) -> FiringState:
    """Fold one event."""
    if isinstance(event, OfFiring):
        return changed(state, trigger=event.trigger, order=event.order, customer=event.customer)
    if not isinstance(event, OfItem):
        return state
    closed = event.decision if isinstance(event, TaskClosed) else state.closed
    return changed(state, closed=closed, records=noted(state.records, event, step_of(event)))


def agenda(state: FiringState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """A task is never due: it stands in a queue."""
    return by_shape(stream, event, priority=AFTER_ORDERS, since=NEVER)


def owner(state: FiringState) -> tuple[str | None, str | None]:
    """Name the order and the customer for the envelope."""
    return state.order or None, state.customer or None


FIRING = StreamKind(
    category="firing",
    shape_version=1,
    state_type=FiringState,
    initial=lambda _: FiringState(),
    evolve=evolve_firing,
    agenda=agenda,
    owner=owner,
)
