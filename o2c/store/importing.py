"""Writing a history by COPY: batches, each in one transaction with everything that append() would have written beside its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import psycopg

from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Guard
from o2c.store.commands import PoolChange, agenda_row, plain_array, pool_row, text_array
from o2c.store.connection import Connection

EVENTS_MAX = 65_536
"""How many positions one transaction can give."""
CHUNK_ROWS = 10_000
_COLUMNS = """stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, causation, order_id, customer_id,
    body, personal"""


class Elsewhere(Exception):
    """Something in a batch clashes with the store: a stream or a command id that is there already, or a guard that another holds."""


class Born(NamedTuple):
    """A stream that begins in the batch: its version after the batch, and the ordinal (from 0) of its last event in it."""

    stream: str
    version: int
    last: int


class Moved(NamedTuple):
    """A stream that an earlier batch began: its versions before and after this batch, and the ordinal of its last event in it."""

    stream: str
    before: int
    version: int
    last: int


Once = tuple[str, str, int, int]
"""A command: id, fingerprint, and the ordinals of its first and last event. A bare tuple: there is one for almost every event."""


@dataclass(frozen=True, slots=True)
class Open:
    """The agenda entries of a stream at a version, each with the id of the event it indexes, and the pieces it has on offer."""

    stream: str
    version: int
    agenda: tuple[tuple[Entry, str], ...] = ()
    offers: tuple[PoolChange, ...] = ()


@dataclass(slots=True)
class Batch:
    """Everything that one transaction writes. `events` are rows of COPY text without their position.

    `series` are the highest numbers that its events bear, by series. Only the last batch has `opened`, and `marks`: commands (id,
    fingerprint) that did something without an event.
    """

    events: list[str] = field(default_factory=list)
    commands: list[Once] = field(default_factory=list)
    born: list[Born] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    frees: list[Guard] = field(default_factory=list)
    takes: list[Guard] = field(default_factory=list)
    series: dict[str, int] = field(default_factory=dict)
    withdrawn: list[tuple[str, str]] = field(default_factory=list)
    opened: list[Open] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)


_MAY_IMPORT = "SELECT has_function_privilege('o2c.begin_import(integer)', 'EXECUTE') AND has_table_privilege('o2c.event', 'INSERT') AS may"
"""Whether this login may begin an import and insert events."""


def owned(conn: Connection) -> bool:
    """Whether this login may import: only the owner of the store may copy into the log."""
    row = conn.execute(_MAY_IMPORT).fetchone()
    return bool(row and row["may"])


def event_row(
    stream: str, version: int, event_id: str, type_: str, schema: int, occurred_at: str, actor: str, channel: str, command_id: str,
    causation: str | None, order_id: str | None, customer_id: str | None, body: bytes, personal: bytes | None,
) -> str:  # fmt: skip
    """An event as COPY text, without its position. Ids, type and time need no escapes; JSON has no control characters, only backslashes."""
    return (
        f"\t{_text(stream)}\t{version}\t{event_id}\t{type_}\t{schema}\t{occurred_at}\t{_text(actor)}\t{_text(channel)}\t{command_id}"
        f"\t{causation or _NULL}\t{order_id or _NULL}\t{_NULL if customer_id is None else _text(customer_id)}\t{_json(body)}"
        f"\t{_NULL if personal is None else _json(personal)}\n"
    )


_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _text(value: str) -> str:
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


def _json(value: bytes) -> str:
    return value.decode().replace("\\", "\\\\")


_BEGIN = "SELECT o2c.begin_import(%s) AS base"
"""Begin a transaction that copies events, and give the position of the first of them. Parameter: how many events."""


def write(conn: Connection, batch: Batch) -> int:
    """Write a batch whole or not at all; returns the position of its first event. Raises Elsewhere."""
    try:
        with conn.transaction():
            [row] = conn.execute(_BEGIN, (len(batch.events),)).fetchall()
            base: int = row["base"]
            # In the order of append(): commands, heads, guards, events. Sorted, so that two writers of the same rows wait and never
            # deadlock.
            _copy(conn, "command (command_id, fingerprint, outcome, first_position, last_position)",
                  [f"{key}\t{_text(fingerprint)}\t{{}}\t{base + first}\t{base + last}\n" for key, fingerprint, first, last in sorted(batch.commands)])  # fmt: skip
            # No state: the first load of the stream folds it. Shape 0 says so.
            _copy(conn, "head (stream, version, last_position, shape)",
                  [f"{_text(h.stream)}\t{h.version}\t{base + h.last}\t0\n" for h in sorted(batch.born)])  # fmt: skip
            _move(conn, batch.moved, base)
            _guard(conn, batch, base)
            _number(conn, batch.series)
            rows = [f"{position}{row}" for position, row in enumerate(batch.events, base)]
            _copy(conn, f"event (position, {_COLUMNS})", rows)
            _withdraw(conn, batch.withdrawn)
            for chunk in _chunks(batch.opened):
                _open(conn, chunk)
            _mark(conn, batch.marks, base)
            return base
    except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected) as error:
        raise Elsewhere(type(error).__name__) from None


def _copy(conn: Connection, table: str, rows: Sequence[str]) -> None:
    if rows:
        with conn.cursor() as cursor, cursor.copy(f"COPY o2c.{table} FROM STDIN".encode()) as copy:
            copy.write("".join(rows))


_MOVE_HEADS = """UPDATE o2c.head h SET version = m.version, last_position = %s + m.last
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS m (stream, before, version, last)
    WHERE h.stream = m.stream AND h.version = m.before AND h.last_position < %s"""
"""Move head rows that are still at the version expected.

