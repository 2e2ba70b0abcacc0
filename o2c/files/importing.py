"""Taking over a history: a file of events copied into the log in whole batches, with everything that is derived from them.

Heads keep no state (the first load folds it). Guards follow batch by batch. What open streams wait for and what stock is on offer comes
with the last batch: until then nobody attends to an order of which half is here, or takes a piece that a later line takes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import psycopg

from o2c.engine.app import Engine
from o2c.engine.derived import Folded, Guards
from o2c.engine.reactions import mark_of
from o2c.engine.runner import fewer_collections
from o2c.files.event_file import EventLine, lines_of
from o2c.files.lines import OnLines
from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Guard
from o2c.kernel.event import Event, Fact
from o2c.kernel.identifiers import digest
from o2c.kernel.refusal import Refused
from o2c.kernel.series import Numbered
from o2c.kernel.shapes import FellOut, Withdrawn
from o2c.stock.reaction import STOCK_CAME, supply_of
from o2c.store import importing as store
from o2c.store.commands import PoolChange
from o2c.store.connection import Connection
from o2c.store.database import connect, single_driver

BATCH_EVENTS = 20_000
SHARING_S = 0.0005
KEPT_STREAMS = 50_000
"""Streams whose folded state is kept from one batch to the next; another that goes on is folded anew from what the log has of it."""


@dataclass(slots=True)
class Imported:
    """What an import did: events of the file, those that were here already, streams, when the last of the events happened."""

    events: int = 0
    known: int = 0
    streams: int = 0
    last_occurred_at: datetime | None = None


class _Arrivals:
    """Stock that came, and whether those who waited for it were woken there: that is noted with no event of its own."""

    def __init__(self) -> None:
        self._came: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._began: dict[str, int] = {}
        self._answered: set[str] = set()

    def follow(self, line: EventLine, event: Event) -> None:
        if event.type_name in STOCK_CAME.types:
            self._came[line.event_id] = (line.number, tuple(wake.pool for wake in supply_of(event)))
        elif isinstance(event, FellOut) and event.awaits:
            self._began[line.event_id] = line.number
        if line.causation in self._came:
            self._answered.add(line.causation)

    def marks(self, left: Iterable[Folded]) -> list[str]:
        """The marks of arrivals that nobody is to be woken for: they woke somebody, or came before anybody who still waits began to."""
        waits: dict[str, int] = {}
        for stream in left:
            for kind, *_, pool, cause in stream.agenda.values():
                if kind == "stock":
                    waits[pool] = min(self._began[cause], waits.get(pool, self._began[cause]))
        return [
            mark_of(STOCK_CAME.name, event_id, pool)
            for event_id, (number, pools) in self._came.items()
            for pool in pools
            if event_id in self._answered or number < waits.get(pool, number + 1)
        ]


class Import:
    """One import of one file. Raises Refused, naming the line: nothing of its batch is written then, whole batches before it are."""

    def __init__(self, app: Engine, *, progress: OnLines, batch_events: int = BATCH_EVENTS) -> None:
        self.app, self.progress, self.batch_events = app, progress, batch_events
        self.done = Imported()
        self._guards = Guards(app.book)
        self._arrivals = _Arrivals()
        self._versions: dict[str, int] = {}
        self._here: dict[str, int] = {}
        self._folded: dict[str, Folded] = {}
        self._left: dict[str, Folded] = {}
        self._pending: tuple[Future[int], Sequence[EventLine], store.Batch] | None = None

    def run(self, source: BinaryIO) -> Imported:
        """Import the file, or go on where an import of it stood. The next batch is read while the server writes the last one."""
        with connect(self.app.dsn) as reading, connect(self.app.dsn) as writing:
            if not store.owned(reading):
                who = reading.info.user
                raise Refused(f"the role {who} does not own the store, and only its owner imports into it; use a member of it")
            with single_driver(self.app.dsn, "o2c import"), ThreadPoolExecutor(1) as writer, fewer_collections(), _sharing():
                for lines, last in _batches(lines_of(source, self.app.kinds), self.batch_events):
                    batch = self._batch(reading, lines, last=last)
                    self._settled(reading)
                    if batch.events or batch.opened or batch.marks:
                        self._pending = (writer.submit(store.write, writing, batch), lines, batch)
                    self.progress(self.done.events)
                self._settled(reading)
        self.done.streams = len(self._versions)
        return self.done

    def _settled(self, conn: Connection) -> None:
        """Wait until the batch under way is written. Raises Refused."""
        if self._pending is None:
            return
        (future, lines, batch), self._pending = self._pending, None
        try:
            future.result()
        except store.Elsewhere:
            raise _met(conn, lines, batch) from None
        except psycopg.DataError as error:
            span = f"lines {lines[0].number} to {lines[-1].number}"
            raise Refused(f"{span}: PostgreSQL cannot keep something of them (SQLSTATE {error.sqlstate}); convert the file anew") from None

    # -- one batch

    def _batch(self, conn: Connection, lines: Sequence[EventLine], *, last: bool) -> store.Batch:
        """What is to be written of a batch of lines: those that are not here yet, and what follows from all of them."""
        self._meet(conn, lines, self._gapless(lines))
        fresh = [line for line in lines if line.version > self._here.get(line.stream, 0)] if self._here else lines
        for line in lines:
            if line.event is not None:
                self._fold(conn, line, line.event)
        batch = store.Batch([line.row for line in fresh], _commands(fresh))
        _heads(batch, fresh)
        self._guard(batch)
        if self._here:
            batch.withdrawn = [line.event.withdrawal() for line in fresh if isinstance(line.event, Withdrawn)]
        self._keep({line.stream for line in lines})
        for line in fresh:
            if isinstance(line.event, Numbered) and line.event.series:
                batch.series[line.event.series] = max(line.event.serial, batch.series.get(line.event.series, 0))
        if last:
            batch.opened = [self._open(stream) for stream in self._left.values()]
            batch.marks = [(mark, digest(mark)) for mark in self._arrivals.marks(self._left.values())]
        self.done.events += len(lines)
        self.done.known += len(lines) - len(fresh)
        self.done.last_occurred_at = max(line.occurred_at for line in lines)
        return batch

    def _gapless(self, lines: Sequence[EventLine]) -> set[str]:
        """The streams that begin in these lines. Raises Refused where a version does not follow, or an event comes twice."""
        versions, begun, ids = self._versions, set(), set()
        for line in lines:
            before = versions.get(line.stream, 0)
            if line.version != before + 1:
                raise line.refused(f"it does not follow version {before}; the file has every stream whole, in the order of its versions")
            if line.event_id in ids:
                raise line.refused("its event id stands twice in the file")
            if not before:
                begun.add(line.stream)
            versions[line.stream] = line.version
            ids.add(line.event_id)
        return begun

    def _meet(self, conn: Connection, lines: Sequence[EventLine], begun: set[str]) -> None:
        """Of streams that are here, what the file has must be what is here: then an import of it was here before."""
        if begun:
            self._here |= store.versions_here(conn, begun)
        repeated = [line for line in lines if line.version <= self._here.get(line.stream, 0)] if self._here else []
        if repeated:
            ids = store.ids_here(conn, [(line.stream, line.version) for line in repeated])
            for line in repeated:
                if ids.get((line.stream, line.version)) != line.event_id:
                    raise line.refused(_ELSEWHERE)

    def _fold(self, conn: Connection, line: EventLine, event: Event) -> None:
        stream = self._folded.get(line.stream) or self._begun(conn, line)
        before = stream.state
        touched = self._guards.touched
        if line.version <= self._here.get(line.stream, 0):
            # Its guards were written with it, and may have moved on since.
            self._guards.touched = {}
        fact = Fact(line.stream, line.version, event, line.event_id, line.occurred_at, "", "", line.command_id)
        try:
            stream.add(fact)
            self._guards.follow(stream, event, before)
            self._arrivals.follow(line, event)
        except Exception as error:  # noqa: BLE001 - a fold is total over histories that can happen; the values may be personal
            raise line.refused(f"{event.type_name} cannot follow what is before it ({type(error).__name__})") from None
        self._guards.touched = touched

    def _begun(self, conn: Connection, line: EventLine) -> Folded:
        """A stream before this line: new, or folded anew from what the log has of it."""
        name, before = line.stream, line.version - 1
        if before:
            self._settled(conn)
        left = self._left.get(name)
        state = self.app.replay(name, before) if before else self.app.kind(name).initial(name)
        self._folded[name] = Folded(
            name, self.app.kind(name), state, before, agenda=left.agenda if left else {}, pool=left.pool if left else {}
        )
        return self._folded[name]

    def _keep(self, touched: set[str]) -> None:
        """Keep what the streams leave on the agenda and on offer, and not every state."""
        for name in touched & self._folded.keys():
            stream = self._folded[name]
            if stream.agenda or stream.pool:
                self._left[name] = Folded(name, None, version=stream.version, agenda=stream.agenda, pool=stream.pool)
            else:
                self._left.pop(name, None)
        if len(self._folded) > KEPT_STREAMS:
            self._folded = {name: self._folded[name] for name in touched & self._folded.keys()}

    def _guard(self, batch: store.Batch) -> None:
        """The difference that the batch makes to who holds what."""
        for (kind, key), before in self._guards.touched.items():
            holder = self._guards.holders.get((kind, key), "")
            if holder != before:
                batch.frees += [Guard(kind, key, before)] if before else []
                batch.takes += [Guard(kind, key, holder)] if holder else []
        self._guards.touched.clear()

    @staticmethod
    def _open(stream: Folded) -> store.Open:
        entries = tuple((Entry(stream.stream, *place, *row[:-1]), row[-1]) for place, row in stream.agenda.items())
        offers = tuple(PoolChange(True, *place, at, json.dumps(detail)) for place, (at, detail) in stream.pool.items())
        return store.Open(stream.stream, stream.version, entries, offers)


@contextmanager
def _sharing() -> Iterator[None]:
    """Let threads take turns more often: the one that writes asks for its turn every 128 kB, and the server would wait 5 ms for each."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SHARING_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


