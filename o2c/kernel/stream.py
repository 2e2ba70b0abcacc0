"""Kinds of stream: how the events of one thing (an order, a SIM, an account) fold into its state and change the agenda."""

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
from o2c.kernel.work import MarketBook, Work, build


def _no_agenda(state: Any, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    return ()


def _no_advance(state: Any, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    return NOTHING


def _anything(state: Any, item: str, changes: Mapping[str, str]) -> bool:
    return True


def _no_close(state: Any) -> Decision:
    return NOTHING


def _of_records(state: Any, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of a stream whose steps belong to no item: its state keeps `records` by step, or it has no steps."""
    return build(stream, item, step, state=state, subject=state, records=getattr(state, "records", {}), codes=book.codes)


def _on_record(work: Work, fallout: str) -> bool:
    return work.fallout == fallout


def _at_any_time(state: Any) -> datetime | None:
    return None


def _unpromised(state: Any, item: str) -> str:
    return ""


def _nobody(state: Any) -> tuple[str | None, str | None]:
    return (None, None)


@dataclass(frozen=True, kw_only=True)
class StreamKind:
    """A kind of stream: the functions that fold, schedule and advance every stream of one category (`order` for `order-…`).

    Every kind has these. `initial(stream)` is the state before the first event. `evolve(state, event)` gives the state after an event; it
    accepts every event and never judges. `shape_version` rises whenever the result of the fold, or the default of a field of the state,
    changes. `owner(state)` gives (order id, customer id) for the envelope; an event that another stream decides is that stream's owner's,
    unless the kind `is_order`. `not_before(state)` is the time before which nothing happens to the stream.

    Kinds whose streams carry steps also have these. `agenda(state, event, stream)` gives the changes of an event to the agenda.
    `work(state, stream, item, step, book)` gathers what the rules of a step may read. `advance(state, touched, at, book)` decides what is
    asked for next; `touched` are the items of the decision's events, an empty one standing for the whole stream. `close(state)` gives the
    event by which the stream ends. `promised_on(state, item)` gives the ISO day that an item is promised for, empty for none.
    `correctable(state, item, changes)` says whether a person may make these corrections, and `on_record(work, fallout)` whether that
    fallout is open on the step.
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
    promised_on: Callable[[Any, str], str] = _unpromised
    is_order: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether streams of this kind advance by themselves after an event."""
        return self.advance is not _no_advance

    @property
    def carries_steps(self) -> bool:
        """Whether events of this kind change the agenda, so that only rules may append them."""
        return self.agenda is not _no_agenda

    @cached_property
    def _json(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.state_type)

    def kept(self, state: Any) -> bytes:
        """Give a state as its head row keeps it: JSON without the fields that have their defaults, which is a third of an order's size."""
        return self._json.dump_json(state, exclude_defaults=True)

    def restored(self, kept: str | bytes) -> Any:
        """Give back the state that `kept` made. ValueError for JSON that does not fit the type of the state."""
        return self._json.validate_json(kept)


def category_of(stream: str) -> str:
    """Give the kind of a stream from its name: the part before the first dash."""
    return stream.partition("-")[0]
