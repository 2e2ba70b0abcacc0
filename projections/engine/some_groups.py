"""Choosing some groups of a projection, and finding the streams of their events by an index, so that a check need not read the whole
log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import tuple_row

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.projection import Projection, reader_of
from projections.engine.seen import Mark, Seen, names_of

PROBE_EVENTS = 20
"""How many events are read at each random position. A sample is smaller than asked for when few of them belong to the projection."""

_BEFORE_LAST = "SELECT position - 1 AS before FROM o2c.event WHERE position <= %s ORDER BY position DESC OFFSET %s LIMIT 1"
"""The position before the last events up to a position. Parameters: that position, the number of events less one."""

_SOME_OF_TABLES = sql.SQL(
    "SELECT group_key FROM (SELECT group_key FROM {} UNION SELECT group_key FROM {}) AS known ORDER BY random() LIMIT %s"
)
"""Groups at random out of a projection's tables. Parts: the two tables. Parameter: how many."""

_SOME_POSITIONS = """SELECT (low + random() * (%s - low))::bigint AS at
FROM (SELECT min(position) - 1 AS low FROM o2c.event) l, generate_series(1, %s)"""
"""Random positions in the log. Parameters: the last position that is possible, how many."""

_STREAMS_OF_POSITIONS = "SELECT event_id::text AS id, stream FROM o2c.event WHERE position = ANY(%s::bigint[])"
"""The ids of some events, each with its stream. Parameter: their positions."""

_STREAMS_OF_ORDERS = b"SELECT DISTINCT stream FROM o2c.event WHERE order_id = ANY(%s::uuid[])"
"""All streams with an event that names one of some orders. Parameter: the orders' ids."""

_STREAMS_OF_EVENTS = b"SELECT DISTINCT stream FROM o2c.event WHERE event_id = ANY(%s::uuid[])"
"""The streams of some events. Parameter: the events' ids."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which groups to check: those of the last `recent` events, and `sample` groups at random. All groups when both are 0."""

    sample: int = 0
    recent: int = 0


ALL_GROUPS = Scope()


def groups_in_scope(conn: Connection, projection: Projection, upto: Mark, scope: Scope) -> list[str] | None:
    """The groups in scope, or None for all groups."""
    if scope == ALL_GROUPS:
        return None
    groups = dict.fromkeys(_recent(conn, projection, upto, scope.recent) if scope.recent else ())
    groups |= dict.fromkeys(_sample(conn, projection, upto, scope.sample) if scope.sample else ())
    return list(groups)


def _recent(conn: Connection, projection: Projection, upto: Mark, count: int) -> list[str]:
    first = conn.execute(_BEFORE_LAST, (upto.position, count - 1)).fetchone()
    at, reader, groups = (first["before"] if first else 0), reader_of([projection]), dict[str, None]()
    while at < upto.position:
        page, end = reader.page(conn, at, upto.position)
        groups |= dict.fromkeys(_groups(projection, page))
        at = (end or upto).position
    return list(groups)


def _sample(conn: Connection, projection: Projection, upto: Mark, count: int) -> list[str]:
    """Half of the groups from the tables, which shows rows that should not exist, and half from the log, which shows missing rows."""
    query = _SOME_OF_TABLES.format(tables.doc_table(projection), tables.table(projection))
    stored = [row["group_key"] for row in conn.execute(query, (count,)).fetchall()]
    half = math.ceil(count / 2)
    probes = conn.execute(_SOME_POSITIONS, (upto.position, half)).fetchall()
    reader = reader_of([projection])
    reader.size = PROBE_EVENTS
    pages = [reader.page(conn, probe["at"], upto.position)[0] for probe in probes]
    logged = list(dict.fromkeys(group for page in pages for group in _groups(projection, page)))
    return list(dict.fromkeys([*logged[:half], *stored]))[:count]


def _groups(projection: Projection, page: Sequence[Seen]) -> list[str]:
    names, of = names_of(projection.types), projection.group
    return [group for record in page if record.type in names and (group := of(record)) is not None]


def streams_of(conn: Connection, projection: Projection, groups: Sequence[str]) -> list[str]:
    """The streams that hold all events of the groups; they may hold events of others too.

    Raises Refused when `found_by` of the projection is None.
    """
    match projection.found_by:
        case "stream":
            return list(groups)
        case "order":
            return _streams(conn, _STREAMS_OF_ORDERS, _uuids(groups))
        case "event":
            return _streams_of_events(conn, projection, groups)
    raise Refused(f"projection {projection.name} does not say where the events of a group are; verify all of it, and rebuild it to mend it")


def _streams_of_events(conn: Connection, projection: Projection, groups: Sequence[str]) -> list[str]:
    """By the position in the document of each event. Where the event at that position is another one, the log is searched by id."""
    docs = tables.load_docs(conn, projection, groups)
    hints = [doc["position"] for doc in docs.values() if type(doc.get("position")) is int]
    rows = conn.execute(_STREAMS_OF_POSITIONS, (hints,)).fetchall()
    streams = {row["id"]: row["stream"] for row in rows}
    missing = _uuids([group for group in groups if group not in streams])
    return list({*streams.values(), *(_streams(conn, _STREAMS_OF_EVENTS, missing) if missing else ())})


def _streams(conn: Connection, query: bytes, keys: Sequence[str]) -> list[str]:
    rows: list[tuple[Any, ...]] = conn.cursor(row_factory=tuple_row).execute(query, (list(keys),)).fetchall()
    return [stream for (stream,) in rows]


def _uuids(groups: Sequence[str]) -> list[str]:
    """The groups that are ids. A group that is none has no events."""
    ids = []
    for group in groups:
        try:
            ids.append(str(UUID(group)))
        except ValueError:
            continue
    return ids
