"""Exchanging the tables of a projection, together with their checkpoint and parked events. An exchange never holds readers up for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.fold import WaitingEvents
from projections.engine.history import By, note
from projections.engine.parked import park
from projections.engine.projection import Projection
from projections.engine.seen import Mark

LOCK_TIMEOUT_MS = 50
"""How long an exchange waits for a reader to finish; new readers queue behind it for that long."""

_KEEP = """
INSERT INTO projection.kept (name, position, event_id, shape_version, parked)
SELECT name, position, event_id, shape_version,
    (SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') FROM projection.parked p WHERE p.name = c.name)
FROM projection.checkpoint c WHERE name = %(name)s
ON CONFLICT (name) DO UPDATE SET position = excluded.position, event_id = excluded.event_id, shape_version = excluded.shape_version,
    parked = excluded.parked, kept_at = excluded.kept_at"""
"""Notes the checkpoint and the parked events of the tables that are about to be kept. Parameter: `name`, the projection."""

_MOVE = """
UPDATE projection.checkpoint SET position = %s, event_id = %s, shape_version = %s, generation = generation + 1, swapped_at = clock_timestamp()
WHERE name = %s"""
"""Moves a checkpoint to the mark of the exchanged tables. Parameters: the position, the event's id, the shape, the projection."""

_KEPT = """
SELECT position, event_id::text, shape_version, parked, to_regclass(%s) IS NOT NULL AS exists,
    EXISTS (SELECT FROM projection.skipped s WHERE s.name = k.name AND s.skipped_at > k.kept_at) AS skipped_since
FROM projection.kept k WHERE name = %s"""
"""The mark of the kept tables, their parked events, whether they exist, and whether events were skipped since.

Parameters: the kept table, the projection.
"""

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
class RollbackResult:
    """The position and shape of the tables that are in place again. The tables that they replaced are kept now."""

    name: str
    position: int
    shape_version: int


@contextmanager
def exchanging(conn: Connection, projection: Projection) -> Iterator[Mark]:
    """A transaction that holds the checkpoint, and the mark of the tables in place.

    Raises LockNotAvailable when others hold what it needs.
    """
    with conn.transaction():
        conn.execute(_LOCK_TIMEOUT.format(sql.Literal(f"{LOCK_TIMEOUT_MS}ms")))
        conn.execute(_QUIET)
        row = conn.execute(_HOLD, (projection.name,)).fetchone()
        if row is None:
            raise Refused(f"projection {projection.name} has no checkpoint any more; catch up first", kind="conflict")
        yield Mark(row["position"], row["event_id"])


def put_in_place(conn: Connection, projection: Projection, at: Mark, waiting: WaitingEvents, by: By) -> None:
    """Replace the tables in place by the shadow, which is folded up to `at`, and keep them. Call it within `exchanging`."""
    conn.execute(_KEEP.encode(), {"name": projection.name})
    tables.exchange(conn, projection, "_new")
    conn.execute(_FORGET_PARKED, (projection.name,))
    park(conn, projection, waiting)
    note(conn, projection, "rebuilt", by, position=at.position, to_shape=projection.shape_version)
    conn.execute(_MOVE.encode(), (*at, projection.shape_version, projection.name))


def put_back(conn: Connection, projection: Projection, by: By) -> RollbackResult:
    """Swap the kept tables with those in place.

    Raises Refused: missing when none are kept, conflict when they no longer fit, unavailable when readers hold the tables.
    """
    try:
        with exchanging(conn, projection):
            kept = conn.execute(_KEPT.encode(), (f'projection."{projection.name}_old"', projection.name)).fetchone()
            if kept is None or not kept["exists"]:
                raise Refused(f"nothing is kept of projection {projection.name} to go back to; rebuild it", kind="missing")
            if kept["shape_version"] != projection.shape_version:
                raise Refused(
                    f"the kept tables of projection {projection.name} have shape {kept['shape_version']}, this program"
                    f" {projection.shape_version}; go back with the program that made them",
                    kind="conflict",
                )
            if kept["skipped_since"]:
                raise Refused(f"events of projection {projection.name} were set aside since; rebuild it instead", kind="conflict")
            conn.execute(_KEEP.encode(), {"name": projection.name})
            tables.exchange(conn, projection, "_gone")
            conn.execute(_FORGET_PARKED, (projection.name,))
            conn.execute(_PARK_AGAIN, (Jsonb(kept["parked"]),))
            note(conn, projection, "rolled back", by, position=kept["position"], to_shape=kept["shape_version"])
            conn.execute(_MOVE.encode(), (kept["position"], kept["event_id"], kept["shape_version"], projection.name))
    except errors.LockNotAvailable:
        raise Refused(f"readers do not let go of projection {projection.name}; end them, or try again", kind="unavailable") from None
    return RollbackResult(projection.name, kept["position"], kept["shape_version"])


def refuse_foreign_views(conn: Connection, projection: Projection) -> None:
    """Raises Refused (conflict) when a view of others reads the kept tables: a rebuild drops those tables."""
    row = conn.execute(
        _VIEW_ON_KEPT,
        ([f"{projection.name}{suffix}{kind}" for suffix in ("_old", "_gone") for kind in ("", "_doc")],),
    ).fetchone()
    if row:
        message = f"a view still reads projection.{row['read']}; drop it or make it read projection.{projection.name}"
        raise Refused(message, kind="conflict")
