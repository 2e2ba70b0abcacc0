"""The checks of the log as evidence: every event is still the row that its own transaction wrote, and every command has its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from o2c.checks.server import Answer, CannotTell, Question
from o2c.store.connection import Connection
from o2c.store.queries import ONE_SNAPSHOT

SHOWN_MAX = 3

# A position holds the number of the transaction that wrote it, and PostgreSQL keeps that number with the row (xmin, 32 bits of it). A row
# that was changed, or put in by hand, bears the number of that transaction instead. Rows of a life in another cluster came by a dump, in
# one transaction.
_WRITERS = """WITH life AS (
        SELECT position_offset, fork_position, lead(fork_position) OVER (ORDER BY id) AS upto,
            system_identifier <> (SELECT system_identifier::text FROM pg_control_system()) AS elsewhere FROM o2c.incarnation),
    numbered AS (
        SELECT e.position, e.stream, e.version, l.elsewhere, e.xmin::text::bigint AS wrote,
            ((e.position >> 16) - l.position_offset) & 4294967295 AS gave
        FROM o2c.event e LEFT JOIN life l ON e.position > l.fork_position AND (l.upto IS NULL OR e.position <= l.upto))
    SELECT coalesce(elsewhere, false) AS elsewhere, wrote, count(*) AS n, max(position) AS last,
        (array_agg(stream || ' version ' || version ORDER BY position))[1] AS first
    FROM numbered WHERE gave IS DISTINCT FROM wrote GROUP BY 1, 2 ORDER BY n DESC, wrote LIMIT 1000"""
"""The transactions that wrote event rows whose position says another transaction: how many rows, the last position, the first event.

