"""Applying decisions to one stream: the state that results, the decisions that follow, and the guard rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Asked, Event
from o2c.kernel.stream import StreamKind

FOLLOWING_MAX = 50
"""How many decisions may follow from one; more are a loop without end."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event about to be written: its stream, its business time, and the id of the event that caused it.

    `after` is the state of the stream after the event, None when it was not folded yet. `asked` is the exchange with a partner that led to
    the event.
    """

    stream: str
    event: Event
    at: datetime
    causation: str | None = None
    after: Any = None
    asked: Asked | None = None


def happened(
    stream: str, decision: Decision, at: datetime, causation: str | None = None, *, after: Sequence[Any] = ()
) -> tuple[Happened, ...]:
    """Turn a decision of a stream into events about to be written: first those of the stream, then those of other streams.

    `causation` is the id of the event that caused the decision. `after` holds the state after each event of the stream; it is empty when
    they were not folded yet. The exchange with a partner stands on the first event.
    """
    states = after or [None] * len(decision.events)
    asked = (decision.asked, *[None] * len(decision.events))
    own = (Happened(stream, event, at, causation, *rest) for event, *rest in zip(decision.events, states, asked, strict=False))
    elsewhere = (Happened(other, event, at, causation) for other, event in decision.elsewhere)
    return (*own, *elsewhere)


@dataclass(frozen=True, slots=True)
class Place:
    """A point to go back to: the state, the number of events and the guards at that time."""

    state: Any
    events: int
    guards: Decision


class Carried:
    """The decisions of one stream, applied one after another, each with the decisions that follow from it.

    `state` is the state after all of them, `happened` holds the events to be written, and `guards` adds up the guards that they take, free
    and claim.
    """

    def __init__(self, kind: StreamKind, stream: str, state: Any) -> None:
        self.kind, self.stream, self.state = kind, stream, state
        self.happened: list[Happened] = []
        self.guards = NOTHING
        self._last: tuple[datetime, str | None] | None = None

    def carry(self, decision: Decision, at: datetime, book: Any, cause: str | None) -> None:
        """Apply a decision, then let the stream advance until nothing more follows.

        `at` is business time, `cause` the id of the event that caused the decision. Raises RuntimeError when more than FOLLOWING_MAX
        decisions follow.
        """
        touched = frozenset(_item(event) for event in decision.events)
        self._last = (at, cause)
        for _ in range(FOLLOWING_MAX):
            if not decision:
                return
            self._take(decision, at, cause)
            if not all(_item(event) for event in decision.events):
                touched = frozenset({""})  # an event of no item is one of the whole stream
            decision = self.kind.advance(self.state, touched, at, book)
        raise RuntimeError(f"{self.stream}: one decision leads to another without end")

    def place(self) -> Place:
        """Give the present point, so that `back_to` can return to it when the next decision turns out to be a defect."""
        return Place(self.state, len(self.happened), self.guards)

    def back_to(self, place: Place) -> None:
        """Drop everything that was applied after the given point."""
        self.state, self.guards = place.state, place.guards
        del self.happened[place.events :]

    def close(self) -> None:
        """Add the event by which the stream ends, such as `order.completed`, once its state has come to the end."""
        if self._last is not None:
            self._take(self.kind.close(self.state), *self._last)

    def _take(self, decision: Decision, at: datetime, cause: str | None) -> None:
        after = []
        for event in decision.events:
            self.state = self.kind.evolve(self.state, event)
            after.append(self.state)
        self.happened += happened(self.stream, decision, at, cause, after=after)
        if decision.takes or decision.frees or decision.claims:
            self.guards += Decision(takes=decision.takes, frees=decision.frees, claims=decision.claims)


def _item(event: Event) -> str:
    """The item that an event names, of whatever base: an order of hundreds of lines is not looked through for what concerns one of them."""
    return str(getattr(event, "item", ""))
