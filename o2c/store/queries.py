"""The named statements about the tables of the log; code outside the store runs those it needs, or asks `Reads`.

Each has its sentence below it, with its parameters in order. Statements that only one file of the store may run stand in that file.
"""

from __future__ import annotations

ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Let every statement of this transaction see the same state of the database; it must be the first statement of the transaction."""

_AGENDA_ROW = """a.stream, item, step, kind, due_at, priority, since, attempt, pool, cause::text,
    (SELECT last_position FROM o2c.head h WHERE h.stream = a.stream) AS seen"""
"""The columns of an agenda row `a`; `seen` is the position of the last event of its stream."""

_AGENDA_ORDER = "ORDER BY due_at, priority, stream, item, step"
"""The fixed order in which due rows are attended to."""

NEXT_WINDOW = "SELECT * FROM o2c.next_window(%s::timestamptz, %s, %s, %s, %s::bigint)"
"""The window with the earliest due row and its rows, for simulated time.

Parameters: end of the open window or NULL, now, time limit, length of a window, round. No row when nothing is due before the limit.
"""

LEASE_TURN = "LOCK TABLE o2c.policy_checkpoint IN SHARE UPDATE EXCLUSIVE MODE"
"""Wait until no other transaction leases. The first statement of a transaction that leases.

A table's lock, and of a table that none but appenders may write: an advisory lock is anybody's, and who held it would stop every worker.
This kind of lock meets only its like, no reading and no writing. No parameters.
"""

LEASE_UNFLUSHED = "SET LOCAL synchronous_commit = off"
"""Let the transaction commit without a flush: a lease lost in a crash does no harm. No parameters."""

LEASE = f"""UPDATE o2c.agenda a SET lease_until = clock_timestamp() + make_interval(secs => %s)
    FROM (SELECT stream, item, step FROM o2c.agenda d
        WHERE due_at <= %s AND (lease_until IS NULL OR lease_until < clock_timestamp())
        AND NOT EXISTS (SELECT FROM o2c.agenda o WHERE o.stream = d.stream AND o.lease_until >= clock_timestamp())
        {_AGENDA_ORDER} LIMIT %s FOR UPDATE SKIP LOCKED) d
    WHERE a.stream = d.stream AND a.item = d.item AND a.step = d.step
    RETURNING a.stream, a.item, a.step, a.kind, a.due_at, a.priority, a.since, a.attempt, a.pool, a.cause::text, 0 AS seen"""
"""Lease a page of due rows, of streams that nobody leases a row of, and return them in no order.

Parameters: seconds of the lease, latest due time, most rows.
"""

RELEASE = """UPDATE o2c.agenda a SET lease_until = NULL FROM (SELECT d.stream, d.item, d.step FROM o2c.agenda d
        JOIN unnest(%s::text[], %s::text[], %s::text[]) AS r (stream, item, step) USING (stream, item, step)
        WHERE lease_until IS NOT NULL FOR UPDATE OF d SKIP LOCKED) r
    WHERE a.stream = r.stream AND a.item = r.item AND a.step = r.step"""
"""End the lease of agenda rows, except of those that another transaction has locked. Parameters: arrays of streams, items and steps."""

AGENDA_OF_STREAM = f"SELECT {_AGENDA_ROW} FROM o2c.agenda a WHERE stream = %s {_AGENDA_ORDER}"
"""The agenda rows of a stream, in the order in which they fall due. Parameter: stream."""

AGENDA_OF_STREAMS = f"SELECT {_AGENDA_ROW} FROM o2c.agenda a WHERE stream = ANY(%s)"
"""The agenda rows of several streams, in no order. Parameter: array of streams."""

STREAMS_AT_STEP = "SELECT stream FROM o2c.agenda WHERE step = %s"
"""The streams with an agenda row of a step, once for each row. Parameter: step."""

AT_STEP_FROM = """SELECT stream, due_at FROM o2c.agenda
    WHERE step = %s AND due_at >= %s AND (due_at, stream) > (%s, %s) AND round <= %s ORDER BY due_at, stream LIMIT %s"""
"""The agenda rows of a step from a time on, in the order in which they fall due.