`elsewhere` says whether the rows are of a life in another cluster.
"""

_EVENT_COUNT = "SELECT count(*) AS n FROM o2c.event WHERE position <= %s"
"""How many events there are up to a position. Parameter: that position."""

_COMMAND_COUNT = "SELECT count(*) AS n FROM o2c.command"
"""How many commands were written."""

_INVOICE_GUARD_COUNT = "SELECT count(*) AS n FROM o2c.guard WHERE kind = 'invoice'"
"""How many invoice numbers are guarded."""


def _unchanged(conn: Connection) -> Answer:
    with conn.transaction():
        conn.execute(ONE_SNAPSHOT)
        rows = conn.execute(_WRITERS.encode()).fetchall()
        restored = next((row for row in rows if row["elsewhere"]), None)
        changed = [row for row in rows if row is not restored]
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
    return False, f"{_listed(changed[:SHOWN_MAX])}{more}; compare with a backup"


def _listed(changed: Sequence[dict[str, Any]]) -> str:
    return "; ".join(f"transaction {row['wrote']} changed or put in {row['n']} events by hand, first {row['first']}" for row in changed)


def _count(conn: Connection, upto: int) -> int:
    row = conn.execute(_EVENT_COUNT, (upto,)).fetchone()
    return int(row["n"]) if row else 0


_STRAY = """SELECT e.stream || ' version ' || e.version || ' has no command' AS flaw
    FROM o2c.event e LEFT JOIN o2c.command c ON c.command_id = e.command_id AND e.position BETWEEN c.first_position AND c.last_position
    WHERE c.command_id IS NULL
    UNION ALL SELECT 'command ' || c.command_id || ' has lost events' FROM o2c.command c
    CROSS JOIN LATERAL (VALUES (c.first_position), (c.last_position)) AS p (position)
    LEFT JOIN o2c.event e ON e.position = p.position AND e.command_id = c.command_id
    WHERE c.last_position > c.first_position AND e.position IS NULL"""
"""Events without the command that wrote them, and commands without their first or last event, each as a sentence."""

_FIRST_STRAY = f"SELECT flaw, count(*) OVER () AS n FROM ({_STRAY}) AS f ORDER BY flaw LIMIT {SHOWN_MAX}"
"""The first few rows of `_STRAY`, each with how many there are in all."""


def _commands(conn: Connection) -> Answer:
    """Whether commands and events belong together; a command of a single event that was removed with its stream leaves no trace here."""
    rows = conn.execute(_FIRST_STRAY.encode()).fetchall()
    if rows:
        more = f" and {rows[0]['n'] - len(rows):,} more" if rows[0]["n"] > len(rows) else ""
        return False, "; ".join(row["flaw"] for row in rows) + more
    row = conn.execute(_COMMAND_COUNT).fetchone()
    return True, f"{row['n'] if row else 0:,} commands"


_INVOICES = """SELECT coalesce(e.stream, 'invoice-' || g.key) || CASE WHEN g.key IS NULL THEN ' has no guard of its number'
        ELSE ' has a guard and was never issued' END AS flaw
    FROM (SELECT stream FROM o2c.event WHERE type = 'invoice.issued') e
    FULL JOIN (SELECT key FROM o2c.guard WHERE kind = 'invoice') g ON e.stream = 'invoice-' || g.key
    WHERE e.stream IS NULL OR g.key IS NULL ORDER BY 1"""
"""Invoices without a guard of their number, and guards without an invoice, each as a sentence."""


def _invoices(conn: Connection) -> Answer:
    flaws = [row["flaw"] for row in conn.execute(_INVOICES.encode()).fetchall()]
    row = conn.execute(_INVOICE_GUARD_COUNT).fetchone()
    more = f" and {len(flaws) - SHOWN_MAX} more" if len(flaws) > SHOWN_MAX else ""
    return not flaws, "; ".join(flaws[:SHOWN_MAX]) + more if flaws else f"{row['n'] if row else 0:,} invoice numbers"


_SERIES = """WITH given AS (
        SELECT body->>'series' AS series, count(*) AS n, min((body->>'serial')::bigint) AS first, max((body->>'serial')::bigint) AS last,
            max((body->'number_range'->>'last')::bigint - (body->'number_range'->>'first')::bigint + 1)
                FILTER (WHERE body->'number_range'->>'prefix' <> '') AS size
        FROM o2c.event WHERE type IN ('invoice.issued', 'credit-note.issued') AND body->>'series' <> '' GROUP BY 1)
    SELECT series || CASE WHEN g.last IS NULL THEN ' is at ' || s.last || ', and no paper bears a number of it'
        WHEN s.last IS NULL THEN ' has papers, and no row of its last number'
        WHEN g.last > g.size THEN ' has ' || g.size || ' approved numbers, and papers up to number ' || g.last
        WHEN g.first <> 1 OR g.n <> g.last THEN ' has ' || g.n || ' papers numbered from ' || g.first || ' to ' || g.last
        ELSE ' is at ' || s.last || ', its last paper at ' || g.last END AS flaw
    FROM given g FULL JOIN o2c.series s USING (series)
    WHERE coalesce(s.last, -1) <> coalesce(g.last, 0) OR g.first <> 1 OR g.n <> g.last OR g.last > g.size ORDER BY 1"""
"""Series with a gap or a number twice, or with one behind the end of an approved range, or whose row is not at their last number, each as a
sentence."""

_NUMBER_COUNT = "SELECT coalesce(sum(last), 0)::bigint AS n FROM o2c.series"
"""How many numbers of series were given."""


def _series(conn: Connection) -> Answer:
    with conn.transaction():
        conn.execute(ONE_SNAPSHOT)
        flaws = [row["flaw"] for row in conn.execute(_SERIES.encode()).fetchall()]
        row = conn.execute(_NUMBER_COUNT).fetchone()
    more = f" and {len(flaws) - SHOWN_MAX} more" if len(flaws) > SHOWN_MAX else ""
    return not flaws, "; ".join(flaws[:SHOWN_MAX]) + more if flaws else f"{row['n'] if row else 0:,} numbers"


ABOUT_EVIDENCE: dict[str, Question] = {
    "events are as their transactions wrote them": _unchanged,
    "every command has its events": _commands,
    "invoice numbers are guarded": _invoices,
    "series have no gap": _series,
}
