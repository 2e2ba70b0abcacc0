"""Reactions: what follows of an event in other streams than its own, by itself. Pure; the engine carries them out once an event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.kernel.decision import Decision
from o2c.kernel.event import EVENT_TYPES, Event, Fact


@dataclass(frozen=True, slots=True)
class Wake:
    """As many of the steps that wait for a stock pool as pieces came are asked for again, by priority, then age."""

    pool: str
    count: int


@dataclass(frozen=True, slots=True)
class Decide:
    """A rule decides on another stream: `rule(state, at, book)`. What follows from its decision is written with it."""

    stream: str
    rule: Callable[[Any, datetime, Any], Decision]


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """What follows of the events that it `concerns`: `effects(fact)`. Its name is part of command ids, so that a repeat does nothing."""

    name: str
    concerns: Callable[[type[Event]], bool]
    effects: Callable[[Fact], Sequence[Wake | Decide]]

    @property
    def types(self) -> frozenset[str]:
        """The stored names of the events that it concerns, of all that this program knows."""
        return frozenset(name for name, cls in EVENT_TYPES.items() if self.concerns(cls))
