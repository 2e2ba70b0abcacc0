"""What holds the horizon back: every transaction with an id, in any database of the server, keeps readers of the log behind it."""

from __future__ import annotations

from typing import Any

import psycopg

UNSEEN = "a transaction that this role may not see"
SEES = "pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
"""An SQL condition: whether this role sees the transactions of other roles. A role that does not sees none of them, even if there are
some."""

HOLDERS = """SELECT 'process ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '') AS holder,
        ' of ' || coalesce(usename, '?') || ', ' || coalesce(state, '?') AS detail, age(backend_xid) AS age,
        extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds, 'SELECT pg_terminate_backend(' || pid || ')' AS cure
    FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
    UNION ALL SELECT 'prepared transaction ' || gid, '', age(transaction), extract(epoch FROM clock_timestamp() - prepared)::float8,
        'ROLLBACK PREPARED ' || quote_literal(gid) || ' in database ' || database FROM pg_prepared_xacts"""
"""Every transaction with an id that this role sees: its name, its user and state, its age in transactions and seconds, and a statement to
end it."""

_LONGEST = f"SELECT * FROM ({HOLDERS}) AS h WHERE seconds >= %s ORDER BY age DESC"
"""The rows of `HOLDERS` that have been open for some time, the oldest first. Parameter: seconds."""

_HELD = f"SELECT EXISTS (SELECT FROM o2c.event WHERE position >= o2c.horizon()) AS held, {SEES} AS sees"
"""Whether some committed events are not readable yet, and whether this role would see the transaction that holds them back."""


def holders(conn: psycopg.Connection[dict[str, Any]], older_than_s: float = 0) -> list[dict[str, Any]]:
    """The transactions of `HOLDERS` that have been open for at least `older_than_s`, the oldest (which holds back most) first."""
    return conn.execute(_LONGEST.encode(), (older_than_s,)).fetchall()


def holder(conn: psycopg.Connection[dict[str, Any]], older_than_s: float = 0) -> str | None:
    """The oldest transaction with an id, as text with its process; None when this role sees none open for at least `older_than_s`."""
    return next((str(row["holder"]) for row in holders(conn, older_than_s)), None)


def blocker(conn: psycopg.Connection[dict[str, Any]], older_than_s: float) -> str | None:
    """The transaction that keeps readers from committed events, if one has been open for at least `older_than_s`; else None.

    `UNSEEN` when events are held back and this role may not see the transactions of others.
    """
    row = conn.execute(_HELD.encode()).fetchone()
    if not row or not row["held"]:
        return None
    return holder(conn, older_than_s) or (None if row["sees"] else UNSEEN)
