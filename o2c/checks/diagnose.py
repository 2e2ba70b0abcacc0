"""The checks of `o2c diagnose`: the server is safe, the log is whole, and everything derived from it is what the events say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from eventsourcing.persistence import PersistenceError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c.checks.evidence import ABOUT_EVIDENCE
from o2c.checks.log import Agenda, Gapless, Heads, Pools, Watch, walk
from o2c.checks.money import ABOUT_MONEY
from o2c.checks.recount import Recount
from o2c.checks.schema import ABOUT_SCHEMA
from o2c.checks.server import ABOUT_SERVER, CannotTell, Question, one
from o2c.checks.trade import Forgotten, Holdings, Intakes, Transitions
from o2c.checks.work import ABOUT_DUTIES, ABOUT_WORK, quarantined
from o2c.engine.app import Engine
from o2c.kernel.event import types_by_name
from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.database import connect
from o2c.store.queries import ONE_SNAPSHOT
from projections.engine import operations as engine

State = Literal["ok", "failed", "could not check"]
WATCHES: tuple[type[Watch], ...] = (Gapless, Heads, Agenda, Pools, Transitions, Forgotten, Holdings, Intakes, Recount)
SHOWN_MAX = 3
LOCK_WAIT = "5s"
"""How long a check waits for a lock; after that it reports that it could not be made."""
_UNREACHED = (psycopg.Error, PersistenceError, Refused, CannotTell)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; `detail` has the figures, or the first flaws by name, never a personal value."""

    name: str
    state: State
    detail: str


def run_checks(app: Engine, home: Path | None = None, *, quick: bool = False) -> Iterator[Check]:
    """Make all checks, cheap ones first; `quick` leaves out those that read the whole log. Repairs nothing.

    A check that cannot be completed says so, and why, instead of passing. `home` is the data folder with the quarantine of refused lines.
    """
    about = {**ABOUT_SERVER, **ABOUT_SCHEMA, **ABOUT_WORK}
    if home is not None:
        about["refused lines"] = quarantined(home / "quarantine")
    for name, question in about.items():
        yield _asked(app, name, question)
    if quick:
        return
    yield from _log(app)
    for name, question in {**ABOUT_EVIDENCE, **_ABOUT_LOG, **ABOUT_MONEY, **ABOUT_DUTIES}.items():
        yield _asked(app, name, question)
    for projection in engine.ALL:
        yield _projection(app, projection)


def not_opened(refused: Refused) -> Check:
    """The one check that can be made of a store that this program refuses to open. Raises the refusal when the server does not answer."""
    if refused.kind == "unavailable":
        raise refused
    return Check("the store opens", "failed", str(refused))


_SESSION = "SELECT set_config('lock_timeout', %s, false), set_config('timezone', 'UTC', false)"
"""Set the session of a check: how long it waits for a lock, and times in UTC. Parameter: how long."""


@contextmanager
def _connected(app: Engine) -> Iterator[Connection]:
    with connect(app.dsn) as conn:
        conn.execute(_SESSION, (LOCK_WAIT,))
        yield conn


def _asked(app: Engine, name: str, question: Question) -> Check:
    try:
        with _connected(app) as conn:
            good, detail = question(conn)
    except Exception as error:  # noqa: BLE001 - a defect in one check must not keep the others from being made
        return _unknown(name, error)
    return Check(name, "ok" if good else "failed", detail)


def _unknown(name: str, error: Exception) -> Check:
    """A check that could not be made. Errors of ours and of the database are quoted; of others only the type, as they may quote a value."""
    lines = str(error).strip().splitlines() if isinstance(error, _UNREACHED) else []
    return Check(name, "could not check", lines[0] if lines else f"a defect in the check ({type(error).__name__}); report it")


