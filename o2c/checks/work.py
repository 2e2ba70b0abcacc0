"""The checks of work under way: nothing is overdue without a worker, leases end, projections keep up; and how many refused lines wait."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from o2c.checks.server import Answer, CannotTell, Question, one
from o2c.fallout.codes import misfits
from o2c.kernel.reasons import STREAM as CODES
from o2c.store.connection import Connection
from o2c.store.queries import LAST_POSITION

OVERDUE_S_MAX = 900
LEASE_S_MAX = 600
"""Workers lease for a minute. A row leased for much longer is one that no worker takes for as long."""
FILES_SHOWN_MAX = 3

_OVERDUE = """SELECT (SELECT kind FROM o2c.clock) AS kind, count(*) AS n, (SELECT count(*) FROM o2c.agenda) AS depth,
        extract(epoch FROM clock_timestamp() - min(due_at))::float8 AS seconds
    FROM o2c.agenda WHERE due_at <= (SELECT CASE kind WHEN 'real' THEN clock_timestamp() ELSE now END FROM o2c.clock)"""
"""The kind of the store's clock, how many agenda rows are due by it, how many there are, and for how many real seconds the oldest has been
due."""

_LEASES = """SELECT count(*) FILTER (WHERE lease_until > clock_timestamp()) AS held, count(*) FILTER (WHERE lease_until <= clock_timestamp()) AS lapsed,
    count(*) FILTER (WHERE lease_until > clock_timestamp() + make_interval(secs => %s)) AS endless, max(lease_until) AS until FROM o2c.agenda"""
"""How many leases run, have lapsed, and run for too long, and when the last one ends. Parameter: the most seconds a lease should still
run."""

_PARKED = "SELECT name, count(DISTINCT group_key) AS n FROM projection.parked GROUP BY name ORDER BY name"
"""The projections with parked groups, and how many each has."""

_POLICIES = "SELECT policy, position FROM o2c.policy_checkpoint ORDER BY policy"
"""The position up to which each reaction has read the log."""


def _overdue(conn: Connection) -> Answer:
    """Whether due rows are attended to; in simulated time they wait for the next run, however long that takes."""
    row = one(conn, _OVERDUE)
    if row["kind"] is None:
        raise CannotTell("the store has no clock, so that nothing is due")
    text = f"{row['n']:,} of {row['depth']:,} rows are due"
    if row["kind"] == "real" and row["n"] and row["seconds"] > OVERDUE_S_MAX:
        return False, f"{text}, the oldest for {row['seconds']:,.0f} s; is a worker running? start one with `o2c run`"
    return True, text


def _leases(conn: Connection) -> Answer:
    row = one(conn, _LEASES, LEASE_S_MAX)
    if row["endless"]:
        return (
            False,
            f"{row['endless']} rows are leased as far as {row['until']:%Y-%m-%dT%H:%MZ}; UPDATE o2c.agenda SET lease_until = NULL for them",
        )
    return True, f"{row['held']} rows held by workers, {row['lapsed']} leases lapsed and free to take"


TOLD_S_MAX = 3_600
"""A hook whose subscriber answers is told within seconds; one that fails is tried again after minutes, then hours."""

_HOOKS = """SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'dead') AS dead,
    coalesce(extract(epoch FROM clock_timestamp() - min(made_at) FILTER (WHERE state = 'pending')), 0)::float8 AS seconds
    FROM o2c.outbox WHERE state IN ('pending', 'dead')"""
"""How many messages hooks are still to be told, how many were given up, and for how many seconds the oldest that is to be told has
waited."""


def _hooks(conn: Connection) -> Answer:
    row = one(conn, _HOOKS)
    text = f"{row['pending']:,} messages to be told, {row['dead']:,} given up"
    if row["dead"]:
        return False, f"{text}; see `o2c hooks list` and `o2c hooks deliveries`, then `o2c hooks resend`"
    if row["seconds"] > TOLD_S_MAX:
        return (
            False,
            f"{text}, the oldest waits for {row['seconds']:,.0f} s; is `o2c serve` running, and is a hook suspended? see `o2c hooks list`",
        )
    return True, text


_MADE = """SELECT count(*) AS n FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE s.nspname = 'projection' AND c.relname = 'parked'"""
"""Whether projections have made their tables: 1 or 0."""


def _parked(conn: Connection) -> Answer:
    if one(conn, _MADE)["n"] == 0:
        return True, "no projection was made yet; the first reading command makes them"
    rows = conn.execute(_PARKED).fetchall()
    parked = ", ".join(f"{row['name']} {row['n']}" for row in rows)
    return (
        not rows,
        f"groups parked: {parked}; see why in projection.parked, then `o2c projections rebuild`" if rows else "no group is parked",
    )


_NOTICES = """WITH sent AS (SELECT DISTINCT body->>'order' AS of FROM o2c.event WHERE type = 'customer.contacted' AND body->>'topic' = 'credit-notice'),
    owed AS (SELECT body->>'order' AS of, body->>'owed_by' AS day FROM o2c.event WHERE type = 'credit.notice-owed')
    SELECT count(*) AS owed, count(sent.of) AS sent, coalesce(array_agg(owed.of || ' owed by ' || day ORDER BY day, owed.of)
        FILTER (WHERE sent.of IS NULL AND day::date < (SELECT CASE kind WHEN 'real' THEN clock_timestamp() ELSE now END FROM o2c.clock)), '{}') AS late
    FROM owed LEFT JOIN sent USING (of)"""
"""How many notices about credit are owed, how many of them went out, and which are late by the store's clock."""


