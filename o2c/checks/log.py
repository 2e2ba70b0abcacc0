"""The checks that need every event: one pass over the log by stream and version, in one snapshot, holding some streams at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, cast

import psycopg
from eventsourcing.persistence import MapperDeserialisationError

from o2c.engine.app import Engine
from o2c.engine.derived import Folded
from o2c.kernel.event import Fact
from o2c.kernel.stream import category_of
from o2c.store.connection import Connection
from o2c.store.queries import EVENT_COLUMNS
from o2c.store.recorder import stored_fact

FETCH_EVENTS = 2_000
BATCH_STREAMS = 500
FLAWS_SHOWN = 3

_EVENTS = f"SELECT {EVENT_COLUMNS} FROM o2c.event ORDER BY stream, version"
"""Every event of the log, stream by stream in version order. It is the whole log: read it through a server-side cursor."""

_EARLIER_STATES = "SELECT stream, state_version FROM o2c.head WHERE state_version < version"
"""The streams whose head row keeps the state of an earlier version, and that version."""

_HEADS = "SELECT stream, version, last_position, shape, state FROM o2c.head WHERE stream = ANY(%s)"
"""The head rows of some streams. Parameter: array of streams."""

_AGENDA = """SELECT stream, item, step, kind, due_at, priority, since, attempt, pool, cause::text AS cause FROM o2c.agenda
    WHERE stream = ANY(%s)"""
"""The agenda rows of some streams; the columns after the step are in the order of `Folded.agenda`. Parameter: array of streams."""

_PIECES = "SELECT pool, key, available_at, detail FROM o2c.pool JOIN unnest(%s::text[], %s::text[]) AS x (pool, key) USING (pool, key)"
"""The pool rows of some pieces. Parameters: arrays of pools and keys."""

_ROW_COUNTS = {table: f"SELECT count(*) AS n FROM {table}" for table in ("o2c.head", "o2c.agenda", "o2c.pool")}
"""By table, how many rows it has."""


class Watch:
    """One check of the pass over the log: how many things it looked at, how many were flawed, and the first few flaws in words."""

    name = ""
    unit = ""

    def __init__(self) -> None:
        self.count = 0  # in the `unit` of the check
        self.flaw_count = 0
        self.flaws: list[str] = []
        self.unable = ""

    def guarded(self, look: Callable[..., None], *arguments: Any) -> None:
        """Call a method of this check; if it fails, note that the check could not be made, and let the other checks go on.

        Raises psycopg.Error, which ends the whole pass.
        """
        try:
            look(*arguments)
        except psycopg.Error:
            raise
        except Exception as error:  # noqa: BLE001 - a tampered history can make a check raise anything
            self.unable = self.unable or f"a history it is not made for ({type(error).__name__}); see the other checks first"

    def flaw(self, text: str) -> None:
        """Count a flaw, and keep its text if it is one of the first few."""
        self.flaw_count += 1
        if len(self.flaws) < FLAWS_SHOWN:
            self.flaws.append(text)

    def attached(self, app: Engine) -> None:
        """Called once, before anything else, with the engine that reads the log."""

    def begin(self, conn: Connection) -> None:
        """Called once, before the first event."""

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        """Called after each event was folded; `before` is the state of the stream without it."""

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Called for each batch of streams when all their events were folded."""

    def end(self, conn: Connection) -> None:
        """Called once, after the last event."""

    @property
    def detail(self) -> str:
        """The result in words: the count, or the first flaws."""
        if not self.flaw_count:
            return f"{self.count:,} {self.unit}"
        more = f" and {self.flaw_count - len(self.flaws):,} more" if self.flaw_count > len(self.flaws) else ""
        return "; ".join(self.flaws) + more


class Gapless(Watch):
    """Every stream runs from version 1 without a gap, of events this program can read."""

    name = "streams are gapless and readable"
    unit = "streams"

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Report every stream of the batch that could not be folded to its end."""
        for stream in batch.values():
            self.count += 1
            if stream.flaw:
                self.flaw(stream.flaw)


class Heads(Watch):
    """Head rows are what the events fold to."""

    name = "head rows are the fold of their streams"
    unit = "head rows"

    def begin(self, conn: Connection) -> None:
        """Find the head rows that keep the state of an earlier version; the state folded up to that version is kept to compare with
        them."""
        rows = conn.execute(_EARLIER_STATES).fetchall()
        self.earlier: dict[str, int] = {row["stream"]: row["state_version"] for row in rows}
        self.then: dict[str, Any] = {}

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        """Keep the state at the version that the head row keeps, where that is an earlier one."""
        if self.earlier.get(stream.stream) == fact.version:
            self.then[stream.stream] = stream.state

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Compare the head rows of the batch with the folded streams."""
        heads = {row["stream"]: row for row in conn.execute(_HEADS, (list(batch),)).fetchall()}
        self.count += len(batch)
        for name, stream in batch.items():
            if name not in heads:
                self.flaw(f"{name} has no head row")
            elif not stream.flaw and (wrong := _head_flaw(stream, heads[name], self.then.pop(name, stream.state))):
                self.flaw(f"{name}: {wrong}")

    def end(self, conn: Connection) -> None:
        """Report head rows of streams that are not in the log."""
        _too_many(self, conn, "o2c.head", self.count)