def _log(app: Engine) -> Iterator[Check]:
    """Make the checks that need every event, in one pass over the log and in one snapshot."""
    watches = tuple(kind() for kind in WATCHES)
    try:
        with _connected(app) as conn, conn.transaction():
            conn.execute(ONE_SNAPSHOT)
            walk(conn, app, watches)
    except Exception as error:  # noqa: BLE001 - as above
        yield from (_unknown(watch.name, error) for watch in watches)
        return
    for watch in watches:
        if watch.unable and not watch.flaw_count:
            yield Check(watch.name, "could not check", watch.unable)
        else:
            yield Check(watch.name, "failed" if watch.flaw_count else "ok", watch.detail)


def _projection(app: Engine, projection: engine.Projection) -> Check:
    name = f"projection {projection.name} is the fold of the log"
    try:
        options = conninfo_to_dict(app.dsn).get("options") or ""
        patient = make_conninfo(app.dsn, options=f"{options} -c lock_timeout={LOCK_WAIT}")
        report = engine.verify(patient, projection)
        [standing] = engine.status(patient, [projection])
    except engine.FoldFailed as error:
        return Check(name, "failed", str(error).splitlines()[0])
    except Exception as error:  # noqa: BLE001 - as above
        return _unknown(name, error)
    if report.differing:
        keys = ", ".join("/".join(map(str, difference.key)) for difference in report.differing[:SHOWN_MAX])
        return Check(name, "failed", f"{len(report.differing)} documents or rows differ, first: {keys}; rebuild it")
    if standing.parked:
        return Check(name, "failed", f"{standing.parked} groups are parked behind an event their fold cannot take")
    return Check(name, "ok", f"{report.rows:,} rows at position {report.position}, {standing.lag_events:,} events behind")


_PERSONAL = """SELECT type, key, count(*) AS n FROM o2c.event JOIN unnest(%s::text[], %s::text[]) AS x (type, key) USING (type)
    WHERE jsonb_exists(body, key) GROUP BY type, key ORDER BY type, key"""
"""The personal fields that stand in the body of events, by type, and in how many. Parameters: arrays of event types and their personal
fields."""

_SUMS = """SELECT stream, 'its sums do not add up' AS flaw FROM o2c.event WHERE type = 'invoice.issued' AND (
        (body->>'net_minor')::bigint + (body->>'tax_minor')::bigint <> (body->>'total_minor')::bigint
        OR (body->>'net_minor')::bigint
            <> (SELECT coalesce(sum((line->>'net_minor')::bigint), 0) FROM jsonb_array_elements(body->'lines') AS line))"""
"""The invoices whose lines and tax do not add up to their totals."""

