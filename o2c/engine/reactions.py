"""Carrying out the reactions of the plan: each follows the log and writes each of its effects once.

The command id of an effect is made of the reaction and the event, so that a repeat after a crash writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar, cast

import psycopg
import structlog

from o2c.engine.app import Engine
from o2c.engine.arrivals import tell_the_waiting
from o2c.engine.drafts import Command, Loaded, guards_of
from o2c.engine.draining import drain
from o2c.kernel.attend import attend
from o2c.kernel.carry import Carried, happened
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Fact
from o2c.kernel.identifiers import derived_id
from o2c.kernel.reaction import DecideOn, Drain, Effect, Expect, Reaction, Wake
from o2c.plan import REACTIONS as REACTIONS
from o2c.store.clock import move_policy, policy_positions
from o2c.store.reads import DueRow

T = TypeVar("T")
logger = structlog.get_logger(__name__)
OF_NOW = tuple(reaction for reaction in REACTIONS if not reaction.of_before)
TYPES = frozenset[str]().union(*(reaction.types for reaction in OF_NOW))
"""The stored names of all event types that some reaction concerns, but for those that concern only what an older program wrote."""
SWEEP = "wake-waiting-orders"
PAGE = 500
LAG = 64 * 65536
"""How far the checkpoint may stay behind, in positions, when nothing came (some 64 transactions): that much is read again each time."""
TRIES_MAX = 20
ACTOR = "engine"
Named = Callable[[str, Sequence[DueRow]], tuple[str, str]]
"""Gives the command id for the rows of a stream, and the id of the event that wakes them."""


def react(app: Engine, *, round_: int, reactions: Sequence[Reaction] = OF_NOW) -> None:
    """Carry out the effects of every event that came since the last call. `round_` is the pass of simulated time, 0 in real time.

    Whoever begins gives all REACTIONS: those of before, too.
    """
    store = app.log_recorder.datastore
    reached = policy_positions(store, [reaction.name for reaction in reactions])
    came = _came(app, reached.values())
    for reaction in reactions:
        if reaction.from_now and reaction.name not in reached:
            move_policy(store, reaction.name, came.top)
        elif _follow(app, reaction, round_, reached.get(reaction.name, 0), came):
            # What one did may concern those after it.
            came = _came(app, reached.values())


class _Came(NamedTuple):
    """What came up to `top`, the last position that readers see: of each type, after `since`, the position of its last event."""

    since: int
    top: int
    last: Mapping[str, int]

    def concerns(self, reaction: Reaction, position: int) -> bool:
        """Whether there may be an event after a position that concerns a reaction."""
        return position < self.since or any(self.last.get(name, 0) > position for name in reaction.types)


def _came(app: Engine, reached: Iterable[int]) -> _Came:
    """What came for reactions that have read so far. Asked once for all of them, for in most passes nothing concerns any."""
    top = app.recorder.max_notification_id() or 0
    since = max(min(reached, default=0), top - LAG)
    return _Came(since, top, app.reads.last_of_types(since, top))


def _follow(app: Engine, reaction: Reaction, round_: int, position: int, came: _Came) -> bool:
    """Carry out the effects of what came for one reaction after the position up to which it has read; whether anything did."""
    store, start, top = app.log_recorder.datastore, position, came.top
    topics = sorted(reaction.types)
    while came.concerns(reaction, position) and (
        page := app.recorder.select_notifications(position, PAGE, stop=top, topics=topics, inclusive_of_start=False)
    ):
        changed_by: list[Fact] = []
        draining: dict[str, Fact] = {}
        for stored in page:
            fact = cast("Fact", app.mapper.to_domain_event(stored))
            for effect in _unless_defect(reaction, fact, partial(reaction.effects, fact)) or ():
                if isinstance(effect, Expect):
                    changed_by.append(fact)
                elif isinstance(effect, Drain):
                    draining[effect.partner] = fact
                else:
                    _carry_out(app, reaction, fact, effect, round_)
        # Once for all of the page: what is told or done is by how things stand, not by what each of them changed.
        if changed_by:
            tell_the_waiting(app, reaction.name, changed_by[-1], max(fact.occurred_at for fact in changed_by), round_=round_)
        for partner, fact in draining.items():
            drain(app, partner, fact, reaction.name, round_)
        position = page[-1].id
        move_policy(store, reaction.name, position)
    if top > position + LAG:
        move_policy(store, reaction.name, top)
    return position > start


def _unless_defect(reaction: Reaction, fact: Fact, rule: Callable[[], T]) -> T | None:
    """What a rule gives; None when it raises: a defect keeps its own effect from happening and no other.

    Once the rule is mended, a reaction whose checkpoint is taken away follows the log again and does only what is missing.
    """
    try:
        return rule()
    except psycopg.Error:
        raise
    except Exception as error:  # noqa: BLE001 - see above; the values may be personal
        logger.error("reaction_failed", reaction=reaction.name, stream=fact.stream, event_id=fact.event_id, error=type(error).__name__)
        return None


def _carry_out(app: Engine, reaction: Reaction, fact: Fact, effect: Effect, round_: int) -> None:
    match effect:
        case Wake(pool, count):
            mark = mark_of(reaction.name, fact.event_id, pool)
            if app.reads.command(mark) is None:
                _wake(app, reaction, fact, mark, app.reads.waiting(pool, count), round_)
        case DecideOn(stream):
            _decide(app, reaction, fact, effect, derived_id(reaction.name, fact.event_id, stream), round_)


def mark_of(reaction: str, event_id: str, pool: str) -> str:
    """Give the id of the command that notes that an arrival has woken the steps that wait for a pool."""
    return derived_id(reaction, event_id, pool)


def sweep(app: Engine, *, at: datetime) -> None:
    """Wake orders that wait although a piece is free, as many as there are pieces, by priority, then age; for real time only.

    An order may look for stock just before it comes, and begin to wait just after the waiting orders were woken: without the sweep it would
    wait for ever. The command ids come from the waits themselves, so that each wait ends once however many processes sweep.
    """
    for pool, count in app.reads.unserved(at, PAGE).items():
        rows = app.reads.waiting(pool, count)
        logger.info("stock_was_missed", pool=pool, waiting=len(rows))
        _ask_again(app, rows, at, SWEEP, lambda stream, mine: (derived_id(SWEEP, stream, *(row.cause for row in mine)), mine[0].cause))


def _wake(app: Engine, reaction: Reaction, fact: Fact, mark: str, rows: Sequence[DueRow], round_: int) -> None:
    """Wake the rows for an arrival, all orders in one append with a mark, so that a repeat after a crash wakes nobody twice."""
    marks = [Command(mark, fact.stream, (), app.load([fact.stream]), reaction.name, ACTOR)]
    named: Named = lambda stream, _: (derived_id(mark, stream), fact.event_id)  # noqa: E731 - a name for its type
    _ask_again(app, rows, fact.occurred_at, reaction.name, named, marks=marks, round_=round_)


def _ask_again(
    app: Engine, rows: Sequence[DueRow], at: datetime, actor: str, named: Named, *, marks: Sequence[Command] = (), round_: int = 0
) -> None:
    """Ask again for the steps that waited, all orders in one append. Orders that somebody else moved meanwhile are looked at again."""
    while marks or rows:
        loaded = app.load({row.entry.stream for row in rows})
        # Checked after the streams were read: a row that is gone was settled by another process; a later change makes our command stale.
        by_stream: dict[str, list[DueRow]] = {}
        for row in app.reads.still(rows) if rows else ():
            by_stream.setdefault(row.entry.stream, []).append(row)
        commands = [*marks, *(_command(app, mine, loaded[stream], at, actor, *named(stream, mine)) for stream, mine in by_stream.items())]
        outcomes = app.write(commands, round_=round_)
        stale = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict == "stale"}
        marks, rows = (), [row for row in rows if row.entry.stream in stale]


def _command(app: Engine, rows: Sequence[DueRow], loaded: Loaded, at: datetime, actor: str, command_id: str, cause: str) -> Command:
    stream = loaded.stream
    decision: Decision = NOTHING
    for row in rows:
        work = app.work(stream, loaded.state, row.entry.item, row.entry.step)
        decision += cast("Decision", attend(app.book.steps[row.entry.step], work, row.entry, None, at, seed=0))
    return Command(command_id, stream, happened(stream, decision, at, cause), {stream: loaded}, actor, ACTOR, guards_of(decision, {}))


def _decide(app: Engine, reaction: Reaction, fact: Fact, effect: DecideOn, command_id: str, round_: int) -> None:
    """Let a rule decide on another stream, with all that follows; again when another process wrote to that stream first.

    It decides as of the event; what an older program left undone is done today.
    """
    at = max(fact.occurred_at, app.clock().now) if reaction.of_before else fact.occurred_at
    for _ in range(TRIES_MAX):
        seen = app.load([effect.stream, *effect.reads])
        loaded = seen[effect.stream]
        carried = Carried(app.kind(effect.stream), effect.stream, loaded.state)
        decide = partial(effect.rule, loaded.state, at, app.book, *(seen[name].state for name in effect.reads))
        if (decision := _unless_defect(reaction, fact, decide)) is None:
            return
        carried.carry(decision, at, app.book, fact.event_id)
        carried.close()
        guards = guards_of(carried.guards, app.reads.holders(list(carried.guards.claims)))
        command = Command(command_id, effect.stream, tuple(carried.happened), seen, reaction.name, ACTOR, guards)
        [outcome] = app.write([command], round_=round_)
        if outcome.verdict not in ("stale", "guarded"):
            return
    raise RuntimeError(f"{effect.stream} stayed stale {TRIES_MAX} times for {reaction.name}; another process writes to it without end")
