"""Plain reads of the store: heads, agenda, guards, stock pools, the clock. Nothing here writes the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from eventsourcing.postgres import PostgresDatastore

from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Guard
from o2c.store.commands import plain_array, text_array


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the agenda as stored; `cause` is the id of the event it indexes, `seen` the position of its stream's last event when the row was
    read (0: not known)."""

    entry: Entry
    cause: str
    seen: int

    @property
    def place(self) -> tuple[str, str, str]:
        """What makes a row of the agenda one: stream, item, step."""
        return self.entry.stream, self.entry.item, self.entry.step


@dataclass(frozen=True, slots=True)
class Clock:
    """One kind of clock for life. `round` counts passes and `window_end` is the open window of a simulated run, if one is open."""

    kind: str
    now: datetime
    window_s: int
    window_end: datetime | None
    round: int
    seed: int


_ROW = """a.stream, item, step, kind, due_at, priority, since, attempt, pool, cause::text,
    (SELECT last_position FROM o2c.head h WHERE h.stream = a.stream) AS seen"""
_ORDER = "ORDER BY due_at, priority, stream, item, step"


class Reads:
    """Reads on the library's datastore, one statement each."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        self.datastore = datastore

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        with self.datastore.get_connection() as conn:
            return conn.execute(sql.encode(), parameters, prepare=True).fetchall()

    def heads(self, streams: Sequence[str], known: Sequence[int]) -> list[dict[str, Any]]:
        """stream, version, last_position, shape, state (as JSON text) and the version the state is of; no state of those that still end at the
        known position."""
        sql = """SELECT stream, version, last_position, shape, state_version, CASE WHEN last_position <> known THEN state::text END AS state
            FROM unnest(%s::text[], %s::bigint[]) AS asked (name, known)
            CROSS JOIN LATERAL (SELECT * FROM o2c.head WHERE stream = name OFFSET 0) h -- one by one: no plan reads all heads"""
        return self.rows(sql, text_array(streams), plain_array(known))

    def streams_like(self, prefix: str) -> list[str]:
        """Names of the streams that begin with the prefix, in name order."""
        found = self.rows("SELECT stream FROM o2c.head WHERE stream >= %s AND stream < %s ORDER BY stream", prefix, prefix + "\U0010ffff")
        return [row["stream"] for row in found]

    def next_window(self, clock: Clock, until: datetime) -> tuple[datetime, list[Row]] | None:
        """The end of the window with the earliest due row, and its rows of this round and before, in the fixed order; None when nothing is due
        before `until`."""
        sql = "SELECT * FROM o2c.next_window(%s::timestamptz, %s, %s, %s, %s::bigint)"
        found = self.rows(sql, clock.window_end, clock.now, until, timedelta(seconds=clock.window_s), clock.round)
        if not found:
            return None
        before: datetime = found[0]["before"]
        return before, [_row(row) for row in found if row["stream"] is not None]

    def lease(self, before: datetime, limit: int, lease_s: float) -> list[Row]:
        """Take a page of due rows for a while, so that other workers take others; correctness never depends on it.

        Rows of a stream that somebody else has in hand are left to him: two who write to one stream only make each other stale. The rows are
        newer than the snapshot where they were waited for, so no position stands beside them: `seen` is 0.
        """
        sql = f"""UPDATE o2c.agenda a SET lease_until = clock_timestamp() + make_interval(secs => %s)
            FROM (SELECT stream, item, step FROM o2c.agenda d WHERE due_at <= %s AND (lease_until IS NULL OR lease_until < clock_timestamp())
                  AND NOT EXISTS (SELECT FROM o2c.agenda o WHERE o.stream = d.stream AND o.lease_until >= clock_timestamp())
                  {_ORDER} LIMIT %s FOR UPDATE SKIP LOCKED) d
            WHERE a.stream = d.stream AND a.item = d.item AND a.step = d.step
            RETURNING a.stream, a.item, a.step, a.kind, a.due_at, a.priority, a.since, a.attempt, a.pool, a.cause::text, 0 AS seen"""
        with self.datastore.get_connection() as conn, conn.transaction():
            # One after another, each with the snapshot of its own statement, or two would share a stream; a lost lease needs no flush.
            conn.execute(
                "SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(hashtextextended('o2c lease', 0))",
                prepare=True,
            )
            found = [_row(row) for row in conn.execute(sql.encode(), (lease_s, before, limit), prepare=True).fetchall()]
        return sorted(found, key=lambda row: (row.entry.due_at, row.entry.priority, row.entry.stream, row.entry.item, row.entry.step))

    def release(self, rows: Sequence[Row]) -> None:
        """Give back what was leased and not begun."""
        # What an append is rewriting this moment is skipped: that ends the lease as well, and waiting for it could be waiting for one another.
        sql = """UPDATE o2c.agenda a SET lease_until = NULL FROM (SELECT d.stream, d.item, d.step FROM o2c.agenda d
                JOIN unnest(%s::text[], %s::text[], %s::text[]) AS r (stream, item, step) USING (stream, item, step)
                WHERE lease_until IS NOT NULL FOR UPDATE OF d SKIP LOCKED) r
            WHERE a.stream = r.stream AND a.item = r.item AND a.step = r.step"""
        with self.datastore.get_connection() as conn:
            conn.execute(sql, tuple(list(column) for column in zip(*(row.place for row in rows), strict=True)))

    def still(self, rows: Sequence[Row]) -> list[Row]:
        """Which of the rows still stand as they were: the same kind and attempt."""
        sql = f"SELECT {_ROW} FROM o2c.agenda a WHERE stream = ANY(%s)"
        standing = {_as_it_was(_row(found)) for found in self.rows(sql, sorted({row.entry.stream for row in rows}))}
        return [row for row in rows if _as_it_was(row) in standing]

    def of_stream(self, stream: str) -> list[Row]:
        return [_row(row) for row in self.rows(f"SELECT {_ROW} FROM o2c.agenda a WHERE stream = %s {_ORDER}", stream)]

    def next_due(self, after: datetime | None = None) -> datetime | None:
        """When the first row falls due; of those due later than `after`, when that is given (what was due by then is in other hands)."""
        [row] = self.rows("SELECT min(due_at) AS due FROM o2c.agenda WHERE due_at > %s", after or datetime.min.replace(tzinfo=UTC))
        due: datetime | None = row["due"]
        return due

    def waiting(self, pool: str, limit: int) -> list[Row]:
        """Who waits for a pool: by priority, then age."""
        sql = f"SELECT {_ROW} FROM o2c.agenda a WHERE pool = %s AND kind = 'stock' ORDER BY priority, since, stream, item LIMIT %s"
        return [_row(row) for row in self.rows(sql, pool, limit)]

    def unserved(self, at: datetime, limit: int) -> dict[str, int]:
        """By pool, how many of those who wait for it could be served: pieces that are free and that no step due by now is about to take."""
        sql = """SELECT w.pool, least(w.waiting, f.free - d.due) AS unserved
            FROM (SELECT pool, min(step) AS step, count(*) AS waiting FROM o2c.agenda WHERE pool <> '' AND kind = 'stock' GROUP BY pool) w
            CROSS JOIN LATERAL (SELECT count(*) AS free FROM (SELECT FROM o2c.pool p WHERE p.pool = w.pool AND p.available_at <= %s
                AND NOT EXISTS (SELECT FROM o2c.guard g WHERE g.kind = split_part(p.pool, '/', 1) AND g.key = p.key) LIMIT %s) p) f
            CROSS JOIN LATERAL (SELECT count(*) AS due FROM o2c.agenda a WHERE f.free > 0 AND a.step = w.step AND a.due_at <= %s) d
            WHERE f.free > d.due ORDER BY w.pool"""
        return {row["pool"]: row["unserved"] for row in self.rows(sql, at, limit, at)}

    def candidates(self, pool: str, at: datetime, round_: int, limit: int) -> list[dict[str, Any]]:
        """The first free pieces of a pool at a time, offered in an earlier round; a hint only, the guard row decides."""
        sql = """SELECT detail FROM o2c.pool p WHERE pool = %s AND available_at <= %s AND round <= %s
            AND NOT EXISTS (SELECT FROM o2c.guard g WHERE g.kind = split_part(p.pool, '/', 1) AND g.key = p.key) ORDER BY key LIMIT %s"""
        return [row["detail"] for row in self.rows(sql, pool, at, round_, limit)]

    def holders(self, guards: Sequence[Guard]) -> dict[tuple[str, str], str]:
        """Who holds which of the guards."""
        if not guards:
            return {}
        sql = """SELECT kind, key, holder FROM unnest(%s::text[], %s::text[]) AS asked (kind, key)
            CROSS JOIN LATERAL (SELECT holder FROM o2c.guard g WHERE g.kind = asked.kind AND g.key = asked.key LIMIT 1) g"""
        found = self.rows(sql, [guard.kind for guard in guards], [guard.key for guard in guards])
        return {(row["kind"], row["key"]): row["holder"] for row in found}

    def command(self, command_id: str) -> dict[str, Any] | None:
        """fingerprint, outcome, first_position and last_position of a command that was written; None for one that was not."""
        found = self.rows(
            "SELECT fingerprint, outcome, first_position, last_position FROM o2c.command WHERE command_id = %s::uuid", command_id
        )
        return found[0] if found else None

    def written_with(self, stream: str, position: int) -> list[dict[str, Any]]:
        """type and body of the events of a stream that came of the same command as the event at a position."""
        sql = """SELECT e.type, e.body FROM o2c.event at JOIN o2c.event e ON e.stream = %s AND e.command_id = at.command_id
            WHERE at.position = %s ORDER BY e.position"""
        return self.rows(sql, stream, position)

    def clock(self) -> Clock | None:
        found = self.rows("SELECT kind, now, window_s, window_end, round, seed FROM o2c.clock")
        return Clock(**found[0]) if found else None

    def all_billed(self, runs: int) -> bool:
        """Whether every account with anything to charge has had so many bill runs."""
        sql = """SELECT EXISTS (SELECT FROM o2c.agenda a WHERE a.step = 'bill-run'
            AND (SELECT count(*) FROM o2c.event e WHERE e.stream = a.stream AND e.type = 'account.billed') < %s) AS short,
            EXISTS (SELECT FROM o2c.event WHERE type = 'account.billed') AS begun"""
        [row] = self.rows(sql, runs)
        return bool(row["begun"]) and not row["short"]


def _as_it_was(row: Row) -> tuple[tuple[str, str, str], str, int]:
    return row.place, row.entry.kind, row.entry.attempt


def _row(row: dict[str, Any]) -> Row:
    cause, seen = row.pop("cause"), row.pop("seen")
    row.pop("before", None)
    return Row(Entry(**row), cause, seen)