Parameters: step, the time, due time and stream before the first, the latest round in which a row may have been written, most rows.
"""

STOCK_WAITED_FOR = "SELECT pool, min(step) AS step FROM o2c.agenda WHERE pool <> '' AND kind = 'stock' GROUP BY pool ORDER BY pool"
"""The pools that steps wait for, each with such a step. No parameters."""

NEXT_DUE = "SELECT min(due_at) AS due FROM o2c.agenda WHERE due_at > %s"
"""When the first agenda row after a time falls due; NULL when none does. Parameter: that time."""

WAITING_FOR_POOL = f"""SELECT {_AGENDA_ROW} FROM o2c.agenda a WHERE pool = %s AND kind = 'stock'
    ORDER BY priority, since, stream, item LIMIT %s"""
"""The agenda rows that wait for a pool, by priority, then age. Parameters: pool, most rows."""

CALLS_OF_POOL = f"SELECT {_AGENDA_ROW} FROM o2c.agenda a WHERE pool = %s ORDER BY priority, since, stream, item, step"
"""The agenda rows of a partner's calls that are parked, or have been and wait for their time; by priority, then age. Parameter: their
pool."""

LAST_CALLS = """SELECT stream, occurred_at, body -> 'asked' ->> 'answer' AS answer, body -> 'asked' ->> 'code' AS code
    FROM (SELECT stream, occurred_at, body FROM o2c.event ORDER BY position DESC LIMIT %s) last
    WHERE body -> 'asked' ->> 'partner' = %s"""
"""How a partner answered lately, among the last events of the log. Parameters: number of events, partner."""

UNSERVED = """SELECT w.pool, least(w.waiting, f.free - d.due) AS unserved
    FROM (SELECT pool, min(step) AS step, count(*) AS waiting FROM o2c.agenda WHERE pool <> '' AND kind = 'stock' GROUP BY pool) w
    CROSS JOIN LATERAL (SELECT count(*) AS free FROM (SELECT FROM o2c.pool p WHERE p.pool = w.pool AND p.available_at <= %s
        AND NOT EXISTS (SELECT FROM o2c.guard g WHERE g.kind = split_part(p.pool, '/', 1) AND g.key = p.key) LIMIT %s) p) f
    CROSS JOIN LATERAL (SELECT count(*) AS due FROM o2c.agenda a WHERE f.free > 0 AND a.step = w.step AND a.due_at <= %s) d
    WHERE f.free > d.due ORDER BY w.pool"""
"""By pool, how many of the rows that wait for it could be served: free pieces less the steps due by now that are about to take one.

Parameters: now, most free pieces counted in a pool, now again.
"""

CANDIDATES = """SELECT detail FROM o2c.pool p WHERE pool = %s AND available_at <= %s AND round <= %s
    AND NOT EXISTS (SELECT FROM o2c.guard g WHERE g.kind = split_part(p.pool, '/', 1) AND g.key = p.key) ORDER BY key LIMIT %s"""
"""The first free pieces of a pool, by key. Parameters: pool, now, the latest round in which a piece may have been offered, most rows."""

HEADS = """SELECT stream, version, last_position, shape, state_version, CASE WHEN last_position <> kept_at THEN state::text END AS state
    FROM unnest(%s::text[], %s::bigint[]) AS asked (name, kept_at)
    CROSS JOIN LATERAL (SELECT * FROM o2c.head WHERE stream = name OFFSET 0) h -- one by one: no plan reads all heads"""
"""The head rows of some streams; the state is NULL where the stream still ends at the position the caller has it of.

Parameters: array of streams, array of those positions.
"""

STREAMS_BETWEEN = "SELECT stream FROM o2c.head WHERE stream >= %s AND stream < %s ORDER BY stream"
"""The names of the streams from one name up to, not including, another, in name order. Parameters: the two names."""

GUARD_HOLDERS = """SELECT kind, key, holder FROM unnest(%s::text[], %s::text[]) AS asked (kind, key)
    CROSS JOIN LATERAL (SELECT holder FROM o2c.guard g WHERE g.kind = asked.kind AND g.key = asked.key LIMIT 1) g"""
"""The holders of some guards, without those that nobody holds. Parameters: array of kinds, array of keys."""

LAST_NUMBERS = "SELECT series, last FROM o2c.series WHERE series = ANY(%s)"
"""The last number that was given of each of some series, without those that gave none. Parameter: array of series."""

EVENT_COLUMNS = """position, stream, version, event_id::text, type, schema_version, recorded_at, occurred_at, actor, channel,
    command_id::text, causation::text, order_id::text, customer_id, body::text, personal::text"""
"""The columns of an event as `stored_fact` reads them."""

EVENTS_OF_STREAM = f"SELECT {EVENT_COLUMNS} FROM o2c.event WHERE stream = %s AND version > %s AND version <= %s ORDER BY version LIMIT %s"
"""Events of a stream in version order. Parameters: stream, the version before the first, the last version, most rows or NULL."""

EVENTS_OF_STREAM_BACKWARDS = (
    f"SELECT {EVENT_COLUMNS} FROM o2c.event WHERE stream = %s AND version > %s AND version <= %s ORDER BY version DESC LIMIT %s"
)
"""Events of a stream, the last one first. Parameters: as of `EVENTS_OF_STREAM`."""

EVENTS_AFTER = f"""WITH bound AS MATERIALIZED (SELECT o2c.horizon() AS h)
    SELECT {EVENT_COLUMNS} FROM o2c.event WHERE position > %s AND position < (SELECT h FROM bound) AND position <= %s
    AND (%s OR type = ANY(%s)) ORDER BY position LIMIT %s"""
"""Events in position order, never past the horizon.

