"""The outbox: deliveries to hooks, and how far each hook has read the log. Rows and places are written together; the log itself never
is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.store.connection import Connection
from o2c.store.turns import give_back, taken

TABLE = "o2c.outbox"

PLACE = "SELECT position FROM o2c.hook_place WHERE hook = %s"
"""How far a hook has read the log; no row before it has read anything. Parameter: the hook."""

_PLACES = "SELECT hook, position FROM o2c.hook_place"
"""How far each hook that has read anything has read the log. No parameters."""

_MOVE = """INSERT INTO o2c.hook_place AS p (hook, position) VALUES (%(hook)s, %(to)s)
    ON CONFLICT (hook) DO UPDATE SET position = %(to)s WHERE p.position = %(seen)s RETURNING position"""
"""Move the place of a hook from where it was seen; no row where it has moved meanwhile. Parameters, by name: hook, seen, to."""

_PUT = """INSERT INTO o2c.outbox (hook, position, part, event_id, stream, kind, made_at, next_at)
    SELECT %(hook)s, position, part, event_id, stream, kind, %(at)s, %(at)s
    FROM unnest(%(positions)s::bigint[], %(parts)s::smallint[], %(events)s::uuid[], %(streams)s::text[], %(kinds)s::text[])
        AS n (position, part, event_id, stream, kind) ON CONFLICT DO NOTHING"""
"""Put deliveries into the outbox. Parameters, by name: hook, at (the time), and arrays of positions, parts, events, streams and kinds."""

_DUE = """WITH RECURSIVE first AS (
        (SELECT * FROM o2c.outbox WHERE hook = %(hook)s AND state = 'pending' ORDER BY stream, position, part LIMIT 1)
        UNION ALL SELECT next.* FROM first, LATERAL (SELECT * FROM o2c.outbox o WHERE o.hook = %(hook)s AND o.state = 'pending' AND o.stream > first.stream
            ORDER BY o.stream, o.position, o.part LIMIT 1) next)
    SELECT hook, position, part, event_id::text, stream, kind, attempts, made_at FROM first WHERE next_at <= %(at)s
    ORDER BY position, part LIMIT %(most)s"""
"""Of each stream the first delivery that is still to be made, where it is due, the earliest first: a stream whose first one is not due
holds back its later ones, and no other stream. The index is entered once for each stream, however much waits in it. Parameters, by name:
hook, at (the time), most (rows)."""

_TOLD = """UPDATE o2c.outbox o SET state = n.state, attempts = n.attempts, next_at = n.next_at, tried_at = n.tried_at, status = n.status,
        word = n.word, latency_ms = n.latency_ms
    FROM unnest(%(positions)s::bigint[], %(parts)s::smallint[], %(states)s::text[], %(attempts)s::integer[], %(next)s::timestamptz[],
        %(tried)s::timestamptz[], %(statuses)s::integer[], %(words)s::text[], %(latencies)s::integer[])
        AS n (position, part, state, attempts, next_at, tried_at, status, word, latency_ms)
    WHERE o.hook = %(hook)s AND o.position = n.position AND o.part = n.part"""
"""Write down what came of deliveries of a hook. Parameters, by name: hook, and arrays with a value for each delivery."""

_RESEND = """UPDATE o2c.outbox SET state = 'pending', attempts = 0, next_at = %(at)s
    WHERE hook = %(hook)s AND state = 'dead' AND (position, part) IN (SELECT * FROM unnest(%(positions)s::bigint[], %(parts)s::smallint[]))"""
"""Let deliveries that were given up be made again. Parameters, by name: hook, at (the time), and arrays of positions and parts."""

_DEAD = "SELECT position, part, event_id::text, made_at FROM o2c.outbox WHERE hook = %s AND state = 'dead'"
"""The deliveries of a hook that were given up. Parameter: the hook."""

_HURRY = "UPDATE o2c.outbox SET next_at = %(at)s WHERE hook = %(hook)s AND state = 'pending' AND next_at > %(at)s"
"""Let deliveries that wait for their next attempt be made now. Parameters, by name: hook, at (the time)."""

_PENDING = "SELECT count(*) AS n FROM o2c.outbox WHERE hook = %s AND state = 'pending'"
"""How many deliveries of a hook are still to be made. Parameter: the hook."""

_TAKES_ANYTHING = "SELECT EXISTS (SELECT FROM o2c.outbox WHERE hook = %s AND state = 'delivered' AND tried_at >= %s) AS so"
"""Whether a hook has taken anything since a time. Parameters: the hook, the time."""

_FORGET = "DELETE FROM o2c.outbox WHERE (state = 'delivered' AND tried_at < %s) OR (hook = ANY(%s) AND state <> 'delivered')"
"""Forget deliveries that were made before a time, and whatever was to be told to hooks that have ended. Parameters: the time, the hooks."""

_UNFLUSHED = "SET LOCAL synchronous_commit = off"
"""Let the transaction commit without a flush. No parameters."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a hook, made of the event at `position`; `part` tells the messages of one event apart. `kind` is what it tells of."""

    hook: str
    position: int
    part: int
    event_id: str
    stream: str
    kind: str
    attempts: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt to make a delivery: `state` is that of the delivery after it, `next_at` when it is tried again."""

    delivery: Delivery
    state: str
    next_at: datetime
    tried_at: datetime
    status: int | None
    word: str
    latency_ms: int


@contextmanager
def turn_of(conn: Connection, hook: str) -> Iterator[bool]:
    """Whether it is this connection's turn to tell a hook, for the length of the block: one at a time does, so that its order is kept."""
    ours = taken(conn, f"hook {hook}", TABLE)
    try:
        yield ours
    finally:
        if ours:
            give_back(conn, f"hook {hook}")