def _notices(conn: Connection) -> Answer:
    row = one(conn, _NOTICES)
    late, text = row["late"], f"{row['owed']:,} notices owed, {row['sent']:,} sent"
    return (not late, f"{text}; late: {len(late)}, first order {late[0]}" if late else text)


_RESTS = """WITH rest AS (SELECT DISTINCT ON (stream) stream, version, (body ->> 'free_by')::timestamptz AS free_by
        FROM o2c.event WHERE type = 'number.quarantined' ORDER BY stream, version DESC),
    still AS (SELECT stream, free_by FROM rest WHERE NOT EXISTS (SELECT FROM o2c.event later WHERE later.stream = rest.stream
        AND later.version > rest.version AND later.type IN ('number.rested', 'number.reserved', 'number.taken')))
    SELECT count(*) AS resting, coalesce(array_agg(stream ORDER BY free_by, stream)
        FILTER (WHERE free_by < (SELECT CASE kind WHEN 'real' THEN clock_timestamp() ELSE now END FROM o2c.clock)), '{}') AS late FROM still"""
"""How many numbers rest, and the streams of those that rest beyond their market's maximum by the store's clock."""


def _rests(conn: Connection) -> Answer:
    row = one(conn, _RESTS)
    late, text = row["late"], f"{row['resting']:,} numbers rest"
    return (not late, f"{text}; beyond the maximum of their market: {len(late)}, first {late[0]}" if late else text)


_TERMS = """WITH now AS (SELECT (CASE kind WHEN 'real' THEN clock_timestamp() ELSE now END)::date AS today FROM o2c.clock),
    told AS (SELECT stream, version, coalesce(body #>> '{standing,commitment_ends_on}', body ->> 'commitment_ends_on', '') AS ends_on,
            coalesce(body ->> 'started_on', body ->> 'changed_on', body ->> 'resumed_on') AS since
        FROM o2c.event WHERE type IN ('product.started', 'product.changed', 'product.resumed')),
    term AS (SELECT *, lead(ends_on) OVER w AS next_end, lead(since) OVER w AS next_since FROM told WINDOW w AS (PARTITION BY stream ORDER BY version)),
    over AS (SELECT term.stream, term.ends_on, min(term.since) AS since FROM term
            LEFT JOIN o2c.event ended ON ended.stream = term.stream AND ended.type = 'product.terminated'
        WHERE term.ends_on <> '' AND term.ends_on::date <= (SELECT today FROM now) AND coalesce(ended.body ->> 'ended_on', '9999') > term.ends_on
            AND (next_end IS NULL OR next_end = term.ends_on OR next_since >= term.ends_on)
        GROUP BY term.stream, term.ends_on),
    given AS (SELECT stream, body ->> 'ends_on' AS ends_on, min(body ->> 'told_on') AS told_on, bool_or(coalesce(body ->> 'not_told', '') <> '') AS excused
        FROM o2c.event WHERE type = 'end-notice.given' AND body ->> 'about' = 'end-of-contract' GROUP BY 1, 2),
    asked AS (SELECT stream, body ->> 'ends_on' AS ends_on, min(body ->> 'from_day') AS from_day, max(body ->> 'to_day') AS to_day
        FROM o2c.event WHERE type = 'end-notice.awaited' AND body ->> 'about' = 'end-of-contract' GROUP BY 1, 2),
    judged AS (SELECT over.stream, over.ends_on, coalesce(excused, false) AS excused, CASE
            WHEN told_on IS NULL THEN CASE WHEN to_day IS NULL THEN 'no notice was asked for (it began under an older program)' ELSE 'no notice was given' END
            WHEN told_on < from_day THEN 'told too early, on ' || told_on
            WHEN told_on > greatest(to_day, since) THEN 'told too late, on ' || told_on END AS flaw
        FROM over LEFT JOIN given USING (stream, ends_on) LEFT JOIN asked USING (stream, ends_on))
    SELECT count(*) AS terms, count(*) FILTER (WHERE excused) AS excused,
        coalesce(array_agg(stream || ' to ' || ends_on || ': ' || flaw ORDER BY ends_on, stream) FILTER (WHERE flaw IS NOT NULL), '{}') AS late FROM judged"""
