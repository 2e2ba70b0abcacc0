"""The agenda: an index of events that says what must happen later. There is no other timer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from o2c.kernel import shapes
from o2c.kernel.event import Event

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Due time of a row that only another event can wake (an order waiting for stock)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the agenda, unique by (stream, item, step).

    `kind`: submit (do it), query (ask what became of it), retry (ask for it once more), stock (wait for a pool).
    Rows are taken by (due_at, priority, stream, item, step). `since` is the age that breaks ties among those who wait for stock.
    """

    stream: str
    item: str
    step: str
    kind: str
    due_at: datetime
    priority: int
    since: datetime
    attempt: int = 1
    pool: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The row of (stream, item, step) is no longer wanted."""

    stream: str
    item: str
    step: str


AgendaChange = Entry | Dropped
_OVER = frozenset({"done", "declined", "fell-out", "cancelled", "undone"})


def by_shape(stream: str, event: Event, *, priority: int, since: datetime) -> tuple[AgendaChange, ...]:
    """What an event of a step does to the agenda, from its shape alone."""

    def put(kind: str, due_at: datetime, attempt: int, pool: str = "") -> tuple[AgendaChange, ...]:
        return (Entry(stream, shapes.item_of(event), shapes.step_of(event), kind, due_at, priority, since, attempt, pool),)

    match event:
        case shapes.Requested():
            return put("submit", event.due_at, event.attempt)
        case shapes.PartnerAccepted() | shapes.PartnerSilent():
            return put("query", event.ask_again_at, event.attempt)
        case shapes.RetryScheduled():
            return put("retry", event.due_at, event.attempt)
        case shapes.FellOut() if event.awaits:
            return put("stock", NEVER, event.attempt, event.awaits)
    # By shape, not class: a step that a person forced is done without being a Done.
    return (Dropped(stream, shapes.item_of(event), shapes.step_of(event)),) if event.shape in _OVER else ()
