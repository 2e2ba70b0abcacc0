"""What one process at a time need do, whoever comes first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from eventsourcing.postgres import PostgresDatastore


@contextmanager
def turn(datastore: PostgresDatastore, name: str) -> Iterator[bool]:
    """Whether it is ours to do `name` for the length of the block; False, at once, while another process does it.

    A process that dies gives its turn back with its connection. No transaction is open, so no reader of the log is held up.
    """
    with datastore.get_connection() as conn:
        row = conn.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours", (name,)).fetchone()
        ours = bool(row and row["ours"])
        try:
            yield ours
        finally:
            # A connection that died gave the turn back already.
            if ours:
                with suppress(psycopg.OperationalError):
                    conn.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (name,))
