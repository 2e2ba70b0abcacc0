"""Kinds of stream: how the events of one thing fold into its state, and what they put on the agenda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from o2c.kernel.agenda import AgendaChange
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.work import Book, Work, build


def _no_agenda(state: Any, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    return ()


def _no_advance(state: Any, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    return NOTHING


def _anything(state: Any, item: str, changes: Mapping[str, str]) -> bool:
    return True


def _no_close(state: Any) -> Decision:
    return NOTHING


def _of_records(state: Any, stream: str, item: str, step: str, book: Book) -> Work:
    """The work of a stream whose steps belong to no item: its state keeps `records` by step, or it has no steps."""
    return build(stream, item, step, state=state, subject=state, records=getattr(state, "records", {}))


def _on_record(work: Work, fallout: str) -> bool:
    return work.fallout == fallout


def _at_any_time(state: Any) -> datetime | None:
    return None


def _nobody(state: Any) -> tuple[str | None, str | None]:
    return (None, None)


@dataclass(frozen=True, kw_only=True)
class StreamKind:
    """A category of streams, named by the prefix of their names (`order-…`).

    `evolve(state, event)` is total and never judges; `shape_version` rises whenever a fold's result or a default of a state's field changes.
    `owner(state)` gives (order id, customer id) for the envelope; `not_before(state)` the time before which nothing happens to the stream.

    For kinds that carry steps: `agenda` says what an event does to the agenda; `work` gathers what a step's rules may read, the market of the
    stream's pin included; `advance(state, touched, at, book)` asks for what comes next, `touched` being the items the decision's events speak
    of (empty for the whole stream); `close` is the stream's own end; `correctable(state, item, changes)` whether there
    is what a person wants to correct; `on_record(work, fallout)` whether a fallout is open on the work's step.
    """

    category: str
    shape_version: int
    state_type: Any
    initial: Callable[[str], Any]
    evolve: Callable[[Any, Event], Any]
    agenda: Callable[[Any, Event, str], tuple[AgendaChange, ...]] = _no_agenda
    advance: Callable[[Any, frozenset[str], datetime, Any], Decision] = _no_advance
    close: Callable[[Any], Decision] = _no_close
    work: Callable[[Any, str, str, str, Any], Work] = _of_records
    on_record: Callable[[Work, str], bool] = _on_record
    owner: Callable[[Any], tuple[str | None, str | None]] = _nobody
    correctable: Callable[[Any, str, Mapping[str, str]], bool] = _anything
    not_before: Callable[[Any], datetime | None] = _at_any_time

    @property
    def goes_on(self) -> bool:
        """Whether anything follows of its events by itself."""
        return self.advance is not _no_advance

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
