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
    """A row of the agenda, unique by (stream, item, step): one piece of work and when it is due.

    `kind` is `submit` (do the work, or ask for it), `query` (ask a partner for the outcome of an earlier request), `retry` (request the
    step again), `stock` (wait for a piece of the stock pool `pool`), or `parked` or `parked-query` (a submit or query that waits until its
    partner is up). The pool of a parked row is that of its partner's calls (`calls_of`), and it stays so when the call is made again.

    Due rows are taken in the order (due_at, priority, stream, item, step), lower priorities first. `attempt` counts from 1. Among the steps
    that wait for one pool at one priority, the one with the earliest `since` is served first.
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
    """Takes the row of (stream, item, step) off the agenda."""

    stream: str
    item: str
    step: str


AgendaChange = Entry | Dropped
_OVER = frozenset({"done", "declined", "fell-out", "cancelled", "undone", "renewed", "given-up"})


def calls_of(partner: str) -> str:
    """Give the name of the pool in which the parked calls of a partner wait."""
    return f"partner/{partner}"


def by_shape(stream: str, event: Event, *, priority: int, since: datetime) -> tuple[AgendaChange, ...]:
    """Give the changes that an event of a step makes to the agenda, from its shape alone.

    A request, an answer to wait for, a retry, a wait for stock and a call that is parked or made again put the row of the step. An event
    that ends the step's work, or leaves it to a person, drops the row. Any other event changes nothing.
    """

    def put(kind: str, due_at: datetime, attempt: int, pool: str = "") -> tuple[AgendaChange, ...]:
        return (Entry(stream, shapes.item_of(event), shapes.step_of(event), kind, due_at, priority, since, attempt, pool),)

    match event:
        case shapes.Requested():
            return put("submit", event.due_at, event.attempt)
        case shapes.Undertaken() | shapes.PartnerSilent():
            return put("query", event.ask_again_at, event.attempt)
        case shapes.RetryScheduled():
            return put("retry", event.due_at, event.attempt)
        case shapes.CallParked():
            return put("parked-query" if event.query else "parked", NEVER, event.attempt, calls_of(event.partner))
        case shapes.CallResumed():
            return put("query" if event.query else "submit", event.due_at, event.attempt, calls_of(event.partner))
        case shapes.FellOut() if event.awaits:
            return put("stock", NEVER, event.attempt, event.awaits)
    # By shape, not class: a step that a person forced is done without being a Done.
    return (Dropped(stream, shapes.item_of(event), shapes.step_of(event)),) if event.shape in _OVER else ()
