"""The checks of the log as evidence: that every event is still the row its own transaction wrote, and every command has its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from o2c.checks.log import Connection
from o2c.checks.server import Answer, CannotTell, Question

SHOWN_MAX = 3

# A position holds the number of the transaction that wrote it, and PostgreSQL keeps that number with the row (xmin, 32 bits of it). A row that
# was changed, or put in by hand, bears the number of whoever did that. Rows of a life in another cluster came by a dump, all in one transaction.
_WRITERS = """WITH life AS (
        SELECT position_offset, fork_position, lead(fork_position) OVER (ORDER BY id) AS upto,
            system_identifier <> (SELECT system_identifier::text FROM pg_control_system()) AS elsewhere FROM o2c.incarnation),
    told AS (
        SELECT e.position, e.stream, e.version, l.elsewhere, e.xmin::text::bigint AS wrote,
            ((e.position >> 16) - l.position_offset) & 4294967295 AS gave
        FROM o2c.event e LEFT JOIN life l ON e.position > l.fork_position AND (l.upto IS NULL OR e.position <= l.upto))
    SELECT coalesce(elsewhere, false) AS elsewhere, wrote, count(*) AS n, max(position) AS last,
        (array_agg(stream || ' version ' || version ORDER BY position))[1] AS first
    FROM told WHERE gave IS DISTINCT FROM wrote GROUP BY 1, 2 ORDER BY n DESC, wrote LIMIT 1000"""


def _unchanged(conn: Connection) -> Answer:
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = conn.execute(_WRITERS.encode()).fetchall()
        restored = next((row for row in found if row["elsewhere"]), None)
        changed = [row for row in found if row is not restored]
        total = _count(conn, 2**63 - 1)
        if len(changed) == 1 and changed[0]["n"] > 1 and changed[0]["n"] == _count(conn, changed[0]["last"]):
            raise CannotTell(
                f"one transaction wrote all {changed[0]['n']:,} events up to position {changed[0]['last']}: a restore into the same cluster,"
                " or a change to the whole log; compare with a backup if you know of no restore"
            )
    if not changed:
        came = f", {restored['n']:,} of them by the dump that began this life" if restored else ""
        return True, f"{total:,} events{came}"
    more = f" and {len(changed) - SHOWN_MAX} more transactions" if len(changed) > SHOWN_MAX else ""
    return False, f"{_told(changed[:SHOWN_MAX])}{more}; compare with a backup"


def _told(changed: Sequence[dict[str, Any]]) -> str:
    return "; ".join(f"transaction {row['wrote']} changed or put in {row['n']} events by hand, first {row['first']}" for row in changed)


def _count(conn: Connection, upto: int) -> int:
    row = conn.execute("SELECT count(*) AS n FROM o2c.event WHERE position <= %s", (upto,)).fetchone()
    return int(row["n"]) if row else 0


_STRAY = """SELECT e.stream || ' version ' || e.version || ' has no command' AS flaw
    FROM o2c.event e LEFT JOIN o2c.command c ON c.command_id = e.command_id AND e.position BETWEEN c.first_position AND c.last_position
    WHERE c.command_id IS NULL
    UNION ALL SELECT 'command ' || c.command_id || ' has lost events' FROM o2c.command c
    CROSS JOIN LATERAL (VALUES (c.first_position), (c.last_position)) AS p (position)
    LEFT JOIN o2c.event e ON e.position = p.position AND e.command_id = c.command_id
    WHERE c.last_position > c.first_position AND e.position IS NULL"""


def _commands(conn: Connection) -> Answer:
    """A command of a single event that was taken out with its stream leaves no trace here; seals over the log would tell."""
    rows = conn.execute(f"SELECT flaw, count(*) OVER () AS n FROM ({_STRAY}) AS f ORDER BY flaw LIMIT {SHOWN_MAX}".encode()).fetchall()
    if rows:
        more = f" and {rows[0]['n'] - len(rows):,} more" if rows[0]["n"] > len(rows) else ""
        return False, "; ".join(row["flaw"] for row in rows) + more
    row = conn.execute("SELECT count(*) AS n FROM o2c.command").fetchone()
    return True, f"{row['n'] if row else 0:,} commands"


_INVOICES = """SELECT coalesce(e.stream, 'invoice-' || g.key) || CASE WHEN g.key IS NULL THEN ' has no guard of its number'
        ELSE ' has a guard and was never issued' END AS flaw
    FROM (SELECT stream FROM o2c.event WHERE type = 'invoice.issued') e
    FULL JOIN (SELECT key FROM o2c.guard WHERE kind = 'invoice') g ON e.stream = 'invoice-' || g.key
    WHERE e.stream IS NULL OR g.key IS NULL ORDER BY 1"""


def _invoices(conn: Connection) -> Answer:
    flaws = [row["flaw"] for row in conn.execute(_INVOICES.encode()).fetchall()]
    row = conn.execute("SELECT count(*) AS n FROM o2c.guard WHERE kind = 'invoice'").fetchone()
    more = f" and {len(flaws) - SHOWN_MAX} more" if len(flaws) > SHOWN_MAX else ""
    return not flaws, "; ".join(flaws[:SHOWN_MAX]) + more if flaws else f"{row['n'] if row else 0:,} invoice numbers"


ABOUT_EVIDENCE: dict[str, Question] = {
    "events are as their transactions wrote them": _unchanged,
    "every command has its events": _commands,
    "invoice numbers are guarded": _invoices,
}