"""How many terms of contracts ended by the store's clock while their products went on, how many of them nobody had to be told of (and an
event says why), and those of which nobody was told between the days of the market. A term that another took the place of, or that ended
with its product, is none; one that began after the last of those days is told of on the day on which it began."""


def _terms(conn: Connection) -> Answer:
    row = one(conn, _TERMS)
    late, text = row["late"], f"{row['terms']:,} terms ended, {row['excused']:,} of them of customers who need not be told"
    return (not late, f"{text}; not told in time: {len(late)}, first {late[0]}" if late else text)


_REFUNDS = """WITH declared AS (SELECT stream, body ->> 'refund_by' AS by FROM o2c.event WHERE type = 'withdrawal.declared'),
    moved AS (SELECT DISTINCT ON (stream) stream, body ->> 'refund_by' AS by FROM o2c.event
        WHERE type IN ('goods-return.proven-sent', 'goods-return.received', 'goods-return.graded') ORDER BY stream, version DESC),
    settled AS (SELECT stream, body -> 'refunds' AS refunds FROM o2c.event WHERE type = 'withdrawal-refund.settled'),
    paid AS (SELECT substr(stream, 8) AS refund, occurred_at FROM o2c.event WHERE type = 'refund.completed'),
    owed AS (SELECT declared.stream, coalesce(moved.by, nullif(declared.by, '')) AS by, settled.refunds FROM declared
        LEFT JOIN moved USING (stream) LEFT JOIN settled USING (stream)),
    late AS (SELECT stream, by FROM owed WHERE by::date < (SELECT CASE kind WHEN 'real' THEN clock_timestamp() ELSE now END FROM o2c.clock)::date
        AND (refunds IS NULL OR EXISTS (SELECT FROM jsonb_array_elements_text(refunds) AS name WHERE name NOT IN (SELECT refund FROM paid))))
    SELECT (SELECT count(*) FROM declared) AS n, coalesce(array_agg(stream || ' by ' || by ORDER BY by, stream), '{}') AS late FROM late"""
"""How many withdrawals there are, and those whose money has not gone back by its day, by the store's clock."""


def _refunds(conn: Connection) -> Answer:
    row = one(conn, _REFUNDS)
    late, text = row["late"], f"{row['n']:,} withdrawals"
    return (not late, f"{text}; money not back in time: {len(late)}, first {late[0]}; see `o2c returns list --late`" if late else text)


_RANGES = """WITH today AS (SELECT (CASE kind WHEN 'real' THEN clock_timestamp() ELSE now END)::date::text AS day FROM o2c.clock),
    told AS (SELECT body -> 'approved' AS r, coalesce(body ->> 'paper', 'INV') AS paper FROM o2c.event WHERE stream = 'ranges-main' AND type = 'ranges.approved'),
    named AS (SELECT paper, r, r ->> 'prefix' || lpad(r ->> 'first', length(r ->> 'last'), '0') AS name FROM told),
    standing AS (SELECT r ->> 'entity' || CASE paper WHEN 'CRN' THEN ' credit notes' ELSE '' END AS entity, (r ->> 'low_at')::bigint AS low_at, CASE
            WHEN name IN (SELECT body ->> 'range' FROM o2c.event WHERE stream = 'ranges-main' AND type = 'ranges.closed')
                OR (r ->> 'valid_to' <> '' AND r ->> 'valid_to' < (SELECT day FROM today)) THEN 0
            ELSE (r ->> 'last')::bigint - (r ->> 'first')::bigint + 1 - coalesce(last, 0) END AS rest
        FROM named LEFT JOIN o2c.series ON series = name)
    SELECT entity, sum(rest)::bigint AS rest, max(low_at) AS low_at FROM standing GROUP BY entity ORDER BY entity"""
"""How many numbers are left to each legal entity in the ranges approved for its invoices, and for its credit notes, by the store's clock,
and at how many they run low."""


def _ranges(conn: Connection) -> Answer:
    rows = conn.execute(_RANGES).fetchall()
    low = [f"{row['entity']}: {row['rest']:,} numbers left" for row in rows if row["rest"] <= row["low_at"]]
    told = "; ".join(low) or "; ".join(f"{row['entity']}: {row['rest']:,} numbers left" for row in rows) or "no range is needed"
    return not low, f"{told}; approve another with `o2c number-ranges approve`" if low else told


