"""What TMF622 tells of an order as it goes on: which of its notifications each event of an order makes.

Source: TM Forum TMF622 v5.0.0, "Notification Resource Models".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from o2c.engine.app import Engine
from o2c.hooks.notifications import (
    ATTRIBUTE,
    CANCEL_CREATE,
    CANCEL_STATE,
    CREATE,
    ERROR,
    INFORMATION,
    JEOPARDY,
    MILESTONE,
    STATE,
    wanted,
)
from o2c.views.cancellations import state_of
from o2c.views.documents import documents_at
from o2c.views.event_types import event_types, stream_categories
from o2c.views.following import EventRecord

__all__ = [
    "CANCEL_CREATE", "CANCEL_STATE", "ERROR", "JEOPARDY", "MILESTONE", "as_it_stood", "cancellations_of", "notifications", "types_of_orders",
    "wanted",
]  # fmt: skip

AMENDED = frozenset({"order.amended", "order.revised"})
PENDING = "pending"
RAISED = "order.jeopardy-raised"
"""The event by which danger is written down: an alert whether a promise was moved or not."""
Document = Mapping[str, Any]


def types_of_orders() -> tuple[str, ...]:
    """The stored names of the events that stand in the streams of orders."""
    return tuple(cls.type_name for cls in event_types() if "order" in stream_categories(cls))


def notifications(app: Engine, events: Sequence[EventRecord], kinds: Sequence[str]) -> Iterator[tuple[EventRecord, str]]:
    """The notifications of some kinds that events of orders make, in the order of the log; one event may make several, or none."""
    positions: dict[str, set[int]] = {}
    for event in events:
        if event.stream.startswith("order-"):
            positions.setdefault(event.stream.removeprefix("order-"), set()).update((event.position - 1, event.position))
    stood = documents_at(app, positions)
    for event in events:
        order = event.stream.removeprefix("order-")
        if order in positions and (after := stood[order, event.position]) is not None:
            made = _made(event, stood[order, event.position - 1], after)
            yield from ((event, kind) for kind in made if kind in kinds)


def _made(event: EventRecord, before: Document | None, after: Document) -> Iterator[str]:
    if before is None:
        yield CREATE
        return
    if before["state"] != after["state"]:
        yield STATE
        if after["state"] == PENDING:
            yield INFORMATION
    if event.type in AMENDED:
        yield ATTRIBUTE
    if _reached(after) - _reached(before):
        yield MILESTONE
    if _named(after, "fallouts", "fallout") - _named(before, "fallouts", "fallout"):
        yield ERROR
    if event.type == RAISED or _revisions(after) - _revisions(before):
        yield JEOPARDY
    old, new = cancellations_of(before), cancellations_of(after)
    if new.keys() - old.keys():
        yield CANCEL_CREATE
    if any(old[name]["state"] != new[name]["state"] for name in old.keys() & new.keys()):
        yield CANCEL_STATE


def _reached(document: Document) -> set[tuple[str, str]]:
    return {(one["item"], one["milestone"]) for one in document["milestones"] if one["status"] == "reached"}


def _named(document: Document, rows: str, name: str) -> set[str]:
    return {one[name] for one in document[rows]}


def _revisions(document: Document) -> set[tuple[str, int]]:
    return {(one["item"], one["revisions"]) for one in document["promises"] if one["revisions"]}


def cancellations_of(document: Document) -> dict[str, dict[str, Any]]:
    """The cancellations of the whole of an order, by their ids, each with its state."""
    return {
        one["cancellation"]: {**one, "order": document["order"], "state": state_of(one["answer"], over=one["ended_at"] is not None)}
        for one in document["cancellations"]
        if not one["item"] and not one["part"]
    }


def as_it_stood(app: Engine, event: EventRecord) -> tuple[Document | None, Document]:
    """The order of an event before it and right after it."""
    order = event.stream.removeprefix("order-")
    found = documents_at(app, {order: (event.position - 1, event.position)})
    after = found[order, event.position]
    assert after is not None, "a notification is of an order that was captured"
    return found[order, event.position - 1], after