_CHARGES = """WITH line AS (
        SELECT stream, line->>'order' AS order_id, line->>'item' AS item, line->>'kind' AS kind,
            line->>'from_day' AS from_day, line->>'to_day' AS to_day, (line->>'net_minor')::bigint AS net_minor
        FROM o2c.event, jsonb_array_elements(body->'lines') AS line WHERE type = 'invoice.issued'),
    charge AS (
        SELECT body->>'order' AS order_id, body->>'item' AS item, min(body->>'starts_on') AS starts_on,
            min(coalesce(nullif(body->>'since', ''), body->>'starts_on')) AS priced_from,
            max((body->>'one_time_minor')::bigint) AS one_time_minor, max((body->>'recurring_minor')::bigint) AS recurring_minor,
            max(body->>'offering') AS offering, max(split_part(body->>'market', '@', 1)) AS market,
            max(coalesce(body->'terms'->>'period_unit', 'month')) AS unit, max(coalesce((body->'terms'->>'period_length')::int, 1)) AS length
        FROM o2c.event WHERE type = 'account.charge-started' GROUP BY 1, 2),
    rise AS (
        SELECT charge.order_id, charge.item, body->>'from_day' AS rises_on, (body->>'rise_minor')::bigint AS rise_minor
        FROM o2c.event JOIN charge ON body->>'offering' = offering AND body->>'market' = market AND body->>'announced_on' > priced_from
            AND body->>'period_unit' = unit AND (body->>'period_length')::int = length
        WHERE type = 'catalogue.price-rise-announced'),
    period AS (
        SELECT *, lag(to_day) OVER (PARTITION BY order_id, item ORDER BY from_day, to_day) AS billed_to FROM line
        WHERE kind IN ('period', 'part-period')),
    priced AS (
        SELECT p.stream, item, p.kind, p.from_day, p.net_minor,
            recurring_minor + coalesce(sum(rise_minor) FILTER (WHERE rises_on <= p.from_day), 0) AS price_minor
        FROM period p JOIN charge USING (order_id, item) LEFT JOIN rise USING (order_id, item)
        GROUP BY p.stream, order_id, item, p.kind, p.from_day, p.to_day, p.net_minor, recurring_minor)
    SELECT stream, 'item ' || item || ' is billed from ' || from_day || ', not ' || coalesce(billed_to, starts_on, 'at all') AS flaw
    FROM period LEFT JOIN charge USING (order_id, item)
    WHERE from_day IS DISTINCT FROM coalesce(billed_to, starts_on) OR to_day <= from_day OR starts_on IS NULL
    UNION ALL
    SELECT stream, 'item ' || item || ' is billed ' || net_minor || ' for a period from ' || from_day || ', not ' || price_minor
    FROM priced WHERE CASE kind WHEN 'period' THEN net_minor <> price_minor ELSE net_minor > price_minor END
    UNION ALL
    SELECT max(stream), 'item ' || item || ' is billed ' || sum(net_minor) || ' once, not ' || coalesce(min(one_time_minor), 0)
    FROM line LEFT JOIN charge USING (order_id, item) WHERE kind = 'one-time' GROUP BY order_id, item
    HAVING count(*) > 1 OR sum(net_minor) IS DISTINCT FROM min(one_time_minor)
    UNION ALL
    SELECT stream, 'item ' || item || ' is billed ' || sum(net_minor) || ' with its discounts'
    FROM line WHERE kind <> 'usage' GROUP BY stream, order_id, item HAVING sum(net_minor) < 0"""
"""The items that are billed with a gap or an overlap, whose full period does not cost its price with the rises that have begun, or a part
of one costs more, whose one-time charge is billed twice or with another amount, or whose discounts on a bill are more than what they
lower."""

_PAYMENTS = """WITH bill AS (
        SELECT e.stream, sum((body->>'total_minor')::bigint) AS total, coalesce(sum((body->>'credit_used_minor')::bigint), 0) AS used, coalesce(sum((body->>'amount_minor')::bigint * CASE WHEN type IN ('payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') THEN -1 ELSE 1 END), 0) AS paid,
            coalesce(sum((body->>'amount_minor')::bigint * CASE WHEN brought THEN 1 ELSE -1 END) FILTER (WHERE body->>'method' NOT IN ('bank-transfer', 'set-off')
                AND (brought OR type IN ('payment.charged-back', 'payment.moved', 'payment.refund-reclaimed'))), 0) AS collected,
            count(*) FILTER (WHERE brought) AS payments,
            count(DISTINCT coalesce(nullif(body->>'reference', ''), event_id::text)) FILTER (WHERE brought) AS papers
        FROM o2c.event e CROSS JOIN LATERAL (SELECT type IN ('payment.received', 'payment.part-received')
            AND coalesce(body->>'moved_from', '') = '' AND coalesce(body->>'won_back', '') = '' AS brought) b
        WHERE type IN ('invoice.issued', 'payment.received', 'payment.part-received', 'payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') GROUP BY e.stream)
    SELECT stream, CASE WHEN total IS NULL THEN 'is paid but was never issued' WHEN collected > total - used THEN 'is paid more than once'
        WHEN payments > papers THEN 'has a payment twice' ELSE 'has another open amount on its head row' END AS flaw
    FROM bill LEFT JOIN o2c.head USING (stream)
    WHERE total IS NULL OR collected > total - used OR payments > papers OR (state_version IS NOT DISTINCT FROM version
        AND (coalesce((state->>'paid_minor')::bigint, 0) IS DISTINCT FROM paid OR (state->'issued'->>'total_minor')::bigint IS DISTINCT FROM total))"""