Parameters: position of the first event, arrays of streams, versions before, versions after and ordinals of last events, that position
again.
"""

_CLEAR_AGENDA = "DELETE FROM o2c.agenda WHERE stream = ANY(%s::text[])"
"""Remove every agenda row of some streams. Parameter: array of streams."""


def _move(conn: Connection, moved: Sequence[Moved], base: int) -> None:
    """Move the heads of streams that go on, and remove the agenda rows that their earlier events called for."""
    if not moved:
        return
    columns = (text_array(m.stream for m in moved), *(plain_array(m[n] for m in moved) for n in (1, 2, 3)))
    done = conn.execute(_MOVE_HEADS, (base, *columns, base))
    if done.rowcount != len(moved):
        raise Elsewhere("a stream moved on")
    conn.execute(_CLEAR_AGENDA, (columns[0],))


_FREE_GUARDS = """DELETE FROM o2c.guard g USING unnest(%s::text[], %s::text[], %s::text[]) AS f (kind, key, holder)
    WHERE g.kind = f.kind AND g.key = f.key AND g.holder = f.holder"""
"""Free guards that these holders hold. Parameters: arrays of kinds, keys and holders."""

_TAKE_GUARDS = """INSERT INTO o2c.guard (kind, key, holder, position) SELECT kind, key, holder, %s
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS t (kind, key, holder) ON CONFLICT DO NOTHING"""
"""Take guards, leaving those that are held. Parameters: position of the first event, arrays of kinds, keys and holders."""

_GUARDS_TAKEN = """SELECT count(*) AS n FROM unnest(%s::text[], %s::text[], %s::text[]) AS t (kind, key, holder)
    JOIN o2c.guard g USING (kind, key, holder)"""
"""How many of some guards these holders hold. Parameters: arrays of kinds, keys and holders."""


def _guard(conn: Connection, batch: Batch, base: int) -> None:
    if batch.frees:
        conn.execute(_FREE_GUARDS, _columns(batch.frees))
    if batch.takes:
        columns = _columns(sorted(batch.takes))
        conn.execute(_TAKE_GUARDS, (base, *columns))
        [row] = conn.execute(_GUARDS_TAKEN, columns).fetchall()
        if row["n"] != len(batch.takes):
            raise Elsewhere("a guard is held")


def _columns(rows: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(text_array(column) for column in zip(*rows, strict=True))


_NUMBER = """INSERT INTO o2c.series (series, last) SELECT series, last FROM unnest(%s::text[], %s::bigint[]) AS n (series, last) ORDER BY series
    ON CONFLICT (series) DO UPDATE SET last = greatest(series.last, excluded.last)"""
"""Move series on to the numbers that were copied. Parameters: arrays of series and numbers."""


def _number(conn: Connection, series: Mapping[str, int]) -> None:
    if series:
        conn.execute(_NUMBER, (text_array(series), plain_array(series.values())))


_WITHDRAW = "DELETE FROM o2c.pool p USING unnest(%s::text[], %s::text[]) AS w (pool, key) WHERE p.pool = w.pool AND p.key = w.key"
"""Take pieces out of the pools. Parameters: arrays of pools and keys."""


def _withdraw(conn: Connection, withdrawn: Sequence[tuple[str, str]]) -> None:
    """Withdraw pieces that an earlier import put on offer and this one takes."""
    if withdrawn:
        conn.execute(_WITHDRAW, _columns(withdrawn))


_LOCK_HEADS = """SELECT h.stream FROM unnest(%s::text[], %s::bigint[]) AS o (stream, version) JOIN o2c.head h ON h.stream = o.stream
    AND h.version = o.version FOR UPDATE OF h"""
"""Lock the heads of the streams that still stand at a version. Parameters: arrays of streams and versions."""

# Round 0: the next pass of the store's clock, whatever its kind, reads the rows.
_OPEN_AGENDA = """INSERT INTO o2c.agenda (stream, item, step, kind, due_at, priority, since, attempt, pool, cause, round)
    SELECT stream, item, step, kind, due_at, priority, since, attempt, pool, cause, 0 FROM unnest(%s::o2c.agenda_change[])
    ON CONFLICT DO NOTHING"""
"""Put rows on the agenda, leaving those that are there. Parameter: array of `agenda_row`."""

_OPEN_POOLS = """INSERT INTO o2c.pool (pool, key, available_at, detail, round) SELECT pool, key, available_at, detail, 0
    FROM unnest(%s::o2c.pool_change[]) ON CONFLICT DO NOTHING"""
"""Put pieces on offer, leaving those that are. Parameter: array of `pool_row`."""


def _open(conn: Connection, opened: Sequence[Open]) -> None:
    """Put the agenda entries and offers of streams in their tables; a stream that has gone on since wrote its own."""
    columns = (text_array(o.stream for o in opened), plain_array(o.version for o in opened))
    standing = {row["stream"] for row in conn.execute(_LOCK_HEADS, columns).fetchall()}
    still = [one for one in opened if one.stream in standing]
    conn.execute(_OPEN_AGENDA, (text_array(agenda_row(1, entry, cause) for one in still for entry, cause in one.agenda),))
    conn.execute(_OPEN_POOLS, (text_array(pool_row(1, change) for one in still for change in one.offers),))


_MARK = """INSERT INTO o2c.command (command_id, fingerprint, outcome, first_position, last_position) SELECT id, fingerprint, '{}', %s, %s
    FROM unnest(%s::uuid[], %s::text[]) AS m (id, fingerprint) ORDER BY id ON CONFLICT DO NOTHING"""
"""Write commands that have no event. Parameters: the position of the first event, twice, arrays of command ids and fingerprints."""


def _mark(conn: Connection, marks: Sequence[tuple[str, str]], base: int) -> None:
    if marks:
        conn.execute(_MARK, (base, base, *_columns(marks)))


def _chunks(opened: Sequence[Open]) -> Iterator[list[Open]]:
    rest = iter(opened)
    while chunk := list(islice(rest, CHUNK_ROWS)):
        yield chunk


_VERSIONS = "SELECT h.stream, h.version FROM unnest(%s::text[]) AS a (stream) JOIN o2c.head h USING (stream)"
"""The versions of those of some streams that the store has. Parameter: array of streams."""


def versions_here(conn: Connection, streams: Iterable[str]) -> dict[str, int]:
    """The versions of those of the streams that the store has."""
    return {row["stream"]: row["version"] for row in conn.execute(_VERSIONS, (text_array(streams),)).fetchall()}


_EVENT_IDS = """SELECT e.stream, e.version, e.event_id::text FROM unnest(%s::text[], %s::bigint[]) AS a (stream, version)
    JOIN o2c.event e USING (stream, version)"""
"""The ids of those events that the store has at some places. Parameters: arrays of streams and versions."""


def ids_here(conn: Connection, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The ids of the events at some places (stream, version)."""
    columns = (text_array(stream for stream, _ in places), plain_array(version for _, version in places))
    return {(row["stream"], row["version"]): row["event_id"] for row in conn.execute(_EVENT_IDS, columns).fetchall()}


_COMMAND_IDS = "SELECT command_id::text FROM o2c.command WHERE command_id = ANY(%s::uuid[])"
"""Those of some command ids that the store has. Parameter: array of command ids."""


def commands_here(conn: Connection, command_ids: Iterable[str]) -> set[str]:
    """Which of the command ids were used before."""
    return {row["command_id"] for row in conn.execute(_COMMAND_IDS, (plain_array(command_ids),)).fetchall()}


_HOLDERS = """SELECT kind, key, g.holder FROM unnest(%s::text[], %s::text[], %s::text[]) AS a (kind, key, wanted)
    JOIN o2c.guard g USING (kind, key)"""
"""The present holders of some guards. Parameters: arrays of kinds, keys and the holders wanted."""


def holders_here(conn: Connection, guards: Iterable[Guard]) -> Mapping[tuple[str, str], str]:
    """The present holder of each of the guards that is held, by kind and key."""
    wanted = list(guards)
    if not wanted:
        return {}
    rows = conn.execute(_HOLDERS, _columns(wanted)).fetchall()
    return {(row["kind"], row["key"]): row["holder"] for row in rows}
