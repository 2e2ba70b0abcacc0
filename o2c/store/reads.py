"""Plain reads of the store: heads, agenda, guards, stock pools, the clock. Nothing here writes the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from eventsourcing.postgres import PostgresDatastore

from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Guard
from o2c.store import queries
from o2c.store.commands import plain_array, text_array


@dataclass(frozen=True, slots=True)
class DueRow:
    """A row of the agenda as stored.

    `cause` is the id of the event it indexes. `seen` is the position of its stream's last event when the row was read; 0 when that was not
    read.
    """

    entry: Entry
    cause: str
    seen: int

    @property
    def place(self) -> tuple[str, str, str]:
        """The key of the row in the agenda: stream, item, step."""
        return self.entry.stream, self.entry.item, self.entry.step


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of the store, of one kind for life.

    `round` counts the passes of a simulated run, and `window_end` is the end of its open window, or None.
    """

    kind: str
    now: datetime
    window_s: int
    window_end: datetime | None
    round: int
    seed: int

    def latest(self, at: datetime) -> datetime:
        """Give the time up to which things may have happened: what falls due in the window of simulated time under way may be with its
        partner, though the clock stands at the window's start."""
        return max(at, self.window_end or at)


class Reached(NamedTuple):
    """How far a position has come: whether readers see everything up to it, and whether this log can have given it at all."""

    passed: bool
    given: bool


