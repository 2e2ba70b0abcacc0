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
from o2c.store.recorder import stored_fact

Connection = psycopg.Connection[dict[str, Any]]
FETCH_EVENTS = 2_000
BATCH_STREAMS = 500
FLAWS_SHOWN = 3

_EVENTS = """SELECT position, stream, version, event_id::text, type, schema_version, recorded_at, occurred_at, actor, channel, command_id::text,
    causation::text, order_id::text, customer_id, body::text, personal::text FROM o2c.event ORDER BY stream, version"""
_AGENDA = """SELECT stream, item, step, kind, due_at, priority, since, attempt, pool, cause::text AS cause FROM o2c.agenda
    WHERE stream = ANY(%s)"""


class Watch:
    """One check of the pass: what it saw, and where it was not as it should be (the first few by name)."""

    name = ""
    unit = ""

    def __init__(self) -> None:
        self.seen = 0
        self.flaw_count = 0
        self.flaws: list[str] = []
        self.unable = ""

    def guarded(self, look: Callable[..., None], *seen: Any) -> None:
        """Look, and note when this check is not up to what it sees; the others go on. Raises psycopg.Error, which ends the whole pass."""
        try:
            look(*seen)
        except psycopg.Error:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a tampered history makes a check raise, it could not check
            self.unable = self.unable or f"a history it is not made for ({type(error).__name__}); see the other checks first"

    def flaw(self, text: str) -> None:
        self.flaw_count += 1
        if len(self.flaws) < FLAWS_SHOWN:
            self.flaws.append(text)

    def begin(self, conn: Connection) -> None:
        """The pass begins."""

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        """An event was folded; `before` is the stream's state without it."""

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Some streams came to their end."""

    def end(self, conn: Connection) -> None:
        """The log came to its end."""

    @property
    def detail(self) -> str:
        if not self.flaw_count:
            return f"{self.seen:,} {self.unit}"
        more = f" and {self.flaw_count - len(self.flaws):,} more" if self.flaw_count > len(self.flaws) else ""
        return "; ".join(self.flaws) + more


class Gapless(Watch):
    """Every stream runs from version 1 without a gap, of events this program can read."""

    name = "streams are gapless and readable"
    unit = "streams"

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        for stream in batch.values():
            self.seen += 1
            if stream.flaw:
                self.flaw(stream.flaw)


class Heads(Watch):
    """Head rows are what the events fold to."""

    name = "head rows are the fold of their streams"
    unit = "head rows"

    def begin(self, conn: Connection) -> None:
        """Where the state is of an earlier version, what the events folded to then is kept for comparison."""
        rows = conn.execute("SELECT stream, state_version FROM o2c.head WHERE state_version < version").fetchall()
        self.earlier: dict[str, int] = {row["stream"]: row["state_version"] for row in rows}
        self.then: dict[str, Any] = {}

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        if self.earlier.get(stream.stream) == fact.version:
            self.then[stream.stream] = stream.state

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        sql = "SELECT stream, version, last_position, shape, state FROM o2c.head WHERE stream = ANY(%s)"
        found = {row["stream"]: row for row in conn.execute(sql, (list(batch),)).fetchall()}
        self.seen += len(batch)
        for name, stream in batch.items():
            if name not in found:
                self.flaw(f"{name} has no head row")
            elif not stream.flaw and (wrong := _head_flaw(stream, found[name], self.then.pop(name, stream.state))):
                self.flaw(f"{name}: {wrong}")

    def end(self, conn: Connection) -> None:
        _too_many(self, conn, "o2c.head", self.seen)


def _head_flaw(stream: Folded, row: Mapping[str, Any], state: Any) -> str:
    assert stream.kind is not None
    if row["version"] != stream.version or row["last_position"] != stream.last_position:
        return f"its head row is at version {row['version']}, its events at {stream.version}"
    # Of another shape: nobody reads that state, the next load folds the stream anew.
    if row["shape"] != stream.kind.shape_version:
        return ""
    expected = json.loads(stream.kind.kept(state))
    return "" if row["state"] == expected else f"its events fold to another state in {_where(expected, row['state'])}"


def _where(expected: dict[str, Any], found: Any) -> str:
    """Names of the fields that differ; never their values, which may be personal."""
    if not isinstance(found, dict):
        return "everything"
    return ", ".join(sorted(key for key in expected.keys() | found.keys() if expected.get(key, ...) != found.get(key, ...)))


class Agenda(Watch):
    """The agenda holds exactly what the events call for."""

    name = "the agenda is what the events call for"
    unit = "agenda rows"

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        found: dict[str, dict[tuple[str, str], tuple[Any, ...]]] = {}
        for row in conn.execute(_AGENDA, (list(batch),)).fetchall():
            found.setdefault(row["stream"], {})[row["item"], row["step"]] = tuple(row.values())[3:]
        self.seen += sum(map(len, found.values()))
        for name, stream in batch.items():
            if not stream.flaw:
                for item, step in sorted(_unequal(stream.agenda, found.get(name, {}))):
                    self.flaw(
                        f"{name} item {item or '-'} step {step}: {_told(stream.agenda.get((item, step)), found.get(name, {}).get((item, step)))}"
                    )

    def end(self, conn: Connection) -> None:
        _too_many(self, conn, "o2c.agenda", self.seen)


class Pools(Watch):
    """The stock pools hold exactly what is on offer."""

    name = "stock pools are what is on offer"
    unit = "pieces on offer"

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        expected = {place: offer for stream in batch.values() if not stream.flaw for place, offer in stream.pool.items()}
        self.seen += len(expected)
        sql = """SELECT pool, key, available_at, detail FROM o2c.pool JOIN unnest(%s::text[], %s::text[]) AS x (pool, key) USING (pool, key)"""
        rows = conn.execute(sql, ([pool for pool, _ in expected], [key for _, key in expected])).fetchall()
        found = {(row["pool"], row["key"]): (row["available_at"], row["detail"]) for row in rows}
        for pool, key in sorted(_unequal(expected, found)):
            self.flaw(f"{pool} {key}: {_told(expected[pool, key], found.get((pool, key)))}")

    def end(self, conn: Connection) -> None:
        _too_many(self, conn, "o2c.pool", self.seen)


def _unequal(expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> set[Any]:
    return {key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)}


def _told(expected: object, found: object) -> str:
    return "the row is missing" if found is None else "the row is not called for" if expected is None else "the row differs"


def _too_many(watch: Watch, conn: Connection, table: str, expected: int) -> None:
    """Rows of streams or pieces the log does not know."""
    row = conn.execute(f"SELECT count(*) AS n FROM {table}".encode()).fetchone()
    found = row["n"] if row else 0
    if found > expected:
        watch.flaw(f"{table} has {found - expected} rows that no event accounts for")


def walk(conn: Connection, app: Engine, watches: tuple[Watch, ...]) -> None:
    """Go through the log once and show it to all watches. Needs a snapshot around it. Raises psycopg.Error."""
    batch: dict[str, Folded] = {}
    for watch in watches:
        watch.guarded(watch.begin, conn)
    with conn.cursor("checks") as cursor:
        cursor.itersize = FETCH_EVENTS
        cursor.execute(_EVENTS)
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
    """Fold a stream up to its end, or up to the first event that is not as it should be."""
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
