"""Plain reads of the store: heads, agenda, guards, stock pools, the clock. Nothing here writes the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventsourcing.postgres import PostgresDatastore

from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Guard


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the agenda as stored; `cause` is the id of the event it indexes."""

    entry: Entry
    cause: str

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


_ROW = "stream, item, step, kind, due_at, priority, since, attempt, pool, cause::text"
_ORDER = "ORDER BY due_at, priority, stream, item, step"


class Reads:
    """Reads on the library's datastore, one statement each."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        self.datastore = datastore

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        with self.datastore.get_connection() as conn:
            return conn.execute(sql.encode(), parameters, prepare=True).fetchall()

    def heads(self, streams: Sequence[str]) -> list[dict[str, Any]]:
        """stream, version, shape and state (as JSON text) of the given streams."""
        return self.rows("SELECT stream, version, shape, state::text AS state FROM o2c.head WHERE stream = ANY(%s)", list(streams))

    def streams_like(self, prefix: str) -> list[str]:
        """Names of the streams that begin with the prefix, in name order."""
        found = self.rows("SELECT stream FROM o2c.head WHERE stream >= %s AND stream < %s ORDER BY stream", prefix, prefix + "\U0010ffff")
        return [row["stream"] for row in found]

    def due(self, before: datetime, round_: int, *, limit: int | None = None) -> list[Row]:
        """Everything due before a time and written in an earlier round, in the fixed order."""
        sql = f"SELECT {_ROW} FROM o2c.agenda WHERE due_at < %s AND round <= %s {_ORDER} LIMIT %s"
        return [_row(row) for row in self.rows(sql, before, round_, limit)]

    def lease(self, before: datetime, limit: int, lease_s: int) -> list[Row]:
        """Take a page of due rows for a while, so that other workers take others; correctness never depends on it."""
        sql = f"""UPDATE o2c.agenda a SET lease_until = clock_timestamp() + make_interval(secs => %s)
            FROM (SELECT stream, item, step FROM o2c.agenda WHERE due_at <= %s AND (lease_until IS NULL OR lease_until < clock_timestamp())
                  {_ORDER} LIMIT %s FOR UPDATE SKIP LOCKED) d
            WHERE a.stream = d.stream AND a.item = d.item AND a.step = d.step
            RETURNING a.stream, a.item, a.step, a.kind, a.due_at, a.priority, a.since, a.attempt, a.pool, a.cause::text"""
        found = [_row(row) for row in self.rows(sql, lease_s, before, limit)]
        return sorted(found, key=lambda row: (row.entry.due_at, row.entry.priority, row.entry.stream, row.entry.item, row.entry.step))

    def still(self, rows: Sequence[Row]) -> set[tuple[str, str, str, str, int]]:
        """Which of the rows still stand as they were: (stream, item, step, kind, attempt)."""
        found = self.rows(f"SELECT {_ROW} FROM o2c.agenda WHERE stream = ANY(%s)", sorted({row.entry.stream for row in rows}))
        return {(r["stream"], r["item"], r["step"], r["kind"], r["attempt"]) for r in found}

    def of_stream(self, stream: str) -> list[Row]:
        return [_row(row) for row in self.rows(f"SELECT {_ROW} FROM o2c.agenda WHERE stream = %s {_ORDER}", stream)]

    def next_due(self) -> datetime | None:
        [row] = self.rows("SELECT min(due_at) AS due FROM o2c.agenda")
        due: datetime | None = row["due"]
        return due

    def waiting(self, pool: str, limit: int) -> list[Row]:
        """Who waits for a pool: by priority, then age."""
        sql = f"SELECT {_ROW} FROM o2c.agenda WHERE pool = %s AND kind = 'stock' ORDER BY priority, since, stream, item LIMIT %s"
        return [_row(row) for row in self.rows(sql, pool, limit)]

    def candidates(self, pool: str, at: datetime, round_: int, limit: int) -> list[dict[str, Any]]:
        """The first free pieces of a pool at a time, offered in an earlier round; a hint only, the guard row decides."""
        sql = """SELECT detail FROM o2c.pool p WHERE pool = %s AND available_at <= %s AND round <= %s
            AND NOT EXISTS (SELECT FROM o2c.guard g WHERE g.kind = split_part(p.pool, '/', 1) AND g.key = p.key) ORDER BY key LIMIT %s"""
        return [row["detail"] for row in self.rows(sql, pool, at, round_, limit)]

    def holders(self, guards: Sequence[Guard]) -> dict[tuple[str, str], str]:
        """Who holds which of the guards."""
        if not guards:
            return {}
        sql = "SELECT kind, key, holder FROM o2c.guard WHERE (kind, key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
        found = self.rows(sql, [guard.kind for guard in guards], [guard.key for guard in guards])
        return {(row["kind"], row["key"]): row["holder"] for row in found}

    def command(self, command_id: str) -> dict[str, Any] | None:
        """fingerprint, outcome, first_position and last_position of a command that was written; None for one that was not."""
        found = self.rows(
            "SELECT fingerprint, outcome, first_position, last_position FROM o2c.command WHERE command_id = %s::uuid", command_id
        )
        return found[0] if found else None

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


def _row(row: dict[str, Any]) -> Row:
    cause = row.pop("cause")
    return Row(Entry(**row), cause)
