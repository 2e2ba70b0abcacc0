"""A history written by COPY: batches, each one transaction with all that append() would have written beside its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import psycopg

from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Guard
from o2c.store.commands import PoolChange, agenda_row, plain_array, pool_row, text_array

Connection = psycopg.Connection[dict[str, Any]]
EVENTS_MAX = 65_536
"""Positions a transaction has."""
CHUNK_ROWS = 10_000
_COLUMNS = """stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, causation, order_id, customer_id,
    body, personal"""


class Elsewhere(Exception):
    """Something of a batch is in the store already, or came into it meanwhile: a stream, a command id, a guard that another holds."""


class Born(NamedTuple):
    """A stream the batch begins: the version it leaves, and the ordinal (from 0) of its last event in the batch."""

    stream: str
    version: int
    last: int


class Moved(NamedTuple):
    """A stream an earlier batch began, from the version that left to the version this one leaves."""

    stream: str
    known: int
    version: int
    last: int


Once = tuple[str, str, int, int]
"""A command: id, fingerprint, and the ordinals of its first and last event. A bare tuple: there is one for almost every event."""


@dataclass(frozen=True, slots=True)
class Open:
    """What a stream at a version waits for and has on offer; an agenda entry stands with the id of the event it indexes."""

    stream: str
    version: int
    agenda: tuple[tuple[Entry, str], ...] = ()
    offers: tuple[PoolChange, ...] = ()


@dataclass(slots=True)
class Batch:
    """What one transaction writes. `events` are rows of COPY text without their position.

    For the last batch only: `opened`, and `marks`, commands (id, fingerprint) that did something without an event."""

    events: list[str] = field(default_factory=list)
    commands: list[Once] = field(default_factory=list)
    born: list[Born] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    frees: list[Guard] = field(default_factory=list)
    takes: list[Guard] = field(default_factory=list)
    withdrawn: list[tuple[str, str]] = field(default_factory=list)
    opened: list[Open] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)


def owned(conn: Connection) -> bool:
    """Whether this login may import: only who owns the store may copy into the log."""
    row = conn.execute(
        "SELECT has_function_privilege('o2c.begin_import(integer)', 'EXECUTE') AND has_table_privilege('o2c.event', 'INSERT') AS may"
    ).fetchone()
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


def write(conn: Connection, batch: Batch) -> int:
    """Write a batch whole or not at all; the position of its first event. Raises Elsewhere."""
    try:
        with conn.transaction():
            [row] = conn.execute("SELECT o2c.begin_import(%s) AS base", (len(batch.events),)).fetchall()
            base: int = row["base"]
            # In the order of append(): commands, heads, guards, events. Sorted, so that two who write the same wait and never deadlock.
            _copy(conn, "command (command_id, fingerprint, outcome, first_position, last_position)",
                  [f"{key}\t{_text(told)}\t{{}}\t{base + first}\t{base + last}\n" for key, told, first, last in sorted(batch.commands)])  # fmt: skip
            # No state: whoever loads the stream first folds it. Shape 0 says so.
            _copy(conn, "head (stream, version, last_position, shape)",
                  [f"{_text(h.stream)}\t{h.version}\t{base + h.last}\t0\n" for h in sorted(batch.born)])  # fmt: skip
            _move(conn, batch.moved, base)
            _guard(conn, batch, base)
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


def _move(conn: Connection, moved: Sequence[Moved], base: int) -> None:
    """Streams go on, and what their events called for before is called for no more."""
    if not moved:
        return
    columns = (text_array(m.stream for m in moved), *(plain_array(m[n] for m in moved) for n in (1, 2, 3)))
    done = conn.execute(
        """UPDATE o2c.head h SET version = m.version, last_position = %s + m.last
            FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS m (stream, known, version, last)
            WHERE h.stream = m.stream AND h.version = m.known AND h.last_position < %s""",
        (base, *columns, base),
    )
    if done.rowcount != len(moved):
        raise Elsewhere("a stream moved on")
    conn.execute("DELETE FROM o2c.agenda WHERE stream = ANY(%s::text[])", (columns[0],))


def _guard(conn: Connection, batch: Batch, base: int) -> None:
    if batch.frees:
        conn.execute(
            """DELETE FROM o2c.guard g USING unnest(%s::text[], %s::text[], %s::text[]) AS f (kind, key, holder)
                WHERE g.kind = f.kind AND g.key = f.key AND g.holder = f.holder""",
            _columns(batch.frees),
        )
    if batch.takes:
        columns = _columns(sorted(batch.takes))
        conn.execute(
            """INSERT INTO o2c.guard (kind, key, holder, position) SELECT kind, key, holder, %s
                FROM unnest(%s::text[], %s::text[], %s::text[]) AS t (kind, key, holder) ON CONFLICT DO NOTHING""",
            (base, *columns),
        )
        [row] = conn.execute(
            """SELECT count(*) AS n FROM unnest(%s::text[], %s::text[], %s::text[]) AS t (kind, key, holder)
                JOIN o2c.guard g USING (kind, key, holder)""",
            columns,
        ).fetchall()
        if row["n"] != len(batch.takes):
            raise Elsewhere("a guard is held")


def _columns(rows: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(text_array(column) for column in zip(*rows, strict=True))


def _withdraw(conn: Connection, withdrawn: Sequence[tuple[str, str]]) -> None:
    """Pieces that an earlier import put on offer and this one takes."""
    if withdrawn:
        conn.execute(
            "DELETE FROM o2c.pool p USING unnest(%s::text[], %s::text[]) AS w (pool, key) WHERE p.pool = w.pool AND p.key = w.key",
            _columns(withdrawn),
        )


def _open(conn: Connection, opened: Sequence[Open]) -> None:
    """Put what streams wait for on the agenda and what they offer in the pools; a stream that went on by itself has its own rows."""
    columns = (text_array(o.stream for o in opened), plain_array(o.version for o in opened))
    rows = conn.execute(
        """SELECT h.stream FROM unnest(%s::text[], %s::bigint[]) AS o (stream, version) JOIN o2c.head h ON h.stream = o.stream
            AND h.version = o.version FOR UPDATE OF h""",
        columns,
    ).fetchall()
    standing = {row["stream"] for row in rows}
    still = [one for one in opened if one.stream in standing]
    entries = text_array(agenda_row(1, entry, cause) for one in still for entry, cause in one.agenda)
    # Round 0: the next pass of whatever clock this store has sees them.
    conn.execute(
        """INSERT INTO o2c.agenda (stream, item, step, kind, due_at, priority, since, attempt, pool, cause, round)
            SELECT stream, item, step, kind, due_at, priority, since, attempt, pool, cause, 0 FROM unnest(%s::o2c.agenda_change[])
            ON CONFLICT DO NOTHING""",
        (entries,),
    )
    pieces = text_array(pool_row(1, change) for one in still for change in one.offers)
    conn.execute(
        """INSERT INTO o2c.pool (pool, key, available_at, detail, round) SELECT pool, key, available_at, detail, 0
            FROM unnest(%s::o2c.pool_change[]) ON CONFLICT DO NOTHING""",
        (pieces,),
    )


def _mark(conn: Connection, marks: Sequence[tuple[str, str]], base: int) -> None:
    if marks:
        conn.execute(
            """INSERT INTO o2c.command (command_id, fingerprint, outcome, first_position, last_position) SELECT id, fingerprint, '{}', %s, %s
                FROM unnest(%s::uuid[], %s::text[]) AS m (id, fingerprint) ORDER BY id ON CONFLICT DO NOTHING""",
            (base, base, *_columns(marks)),
        )


def _chunks(opened: Sequence[Open]) -> Iterator[list[Open]]:
    rest = iter(opened)
    while chunk := list(islice(rest, CHUNK_ROWS)):
        yield chunk


# -- what is here already


def versions_here(conn: Connection, streams: Iterable[str]) -> dict[str, int]:
    """The versions of those of the streams that the store has."""
    asked = text_array(streams)
    return {
        row["stream"]: row["version"]
        for row in conn.execute(
            "SELECT h.stream, h.version FROM unnest(%s::text[]) AS a (stream) JOIN o2c.head h USING (stream)", (asked,)
        ).fetchall()
    }


def ids_here(conn: Connection, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The ids of the events at some places (stream, version)."""
    columns = (text_array(stream for stream, _ in places), plain_array(version for _, version in places))
    rows = conn.execute(
        """SELECT e.stream, e.version, e.event_id::text FROM unnest(%s::text[], %s::bigint[]) AS a (stream, version)
            JOIN o2c.event e USING (stream, version)""",
        columns,
    ).fetchall()
    return {(row["stream"], row["version"]): row["event_id"] for row in rows}


def commands_here(conn: Connection, command_ids: Iterable[str]) -> set[str]:
    """Which of the command ids were used before."""
    rows = conn.execute(
        "SELECT command_id::text FROM o2c.command WHERE command_id = ANY(%s::uuid[])", (plain_array(command_ids),)
    ).fetchall()
    return {row["command_id"] for row in rows}


def holders_here(conn: Connection, guards: Iterable[Guard]) -> Mapping[tuple[str, str], str]:
    """Who holds which of the guards."""
    found = list(guards)
    if not found:
        return {}
    rows = conn.execute(
        "SELECT kind, key, g.holder FROM unnest(%s::text[], %s::text[], %s::text[]) AS a (kind, key, wanted) JOIN o2c.guard g USING (kind, key)",
        _columns(found),
    ).fetchall()
    return {(row["kind"], row["key"]): row["holder"] for row in rows}
