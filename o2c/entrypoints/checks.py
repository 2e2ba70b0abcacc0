"""What `o2c diagnose` finds out: that the server is safe, the log whole, and everything derived from it what the events say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from eventsourcing.persistence import PersistenceError

from o2c.app import Engine
from o2c.entrypoints.checks_log import Agenda, Connection, Gapless, Heads, Pools, Watch, walk
from o2c.entrypoints.checks_trade import Forgotten, Holdings, Intakes, Transitions
from o2c.kernel.event import EVENT_TYPES
from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections import engine

State = Literal["ok", "failed", "could not check"]
WATCHES: tuple[type[Watch], ...] = (Gapless, Heads, Agenda, Pools, Transitions, Forgotten, Holdings, Intakes)
VERSION_MIN = 15
SHOWN_MAX = 3
_UNREACHED = (psycopg.Error, PersistenceError, Refused)


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked and how it stands; `detail` has the figures, or the first flaws by name, never a personal value."""

    name: str
    state: State
    detail: str


def run_checks(app: Engine, *, quick: bool = False) -> Iterator[Check]:
    """Check everything, cheap things first; `quick` leaves out what reads the whole log. Repairs nothing.

    A check that the database does not let come to an end says so instead of passing.
    """
    for name, question in _ABOUT_SERVER.items():
        yield _asked(app, name, question)
    if quick:
        return
    yield from _log(app)
    for name, question in _ABOUT_LOG.items():
        yield _asked(app, name, question)
    for projection in engine.ALL:
        yield _projection(app, projection)


Question = Callable[[Connection], tuple[bool, str]]
"""Whether all is well, and the figures or flaws."""


def _asked(app: Engine, name: str, question: Question) -> Check:
    try:
        with connect(app.dsn) as conn:
            good, detail = question(conn)
    except _UNREACHED as error:
        return _unknown(name, error)
    return Check(name, "ok" if good else "failed", detail)


def _unknown(name: str, error: Exception) -> Check:
    lines = str(error).strip().splitlines()
    return Check(name, "could not check", lines[0] if lines else type(error).__name__)


def _log(app: Engine) -> Iterator[Check]:
    """One pass over the log in one snapshot, for all checks that need it."""
    watches = tuple(kind() for kind in WATCHES)
    try:
        with connect(app.dsn) as conn, conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            walk(conn, app, watches)
    except _UNREACHED as error:
        yield from (_unknown(watch.name, error) for watch in watches)
        return
    for watch in watches:
        yield Check(watch.name, "failed" if watch.flaw_count else "ok", watch.detail)


def _projection(app: Engine, projection: engine.Projection) -> Check:
    name = f"projection {projection.name} is the fold of the log"
    try:
        report = engine.verify(app.dsn, projection)
        [standing] = engine.status(app.dsn, [projection])
    except engine.FoldFailed as error:
        return Check(name, "failed", str(error).splitlines()[0])
    except _UNREACHED as error:
        return _unknown(name, error)
    if report.differing:
        keys = ", ".join("/".join(map(str, difference.key)) for difference in report.differing[:SHOWN_MAX])
        return Check(name, "failed", f"{len(report.differing)} documents or rows differ, first: {keys}; rebuild it")
    if standing.parked:
        return Check(name, "failed", f"{standing.parked} groups are parked behind an event their fold cannot take")
    return Check(name, "ok", f"{report.rows:,} rows at position {report.position}, {standing.lag_events:,} events behind")


def _one(conn: Connection, sql: str, *parameters: Any) -> dict[str, Any]:
    row = conn.execute(sql.encode(), parameters).fetchone()
    assert row is not None, "the query always has a row"
    return row


def _settings(conn: Connection) -> tuple[bool, str]:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    found = {name: _one(conn, "SELECT current_setting(%s) AS value", name)["value"] for name in names}
    return "off" not in found.values(), ", ".join(f"{name} {value}" for name, value in found.items())


def _version(conn: Connection) -> tuple[bool, str]:
    return conn.info.server_version >= VERSION_MIN * 10_000, f"PostgreSQL {_one(conn, 'SHOW server_version')['server_version']}"


def _incarnation(conn: Connection) -> tuple[bool, str]:
    """On a standby the timeline cannot be read the same way; the error says so."""
    now = _one(
        conn,
        "SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system,"
        " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint AS timeline",
    )
    last = _one(conn, "SELECT id, system_identifier AS system, timeline, reason FROM o2c.incarnation ORDER BY id DESC LIMIT 1")
    same = (last["system"], last["timeline"]) == (now["system"], now["timeline"])
    told = f"incarnation {last['id']} ({last['reason']}), timeline {last['timeline']}"
    return same, told if same else f"{told}, but the server is {now['system']} on timeline {now['timeline']}"


def _roles(conn: Connection) -> tuple[bool, str]:
    row = _one(conn, "SELECT rolname, rolcreaterole OR rolsuper AS may FROM pg_roles WHERE rolname = current_user")
    without = f"{row['rolname']} may create no roles: readers and writers cannot be told apart here, all else works"
    return True, f"{row['rolname']} may create roles" if row["may"] else without


def _policies(conn: Connection) -> tuple[bool, str]:
    last = _one(conn, "SELECT coalesce(max(position), 0) AS last FROM o2c.event")["last"]
    rows = conn.execute("SELECT policy, position FROM o2c.policy_checkpoint ORDER BY policy").fetchall()
    beyond = [row["policy"] for row in rows if row["position"] > last]
    return not beyond, f"beyond the log: {', '.join(beyond)}" if beyond else f"{len(rows)} policies, log up to position {last}"


_ABOUT_SERVER: dict[str, Question] = {
    "server settings are safe": _settings,
    "server version": _version,
    "incarnation is current": _incarnation,
    "roles can be created": _roles,
    "policies are not beyond the log": _policies,
}