Parameters: the position before the first, the last position, true for events of every type, array of types, most rows.
"""

CALLS_OF_OUTAGES = """WITH last AS (
        SELECT DISTINCT ON (outage, stream, body ->> 'item', body ->> 'step', body ->> 'attempt') body ->> 'outage' AS outage, type,
            (body ->> 'due_at')::timestamptz AS due_at
        FROM o2c.event WHERE type IN ('call.parked', 'call.resumed') AND body ->> 'outage' = ANY(%s)
        ORDER BY outage, stream, body ->> 'item', body ->> 'step', body ->> 'attempt', position DESC)
    SELECT outage, count(*) AS parked, count(*) FILTER (WHERE type = 'call.resumed' AND due_at <= %s) AS drained FROM last GROUP BY outage"""
"""How many calls each of some outages parked, and how many of them were made again by a time. Parameters: array of outages, that time."""

EVENTS_OF_SAME_COMMAND = """SELECT e.type, e.body FROM o2c.event at JOIN o2c.event e ON e.stream = %s AND e.command_id = at.command_id
    WHERE at.position = %s ORDER BY e.position"""
"""Type and body of the events of a stream that came of the same command as a given event. Parameters: stream, position of that event."""

VERSION_AT = "SELECT coalesce(max(version), 0) AS version FROM o2c.event WHERE stream = %s AND occurred_at <= %s"
"""The version of a stream by a time of business. Parameters: stream, time."""

LAST_POSITION = "SELECT coalesce(max(position), 0) AS top FROM o2c.event"
"""The position of the last committed event, even if readers do not see it yet; 0 in an empty log."""

LAST_READABLE_POSITION = "SELECT max(position) AS m FROM o2c.event WHERE position < (SELECT o2c.horizon())"
"""The position of the last event that readers see; NULL when they see none."""

LAST_OF_TYPES = "SELECT type, max(position) AS last FROM o2c.event WHERE position > %s AND position <= %s GROUP BY type"
"""The types of the events after a position and up to another, which readers see, each with the position of its last. Parameters: the
positions."""

POSITION_REACHED = """SELECT o2c.horizon() > %s AS passed,
    (o2c.current_offset() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint) * 65536 > %s AS given"""
"""Whether readers see everything up to a position, and whether this log can have given it at all. Parameters: the position, twice."""

ENVELOPE = (
    *("stream", "version", "event_id", "type", "schema_version", "occurred_at", "recorded_at", "actor", "channel", "command_id"),
    *("fingerprint", "causation", "order_id", "customer_id", "body", "personal"),
)
"""The members of an event with its whole envelope, in the order in which `EXPORTED` writes them."""

_MEMBERS = ", ".join(f"'{name}', {'c' if name == 'fingerprint' else 'e'}.{name}" for name in ENVELOPE)
"""The members of an envelope as arguments of json_build_object; the fingerprint is that of the command."""

EXPORTED = f"""SELECT json_build_object({_MEMBERS})::text AS line
    FROM o2c.event e LEFT JOIN o2c.command c USING (command_id)
    WHERE e.position < o2c.horizon() ORDER BY e.position"""
"""Every event that readers see, each as a line of JSON with its whole envelope, in position order.

It is the whole log: read it through a server-side cursor.
"""

COMMAND = "SELECT fingerprint, outcome, first_position, last_position FROM o2c.command WHERE command_id = %s::uuid"
"""What was written of a command; no row for an id that was never used. Parameter: command id."""

COMMANDS_WRITTEN = "SELECT command_id::text AS id FROM o2c.command WHERE command_id = ANY(%s::uuid[])"
"""Those of some command ids that were used. Parameter: command ids."""

CLOCK = "SELECT kind, now, window_s, window_end, round, seed FROM o2c.clock"
"""The clock of the store; no row while it has none."""

CREATE_CLOCK = "INSERT INTO o2c.clock (kind, now, window_s, round, seed) VALUES (%s, %s, %s, 0, %s) ON CONFLICT DO NOTHING RETURNING kind"
"""Give the store its clock; no row is returned when it has one. Parameters: kind, now, length of a window in seconds, seed."""

MOVE_CLOCK = """WITH unflushed AS (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE o2c.clock SET now = %s, window_end = %s, round = %s FROM unflushed"""
"""Set the simulated time and commit without a flush. Parameters: now, end of the open window or NULL, round."""

POLICY_POSITION = "SELECT position FROM o2c.policy_checkpoint WHERE policy = %s"
"""The position up to which a reaction has read the log; no row when it never did. Parameter: name of the reaction."""

POLICY_POSITIONS = "SELECT policy, position FROM o2c.policy_checkpoint WHERE policy = ANY(%s)"
"""The positions up to which reactions have read the log; no row of one that never did. Parameter: array of their names."""

MOVE_POLICY = (
    "INSERT INTO o2c.policy_checkpoint VALUES (%s, %s) ON CONFLICT (policy) DO UPDATE SET position = excluded.position"
    " WHERE policy_checkpoint.position < excluded.position"
)
"""Record that a reaction has read the log up to a position; never moves it back. Parameters: name of the reaction, position."""
