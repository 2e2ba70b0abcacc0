"""The few reactions that cross streams: they tail the log and use (policy, causing event) in their command ids, so a repeat does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from o2c.app import Command, Loaded, Engine, guards_of, happened
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import EVENT_TYPES, Fact
from o2c.kernel.identifiers import derived_id
from o2c.kernel.shapes import Done, Offered
from o2c.plan import PlanBook
from o2c.stock.events import StockArrived
from o2c.store.clock import move_policy, policy_position
from o2c.store.reads import Row

NAME = "wake-waiting-orders"
WAKING = frozenset(
    name for name, cls in EVENT_TYPES.items() if issubclass(cls, StockArrived) or (issubclass(cls, Offered) and cls.shape == Done.shape)
)
"""Stock that came: a delivery wakes as many as it brought, a piece that is free again wakes one."""
PAGE = 500


def react(app: Engine, book: PlanBook, *, round_: int) -> None:
    """Wake orders waiting for stock, by priority, then age, for everything that came since the last call."""
    position = policy_position(app.log_recorder.datastore, NAME)
    while facts := app.recorder.select_notifications(position, PAGE, topics=sorted(WAKING), inclusive_of_start=False):
        for stored in facts:
            _wake_for(app, book, cast("Fact", app.mapper.to_domain_event(stored)), round_)
        position = facts[-1].id
        move_policy(app.log_recorder.datastore, NAME, position)


def _wake_for(app: Engine, book: PlanBook, fact: Fact, round_: int) -> None:
    event = fact.event
    if isinstance(event, StockArrived):
        supply = [(pool, count, fact.occurred_at) for pool, count in event.pools.items()]
    else:
        supply = [(cast("Offered", event).offer()[0], 1, fact.occurred_at)]
    for pool, count, at in sorted(supply):
        mark = derived_id(NAME, fact.event_id, pool)
        if app.reads.command(mark) is None:
            _wake(app, book, fact, mark, app.reads.waiting(pool, count), at, round_)


def _wake(app: Engine, book: PlanBook, fact: Fact, mark: str, rows: Sequence[Row], at: datetime, round_: int) -> None:
    """Ask again for the steps that waited, all orders in one append with a mark, so that a repeat after a crash wakes nobody twice.

    Orders that somebody else moved meanwhile are looked at again: those that wait no longer are settled by whoever moved them.
    """
    marks = [Command(mark, fact.stream, (), app.load([fact.stream]), NAME, "engine")]
    while marks or rows:
        by_stream: dict[str, list[Row]] = {}
        for row in rows:
            by_stream.setdefault(row.entry.stream, []).append(row)
        loaded = app.load(by_stream)
        commands = [*marks, *(_command(app, book, fact, mark, mine, loaded[stream], at) for stream, mine in by_stream.items())]
        outcomes = app.write(commands, round_=round_)
        stale = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict == "stale"}
        again = [row for row in rows if row.entry.stream in stale]
        standing = app.reads.still(again) if again else set()
        marks, rows = [], [row for row in again if (*row.place, row.entry.kind, row.entry.attempt) in standing]


def _command(app: Engine, book: PlanBook, fact: Fact, mark: str, rows: Sequence[Row], loaded: Loaded, at: datetime) -> Command:
    stream = loaded.stream
    decision: Decision = NOTHING
    for row in rows:
        entry = row.entry
        work = replace(app.kind(stream).work(loaded.state, stream, entry.item, entry.step), market=book.market)
        decision += book.steps[entry.step].request(work, at, attempt=entry.attempt + 1, due_at=at)
    events = happened(stream, decision, at, fact.event_id)
    return Command(derived_id(mark, stream), stream, events, {stream: loaded}, NAME, "engine", guards_of(decision, {}))
