"""Exchanging the tables of a projection, each time with their checkpoint and what is parked, under a lock that nobody waits long for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from o2c.kernel.refusal import Refused
from projections.engine import tables
from projections.engine.fill import Parked
from projections.engine.history import By, note
from projections.engine.parked import park
from projections.engine.projection import Projection
from projections.engine.seen import Connection, Mark

LOCK_TIMEOUT_MS = 50
"""How long readers may have to queue behind an exchange that itself waits for a reader."""

_KEEP = """
INSERT INTO projection.kept (name, position, event_id, shape_version, parked)
SELECT name, position, event_id, shape_version,
    (SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') FROM projection.parked p WHERE p.name = c.name)
FROM projection.checkpoint c WHERE name = %(name)s
ON CONFLICT (name) DO UPDATE SET position = excluded.position, event_id = excluded.event_id, shape_version = excluded.shape_version,
    parked = excluded.parked, kept_at = excluded.kept_at"""
"""Notes where the tables stand that are about to be kept, and what is parked. Parameter: `name`, the projection."""

_MOVE = """
UPDATE projection.checkpoint SET position = %s, event_id = %s, shape_version = %s, generation = generation + 1, swapped_at = clock_timestamp()
WHERE name = %s"""
"""Moves a checkpoint to where the exchanged tables stand. Parameters: the position, the event's id, the shape, the projection."""

_STOOD = """
SELECT position, event_id::text, shape_version, parked, to_regclass(%s) IS NOT NULL AS there,
    EXISTS (SELECT FROM projection.skipped s WHERE s.name = k.name AND s.skipped_at > k.kept_at) AS decided
FROM projection.kept k WHERE name = %s"""
"""Where the kept tables stood, whether they are there, and whether events were skipped since. Parameters: the kept table, the projection."""

_LOCK_TIMEOUT = sql.SQL("SET LOCAL lock_timeout = {}")
"""Lets the statements of the transaction wait no longer than that for a lock. Part: how long."""

_QUIET = "SET LOCAL client_min_messages = warning"
"""Keeps notices away until the end of the transaction. No parameters."""

_HOLD = "SELECT position, event_id::text FROM projection.checkpoint WHERE name = %s FOR UPDATE"
"""The mark of a checkpoint, which nobody may move until the end of the transaction. Parameter: the projection."""

_FORGET_PARKED = "DELETE FROM projection.parked WHERE name = %s"
"""Empties the list of a projection's parked events. Parameter: the projection."""

_PARK_AGAIN = "INSERT INTO projection.parked SELECT * FROM jsonb_populate_recordset(NULL::projection.parked, %s)"
"""Puts events back into the list of parked ones. Parameter: the lines of the list as they were kept."""

_VIEW_ON_KEPT = """SELECT t.relname AS read FROM pg_class t JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
AND d.classid = 'pg_rewrite'::regclass WHERE t.relnamespace = 'projection'::regnamespace AND t.relname = ANY(%s) LIMIT 1"""
"""One of some tables that a view reads. Parameter: the tables' names."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The tables that are in place again: how far they had folded the log; what they replaced is kept in turn."""

    name: str
    position: int
    shape_version: int


@contextmanager
def exchanging(conn: Connection, projection: Projection) -> Iterator[Mark]:
    """A transaction that holds the checkpoint: where the tables in place stand. Raises LockNotAvailable when others hold what it needs."""
    with conn.transaction():
        conn.execute(_LOCK_TIMEOUT.format(sql.Literal(f"{LOCK_TIMEOUT_MS}ms")))
        conn.execute(_QUIET)
        row = conn.execute(_HOLD, (projection.name,)).fetchone()
        if row is None:
            raise Refused(f"projection {projection.name} has no checkpoint any more; catch up first", kind="conflict")
        yield Mark(row["position"], row["event_id"])


def put_in_place(conn: Connection, projection: Projection, at: Mark, waiting: Parked, by: By) -> None:
    """Let the shadow, folded up to `at`, replace the tables in place, and keep those. Within `exchanging`."""
    conn.execute(_KEEP.encode(), {"name": projection.name})
    tables.exchange(conn, projection, "_new")
    conn.execute(_FORGET_PARKED, (projection.name,))
    park(conn, projection, waiting)
    note(conn, projection, "rebuilt", by, position=at.position, to_shape=projection.shape_version)
    conn.execute(_MOVE.encode(), (*at, projection.shape_version, projection.name))


def put_back(conn: Connection, projection: Projection, by: By) -> RolledBack:
    """Let the kept tables and those in place change places. Raises Refused: missing when none are kept, conflict when they do not fit any more."""
    try:
        with exchanging(conn, projection):
            back = conn.execute(_STOOD.encode(), (f'projection."{projection.name}_old"', projection.name)).fetchone()
            if back is None or not back["there"]:
                raise Refused(f"nothing is kept of projection {projection.name} to go back to; rebuild it", kind="missing")
            if back["shape_version"] != projection.shape_version:
                raise Refused(
                    f"the kept tables of projection {projection.name} have shape {back['shape_version']}, this program"
                    f" {projection.shape_version}; go back with the program that made them",
                    kind="conflict",
                )
            if back["decided"]:
                raise Refused(f"events of projection {projection.name} were set aside since; rebuild it instead", kind="conflict")
            conn.execute(_KEEP.encode(), {"name": projection.name})
            tables.exchange(conn, projection, "_gone")
            conn.execute(_FORGET_PARKED, (projection.name,))
            conn.execute(_PARK_AGAIN, (Jsonb(back["parked"]),))
            note(conn, projection, "rolled back", by, position=back["position"], to_shape=back["shape_version"])
            conn.execute(_MOVE.encode(), (back["position"], back["event_id"], back["shape_version"], projection.name))
    except errors.LockNotAvailable:
        raise Refused(f"readers do not let go of projection {projection.name}; end them, or try again", kind="unavailable") from None
    return RolledBack(projection.name, back["position"], back["shape_version"])


def refuse_foreign_views(conn: Connection, projection: Projection) -> None:
    """Raises Refused (conflict) when somebody else's view reads the kept tables: a rebuild drops those."""
    row = conn.execute(
        _VIEW_ON_KEPT,
        ([f"{projection.name}{suffix}{kind}" for suffix in ("_old", "_gone") for kind in ("", "_doc")],),
    ).fetchone()
    if row:
        message = f"a view still reads projection.{row['read']}; drop it or make it read projection.{projection.name}"
        raise Refused(message, kind="conflict")
