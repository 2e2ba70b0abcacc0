"""Carries due agenda rows to partners and records the outcomes; generic over steps and kinds of stream.

Partners are called outside any transaction. A pass takes all rows due in its window in the fixed order; what one order's rows yield is one
command. A stale command is a result: the order is read again, its rows are decided again with the partner's answers already in hand.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from o2c.engine import reactions as policy
from o2c.engine.app import Engine
from o2c.engine.drafts import Command, Happened, Loaded, guards_of, happened
from o2c.kernel import flow, partner
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.frozen import changed
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import item_of
from o2c.kernel.step import Step, no_guards, no_pool, no_reads
from o2c.kernel.stream import StreamKind, Work
from o2c.orders.events import OrderPlanned
from o2c.plan import PlanBook
from o2c.store.clock import move_clock
from o2c.store.database import single_driver
from o2c.store.reads import Clock, Row

logger = structlog.get_logger(__name__)
CHUNK_ROWS = 400
TRIES_MAX = 20
FOLLOWING_MAX = 50
SILENT_S = 300
ASK_AGAIN_S = 60
ACTOR = "engine"
Progress = Callable[[datetime], None]
Attend = Callable[["Row", Loaded, "_Batch", datetime], Decision]


_Place = tuple[str, str, str]


@dataclass(slots=True)
class _Batch:
    """What a chunk of rows needs to be decided: streams, guards, stock candidates, and the partners' answers so far."""

    loaded: dict[str, Loaded]
    holders: dict[tuple[str, str], str]
    stock: dict[_Place, dict[str, Any]]
    answers: dict[str, partner.Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Todo:
    """The rows of one stream in a pass, in the fixed order."""

    stream: str
    rows: tuple[Row, ...]

    @property
    def command_id(self) -> str:
        entries = (row.entry for row in self.rows)
        return derived_id("attend", self.stream, *(f"{e.item}/{e.step}/{e.kind}/{e.attempt}/{e.due_at.isoformat()}" for e in entries))


class Carried:
    """Decisions of one stream carried through: the state they leave, everything that follows from them, and their guards."""

    def __init__(self, kind: StreamKind, stream: str, state: Any) -> None:
        self.kind, self.stream, self.state = kind, stream, state
        self.happened: list[Happened] = []
        self.guards = NOTHING
        self._last: tuple[datetime, str | None] | None = None

    def carry(self, decision: Decision, at: datetime, book: PlanBook, cause: str | None) -> None:
        """Fold a decision, then let the stream advance until nothing more follows."""
        touched = frozenset(item_of(event) for event in decision.events)
        self._last = (at, cause)
        for _ in range(FOLLOWING_MAX):
            if not decision:
                return
            self._take(decision, at, cause)
            whole = any(isinstance(event, OrderPlanned) for event in decision.events)
            decision = self.kind.advance(self.state, frozenset({""}) if whole else touched, at, book)
        raise RuntimeError(f"{self.stream}: one decision leads to another without end")

    def close(self) -> None:
        """The stream's own end, if this was it."""
        if self._last is not None:
            self._take(self.kind.close(self.state), *self._last)

    def _take(self, decision: Decision, at: datetime, cause: str | None) -> None:
        after = []
        for event in decision.events:
            self.state = self.kind.evolve(self.state, event)
            after.append(self.state)
        self.happened += happened(self.stream, decision, at, cause, after=after)
        self.guards += changed(decision, events=(), elsewhere=())


class Runner:
    """One driver of the agenda. `partners` by name; `seed` makes retries' jitter repeatable."""

    def __init__(self, app: Engine, partners: Mapping[str, partner.Partner], *, progress: Progress | None = None) -> None:
        self.app = app
        self.partners = partners
        self.progress = progress or (lambda at: None)
        self.book = PlanBook(catalogue=self._catalogue)
        self.seed = app.clock().seed
        self.simulated = app.clock().kind == "simulated"
        self._unsure = True

    def _catalogue(self, version: int) -> Any:
        name = f"catalogue-main@{version}"
        return self.app.load([name])[name].state

    # -- driving time

    def run(self, until: datetime) -> None:
        """Drive simulated time. Raises Refused: the clock is real (workers attend to that), or another process drives it (try later)."""
        if not self.simulated:
            raise Refused("the clock of this store is real and nobody drives it; start a worker with `o2c run`")
        store = self.app.log_recorder.datastore
        with single_driver(self.app.dsn, "o2c simulated time"), fewer_collections():
            self._unsure = True
            clock = self._gone_on_with(self.app.clock(), until)
            while found := self.app.reads.next_window(clock, until):
                clock = self._pass(clock, *found)
            move_clock(store, now=max(until, clock.now, clock.window_end or until), window_end=None, round_=clock.round)

    def _gone_on_with(self, clock: Clock, until: datetime) -> Clock:
        """End the pass that a killed run was in, if it was in one: even when nothing is left to attend to, somebody may be to wake."""
        if clock.window_end is None:
            self._react(frozenset(), clock.round)
            return clock
        window_end, rows = self.app.reads.next_window(clock, until) or (None, [])
        return self._pass(clock, clock.window_end, rows if window_end == clock.window_end else [])

    def _pass(self, clock: Clock, window_end: datetime, rows: Sequence[Row]) -> Clock:
        """One pass over what is due in a window; rows that come of it are for the next. The first append of a pass notes its round, so that
        a run that was killed goes on with it."""
        if clock.window_end != window_end:
            clock = replace(clock, now=max(clock.now, clock.window_end or clock.now), window_end=window_end)
            move_clock(self.app.log_recorder.datastore, now=clock.now, window_end=window_end, round_=clock.round)
            self.progress(clock.now)
        self._react(self.attend(rows, round_=clock.round + 1), clock.round + 1)
        return replace(clock, round=clock.round + 1)

    def _react(self, types: frozenset[str], round_: int) -> None:
        """Between passes, never within one: the first time always, for stock that others brought and for what a killed run left."""
        if self._unsure or types & policy.WAKING:
            # What a reader cannot see yet would wake nobody, and simulated time goes on.
            self.app.settled()
            policy.react(self.app, self.book, round_=round_)
            self._unsure = False

    # -- one pass

    def attend(self, rows: Sequence[Row], *, round_: int) -> frozenset[str]:
        """Carry out rows and record their outcomes; the types of the events that came of it."""
        by_stream: dict[str, list[Row]] = {}
        for row in rows:
            by_stream.setdefault(row.entry.stream, []).append(row)
        todos = [_Todo(stream, tuple(mine)) for stream, mine in by_stream.items()]
        types: set[str] = set()
        stock = self._stock(rows, round_)
        for chunk in _chunks(todos):
            types |= self._chunk(chunk, round_, stock)
        return frozenset(types)

    def _stock(self, rows: Sequence[Row], round_: int) -> dict[_Place, dict[str, Any]]:
        """Candidates for the rows that draw on stock, dealt in the order of the rows; a plain read, the guards decide."""
        drawing = [row for row in rows if row.entry.kind == "submit" and self.book.steps[row.entry.step].pool is not no_pool]
        loaded = self.app.load({row.entry.stream for row in drawing}, seen=_seen(drawing))
        by_pool: dict[str, list[Row]] = {}
        for row in drawing:
            pool = self.book.steps[row.entry.step].pool(self._bare_work(row, loaded[row.entry.stream]))
            by_pool.setdefault(pool, []).append(row)
        dealt: dict[_Place, dict[str, Any]] = {}
        for pool, waiting in by_pool.items():
            latest = max(row.entry.due_at for row in waiting)
            pieces = self.app.reads.candidates(pool, latest, max(round_ - 1, 0), len(waiting))
            dealt |= {row.place: piece for row, piece in zip(waiting, pieces, strict=False)}
        return dealt

    def _chunk(self, todos: list[_Todo], round_: int, stock: dict[_Place, dict[str, Any]]) -> set[str]:
        types: set[str] = set()
        answers: dict[str, partner.Answer] = {}
        fruitless = 0
        while todos:
            batch = self._prepare(todos, answers, stock)
            # Once the streams are read: what another process settled before is gone, and what it changes from here on makes us stale.
            todos = self._standing(todos, batch)
            commands = self._guarded([self._decide(todo, batch) for todo in todos])
            outcomes = self.app.write(commands, round_=round_)
            again = []
            for todo, command, outcome in zip(todos, commands, outcomes, strict=True):
                if outcome.verdict in ("stale", "guarded"):
                    logger.debug(
                        "decided_again", stream=todo.stream, command=todo.command_id, verdict=outcome.verdict, guards=outcome.detail
                    )
                    again.append(todo)
                elif outcome.verdict == "appended":
                    types |= {h.event.type_name for h in command.happened}
            # Orders on one billing account take turns: that is progress, not another writer.
            fruitless = fruitless + 1 if len(again) == len(todos) else 0
            if fruitless > TRIES_MAX:
                raise RuntimeError(f"{todos[0].stream} stayed stale {TRIES_MAX} times; another process writes to it without end")
            todos = again
            stock = self._stock([row for todo in todos for row in todo.rows], round_)
        return types

    def _standing(self, todos: list[_Todo], batch: _Batch) -> list[_Todo]:
        """What is left to do: of streams that moved on since their rows were read, the rows that another writer settled are gone."""
        moved = [row for todo in todos for row in todo.rows if row.seen != batch.loaded[todo.stream].position]
        if not moved:
            return todos
        gone = {row.place for row in moved} - {row.place for row in self.app.reads.still(moved)}
        left = [_Todo(todo.stream, tuple(row for row in todo.rows if row.place not in gone)) for todo in todos]
        return [todo for todo in left if todo.rows]

    def _prepare(self, todos: list[_Todo], answers: dict[str, partner.Answer], stock: dict[_Place, dict[str, Any]]) -> _Batch:
        """One read where what a step reads follows from what is remembered; a second one where a stream moved on or was not known."""
        steps, rows = self.book.steps, [row for todo in todos for row in todo.rows]
        own, reading = {todo.stream for todo in todos}, [row for row in rows if steps[row.entry.step].reads is not no_reads]
        guessed = self._read_by(reading, self.app.load({row.entry.stream for row in reading}, remembered=True))
        loaded = self.app.load(own | guessed, seen=_seen(rows))
        if others := self._read_by(reading, loaded) - loaded.keys():
            loaded |= self.app.load(others)
        works = [self._bare_work(row, loaded[row.entry.stream]) for row in rows if steps[row.entry.step].guards is not no_guards]
        guards = [guard for work in works for guard in steps[work.step].guards(work)]
        return _Batch(loaded, self.app.reads.holders(guards), stock, answers)

    def _read_by(self, rows: Iterable[Row], loaded: Mapping[str, Loaded]) -> set[str]:
        """The streams that the steps read besides their own."""
        works = (self._bare_work(row, loaded[row.entry.stream]) for row in rows)
        return {stream for work in works for stream in self.book.steps[work.step].reads(work)}

    def _bare_work(self, row: Row, loaded: Loaded) -> Work:
        entry = row.entry
        work = self.app.kind(entry.stream).work(loaded.state, entry.stream, entry.item, entry.step)
        return changed(work, attempt=entry.attempt, market=self.book.market)

    def _decide(self, todo: _Todo, batch: _Batch) -> tuple[Command, Decision]:
        """All rows of one stream, one after another on the state they leave, and what follows from them.

        A defect in a rule stops its own order, as a fallout for engineering, and no other.
        """
        command_id = todo.command_id
        with bound_contextvars(stream=todo.stream, command=command_id):
            try:
                return self._decided(todo, command_id, batch, self._row)
            except Exception as error:  # noqa: BLE001 - whatever a rule raises, the other orders go on; the values may be personal
                name = type(error).__name__
                logger.error("rule_failed", steps=[row.entry.step for row in todo.rows], error=name)
                return self._decided(todo, command_id, batch, partial(self._fallen, f"SYS-BUG: {name}"))

    def _decided(self, todo: _Todo, command_id: str, batch: _Batch, attend: Attend) -> tuple[Command, Decision]:
        loaded = batch.loaded[todo.stream]
        carried = Carried(self.app.kind(todo.stream), todo.stream, loaded.state)
        for row in todo.rows:
            at = row.entry.due_at if self.simulated else datetime.now(UTC)
            decision = attend(row, changed(loaded, state=carried.state), batch, at)
            if not decision:
                raise RuntimeError(f"{todo.stream}: step {row.entry.step} of item {row.entry.item} decided nothing")
            carried.carry(decision, at, self.book, row.cause)
        carried.close()
        return Command(command_id, todo.stream, tuple(carried.happened), {todo.stream: loaded}, ACTOR, ACTOR), carried.guards

    def _fallen(self, code: str, row: Row, loaded: Loaded, batch: _Batch, at: datetime) -> Decision:
        return flow.fall_out(self.book.steps[row.entry.step], self._bare_work(row, loaded), code, at, seed=self.seed)

    def _guarded(self, decided: list[tuple[Command, Decision]]) -> list[Command]:
        """Give the commands their guard rows, leaving out claims on what others hold."""
        holders = self.app.reads.holders([claim for _, decision in decided for claim in decision.claims])
        return [changed(command, guards=guards_of(decision, holders)) for command, decision in decided]

    # -- one row

    def _row(self, row: Row, loaded: Loaded, batch: _Batch, at: datetime) -> Decision:
        entry, step = row.entry, self.book.steps[row.entry.step]
        bare = self._bare_work(row, loaded)
        read = {name: batch.loaded[name].state if batch.loaded[name].version else None for name in step.reads(bare)}
        guards = {guard: holder for guard in step.guards(bare) if (holder := batch.holders.get((guard.kind, guard.key)))}
        work = changed(bare, read=read, guards=guards) if read or guards else bare
        if entry.kind != "query" and not step.wanted(work) and f"{work.key}/False" not in batch.answers:
            return flow.no_longer_wanted(step, work)
        if entry.kind == "retry":
            return step.request(work, at, attempt=entry.attempt, due_at=at if entry.attempt > 1 else None)
        if entry.kind == "query":
            return self._ask(step, work, batch, at, query=True)
        if reason := step.check(work, at):
            return flow.fall_out(step, work, reason, at, seed=self.seed)
        if pool := step.pool(work):
            piece = batch.stock.get(row.place)
            return (
                step.complete(work, piece, at) if piece else flow.fall_out(step, work, step.out_of_stock, at, seed=self.seed, awaits=pool)
            )
        return self._ask(step, work, batch, at, query=False) if step.partner else step.complete(work, {}, at)

    def _ask(self, step: Step, work: Work, batch: _Batch, at: datetime, *, query: bool) -> Decision:
        request = partner.Request(work.key, work.stream, work.item, step.name, work.attempt, at, step.payload(work))
        memo = f"{work.key}/{query}"
        if memo not in batch.answers:
            batch.answers[memo] = self._call(self.partners[step.partner], request, query=query)
        return flow.settle(step, work, _later(batch.answers[memo], at), at, seed=self.seed)

    @staticmethod
    def _call(outside: partner.Partner, request: partner.Request, *, query: bool) -> partner.Answer:
        """A call that breaks, in whatever way, is an unknown outcome: the request may have got there."""
        try:
            return outside.query(request) if query else outside.submit(request)
        except Exception as error:  # noqa: BLE001 - see above; the values may be personal
            logger.warning("partner_broke", step=request.step, key=request.key, error=type(error).__name__)
            return partner.Unknown(request.at + timedelta(seconds=SILENT_S))


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the garbage collector rest for longer. Attending makes many values that die young and no circles; looking through all that lives
    every 700 of them took a quarter of a run."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _later(answer: partner.Answer, at: datetime) -> partner.Answer:
    """An answer that wants to be asked again at once is asked a little later: at the same moment it would be the same command for ever."""
    if isinstance(answer, partner.Accepted | partner.Unknown) and answer.ask_again_at <= at:
        return replace(answer, ask_again_at=at + timedelta(seconds=ASK_AGAIN_S))
    return answer


def _seen(rows: Iterable[Row]) -> dict[str, int]:
    """The positions of the streams' last events when their rows were read."""
    return {row.entry.stream: row.seen for row in rows}


def _chunks(todos: list[_Todo]) -> list[list[_Todo]]:
    """Work of whole streams, some CHUNK_ROWS rows at a time."""
    chunks: list[list[_Todo]] = []
    size = CHUNK_ROWS
    for todo in todos:
        if size >= CHUNK_ROWS:
            chunks.append([])
            size = 0
        chunks[-1].append(todo)
        size += len(todo.rows)
    return chunks
