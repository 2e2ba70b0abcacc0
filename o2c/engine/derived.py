"""The rows that events imply: the agenda and the stock pool of a stream, and the holder of every guard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from o2c.engine.drafts import pool_change
from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Guard
from o2c.kernel.event import Event, Fact
from o2c.kernel.shapes import Done, Freed, GivenUp, Guarded, Held, Offered, Requested, StepForced, StepSkipped, Withdrawn, item_of, step_of
from o2c.kernel.step import Step, no_guards
from o2c.kernel.stream import StreamKind
from o2c.orders.events import CorrectionApplied, ItemCancelled, ItemFailed
from o2c.orders.state import OrderState
from o2c.plan import PlanBook
from o2c.stock.events import Identified


@dataclass(slots=True)
class Folded:
    """One stream folded from its events, with the agenda and pool rows that they imply.

    `flaw` says why the fold could not reach the end; it is empty when it did.
    """

    stream: str
    kind: StreamKind | None
    state: Any = None
    version: int = 0
    last_position: int = 0
    agenda: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    pool: dict[tuple[str, str], tuple[datetime, dict[str, str]]] = field(default_factory=dict)
    flaw: str = ""

    def add(self, fact: Fact) -> None:
        """Fold the next event of the stream; its kind must be known."""
        assert self.kind is not None
        event = fact.event
        self.state = self.kind.evolve(self.state, event)
        self.version, self.last_position = fact.version, fact.position or 0
        for change in self.kind.agenda(self.state, event, self.stream):
            self.agenda.pop((change.item, change.step), None)
            if isinstance(change, Entry):
                row = (change.kind, change.due_at, change.priority, change.since, change.attempt, change.pool, fact.event_id)
                self.agenda[change.item, change.step] = row
        if isinstance(event, Offered | Withdrawn):
            self._offer(event, fact.occurred_at)

    def _offer(self, event: Event, at: datetime) -> None:
        change = pool_change(cast("Offered | Withdrawn", event), at)
        self.pool.pop((change.pool, change.key), None)
        if change.put:
            self.pool[change.pool, change.key] = (change.available_at, json.loads(change.detail))


def holder_after(event: Event) -> str | None:
    """Give the holder, after an event, of the thing its stream is about: empty for nobody, None if the event does not change it."""
    if isinstance(event, Held):
        return event.holder()
    return "" if isinstance(event, Freed) else None


def piece_of(stream: str) -> tuple[str, str]:
    """Give the guard (kind, key) of the SIM or number that a stream is about."""
    kind, _, key = stream.partition("-")
    return kind, key


class Guards:
    """The holder of every guard, from events in the order of the log.

    The stream of a SIM or number says itself who holds it. The claims of an order's steps (a port-in, a number about to be brought in)
    follow from the `guards` of the step: they are claimed when it is asked for and nobody else holds them, and held once it is done. They
    are freed when the step is taken back, when a correction names another guard, and when the item ends, or the step is given up, without a
    partner that must drop the work first.
    """

    def __init__(self, book: PlanBook) -> None:
        self.book = book
        self.claiming = {name: step for name, step in book.steps.items() if step.guards is not no_guards}
        self.holders: dict[tuple[str, str], str] = {}
        self.touched: dict[tuple[str, str], str] = {}
        """The guards that were taken or freed since this was last emptied, each with its holder before that (empty: nobody)."""
        self._corrected: tuple[str, int, tuple[Guard, ...]] = ("", 0, ())

    def follow(self, stream: Folded, event: Event, before: Any) -> None:
        """Take an event into account that was just folded; `before` is the stream's state without it."""
        for identifier in event.identifiers() if isinstance(event, Identified) else ():
            self._set(identifier, stream.stream)
        if isinstance(event, Guarded):
            self._set(*event.held())
        holder = holder_after(event)
        if holder is not None:
            self._set(piece_of(stream.stream), holder)
        elif isinstance(stream.state, OrderState):
            self._order(stream, event, before)

    def _order(self, stream: Folded, event: Event, before: OrderState) -> None:
        if isinstance(event, ItemFailed | ItemCancelled):
            for guard in self._let_go(stream, event.item, before):
                self._free(guard)
        elif step := self.claiming.get(step_of(event)):
            self._step(stream, step, event, before)

    def _step(self, stream: Folded, step: Step, event: Event, before: OrderState) -> None:
        item = item_of(event)
        if isinstance(event, CorrectionApplied):
            self._corrected = (stream.stream, stream.version, self._guards(stream, step, item, before))
        elif isinstance(event, Requested):
            claims = self._guards(stream, step, item, stream.state)
            named, version, wrong = self._corrected
            if (named, version) == (stream.stream, stream.version - 1):
                for guard in wrong:
                    if guard not in claims:
                        self._free(guard)
            for guard in claims:
                if not self.holders.get(guard[:2]):
                    self._set(guard[:2], guard.holder)
        elif isinstance(event, GivenUp):
            progress = before.progress.items[item]
            if progress.steps[step.name] not in ("planned", "given-up") and step.ending.recall not in progress.recalls:
                for guard in self._guards(stream, step, item, before):
                    self._free(guard)
        elif isinstance(event, Done | StepForced | StepSkipped):
            for guard in self._guards(stream, step, item, stream.state):
                if step.recalls:
                    self._free(guard)
                else:
                    self._set(guard[:2], guard.holder)

    def _let_go(self, stream: Folded, item: str, before: OrderState) -> Iterator[Guard]:
        """Give the guards that an item's end frees (`orders/ending.py`): not those of a step whose partner must drop the work first."""
        progress = before.progress.items.get(item)
        for name, status in progress.steps.items() if progress else ():
            step = self.claiming.get(name)
            if step and status not in ("planned", "given-up") and step.ending.recall not in (progress.recalls if progress else ()):
                yield from self._guards(stream, step, item, before)

    def _guards(self, stream: Folded, step: Step, item: str, state: OrderState) -> tuple[Guard, ...]:
        assert stream.kind is not None
        return step.guards(stream.kind.work(state, stream.stream, item, step.name, self.book))

    def _free(self, guard: Guard) -> None:
        if self.holders.get(guard[:2]) == guard.holder:
            self._set(guard[:2], "")

    def _set(self, key: tuple[str, str], holder: str) -> None:
        self.touched.setdefault(key, self.holders.get(key, ""))
        if holder:
            self.holders[key] = holder
        else:
            self.holders.pop(key, None)