_PERSONAL = """SELECT type, key, count(*) AS n FROM o2c.event JOIN unnest(%s::text[], %s::text[]) AS x (type, key) USING (type)
    WHERE jsonb_exists(body, key) GROUP BY type, key ORDER BY type, key"""

_SUMS = """SELECT stream, 'its sums do not add up' AS flaw FROM o2c.event WHERE type = 'invoice.issued' AND (
        (body->>'net_minor')::bigint + (body->>'tax_minor')::bigint <> (body->>'total_minor')::bigint
        OR (body->>'net_minor')::bigint
            <> (SELECT coalesce(sum((line->>'net_minor')::bigint), 0) FROM jsonb_array_elements(body->'lines') AS line))"""

_CHARGES = """WITH line AS (
        SELECT stream, line->>'order' AS order_id, line->>'item' AS item, line->>'kind' AS kind,
            line->>'from_day' AS from_day, line->>'to_day' AS to_day, (line->>'net_minor')::bigint AS net_minor
        FROM o2c.event, jsonb_array_elements(body->'lines') AS line WHERE type = 'invoice.issued'),
    charge AS (
        SELECT body->>'order' AS order_id, body->>'item' AS item, min(body->>'starts_on') AS starts_on,
            max((body->>'one_time_minor')::bigint) AS one_time_minor
        FROM o2c.event WHERE type = 'account.charge-started' GROUP BY 1, 2),
    period AS (
        SELECT *, lag(to_day) OVER (PARTITION BY order_id, item ORDER BY from_day, to_day) AS billed_to FROM line WHERE kind <> 'one-time')
    SELECT stream, 'item ' || item || ' is billed from ' || from_day || ', not ' || coalesce(billed_to, starts_on, 'at all') AS flaw
    FROM period LEFT JOIN charge USING (order_id, item)
    WHERE from_day IS DISTINCT FROM coalesce(billed_to, starts_on) OR to_day <= from_day OR starts_on IS NULL
    UNION ALL
    SELECT max(stream), 'item ' || item || ' is billed ' || sum(net_minor) || ' once, not ' || coalesce(min(one_time_minor), 0)
    FROM line LEFT JOIN charge USING (order_id, item) WHERE kind = 'one-time' GROUP BY order_id, item
    HAVING count(*) > 1 OR sum(net_minor) IS DISTINCT FROM min(one_time_minor)"""

_PAYMENTS = """WITH bill AS (
        SELECT e.stream, sum((body->>'total_minor')::bigint) AS total, coalesce(sum((body->>'amount_minor')::bigint), 0) AS paid,
            count(body->>'amount_minor') AS payments,
            count(DISTINCT coalesce(nullif(body->>'reference', ''), event_id::text)) FILTER (WHERE jsonb_exists(body, 'amount_minor')) AS papers
        FROM o2c.event e WHERE type IN ('invoice.issued', 'payment.received') GROUP BY e.stream)
    SELECT stream, CASE WHEN total IS NULL THEN 'is paid but was never issued' WHEN paid > total THEN 'is paid more than once'
        WHEN payments > papers THEN 'has a payment twice' ELSE 'has another open amount on its head row' END AS flaw
    FROM bill LEFT JOIN o2c.head USING (stream)
    WHERE total IS NULL OR paid > total OR payments > papers OR (state->>'paid_minor')::bigint IS DISTINCT FROM paid
        OR (state->'issued'->>'total_minor')::bigint IS DISTINCT FROM total"""

_MONEY = """SELECT count(*) FILTER (WHERE type = 'invoice.issued') AS invoices,
        coalesce(sum((body->>'net_minor')::bigint), 0)::bigint AS net, coalesce(sum((body->>'tax_minor')::bigint), 0)::bigint AS tax,
        coalesce(sum((body->>'total_minor')::bigint), 0)::bigint AS total,
        coalesce(sum((body->>'amount_minor')::bigint), 0)::bigint AS paid
    FROM o2c.event WHERE type IN ('invoice.issued', 'payment.received')"""


def _personal(conn: Connection) -> tuple[bool, str]:
    marked = [(name, key) for name, cls in sorted(EVENT_TYPES.items()) for key in sorted(cls.personal)]
    rows = conn.execute(_PERSONAL, ([name for name, _ in marked], [key for _, key in marked])).fetchall()
    found = "; ".join(f"{row['type']} has {row['key']} in {row['n']} bodies" for row in rows)
    return not rows, found or f"{len(marked)} marked fields, none in a body"


def _flawless(sql: str, told: str) -> Question:
    """A question whose query yields only flaws: (stream, flaw). `told` says what is good, with the money figures."""

    def question(conn: Connection) -> tuple[bool, str]:
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = conn.execute(f"SELECT *, count(*) OVER () AS n FROM ({sql}) AS f ORDER BY stream LIMIT {SHOWN_MAX}".encode()).fetchall()
            money = _one(conn, _MONEY)
        if not rows:
            return True, told.format(open=money["total"] - money["paid"], **money)
        more = f" and {rows[0]['n'] - len(rows):,} more" if rows[0]["n"] > len(rows) else ""
        return False, "; ".join(f"{row['stream']}: {row['flaw']}" for row in rows) + more

    return question


_ABOUT_LOG: dict[str, Question] = {
    "no personal field is in a body": _personal,
    "sums of invoices": _flawless(_SUMS, "{invoices:,} invoices: net {net:,} + tax {tax:,} = total {total:,} minor units"),
    "charges are billed without gap or overlap": _flawless(_CHARGES, "{invoices:,} invoices"),
    "paid and open make up what was invoiced": _flawless(_PAYMENTS, "paid {paid:,} + open {open:,} = invoiced {total:,} minor units"),
}