_UNKNOWN = """SELECT count(*) AS n FROM o2c.event lost WHERE type = 'message.outcome-lost'
    AND NOT EXISTS (SELECT FROM o2c.event later WHERE later.stream = lost.stream AND later.version > lost.version)"""
"""How many messages nobody knows to have arrived, and nobody sent again or took down as come back."""


def _messages(conn: Connection) -> Answer:
    unknown = one(conn, _UNKNOWN)["n"]
    text = f"{unknown:,} messages of unknown outcome"
    return not unknown, f"{text}; see `o2c messages list --state unknown`, ask, then `o2c messages resend`" if unknown else text


def _policies(conn: Connection) -> Answer:
    last = one(conn, LAST_POSITION)["top"]
    rows = conn.execute(_POLICIES).fetchall()
    beyond = [row["policy"] for row in rows if row["position"] > last]
    return not beyond, f"beyond the log: {', '.join(beyond)}" if beyond else f"{len(rows)} policies, log up to position {last}"


_LOADED = "SELECT body ->> 'document' AS document FROM o2c.event WHERE stream = %s ORDER BY version"
"""The files of reason codes that were loaded, the oldest first. Parameter: the stream of the table."""
MISFITS_SHOWN_MAX = 5


def _codes(conn: Connection) -> Answer:
    """Whether all that an operator loaded over the packaged reason codes is in force: this program may be younger than his files."""
    documents = tuple(row["document"] for row in conn.execute(_LOADED, (CODES,)))
    found = misfits(documents)
    if not found:
        return True, f"the packaged table and {len(documents)} files over it, all of each in force"
    told = "; ".join(f"{misfit.entry} of {version}: {misfit.what}" for version, misfit in found[:MISFITS_SHOWN_MAX])
    more = f"; and {len(found) - MISFITS_SHOWN_MAX} more" if len(found) > MISFITS_SHOWN_MAX else ""
    return False, f"not in force, all else is: {told}{more}; say these entries anew in a file and `o2c fallout load-codes` it"


ABOUT_WORK: dict[str, Question] = {
    "reason codes fit the program": _codes,
    "nothing is overdue": _overdue,
    "leases end": _leases,
    "no projection is parked": _parked,
    "policies are not beyond the log": _policies,
    "hooks are told": _hooks,
}
ABOUT_DUTIES: dict[str, Question] = {
    "notices about credit are sent in time": _notices,
    "no number rests beyond its maximum": _rests,
    "every term that ended was told of in time": _terms,
    "money of withdrawals goes back in time": _refunds,
    "approved invoice numbers are left": _ranges,
    "what became of every message is known": _messages,
}
"""What a market wants done by a day; its checks read the whole log."""


_STILL_REFUSED = """SELECT origin, refused FROM (
    SELECT DISTINCT ON (coalesce(nullif(body ->> 'quarantine_of', ''), stream)) coalesce(nullif(body ->> 'quarantine_of', ''), stream) AS origin,
        (body ->> 'refused')::int AS refused
    FROM o2c.event WHERE type = 'intake.closed' ORDER BY coalesce(nullif(body ->> 'quarantine_of', ''), stream), position DESC
) closed WHERE refused > 0 ORDER BY origin"""
"""The intakes of whose lines some are refused to this day, and how many. No parameters."""


def quarantined(folder: Path) -> Callable[[Connection], Answer]:
    """How many refused lines wait for a correction, and those that the log tells of and the folder has not: reported, and nothing wrong
    with the store, for they may lie on another machine.
    """

    def question(conn: Connection) -> Answer:
        try:
            files = sorted(path for path in folder.iterdir() if path.is_file() and path.stat().st_size) if folder.exists() else []
        except OSError as error:
            raise CannotTell(f"{folder} cannot be looked at: {error.strerror}") from None
        refused = conn.execute(_STILL_REFUSED).fetchall()
        gone = [row for row in refused if not any(path.name.startswith(row["origin"]) for path in files)]
        told = [f"{len(files)} files with refused lines in {folder}: {_some([path.name for path in files])}"] if files else []
        if gone:
            lines, names = sum(row["refused"] for row in gone), _some([row["origin"] for row in gone])
            told.append(
                f"{lines} refused lines of {names} are gone from {folder}: the log has why, not what they said; send their file again"
            )
        return True, "; ".join(told) or "no refused lines"

    return question


def _some(names: list[str]) -> str:
    return ", ".join(names[:FILES_SHOWN_MAX]) + (", ..." if len(names) > FILES_SHOWN_MAX else "")