_ELSEWHERE = "this log has other events of the stream; import only streams that it does not have"


def _batches(lines: Iterator[EventLine], size: int) -> Iterator[tuple[list[EventLine], bool]]:
    """Batches of about so many events, no command in two of them, and whether it is the last one. Raises Refused for too large a
    command."""
    batch: list[EventLine] = []
    ready: list[EventLine] = []
    for line in lines:
        if len(batch) >= size and batch[-1].command_id != line.command_id:
            if ready:
                yield ready, False
            ready, batch = batch, []
        batch.append(line)
        if len(batch) > store.EVENTS_MAX:
            raise line.refused(f"its command has more than the {store.EVENTS_MAX - size:,} events that one transaction takes")
    if ready:
        yield ready, False
    if batch:
        yield batch, True


def _commands(lines: Sequence[EventLine]) -> list[store.Once]:
    """The commands of the events, each with its first and last."""
    spans: dict[str, store.Once] = {}
    for ordinal, line in enumerate(lines):
        key = line.command_id
        if key in spans:
            _, fingerprint, first, _ = spans[key]
            spans[key] = (key, fingerprint, first, ordinal)
        else:
            # Without a fingerprint as without one at the desk: repeats of the command are told by its id alone.
            spans[key] = (key, line.fingerprint or digest(key), ordinal, ordinal)
    return list(spans.values())


