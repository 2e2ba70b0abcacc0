"""The few reactions that cross streams: they tail the log and use (policy, causing event) in their command ids, so a repeat does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

import structlog

from o2c.engine.app import Engine
from o2c.engine.drafts import Command, Loaded, guards_of, happened
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import EVENT_TYPES, Event, Fact
from o2c.kernel.identifiers import derived_id
from o2c.kernel.shapes import Done, Offered
from o2c.plan import PlanBook
from o2c.stock.events import StockArrived
from o2c.store.clock import move_policy, policy_position
from o2c.store.reads import Row

logger = structlog.get_logger(__name__)
NAME = "wake-waiting-orders"
WAKING = frozenset(
    name for name, cls in EVENT_TYPES.items() if issubclass(cls, StockArrived) or (issubclass(cls, Offered) and cls.shape == Done.shape)
)
"""Stock that came: a delivery wakes as many as it brought, a piece that is free again wakes one."""
PAGE = 500
LAG = 64 * 65536
"""How far the checkpoint may stay behind, in positions, when nothing came (some 64 transactions): that much is read again each time."""
Named = Callable[[str, Sequence[Row]], tuple[str, str]]
"""The command id for the rows of a stream, and the event that wakes them."""


def react(app: Engine, book: PlanBook, *, round_: int) -> None:
    """Wake orders waiting for stock, by priority, then age, for everything that came since the last call."""
    store = app.log_recorder.datastore
    position, top = policy_position(store, NAME), app.recorder.max_notification_id() or 0
    while facts := app.recorder.select_notifications(position, PAGE, stop=top, topics=sorted(WAKING), inclusive_of_start=False):
        for stored in facts:
            _wake_for(app, book, cast("Fact", app.mapper.to_domain_event(stored)), round_)
        position = facts[-1].id
        move_policy(store, NAME, position)
    if top > position + LAG:
        move_policy(store, NAME, top)


def sweep(app: Engine, book: PlanBook, *, at: datetime) -> None:
    """Wake orders that wait although a piece is free, as many as there are pieces, by priority, then age; for real time only.

    An order may look for stock just before it comes and begin to wait just after those who waited were woken: it would wait for ever.
    The command ids come of the waits themselves, so that each ends once however many sweep.
    """
    for pool, count in app.reads.unserved(at, PAGE).items():
        rows = app.reads.waiting(pool, count)
        logger.info("stock_was_missed", pool=pool, waiting=len(rows))
        _ask_again(app, book, rows, at, lambda stream, mine: (derived_id(NAME, stream, *(row.cause for row in mine)), mine[0].cause))


def supply_of(event: Event) -> dict[str, int]:
    """By pool, how many pieces an event of a type in `WAKING` brings."""
    return dict(sorted(event.pools.items())) if isinstance(event, StockArrived) else {cast("Offered", event).offer()[0]: 1}


def mark_of(event_id: str, pool: str) -> str:
    """The id of the command that notes that those waiting for a pool were woken for an arrival."""
    return derived_id(NAME, event_id, pool)


def _wake_for(app: Engine, book: PlanBook, fact: Fact, round_: int) -> None:
    for pool, count in supply_of(fact.event).items():
        mark = mark_of(fact.event_id, pool)
        if app.reads.command(mark) is None:
            _wake(app, book, fact, mark, app.reads.waiting(pool, count), fact.occurred_at, round_)


def _wake(app: Engine, book: PlanBook, fact: Fact, mark: str, rows: Sequence[Row], at: datetime, round_: int) -> None:
    """Wake the rows for an arrival, all orders in one append with a mark, so that a repeat after a crash wakes nobody twice."""
    marks = [Command(mark, fact.stream, (), app.load([fact.stream]), NAME, "engine")]
    _ask_again(app, book, rows, at, lambda stream, _: (derived_id(mark, stream), fact.event_id), marks=marks, round_=round_)


def _ask_again(
    app: Engine, book: PlanBook, rows: Sequence[Row], at: datetime, named: Named, *, marks: Sequence[Command] = (), round_: int = 0
) -> None:
    """Ask again for the steps that waited, all orders in one append. Orders that somebody else moved meanwhile are looked at again."""
    while marks or rows:
        loaded = app.load({row.entry.stream for row in rows})
        # After the streams were read: whoever waits no longer was settled by whoever moved him, and what moves from here on is stale.
        by_stream: dict[str, list[Row]] = {}
        for row in app.reads.still(rows) if rows else ():
            by_stream.setdefault(row.entry.stream, []).append(row)
        commands = [*marks, *(_command(app, book, mine, loaded[stream], at, *named(stream, mine)) for stream, mine in by_stream.items())]
        outcomes = app.write(commands, round_=round_)
        stale = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict == "stale"}
        marks, rows = (), [row for row in rows if row.entry.stream in stale]


def _command(app: Engine, book: PlanBook, rows: Sequence[Row], loaded: Loaded, at: datetime, command_id: str, cause: str) -> Command:
    stream = loaded.stream
    decision: Decision = NOTHING
    for row in rows:
        entry = row.entry
        work = replace(app.kind(stream).work(loaded.state, stream, entry.item, entry.step), market=book.market)
        decision += book.steps[entry.step].request(work, at, attempt=entry.attempt + 1, due_at=at)
    return Command(command_id, stream, happened(stream, decision, at, cause), {stream: loaded}, NAME, "engine", guards_of(decision, {}))
