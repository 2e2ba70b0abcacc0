"""When those that find their pool empty will be served: by what is to come, in the order in which the waiting are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from itertools import chain, repeat
from operator import add

import structlog

from o2c.engine.app import Engine
from o2c.engine.drafts import Command, Loaded, guards_of
from o2c.kernel.attend import expect
from o2c.kernel.carry import Carried
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Fact
from o2c.kernel.identifiers import derived_id
from o2c.kernel.step import FromPool
from o2c.store.reads import DueRow

logger = structlog.get_logger(__name__)
PAGE = 500
"""How many pieces that were given back are looked at together, and about how many orders are told in one append."""
WAITING_MAX = 20_000
"""Of how many that wait for one pool the turn is looked at; those behind are told of no day."""
TRIES_MAX = 20
ACTOR = "engine"
_Place = tuple[str, str, str]
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def served_at(app: Engine, draw: FromPool, pool: str, rows: Sequence[DueRow], *, round_: int) -> Mapping[_Place, datetime]:
    """Give, by place, when the piece of each of some rows is due; a row that nothing known will serve is left out.

    Those that wait already have their turn, too: ten SIMs that are to come are promised to ten lines. `round_` is the latest pass in which
    what is to come may have been put on the agenda: what came of the pass under way would be told of only if the process died in it.
    """
    served = _served(app, draw, pool, [*app.reads.waiting(pool, WAITING_MAX), *rows], round_)
    return {row.place: served[row.place] for row in rows if row.place in served}


def _served(app: Engine, draw: FromPool, pool: str, rows: Sequence[DueRow], round_: int) -> Mapping[_Place, datetime]:
    """When the pieces are due of all that want one of a pool, by place, each piece for one of them in their fixed order."""
    times = chain.from_iterable(repeat(due_at, count) for due_at, count in _coming(app, draw, pool, len(rows), round_))
    return {row.place: due_at for row, due_at in zip(sorted(rows, key=_turn), times, strict=False)}


def _coming(app: Engine, draw: FromPool, pool: str, needed: int, round_: int) -> list[tuple[datetime, int]]:
    """What is to come to a pool, as (due, pieces), the earliest first, and of each source no more than is needed.

    A piece of the window under way may come before or after a death in it, and would be told of in one case only.
    """
    from_ = app.clock().window_end or _LONG_AGO
    coming: list[tuple[datetime, int]] = []
    for step, brings in draw.sources.items():
        found, after = 0, (_LONG_AGO, "")
        while found < needed and (page := app.reads.at_step(step, from_, after, round_, PAGE)):
            streams = app.load(stream for _, stream in page)
            brought = [(due_at, count) for due_at, stream in page if (count := brings(streams[stream].state).get(pool, 0))]
            coming += brought
            found, after = found + sum(count for _, count in brought), page[-1]
    return sorted(coming)


def _turn(row: DueRow) -> tuple[int, datetime, str, str]:
    entry = row.entry
    return entry.priority, entry.since, entry.stream, entry.item


def tell_the_waiting(app: Engine, reaction: str, cause: Fact, at: datetime, *, round_: int) -> None:
    """Tell the steps that wait for stock when their pieces are due now, those for whom that has changed, many orders in one append.

    `cause` is the event that it is told because of, and `at` its business time. To tell the same again writes nothing, so a repeat after a
    crash tells the rest. Raises RuntimeError when an order stays stale TRIES_MAX times.
    """
    expected: dict[_Place, datetime] = {}
    by_stream: dict[str, list[DueRow]] = {}
    for pool, step in app.reads.waited_for().items():
        draw, rows = app.book.steps[step].draw, app.reads.waiting(pool, WAITING_MAX)
        expected |= _served(app, draw, pool, rows, round_) if draw else {}
        for row in rows:
            by_stream.setdefault(row.entry.stream, []).append(row)
    streams = sorted(by_stream)
    for start in range(0, len(streams), PAGE):
        page = {stream: by_stream[stream] for stream in streams[start : start + PAGE]}
        for _ in range(TRIES_MAX):
            commands = _told(app, page, expected, reaction, cause, at)
            outcomes = app.write(commands, round_=round_) if commands else []
            again = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict in ("stale", "guarded")}
            if not (page := {stream: page[stream] for stream in again}):
                break
        else:
            raise RuntimeError(f"{min(page)} stayed stale {TRIES_MAX} times for {reaction}; another process writes to it without end")


def _told(
    app: Engine, by_stream: Mapping[str, Sequence[DueRow]], expected: Mapping[_Place, datetime], reaction: str, cause: Fact, at: datetime
) -> list[Command]:
    """The commands that tell orders what has changed for them; none for an order for which nothing has."""
    commands = []
    loaded = app.load(by_stream)
    # Checked after the streams were read: a row that is gone was settled by another process; a later change makes our command stale.
    standing = {row.place for row in app.reads.still([row for rows in by_stream.values() for row in rows])}
    for stream, rows in by_stream.items():
        works = [app.work(stream, loaded[stream].state, row.entry.item, row.entry.step) for row in rows if row.place in standing]
        decision = reduce(add, (expect(work, expected.get((stream, work.item, work.step))) for work in works), NOTHING)
        if decision and (carried := _carried(app, loaded[stream], decision, at, cause)):
            commands.append(_command(app, carried, loaded[stream], reaction, cause))
    return commands


def _carried(app: Engine, loaded: Loaded, decision: Decision, at: datetime, cause: Fact) -> Carried | None:
    """A decision with all that follows from it; None when a rule raises: a defect leaves its own order untold and no other."""
    carried = Carried(app.kind(loaded.stream), loaded.stream, loaded.state)
    try:
        carried.carry(decision, at, app.book, cause.event_id)
    except Exception as error:  # noqa: BLE001 - see above; the values may be personal
        logger.error("rule_failed", stream=loaded.stream, event_id=cause.event_id, error=type(error).__name__)
        return None
    return carried


def _command(app: Engine, carried: Carried, loaded: Loaded, reaction: str, cause: Fact) -> Command:
    command_id = derived_id(reaction, cause.event_id, carried.stream)
    guards = guards_of(carried.guards, app.reads.holders(list(carried.guards.claims)))
    return Command(command_id, carried.stream, tuple(carried.happened), {carried.stream: loaded}, reaction, ACTOR, guards)
