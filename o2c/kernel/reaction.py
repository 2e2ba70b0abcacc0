"""Reactions: effects that an event has on other streams by itself. Pure; the engine carries each effect out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, Fact, types_by_name


@dataclass(frozen=True, slots=True)
class Wake:
    """Request again the steps that wait for a stock pool: as many as pieces came, by priority, then age."""

    pool: str
    count: int


@dataclass(frozen=True, slots=True)
class DecideOn:
    """Let a rule decide on another stream: `rule(state, at, book)` gives the Decision, which is written with all that follows from it. The
    states of the streams that it `reads` beside come after the book, and stand as it read them when it is written."""

    stream: str
    rule: Callable[..., Decision]
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """Tell the steps that wait for stock, of whatever pool, when their pieces are due now: those for whom that has changed."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Make the parked calls of a partner, if it is up: by priority, then promised day, then age, no more in a minute than it can take."""

    partner: str


Effect = Wake | DecideOn | Expect | Drain


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """A rule of the plan that crosses streams: `effects(fact)` for every event type that it `concerns`.

    The name is part of the command ids, so that an event that is seen again has no second effect. A reaction that is new in a store follows
    its log from the beginning, unless it is `from_now`: then it leaves alone what stood there when a runner or worker first knew it. One
    that is `of_before` concerns only what an older program wrote, and is followed only when a runner or worker begins.
    """

    name: str
    concerns: Callable[[type[Event]], bool]
    effects: Callable[[Fact], Sequence[Effect]]
    from_now: bool = False
    of_before: bool = False

    @cached_property
    def types(self) -> frozenset[str]:
        """The stored names of the event types that the reaction concerns."""
        return frozenset(name for name, cls in types_by_name().items() if self.concerns(cls))
