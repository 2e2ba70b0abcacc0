"""Who holds the horizon back: every transaction with an id, in any database of the server, keeps readers of the log behind it."""

from __future__ import annotations

from typing import Any

import psycopg

UNSEEN = "a transaction that this role may not see"
_HOLDER = b"""
SELECT 'process ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '') AS holder, age(backend_xid) AS age
FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND xact_start <= clock_timestamp() - make_interval(secs => %(s)s)
UNION ALL SELECT 'prepared transaction ' || gid, age(transaction) FROM pg_prepared_xacts
WHERE prepared <= clock_timestamp() - make_interval(secs => %(s)s) ORDER BY age DESC LIMIT 1"""
_HELD = """SELECT EXISTS (SELECT FROM o2c.event WHERE position >= o2c.horizon()) AS held,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees"""


def holder(conn: psycopg.Connection[dict[str, Any]], older_than_s: float = 0) -> str | None:
    """The oldest transaction with an id, named with its process; None when this role sees none that has been open so long."""
    row = conn.execute(_HOLDER, {"s": older_than_s}).fetchone()
    return str(row["holder"]) if row else None


def blocker(conn: psycopg.Connection[dict[str, Any]], older_than_s: float) -> str | None:
    """Who keeps readers from events that are committed already, if a transaction has done so for longer than an append takes; None: nobody."""
    row = conn.execute(_HELD).fetchone()
    if not row or not row["held"]:
        return None
    return holder(conn, older_than_s) or (None if row["sees"] else UNSEEN)