class Reads:
    """Reads on the library's datastore, one statement each."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        self.datastore = datastore

    def rows(self, sql: str, *parameters: Any, **named: Any) -> list[dict[str, Any]]:
        """All rows of a statement, which the server plans once for each connection; its parameters by place or by name."""
        with self.datastore.get_connection() as conn:
            return conn.execute(sql.encode(), named or parameters, prepare=True).fetchall()

    def heads(self, streams: Sequence[str], kept_at: Sequence[int]) -> list[dict[str, Any]]:
        """The head rows of streams, each with its state as JSON text and `state_version`, the version that state is of.

        `kept_at` has for each stream the position at which the caller keeps its state already (0: keeps none): while the stream still ends
        there, the state is left out (None).
        """
        return self.rows(queries.HEADS, text_array(streams), plain_array(kept_at))

    def last_of_types(self, after: int, upto: int) -> dict[str, int]:
        """The types of the events after a position and up to another, each with the position of its last."""
        return {row["type"]: int(row["last"]) for row in self.rows(queries.LAST_OF_TYPES, after, upto)}

    def streams_like(self, prefix: str) -> list[str]:
        """Names of the streams that begin with the prefix, in name order."""
        return [row["stream"] for row in self.rows(queries.STREAMS_BETWEEN, prefix, prefix + "\U0010ffff")]

    def streams_at(self, step: str) -> list[str]:
        """Names of the streams with a row of this step on the agenda."""
        return [row["stream"] for row in self.rows(queries.STREAMS_AT_STEP, step)]

    def at_step(self, step: str, from_: datetime, after: tuple[datetime, str], round_: int, limit: int) -> list[tuple[datetime, str]]:
        """The rows of a step from a time on, as (due, stream), in that order after a place, written in this round or before."""
        rows = self.rows(queries.AT_STEP_FROM, step, from_, *after, round_, limit)
        return [(row["due_at"], row["stream"]) for row in rows]

    def waited_for(self) -> dict[str, str]:
        """The pools that steps wait for, each with the name of such a step."""
        return {row["pool"]: row["step"] for row in self.rows(queries.STOCK_WAITED_FOR)}

    def next_window(self, clock: Clock, until: datetime) -> tuple[datetime, list[DueRow]] | None:
        """The end of the window with the earliest due row, and its rows of this round and before, in the fixed order.

        None when nothing is due before `until`.
        """
        rows = self.rows(queries.NEXT_WINDOW, clock.window_end, clock.now, until, timedelta(seconds=clock.window_s), clock.round)
        if not rows:
            return None
        before: datetime = rows[0]["before"]
        return before, [_row(row) for row in rows if row["stream"] is not None]

    def lease(self, before: datetime, limit: int, lease_s: float) -> list[DueRow]:
        """Take a page of due rows for a while, so that other workers take others; correctness never depends on it.

        A stream of which another worker has leased a row is passed over: two workers that write to one stream only make each other stale.
        The rows may have been waited for, so they can be newer than the snapshot of the statement and a position read there would be too
        old: `seen` is 0.
        """
        with self.datastore.get_connection() as conn, conn.transaction():
            # Leases are taken one after another, each with the snapshot of its own statement, or two workers would share a stream.
            conn.execute(queries.LEASE_TURN)
            conn.execute(queries.LEASE_UNFLUSHED)
            rows = [_row(row) for row in conn.execute(queries.LEASE.encode(), (lease_s, before, limit), prepare=True).fetchall()]
        return sorted(rows, key=lambda row: (row.entry.due_at, row.entry.priority, row.entry.stream, row.entry.item, row.entry.step))

    def release(self, rows: Sequence[DueRow]) -> None:
        """Give back rows that were leased and not begun."""
        # A row that an append is rewriting at this moment is skipped: the append ends its lease as well, and waiting for it could be a
        # deadlock.
        with self.datastore.get_connection() as conn:
            conn.execute(queries.RELEASE, tuple(list(column) for column in zip(*(row.place for row in rows), strict=True)))

    def still(self, rows: Sequence[DueRow]) -> list[DueRow]:
        """Those of the rows that stand on the agenda unchanged: with the same kind and attempt."""
        streams = sorted({row.entry.stream for row in rows})
        standing = {_as_it_was(_row(row)) for row in self.rows(queries.AGENDA_OF_STREAMS, streams)}
        return [row for row in rows if _as_it_was(row) in standing]

    def of_stream(self, stream: str) -> list[DueRow]:
        """The agenda rows of a stream, in the fixed order."""
        return [_row(row) for row in self.rows(queries.AGENDA_OF_STREAM, stream)]

    def next_due(self, after: datetime | None = None) -> datetime | None:
        """When the first row falls due; with `after`, the first that falls due later than that (earlier ones are in the hands of
        others)."""
        [row] = self.rows(queries.NEXT_DUE, after or datetime.min.replace(tzinfo=UTC))
        due: datetime | None = row["due"]
        return due

    def waiting(self, pool: str, limit: int) -> list[DueRow]:
        """The rows that wait for a pool: by priority, then age."""
        return [_row(row) for row in self.rows(queries.WAITING_FOR_POOL, pool, limit)]

    def calls_in(self, pool: str) -> list[DueRow]:
        """The rows of a partner's calls that are parked, or have been and wait for their time: by priority, then age."""
        return [_row(row) for row in self.rows(queries.CALLS_OF_POOL, pool)]

    def last_calls(self, partner: str, events: int) -> list[dict[str, Any]]:
        """stream, occurred_at, answer and code of the calls of a partner, as far as so many of the last events of the log tell."""
        return self.rows(queries.LAST_CALLS, events, partner)

    def calls_of(self, outages: Sequence[str], at: datetime) -> dict[str, tuple[int, int]]:
        """By outage, how many calls it parked, and how many of these were made again by a time; none for one that parked none."""
        rows = self.rows(queries.CALLS_OF_OUTAGES, list(outages), at)
        return {row["outage"]: (row["parked"], row["drained"]) for row in rows}

    def unserved(self, at: datetime, limit: int) -> dict[str, int]:
        """By pool, how many of the rows that wait for it could be served: with free pieces that no step due by now is about to take."""
        return {row["pool"]: row["unserved"] for row in self.rows(queries.UNSERVED, at, limit, at)}

    def candidates(self, pool: str, at: datetime, round_: int, limit: int) -> list[dict[str, Any]]:
        """The first pieces of a pool that are free at a time and were offered in this round or before; a hint only: the guard row
        decides."""
        return [row["detail"] for row in self.rows(queries.CANDIDATES, pool, at, round_, limit)]

    def holders(self, guards: Sequence[Guard]) -> dict[tuple[str, str], str]:
        """The holder of each of the guards that is held, by kind and key."""
        if not guards:
            return {}
        rows = self.rows(queries.GUARD_HOLDERS, [guard.kind for guard in guards], [guard.key for guard in guards])
        return {(row["kind"], row["key"]): row["holder"] for row in rows}

    def last_numbers(self, series: Sequence[str]) -> dict[str, int]:
        """The last number that was given of each of some series, without those that gave none. A hint only: the append decides."""
        return {row["series"]: row["last"] for row in self.rows(queries.LAST_NUMBERS, list(series))}

    def command(self, command_id: str) -> dict[str, Any] | None:
        """fingerprint, outcome, first_position and last_position of a command that was written; None for one that was not."""
        return next(iter(self.rows(queries.COMMAND, command_id)), None)

    def commands_written(self, command_ids: Sequence[str]) -> set[str]:
        """Those of some command ids under which something was written."""
        return {row["id"] for row in self.rows(queries.COMMANDS_WRITTEN, list(command_ids))}

    def written_with(self, stream: str, position: int) -> list[dict[str, Any]]:
        """type and body of the events of a stream that came of the same command as the event at a position."""
        return self.rows(queries.EVENTS_OF_SAME_COMMAND, stream, position)

    def last_position(self) -> int:
        """The position of the last committed event, even if readers do not see it yet; 0 in an empty log."""
        [row] = self.rows(queries.LAST_POSITION)
        return int(row["top"])

    def reached(self, position: int) -> Reached:
        """Whether readers have passed a position, and whether this log can have given it."""
        [row] = self.rows(queries.POSITION_REACHED, position, position)
        return Reached(**row)

    def clock(self) -> Clock | None:
        """The clock of the store; None while it has none."""
        rows = self.rows(queries.CLOCK)
        return Clock(**rows[0]) if rows else None


def _as_it_was(row: DueRow) -> tuple[tuple[str, str, str], str, int]:
    return row.place, row.entry.kind, row.entry.attempt


def _row(row: dict[str, Any]) -> DueRow:
    cause, seen = row.pop("cause"), row.pop("seen")
    row.pop("before", None)
    return DueRow(Entry(**row), cause, seen)
