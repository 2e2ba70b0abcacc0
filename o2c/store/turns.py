"""Work that one process at a time does for all, the first that comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from eventsourcing.postgres import PostgresDatastore

_TAKE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours"
"""Take the advisory lock of a name for this connection, or say at once that another holds it. Parameter: name."""

_GIVE_BACK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
"""Give the advisory lock of a name back. Parameter: name."""


@contextmanager
def turn(datastore: PostgresDatastore, name: str) -> Iterator[bool]:
    """Whether it is this process's turn to do `name`, for the length of the block; False, at once, while another process has the turn.

    A process that dies gives its turn back with its connection. No transaction is open, so no reader of the log is held up.
    """
    with datastore.get_connection() as conn:
        row = conn.execute(_TAKE, (name,)).fetchone()
        ours = bool(row and row["ours"])
        try:
            yield ours
        finally:
            # A connection that died gave the turn back already.
            if ours:
                with suppress(psycopg.OperationalError):
                    conn.execute(_GIVE_BACK, (name,))