def _heads(batch: store.Batch, lines: Sequence[EventLine]) -> None:
    last = {line.stream: ordinal for ordinal, line in enumerate(lines)}
    first = {line.stream: line.version for line in reversed(lines)}
    for stream, ordinal in last.items():
        before, version = first[stream] - 1, lines[ordinal].version
        if before:
            batch.moved.append(store.Moved(stream, before, version, ordinal))
        else:
            batch.born.append(store.Born(stream, version, ordinal))


def _met(conn: Connection, lines: Sequence[EventLine], batch: store.Batch) -> Refused:
    """Why a batch could not be written: the first line that meets what is here."""
    here = store.versions_here(conn, [born.stream for born in batch.born])
    used = store.commands_here(conn, [key for key, *_ in batch.commands])
    for line in lines:
        if line.stream in here:
            return line.refused(_ELSEWHERE)
        if line.command_id in used:
            return line.refused(f"command id {line.command_id} was used in this log for something else")
    held = store.holders_here(conn, batch.takes)
    for guard in batch.takes:
        if held.get(guard[:2], guard.holder) != guard.holder:
            by = held[guard[:2]]
            line = next((line for line in reversed(lines) if guard.holder.startswith(f"{line.stream}/")), lines[-1])
            return line.refused(f"{guard.kind} {guard.key} is held in this log by {by}")
    span = f"lines {lines[0].number} to {lines[-1].number}"
    return Refused(f"{span}: what they are about was changed in this log meanwhile; import the same file again", kind="conflict")