def place_of(conn: Connection, hook: str, begins_after: int) -> int:
    """The position up to which a hook has read the log; where it has read nothing yet, the one after which it begins."""
    row = conn.execute(PLACE, (hook,)).fetchone()
    return int(row["position"]) if row else begins_after


def places(conn: Connection) -> dict[str, int]:
    """The position up to which each hook has read the log; hooks that have read nothing yet are not there."""
    return {row["hook"]: int(row["position"]) for row in conn.execute(_PLACES).fetchall()}


@contextmanager
def writing(conn: Connection) -> Iterator[None]:
    """A short transaction of the outbox: what is to be told, and how far was read, survive a crash of the database together."""
    with conn.transaction():
        yield


@contextmanager
def unflushed(conn: Connection) -> Iterator[None]:
    """A short transaction that a crash of the database may take back: what came of deliveries, which are then made again under their
    ids."""
    with conn.transaction():
        conn.execute(_UNFLUSHED)
        yield


def put(conn: Connection, hook: str, rows: Sequence[tuple[int, int, str, str, str]], at: datetime) -> None:
    """Put deliveries into the outbox: of each the position, part, event id, stream and kind."""
    if rows:
        columns = dict(zip(("positions", "parts", "events", "streams", "kinds"), map(list, zip(*rows, strict=True)), strict=True))
        conn.execute(_PUT, {"hook": hook, "at": at, **columns})


def move(conn: Connection, hook: str, *, seen: int, to: int) -> bool:
    """Move the place of a hook on, within the transaction that put what it is told of up to there; False where another has moved it."""
    return conn.execute(_MOVE, {"hook": hook, "seen": seen, "to": to}).fetchone() is not None


def due(conn: Connection, hook: str, at: datetime, limit: int) -> list[Delivery]:
    """The deliveries of a hook that may be made now: of each stream the first that was not made, if it is due."""
    return [Delivery(**row) for row in conn.execute(_DUE, {"hook": hook, "at": at, "most": limit}).fetchall()]


def tell(conn: Connection, hook: str, attempts: Sequence[Attempt]) -> None:
    """Write down what came of attempts."""
    columns: dict[str, list[Any]] = {
        "positions": [each.delivery.position for each in attempts],
        "parts": [each.delivery.part for each in attempts],
        "states": [each.state for each in attempts],
        "attempts": [each.delivery.attempts + 1 for each in attempts],
        "next": [each.next_at for each in attempts],
        "tried": [each.tried_at for each in attempts],
        "statuses": [each.status for each in attempts],
        "words": [each.word for each in attempts],
        "latencies": [each.latency_ms for each in attempts],
    }
    conn.execute(_TOLD, {"hook": hook, **columns})


def given_up(conn: Connection, hook: str) -> list[tuple[int, int, str, datetime]]:
    """The deliveries of a hook that were given up: position, part, event id and when each was put into the outbox."""
    return [tuple(row.values()) for row in conn.execute(_DEAD, (hook,)).fetchall()]


def make_again(conn: Connection, hook: str, places: Iterable[tuple[int, int]], at: datetime) -> None:
    """Let deliveries that were given up, each by position and part, be made again from now on."""
    positions, parts = zip(*found, strict=True) if (found := list(places)) else ((), ())
    conn.execute(_RESEND, {"hook": hook, "at": at, "positions": list(positions), "parts": list(parts)})


def hurry(conn: Connection, hook: str, at: datetime) -> None:
    """Let deliveries that wait for their next attempt be made now."""
    conn.execute(_HURRY, {"hook": hook, "at": at})


def has_taken_since(conn: Connection, hook: str, at: datetime) -> bool:
    """Whether any delivery to a hook was made since a time."""
    return conn.execute(_TAKES_ANYTHING, (hook, at)).fetchone() == {"so": True}


def pending(conn: Connection, hook: str) -> int:
    """How many deliveries of a hook are still to be made."""
    [row] = conn.execute(_PENDING, (hook,)).fetchall()
    return int(row["n"])


def forget(conn: Connection, before: datetime, ended: Sequence[str]) -> None:
    """Forget deliveries that were made before a time, and those that hooks which have ended were not told."""
    conn.execute(_FORGET, (before, list(ended)))
