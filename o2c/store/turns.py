"""Work that one process at a time does for all: the first that comes, or each in its turn.

A turn is mostly an advisory lock, and an advisory lock is anybody's who may connect. So a login that has no right to the work is no reason
to leave it: the work goes on without the lock, which keeps two from doing the same and guards nothing. What must be done alone waits, for
the lock of a table where it can, which only those may take who may write that table; it says whom it waits for, and does not wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import psycopg
import structlog
from eventsourcing.postgres import PostgresDatastore

from o2c.kernel.refusal import Refused

logger = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
TOLD_S = 2.0
"""After so long whoever waits says for whom."""
PATIENCE_S = 60.0
"""After so long whoever waits gives up; sooner where its session waits less for locks."""

TAKE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours"
"""Take the advisory lock of a name for this connection, or say at once that another holds it. Parameter: name."""

_GIVE_BACK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
"""Give the advisory lock of a name back. Parameter: name."""

_SHOWN = """'process ' || a.pid || ' of ' || coalesce(a.usename, '?') AS process, concat_ws(', ', nullif(a.application_name, ''),
    'since ' || to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC') AS details"""

_HOLDER = f"""SELECT {_SHOWN}, coalesce(has_table_privilege(a.usesysid, to_regclass(%s)::oid, 'UPDATE'), true) AS entitled
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(%s, 0)
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
"""Who holds the advisory lock of a name, since when, and whether that login may write a table (it may while there is none). Parameters: the
table, the name."""

_HOLDERS = f"""SELECT n.name, {_SHOWN} FROM unnest(%s::text[]) AS n (name)
    JOIN pg_locks l ON ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(n.name, 0) JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
"""Who holds which of some advisory locks, and since when. Parameter: the names of the locks."""

_HOLDER_OF_TABLE = f"""SELECT {_SHOWN}, true AS entitled FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'relation' AND l.granted AND l.relation = to_regclass(%s) AND l.mode ~ '^(ShareUpdateExclusive|Share|ShareRowExclusive|Exclusive|AccessExclusive)Lock$'
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
"""Who holds a lock of a table that keeps its turn from others, and since when. Parameter: the table."""

_USERS = f"""SELECT {_SHOWN}, true AS entitled FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid() AND n.nspname = ANY(%s)
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY coalesce(a.xact_start, a.backend_start), a.pid LIMIT 1"""
"""Who has had something open in some schemas for the longest time. Parameter: the schemas."""

_LOCK_TABLE = "LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE"
"""Wait for a table's lock, which conflicts with itself and with no reading or writing of rows. Part: the table."""

_LOCK_NAME = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
"""Wait for the advisory lock of a name, for this connection. Parameter: name."""

_LOCK_NAME_FOR_TRANSACTION = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
"""The same to the end of the transaction. Parameter: name."""

_OWN_PATIENCE = "SELECT setting::integer AS ms FROM pg_settings WHERE name = 'lock_timeout'"
"""How many milliseconds this session waits for a lock; 0 for ever. No parameters."""

_SET_PATIENCE = "SELECT set_config('lock_timeout', %s, true)"
"""Lets this transaction wait no longer than that for a lock. Parameter: how long, such as 2000ms."""


class Holder(NamedTuple):
    """A process with its login that holds a lock; whether it may do the work, and what else is known of it."""

    process: str
    entitled: bool
    details: str

    def __str__(self) -> str:
        """As a person reads it: process 12 of ann (psql, since 2026-04-15 09:00:00 UTC)."""
        return f"{self.process} ({self.details})" if self.details else self.process


class Turn(NamedTuple):
    """A lock to wait for: what it is for, the statement that takes it, and the one that says who holds it; each with its parameters."""

    work: str
    take: str
    taken_by: tuple[str, ...]
    holder: str
    held_by: tuple[str, ...]


def turn_of_table(work: str, table: str) -> Turn:
    """The lock of a table, to be held to the end of a transaction. Only those can take it who may write the table; reading and writing go
    on."""
    return Turn(work, _LOCK_TABLE.format(table), (), _HOLDER_OF_TABLE, (table,))


def turn_of_name(work: str, name: str, writes: str, *, of_session: bool = False) -> Turn:
    """The advisory lock of a name, held to the end of the transaction or of the session; `writes` is the table that whoever does the work
    writes."""
    return Turn(work, _LOCK_NAME if of_session else _LOCK_NAME_FOR_TRANSACTION, (name,), _HOLDER, (writes, name))


def wait_for(conn: psycopg.Connection[dict[str, Any]], turn: Turn) -> None:
    """Take the lock. Who must wait for it says so in the log, with who holds it.

    Raises Refused (try later) when the other does not let go of it, and InsufficientPrivilege where this login may not take it.
    """
    own_ms = _own_patience(conn)

    def take() -> None:
        conn.execute(turn.take.encode(), turn.taken_by)
        conn.execute(_SET_PATIENCE, (f"{own_ms}ms",))

    _twice(conn, own_ms, turn.work, (turn.holder, turn.held_by), lambda: None, take)


def patiently(
    conn: psycopg.Connection[dict[str, Any]], work: str, schemas: Sequence[str], wait: Callable[[], None], do: Callable[[], Answer]
) -> Answer:
    """Do work that needs tables and views for itself, which whoever reads them may hold up: in a transaction, once `wait` has got its turn.

    Who must wait says so in the log, with who has had something open in those schemas for the longest time. The work is begun anew then.
    Raises Refused (try later) when it could not be done.
    """
    return _twice(conn, _own_patience(conn), work, (_USERS, (list(schemas),)), wait, do)


def _own_patience(conn: psycopg.Connection[dict[str, Any]]) -> int:
    [own] = conn.execute(_OWN_PATIENCE).fetchall()
    return int(own["ms"])


def _twice(
    conn: psycopg.Connection[dict[str, Any]],
    own_ms: int,
    work: str,
    asked: tuple[str, tuple[Any, ...]],
    wait: Callable[[], None],
    do: Callable[[], Answer],
) -> Answer:
    """Do it while little time is waited, say who holds it up, do it again, give up. `asked` is the question who holds it up."""
    patience_s = own_ms / 1000 or PATIENCE_S
    told = ""
    for share_s in (min(TOLD_S, patience_s), patience_s - TOLD_S):
        if share_s <= 0:
            break
        with suppress(psycopg.errors.LockNotAvailable), conn.transaction():
            wait()
            conn.execute(_SET_PATIENCE, (f"{max(1, round(share_s * 1000))}ms",))
            return do()
        found = _holder(conn, *asked)
        told = f"{found or 'another, which has just let go of it'}" + (", which has no right to it" if found and not found.entitled else "")
        logger.warning("waiting", turn=work, held_by=told)
    raise Refused(f"{work} is held up by {told}; wait for it or end that process, and run this again", kind="unavailable")


def holder(conn: psycopg.Connection[dict[str, Any]], name: str, writes: str) -> Holder | None:
    """Who holds the advisory lock `name`, and whether it may write the table `writes`; None when nobody holds it."""
    return _holder(conn, _HOLDER, (writes, name))


def holders(conn: psycopg.Connection[dict[str, Any]], names: Sequence[str]) -> dict[str, Holder]:
    """Who holds each of some advisory locks, by its name; those that nobody holds are not there."""
    rows = conn.execute(_HOLDERS.encode(), (list(names),)).fetchall()
    return {row["name"]: Holder(row["process"], True, row["details"]) for row in rows}


def _holder(conn: psycopg.Connection[dict[str, Any]], query: str, parameters: tuple[Any, ...]) -> Holder | None:
    row = conn.execute(query.encode(), parameters).fetchone()
    return Holder(row["process"], row["entitled"], row["details"]) if row else None


def taken(conn: psycopg.Connection[dict[str, Any]], name: str, writes: str) -> bool:
    """Take the advisory lock `name` for this connection; whether the work is ours to do.

    It is so too where a login holds the lock that may not write the table `writes`: that one does not do the work. A line in the log names
    it.
    """
    row = conn.execute(TAKE, (name,)).fetchone()
    if row and row["ours"]:
        return True
    found = holder(conn, name, writes)
    if found is None or found.entitled:
        return False
    logger.warning(
        "turn_held_by_stranger", turn=name, held_by=str(found), hint="it may not do this work; this process goes on without the lock"
    )
    return True


def give_back(conn: psycopg.Connection[dict[str, Any]], name: str) -> None:
    """Give the advisory lock `name` back; a connection that died has done so already."""
    with suppress(psycopg.OperationalError):
        conn.execute(_GIVE_BACK, (name,))


@contextmanager
def turn(datastore: PostgresDatastore, name: str) -> Iterator[bool]:
    """Whether it is this process's turn to do `name`, for the length of the block; False, at once, while another process has the turn.

    A process that dies gives its turn back with its connection. No transaction is open, so no reader of the log is held up.
    """
    with datastore.get_connection() as conn:
        ours = taken(conn, name, "o2c.policy_checkpoint")
        try:
            yield ours
        finally:
            if ours:
                give_back(conn, name)
