"""Attending to due rows of the agenda: read their streams, ask their partners, decide, and write; the same for all steps and kinds.

Partners are asked outside any transaction. The rows of one stream become one command. When a command is stale, its stream is read again and
its rows are decided again, with the replies of the partners already in hand.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from o2c.engine.app import Engine
from o2c.engine.arrivals import served_at
from o2c.engine.asking import Asking, Replies
from o2c.engine.chaining import Chain
from o2c.engine.drafts import Command, Loaded, guards_of
from o2c.engine.outages import Outages, Partners, found_down, probes
from o2c.engine.queues import Queues
from o2c.engine.tasks import Task, chunks, left_of, tasks_of
from o2c.kernel import flow
from o2c.kernel.attend import Ask, attend, settle
from o2c.kernel.carry import Carried, Place, happened
from o2c.kernel.chance import draw
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.frozen import changed
from o2c.kernel.identifiers import derived_id
from o2c.kernel.reasons import DEFECT
from o2c.kernel.records import RECORDS
from o2c.kernel.step import no_guards, no_records, no_streams
from o2c.kernel.work import Work
from o2c.partners.events import PartnerWentDown
from o2c.store.reads import DueRow

logger = structlog.get_logger(__name__)
SPREAD = 256
"""Among how many free pieces more than it needs a worker begins to take."""
TRIES_MAX = 20
ACTOR = "engine"

_Place = tuple[str, str, str]
_Decider = Callable[[DueRow, Any, datetime, str], Decision | Ask]


@dataclass(slots=True)
class _Stock:
    """What stock there is for rows that draw on it: a piece, or when one is due; a row with neither waits for what nobody has announced."""

    pieces: dict[_Place, dict[str, Any]] = field(default_factory=dict)
    expected_at: dict[_Place, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Batch:
    """Everything that a chunk of rows needs to be decided: streams, guard holders, stock, partners that are down, and the replies so
    far."""

    loaded: MutableMapping[str, Loaded]
    holders: dict[tuple[str, str], str]
    stock: _Stock
    outages: Outages
    replies: Replies = field(default_factory=dict)


_Ready = tuple[Task, Command, Decision]
"""A task that is decided, with its command and the guards that it claims."""


class Unmoved(RuntimeError):
    """A decision about a row of the agenda left the row unchanged, so that it would be decided for ever."""


class Attending:
    """Carries out pages of due rows.

    `seed` makes the jitter of retries repeatable. With `simulated`, each row happens at its own due time, else at the present time.
    """

    def __init__(self, app: Engine, asking: Asking, *, seed: int, simulated: bool) -> None:
        self.app, self.asking, self.seed, self.simulated = app, asking, seed, simulated
        self.partners = Partners(app)

    def attend(self, rows: Sequence[DueRow], *, round_: int) -> frozenset[str]:
        """Carry out due rows, write the events that follow, and give their types by stored name.

        `round_` is the pass of simulated time, 0 in real time. Raises RuntimeError when a stream stays stale TRIES_MAX times, and Unmoved
        when not even stopping a step changes its row.
        """
        types: set[str] = set()
        stock = self._stock(rows, round_)
        for chunk in chunks(tasks_of(rows)):
            types |= self._chunk(chunk, round_, stock)
        return frozenset(types)

    def _chunk(self, tasks: list[Task], round_: int, stock: _Stock) -> set[str]:
        types: set[str] = set()
        replies: Replies = {}
        queues = Queues()
        now, rounds_without_progress = tasks, 0
        while now:
            batch = self._prepare(now, replies, stock)
            # Checked after the streams were read: a row that is gone was settled by another process; a later change makes our command
            # stale.
            standing = self._standing(now, batch)
            ready, waiting, asks = self._decided(standing, batch)
            if batch.outages.failing and found_down(self.app, batch.outages, round_):
                # What made a partner known to be down is parked with the rest.
                ready, waiting, asks = self._decided(standing, batch)
                types.add(PartnerWentDown.type_name)
                self.partners.look_again()
            again, written = self._write(ready, batch, queues, round_)
            types |= written
            # Orders on one billing account make each other stale and still get on, one by one.
            rounds_without_progress = rounds_without_progress + 1 if again and len(again) == len(standing) else 0
            if rounds_without_progress > TRIES_MAX:
                raise RuntimeError(f"{standing[0].stream} stayed stale {TRIES_MAX} times; another process writes to it without end")
            fresh = self.asking.side_by_side(asks) if asks else {}
            replies |= fresh
            answered = [task for task, mine in waiting if any(ask.key in fresh for ask in mine)]
            tasks = left_of(tasks, now, again) + answered
            turn = queues.next([task.stream for task in tasks])
            now = [task for task in tasks if task.stream in turn]
            stock = self._stock([row for task in now for row in task.rows], round_)
        return types

    def _decided(self, tasks: Iterable[Task], batch: _Batch) -> tuple[list[_Ready], list[tuple[Task, list[Ask]]], list[Ask]]:
        """Give the commands that can be written now, the tasks that wait for partners with their questions, and all these questions."""
        ready, waiting = [], []
        for task in tasks:
            command, guards, asks = self._task(task, batch)
            if asks:
                waiting.append((task, asks))
            else:
                ready.append((task, command, guards))
        # One question may be asked by several: the orders of one customer are behind one credit search.
        return ready, waiting, list({ask.key: ask for _, asks in waiting for ask in asks}.values())

    def _write(self, ready: list[_Ready], batch: _Batch, queues: Queues, round_: int) -> tuple[list[Task], set[str]]:
        """Write commands in one append; give the tasks to look at again and the types of the events that were written."""
        ready, late = self._chained(ready, batch)
        queues.tried((command.stream, {h.stream for h in command.happened}, True) for _, command, _ in late)
        commands = self._guarded([(command, guards) for _, command, guards in ready])
        told = list(probes(self.app, batch.outages)) if batch.outages.answered else []
        if told:
            self.partners.look_again()
        outcomes = self.app.write([*commands, *told], round_=round_) if commands or told else []
        again = [task for task, _, _ in late]
        types = {h.event.type_name for command in told for h in command.happened}
        for (task, _, _), command, outcome in zip(ready, commands, outcomes, strict=False):
            if outcome.verdict in ("stale", "guarded"):
                logger.debug("decided_again", stream=task.stream, command=task.command_id, verdict=outcome.verdict, guards=outcome.detail)
                again.append(task)
            elif outcome.verdict == "appended":
                types |= {h.event.type_name for h in command.happened}
            elif outcome.verdict == "repeated":
                self._stop_if_standing(task, batch, round_)
        queues.tried(
            (command.stream, {h.stream for h in command.happened}, outcome.verdict == "stale")
            for command, outcome in zip(commands, outcomes, strict=False)
        )
        return again, types

    def _chained(self, ready: list[_Ready], batch: _Batch) -> tuple[list[_Ready], list[_Ready]]:
        """Those that one append carries, each decided on what those before it leave of the streams that it shares with them, and those that
        have to wait."""
        chain, together, late = Chain(self.app), list[_Ready](), list[_Ready]()
        for each in ready:
            one = self._following(each, chain, batch) if chain.shared(each[1]) else each
            if one is None:
                late.append(each)
            else:
                chain.add(one[1], one[2])
                together.append(one)
        return together, late

    def _following(self, ready: _Ready, chain: Chain, batch: _Batch) -> _Ready | None:
        """Decide a task anew on what a chain leaves; None where it has to wait until that is stored: what it looks at follows from its own
        stream, and there it may be more."""
        task, command, _ = ready
        steps = self.app.book.steps
        works = [self._work(row, batch.loaded[task.stream].state) for row in task.rows]
        if chain.writes(task.stream) or chain.holds(guard for work in works for guard in steps[work.step].guards(work)):
            return None
        left = chain.left(self._read_by(task.rows, batch.loaded) | {happened.stream for happened in command.happened})
        loaded = ChainMap(left, batch.loaded)
        if not self._read_by(task.rows, loaded) <= loaded.keys():
            return None
        command, guards, asks = self._task(task, replace(batch, loaded=loaded))
        return None if asks or not chain.takes(command, guards) else (task, changed(command, follows=True), guards)

    # -- what is read

    def _stock(self, rows: Sequence[DueRow], round_: int) -> _Stock:
        """Give each row that draws on stock a piece of its pool, in the order of the rows, or the time at which one is due.

        The read takes no lock; the guards decide.
        """
        drawing = [row for row in rows if row.entry.kind == "submit" and self.app.book.steps[row.entry.step].draw]
        loaded = self.app.load({row.entry.stream for row in drawing}, seen=_positions(drawing)) if drawing else {}
        by_pool: dict[str, list[DueRow]] = {}
        for row in drawing:
            pool = self.app.book.steps[row.entry.step].pool(self._work(row, loaded[row.entry.stream].state))
            by_pool.setdefault(pool, []).append(row)
        stock = _Stock()
        for pool, waiting in by_pool.items():
            latest = max(row.entry.due_at for row in waiting)
            pieces = self._candidates(pool, latest, round_, waiting)
            stock.pieces |= {row.place: piece for row, piece in zip(waiting, pieces, strict=False)}
            if (short := waiting[len(pieces) :]) and (draws := self.app.book.steps[short[0].entry.step].draw):
                stock.expected_at |= served_at(self.app, draws, pool, short, round_=max(round_ - 1, 0))
        return stock

    def _candidates(self, pool: str, latest: datetime, round_: int, waiting: Sequence[DueRow]) -> Sequence[dict[str, Any]]:
        """Free pieces for rows. Workers who all took the first ones would make each other's appends fail: each begins somewhere else."""
        if self.simulated:
            return self.app.reads.candidates(pool, latest, max(round_ - 1, 0), len(waiting))
        pieces = self.app.reads.candidates(pool, latest, 0, len(waiting) + SPREAD)
        spare = max(len(pieces) - len(waiting), 0)
        start = int(draw(os.getpid(), waiting[0].entry.stream, len(pieces), pool) * (spare + 1))
        return pieces[start:]

    def _standing(self, tasks: list[Task], batch: _Batch) -> list[Task]:
        """Leave out the rows that another process has settled since they were read; only streams that moved on can have such rows."""
        moved = [row for task in tasks for row in task.rows if row.seen != batch.loaded[task.stream].position]
        if not moved:
            return tasks
        gone = {row.place for row in moved} - {row.place for row in self.app.reads.still(moved)}
        left = [Task(task.stream, tuple(row for row in task.rows if row.place not in gone)) for task in tasks]
        return [task for task in left if task.rows]

    def _prepare(self, tasks: list[Task], replies: Replies, stock: _Stock) -> _Batch:
        """Read everything that the tasks need.

        The streams that a step reads follow from its own stream. They are worked out from the remembered state first, so that one read is
        mostly enough; others follow where that state was missing or old, and for what a step names once it has read the first.
        """
        steps, rows = self.app.book.steps, [row for task in tasks for row in task.rows]
        own, reading = {task.stream for task in tasks}, [row for row in rows if steps[row.entry.step].reads is not no_streams]
        guessed = self._read_by(reading, self.app.load({row.entry.stream for row in reading}, remembered=True))
        loaded = self.app.load(own | guessed, seen=_positions(rows))
        while others := self._read_by(reading, loaded) - loaded.keys():
            loaded |= self.app.load(others)
        works = [self._work(row, loaded[row.entry.stream].state) for row in rows if steps[row.entry.step].guards is not no_guards]
        guards = [guard for work in works for guard in steps[work.step].guards(work)]
        return _Batch(loaded, self.app.reads.holders(guards), stock, self.partners.outages(), replies)

    def _read_by(self, rows: Iterable[DueRow], loaded: Mapping[str, Loaded]) -> set[str]:
        """Give the streams that the steps read besides their own."""
        works = (self._work(row, loaded[row.entry.stream].state) for row in rows)
        return {stream for work in works for stream in self.app.book.steps[work.step].read_from(work, partial(_as_loaded, loaded))}

    def _work(self, row: DueRow, state: Any) -> Work:
        entry = row.entry
        work = self.app.work(entry.stream, state, entry.item, entry.step)
        return work if work.attempt == entry.attempt else changed(work, attempt=entry.attempt)

    # -- what is decided

    def _task(self, task: Task, batch: _Batch) -> tuple[Command, Decision, list[Ask]]:
        """Decide the rows of one stream one after another, each on the state that the last one left; or give the questions that come first.

        A row that waits for a partner does not keep the questions of the rows after it: they are asked side by side.
        """
        loaded = batch.loaded[task.stream]
        carried = Carried(self.app.kind(task.stream), task.stream, loaded.state)
        asks: list[Ask] = []
        for row in task.rows:
            if ask := self._row(row, carried, batch, speculating=bool(asks)):
                asks.append(ask)
        if not asks:
            carried.close()
        # What was read and is written to must still be as it was read: two orders of one customer may not both use up one credit limit.
        seen = {event.stream: batch.loaded[event.stream] for event in carried.happened if event.stream in batch.loaded}
        command = Command(task.command_id, task.stream, tuple(carried.happened), {**seen, task.stream: loaded}, ACTOR, ACTOR)
        return command, carried.guards, asks

    def _row(self, row: DueRow, carried: Carried, batch: _Batch, *, speculating: bool) -> Ask | None:
        """Apply the decision about a row, or give back the question that comes first.

        An exception in a rule stops its own row and no other: the step falls out for engineering, and if that fails too it leaves the
        agenda. `speculating` marks a row behind one that waits for a partner: it is decided only for its own question, and will be decided
        again.
        """
        at = row.entry.due_at if self.simulated else datetime.now(UTC)
        deciders: tuple[_Decider, ...] = (partial(self._attend, batch), self._fall_out, self._stop)
        failure = ""
        for decide in deciders:
            before = carried.place()
            try:
                decision = decide(row, carried.state, at, failure)
                if isinstance(decision, Ask):
                    return decision
                carried.carry(decision, at, self.app.book, row.cause)
                _check_moved(row, carried, before)
            except Exception as error:  # noqa: BLE001 - any error of a rule stops its own row only; the values may be personal
                carried.back_to(before)
                failure = type(error).__name__
                if speculating:
                    return None
                logger.error("rule_failed", stream=carried.stream, step=row.entry.step, item=row.entry.item, error=failure)
            else:
                return None
        raise Unmoved(f"{row.entry.stream}: step {row.entry.step} of item {row.entry.item} cannot even be stopped")

    def _attend(self, batch: _Batch, row: DueRow, state: Any, at: datetime, failure: str) -> Decision | Ask:
        entry, step = row.entry, self.app.book.steps[row.entry.step]
        work = self._work(row, state)
        read = step.read_from(work, partial(_as_loaded, batch.loaded))
        if step.records is not no_records and (wanted := step.records(work)):
            read[RECORDS] = self.app.records(wanted)
        guards = {guard: holder for guard in step.guards(work) if (holder := batch.holders.get((guard.kind, guard.key)))}
        work = changed(work, read=read, guards=guards) if read or guards else work
        asked = step.ask is not None and (step.ask.key(work), False) in batch.replies
        piece, expected_at = batch.stock.pieces.get(row.place), batch.stock.expected_at.get(row.place)
        outcome = attend(step, work, entry, piece, at, seed=self.seed, asked=asked, expected_at=expected_at)
        if not isinstance(outcome, Ask):
            return outcome
        reply = batch.replies.get(outcome.key)
        if reply is None:
            if batch.outages.away and (parked := batch.outages.parked(work, entry, outcome, None, at)):
                return parked
            if (reply := self.asking.on_the_spot(outcome)) is None:
                return outcome
            batch.replies[outcome.key] = reply
        batch.outages.note(outcome, reply, at)
        parked = batch.outages.parked(work, entry, outcome, reply, at) if batch.outages.away else None
        return parked or settle(step, work, outcome, reply, at, seed=self.seed)

    def _fall_out(self, row: DueRow, state: Any, at: datetime, failure: str) -> Decision:
        code = f"{DEFECT}: {failure}"
        return flow.fall_out(self.app.book.steps[row.entry.step], self._work(row, state), code, at, seed=self.seed)

    def _stop(self, row: DueRow, state: Any, at: datetime, failure: str) -> Decision:
        return flow.stopped(self._work(row, state), at)

    def _guarded(self, decided: list[tuple[Command, Decision]]) -> list[Command]:
        """Give the commands their guard rows; claims on guards with another holder are left out."""
        holders = self.app.reads.holders([claim for _, guards in decided for claim in guards.claims])
        return [changed(command, guards=guards_of(guards, holders)) if guards != NOTHING else command for command, guards in decided]

    def _stop_if_standing(self, task: Task, batch: _Batch, round_: int) -> None:
        """Stop the rows of a command that was written before and left them on the agenda: to repeat it would never move them."""
        for row in self.app.reads.still(task.rows):
            loaded = self.app.load_one(task.stream)
            command_id = derived_id("stopped", task.command_id, row.entry.item, row.entry.step)
            events = happened(task.stream, flow.stopped(self._work(row, loaded.state), row.entry.due_at), row.entry.due_at, row.cause)
            logger.error("row_stopped", stream=task.stream, step=row.entry.step, item=row.entry.item)
            self.app.write([Command(command_id, task.stream, events, {task.stream: loaded}, ACTOR, ACTOR)], round_=round_)


def _as_loaded(loaded: Mapping[str, Loaded], stream: str) -> Any:
    """The state of a stream; None for one that did not begin, or was not read yet."""
    return found.begun if (found := loaded.get(stream)) else None


def _check_moved(row: DueRow, carried: Carried, before: Place) -> None:
    """Raise Unmoved when no event that was applied after the given point changes the row."""
    entry = row.entry
    for happened_ in carried.happened[before.events :]:
        if happened_.stream == entry.stream:
            for change in carried.kind.agenda(happened_.after, happened_.event, entry.stream):
                if (change.item, change.step) == (entry.item, entry.step):
                    return
    raise Unmoved(f"{entry.stream}: what was decided about step {entry.step} of item {entry.item} leaves it on the agenda")


def _positions(rows: Iterable[DueRow]) -> dict[str, int]:
    """The positions of the streams' last events when their rows were read."""
    return {row.entry.stream: row.seen for row in rows}
