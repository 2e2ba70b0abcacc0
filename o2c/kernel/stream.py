"""Kinds of stream: how the events of one thing fold into its state, and what they put on the agenda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from o2c.kernel.agenda import AgendaChange
from o2c.kernel.decision import NOTHING, Decision, Guard
from o2c.kernel.event import Event

LONG_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when a partner has a request that it is known to have taken."""
WRITING = timedelta(minutes=1)
"""Who decides now writes a little later: a request due by then may be with its partner when the decision is written."""


@dataclass(frozen=True, slots=True)
class Work:
    """One step of one item, with everything its rules may read; built by the stream's kind, never by a capability.

    `subject` is what the stream's kind has to say of the item (for an order, its planned line); `outcomes` what earlier steps of the item
    yielded; `read` the states of other streams the step asked for, by stream name (None where there is none); `fallout` the id of the
    fallout open on this step, if any, and its `reason` and `waiting_for`: who must move it (empty while it is under way again); `silences` how often the
    partner was asked without an answer; `sent`, by step of the item, from when on a partner may have its request (absent: it is known not to); `candidate` what the stock offers when the step draws on a pool; `guards` who holds the guards the step claims; `market` the country's rules.
    """

    stream: str
    item: str
    step: str
    attempt: int
    state: Any
    subject: Any
    outcomes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    read: Mapping[str, Any] = field(default_factory=dict)
    fallout: str = ""
    reason: str = ""
    waiting_for: str = ""
    silences: int = 0
    sent: Mapping[str, datetime] = field(default_factory=dict)
    candidate: Mapping[str, Any] | None = None
    guards: Mapping[Guard, str] = field(default_factory=dict)
    market: Any = None

    @property
    def key(self) -> str:
        """The request key a partner sees."""
        return f"{self.stream}/{self.item}/{self.step}/{self.attempt}"

    @property
    def holder(self) -> str:
        """Who holds the guards this step takes."""
        return f"{self.stream}/{self.item}"

    def with_partner(self, step: str, at: datetime) -> bool:
        """Whether a partner has, or may have, a step's request when what is decided at the given time is written."""
        since = self.sent.get(step)
        return since is not None and since <= at + WRITING

    def guard(self, kind: str, key: str) -> Guard:
        """A guard held by this item."""
        return Guard(kind, key, self.holder)


def _no_agenda(state: Any, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    return ()


def _no_advance(state: Any, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    return NOTHING


def _anything(state: Any, item: str, changes: Mapping[str, str]) -> bool:
    return True


def _no_close(state: Any) -> Decision:
    return NOTHING


def _no_work(state: Any, stream: str, item: str, step: str) -> Work:
    return Work(stream, item, step, 1, state, state)


def _at_any_time(state: Any) -> datetime | None:
    return None


def _nobody(state: Any) -> tuple[str | None, str | None]:
    return (None, None)


@dataclass(frozen=True, kw_only=True)
class StreamKind:
    """A category of streams, named by the prefix of their names (`order-…`).

    `evolve(state, event)` is total and never judges; `shape_version` rises whenever a fold's result or a default of a state's field changes. `work`, `advance`,
    `close` and `agenda` are for kinds that carry steps; `owner` gives (order id, customer id) for the envelope; `correctable(state, item, changes)` whether
    there is what a person wants to correct; `not_before(state)` the time before which nothing happens to it.
    """

    category: str
    shape_version: int
    state_type: Any
    initial: Callable[[str], Any]
    evolve: Callable[[Any, Event], Any]
    agenda: Callable[[Any, Event, str], tuple[AgendaChange, ...]] = _no_agenda
    advance: Callable[[Any, frozenset[str], datetime, Any], Decision] = _no_advance
    close: Callable[[Any], Decision] = _no_close
    work: Callable[[Any, str, str, str], Work] = _no_work
    owner: Callable[[Any], tuple[str | None, str | None]] = _nobody
    correctable: Callable[[Any, str, Mapping[str, str]], bool] = _anything
    not_before: Callable[[Any], datetime | None] = _at_any_time

    @property
    def carries_steps(self) -> bool:
        """Whether its events move an agenda, so that only rules may append them."""
        return self.agenda is not _no_agenda

    @cached_property
    def _json(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.state_type)

    def kept(self, state: Any) -> bytes:
        """A state as its head row keeps it: JSON without the fields that are at their defaults, a third of an order."""
        return self._json.dump_json(state, exclude_defaults=True)

    def restored(self, kept: str | bytes) -> Any:
        """The state again from what was kept."""
        return self._json.validate_json(kept)


def category_of(stream: str) -> str:
    """The kind of a stream from its name."""
    return stream.partition("-")[0]
