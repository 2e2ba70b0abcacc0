"""Work that one process at a time does for all, the first that comes.

A turn is an advisory lock, and an advisory lock is anybody's who may connect. So a login that has no right to the work is no reason to leave it:
the work goes on without the lock, which keeps two from doing the same and guards nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import structlog
from eventsourcing.postgres import PostgresDatastore

logger = structlog.get_logger(__name__)

TAKE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours"
"""Take the advisory lock of a name for this connection, or say at once that another holds it. Parameter: name."""

_GIVE_BACK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
"""Give the advisory lock of a name back. Parameter: name."""

_HOLDER = """SELECT 'process ' || a.pid || ' of ' || coalesce(a.usename, '?') AS holder, has_table_privilege(a.usesysid, %s, 'UPDATE') AS entitled
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(%s, 0)
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
"""Who holds the advisory lock of a name, and whether that login may write a table. Parameters: the table, the name."""


def holder(conn: psycopg.Connection[dict[str, Any]], name: str, writes: str) -> tuple[str, bool] | None:
    """The process and login that hold the advisory lock `name`, and whether it may write the table `writes`; None when nobody holds it."""
    row = conn.execute(_HOLDER, (writes, name)).fetchone()
    return (row["holder"], row["entitled"]) if row else None


def taken(conn: psycopg.Connection[dict[str, Any]], name: str, writes: str) -> bool:
    """Take the advisory lock `name` for this connection; whether the work is ours to do.

    It is so too where a login holds the lock that may not write the table `writes`: that one does not do the work. A line in the log names it.
    """
    row = conn.execute(TAKE, (name,)).fetchone()
    if row and row["ours"]:
        return True
    found = holder(conn, name, writes)
    if found is None or found[1]:
        return False
    logger.warning(
        "turn_held_by_stranger", turn=name, held_by=found[0], hint="it may not do this work; this process goes on without the lock"
    )
    return True


@contextmanager
def turn(datastore: PostgresDatastore, name: str) -> Iterator[bool]:
    """Whether it is this process's turn to do `name`, for the length of the block; False, at once, while another process has the turn.

    A process that dies gives its turn back with its connection. No transaction is open, so no reader of the log is held up.
    """
    with datastore.get_connection() as conn:
        ours = taken(conn, name, "o2c.policy_checkpoint")
        try:
            yield ours
        finally:
            # A connection that died gave the turn back already.
            if ours:
                with suppress(psycopg.OperationalError):
                    conn.execute(_GIVE_BACK, (name,))
