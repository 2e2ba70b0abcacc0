"""Carrying decisions through on one stream: the state they leave, everything that follows from them, and their guards. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Asked, Event
from o2c.kernel.shapes import item_of
from o2c.kernel.stream import StreamKind

FOLLOWING_MAX = 50


@dataclass(frozen=True, slots=True)
class Happened:
    """An event about to be written, where and when (business time), and the event that caused it.

    `after` is the state it leaves, if folded; `asked` the exchange with a partner of which it came.
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
    """A decision of a stream as events about to be written; `after` are the states they leave, where they were folded already."""
    states = after or [None] * len(decision.events)
    asked = (decision.asked, *[None] * len(decision.events))
    own = (Happened(stream, event, at, causation, *rest) for event, *rest in zip(decision.events, states, asked, strict=False))
    elsewhere = (Happened(other, event, at, causation) for other, event in decision.elsewhere)
    return (*own, *elsewhere)


@dataclass(frozen=True, slots=True)
class Place:
    """How far decisions were carried: the state, how many events, the guards."""

    state: Any
    events: int
    guards: Decision


class Carried:
    """Decisions of one stream, one after another, each with what follows from it. `guards` adds up what they take, free and claim."""

    def __init__(self, kind: StreamKind, stream: str, state: Any) -> None:
        self.kind, self.stream, self.state = kind, stream, state
        self.happened: list[Happened] = []
        self.guards = NOTHING
        self._last: tuple[datetime, str | None] | None = None

    def carry(self, decision: Decision, at: datetime, book: Any, cause: str | None) -> None:
        """Fold a decision, then let the stream advance until nothing more follows."""
        touched = frozenset(item_of(event) for event in decision.events)
        self._last = (at, cause)
        for _ in range(FOLLOWING_MAX):
            if not decision:
                return
            self._take(decision, at, cause)
            if not all(item_of(event) for event in decision.events):
                touched = frozenset({""})  # an event of no item is one of the whole stream
            decision = self.kind.advance(self.state, touched, at, book)
        raise RuntimeError(f"{self.stream}: one decision leads to another without end")

    def place(self) -> Place:
        """Where it stands now, to go back to when the next decision turns out to be a defect."""
        return Place(self.state, len(self.happened), self.guards)

    def back_to(self, place: Place) -> None:
        """Forget what was carried since."""
        self.state, self.guards = place.state, place.guards
        del self.happened[place.events :]

    def close(self) -> None:
        """The stream's own end, if this was it."""
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