def _head_flaw(stream: Folded, row: Mapping[str, Any], state: Any) -> str:
    assert stream.kind is not None
    if row["version"] != stream.version or row["last_position"] != stream.last_position:
        return f"its head row is at version {row['version']}, its events at {stream.version}"
    # A state of another shape is never read: the next load folds the stream anew.
    if row["shape"] != stream.kind.shape_version:
        return ""
    expected = json.loads(stream.kind.kept(state))
    return "" if row["state"] == expected else f"its events fold to another state in {_where(expected, row['state'])}"


def _where(expected: dict[str, Any], actual: Any) -> str:
    """Names of the fields that differ; never their values, which may be personal."""
    if not isinstance(actual, dict):
        return "everything"
    return ", ".join(sorted(key for key in expected.keys() | actual.keys() if expected.get(key, ...) != actual.get(key, ...)))


class Agenda(Watch):
    """The agenda holds exactly what the events call for."""

    name = "the agenda is what the events call for"
    unit = "agenda rows"

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Compare the agenda rows of the batch with those that the events call for."""
        rows: dict[str, dict[tuple[str, str], tuple[Any, ...]]] = {}
        for row in conn.execute(_AGENDA, (list(batch),)).fetchall():
            rows.setdefault(row["stream"], {})[row["item"], row["step"]] = tuple(row.values())[3:]
        self.count += sum(map(len, rows.values()))
        for name, stream in batch.items():
            if not stream.flaw:
                actual = rows.get(name, {})
                for item, step in sorted(_unequal(stream.agenda, actual)):
                    flaw = _difference(stream.agenda.get((item, step)), actual.get((item, step)))
                    self.flaw(f"{name} item {item or '-'} step {step}: {flaw}")

    def end(self, conn: Connection) -> None:
        """Report agenda rows of streams that are not in the log."""
        _too_many(self, conn, "o2c.agenda", self.count)


class Pools(Watch):
    """The stock pools hold exactly what is on offer."""

    name = "stock pools are what is on offer"
    unit = "pieces on offer"

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Compare the pieces on offer with those that the events of the batch offer."""
        expected = {place: offer for stream in batch.values() if not stream.flaw for place, offer in stream.pool.items()}
        self.count += len(expected)
        rows = conn.execute(_PIECES, ([pool for pool, _ in expected], [key for _, key in expected])).fetchall()
        actual = {(row["pool"], row["key"]): (row["available_at"], row["detail"]) for row in rows}
        for pool, key in sorted(_unequal(expected, actual)):
            self.flaw(f"{pool} {key}: {_difference(expected[pool, key], actual.get((pool, key)))}")

    def end(self, conn: Connection) -> None:
        """Report pieces on offer that no event offers."""
        _too_many(self, conn, "o2c.pool", self.count)


def _unequal(expected: Mapping[Any, Any], actual: Mapping[Any, Any]) -> set[Any]:
    return {key for key in expected.keys() | actual.keys() if expected.get(key) != actual.get(key)}


def _difference(expected: object, actual: object) -> str:
    return "the row is missing" if actual is None else "the row is not called for" if expected is None else "the row differs"


def _too_many(watch: Watch, conn: Connection, table: str, expected: int) -> None:
    """Note a flaw when a table has rows of streams or pieces that are not in the log."""
    row = conn.execute(_ROW_COUNTS[table].encode()).fetchone()
    actual = row["n"] if row else 0
    if actual > expected:
        watch.flaw(f"{table} has {actual - expected} rows that no event accounts for")


def walk(conn: Connection, app: Engine, watches: tuple[Watch, ...]) -> None:
    """Read the log once and show it to all watches. Needs a transaction that is one snapshot. Raises psycopg.Error."""
    batch: dict[str, Folded] = {}
    for watch in watches:
        watch.attached(app)
        watch.guarded(watch.begin, conn)
    with conn.cursor("checks") as cursor:
        cursor.itersize = FETCH_EVENTS
        cursor.execute(_EVENTS.encode())
        for name, rows in groupby(cursor, key=itemgetter("stream")):
            batch[name] = _fold(app, name, rows, watches)
            if len(batch) == BATCH_STREAMS:
                _hand_over(conn, batch, watches)
                batch = {}
    _hand_over(conn, batch, watches)
    for watch in watches:
        watch.guarded(watch.end, conn)


def _hand_over(conn: Connection, batch: Mapping[str, Folded], watches: tuple[Watch, ...]) -> None:
    for watch in watches:
        watch.guarded(watch.streams, conn, batch)


def _fold(app: Engine, name: str, rows: Iterator[dict[str, Any]], watches: tuple[Watch, ...]) -> Folded:
    """Fold a stream up to its end, or up to the first flawed event."""
    kind = app.kinds.get(category_of(name))
    stream = Folded(name, kind, kind.initial(name) if kind else None)
    for row in rows:
        if kind is None or row["version"] != stream.version + 1:
            what = f"version {row['version']} follows version {stream.version}" if kind else "this program knows no such kind of stream"
            stream.flaw = stream.flaw or f"{name}: {what}"
        if stream.flaw:
            continue
        try:
            fact = cast("Fact", app.mapper.to_domain_event(stored_fact(row)))
        except MapperDeserialisationError as error:
            stream.flaw = str(error)
            continue
        if (fact.position or 0) <= stream.last_position:
            stream.flaw = f"{name}: version {fact.version} stands before version {stream.version} in the log"
            continue
        before = stream.state
        try:
            stream.add(fact)
            for watch in watches:
                watch.event(stream, fact, before)
        except Exception as error:  # noqa: BLE001 - a fold is total over histories that can happen, and this one was tampered with
            stream.flaw = (
                f"{name}: version {fact.version} ({fact.event.type_name}) cannot follow what is before it ({type(error).__name__})"
            )
    return stream