"""The invoices that are paid without being issued, collected above their total, paid twice, or kept with another open amount on the head
row.

Money above an invoice's total is a credit where it came by bank; nobody may be asked for more than the total, or than what was taken back
of it again. A head row may keep the state of an earlier version of a large invoice: the pass over the log compares that with the events up
to there. A state keeps no defaults.
"""

_MONEY = """WITH bill AS (
        SELECT count(*) FILTER (WHERE type = 'invoice.issued') AS invoices,
            coalesce(sum((body->>'net_minor')::bigint), 0) AS net, coalesce(sum((body->>'tax_minor')::bigint), 0) AS tax,
            coalesce(sum((body->>'total_minor')::bigint), 0) AS total,
            coalesce(sum((body->>'amount_minor')::bigint * CASE WHEN type IN ('payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') THEN -1 ELSE 1 END), 0) AS paid,
            coalesce(sum((body->>'credit_used_minor')::bigint), 0) AS used
        FROM o2c.event WHERE type IN ('invoice.issued', 'payment.received', 'payment.part-received', 'payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') GROUP BY stream)
    SELECT coalesce(sum(invoices), 0)::bigint AS invoices, coalesce(sum(net), 0)::bigint AS net, coalesce(sum(tax), 0)::bigint AS tax,
        coalesce(sum(total), 0)::bigint AS total, coalesce(sum(paid), 0)::bigint AS paid,
        coalesce(sum(greatest(total - used - paid, 0)), 0)::bigint AS open, coalesce(sum(used), 0)::bigint AS used,
        coalesce(sum(greatest(paid + used - total, 0)), 0)::bigint AS credit
    FROM bill"""
"""The sums of all invoices in minor units: what was invoiced, paid, is open, was covered by credit and came above that."""

_FIRST_FLAWS = "SELECT *, count(*) OVER () AS n FROM ({flaws}) AS f ORDER BY stream LIMIT {most}"
"""The first few rows of a statement that yields flaws (stream, flaw), each with how many there are in all. Formatted with that
statement."""


def _personal(conn: Connection) -> tuple[bool, str]:
    marked = [(name, key) for name, cls in sorted(types_by_name().items()) for key in sorted(cls.personal)]
    rows = conn.execute(_PERSONAL, ([name for name, _ in marked], [key for _, key in marked])).fetchall()
    flaws = "; ".join(f"{row['type']} has {row['key']} in {row['n']} bodies" for row in rows)
    return not rows, flaws or f"{len(marked)} marked fields, none in a body"


def _flawless(sql: str, good: str) -> Question:
    """A question whose statement yields only flaws: (stream, flaw). `good` is the answer without any, formatted with the sums of money."""

    def question(conn: Connection) -> tuple[bool, str]:
        with conn.transaction():
            conn.execute(ONE_SNAPSHOT)
            rows = conn.execute(_FIRST_FLAWS.format(flaws=sql, most=SHOWN_MAX).encode()).fetchall()
            money = one(conn, _MONEY)
        if not rows:
            return True, good.format(**money)
        more = f" and {rows[0]['n'] - len(rows):,} more" if rows[0]["n"] > len(rows) else ""
        return False, "; ".join(f"{row['stream']}: {row['flaw']}" for row in rows) + more

    return question


_ABOUT_LOG: dict[str, Question] = {
    "no personal field is in a body": _personal,
    "sums of invoices": _flawless(_SUMS, "{invoices:,} invoices: net {net:,} + tax {tax:,} = total {total:,} minor units"),
    "charges are billed without gap or overlap": _flawless(_CHARGES, "{invoices:,} invoices"),
    "paid and open make up what was invoiced": _flawless(
        _PAYMENTS, "paid {paid:,} + credit used {used:,} + open {open:,} = invoiced {total:,} + credit {credit:,} minor units"
    ),
}
