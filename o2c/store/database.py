"""Opening a store: which PostgreSQL it needs, which migrations it has, which incarnation it lives in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from o2c.kernel.refusal import Refused
from o2c.store import roles
from o2c.store.turns import holder, patiently, turn_of_name, turn_of_table, wait_for

logger = structlog.get_logger(__name__)
CONNECT_SECONDS = 10
# Trying later helps none of these. libpq gives no code for them, only text; on a server that speaks another language they count as
# unavailable.
_NOT_LET_IN = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry", "permission denied for database")
_UNSAFE = {"fsync": "off", "full_page_writes": "off"}

SETTING = "SELECT current_setting(%s) AS value"
"""A setting of the server as this connection has it. Parameter: its name."""

SCHEMAS = ("o2c", "analyst")
"""The schemas of the log."""
_FIRST = turn_of_name("the making of the store", "o2c schema", "o2c.migration")
_SCHEMA = turn_of_table("the schema of the store", "o2c.migration")

_MIGRATIONS_KEPT = "SELECT to_regclass('o2c.migration') IS NOT NULL AS there"
"""Whether the store has its table of migrations."""

_NEWEST_MIGRATION = "SELECT coalesce(max(number), 0) AS at FROM o2c.migration"
"""The number of the newest migration the store has; 0 when it has none."""

_KEEP_MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS o2c.migration (number integer PRIMARY KEY, note text NOT NULL, applied_at timestamptz DEFAULT now())"
)
"""Make the table of migrations, unless it is there."""

_MIGRATED = "INSERT INTO o2c.migration (number, note) VALUES (%s, %s)"
"""Record that a migration was applied. Parameters: number, note."""

_ONLY_READS = """SELECT to_regnamespace('o2c') IS NOT NULL AND NOT has_function_privilege(f.oid, 'EXECUTE') AS only_reads
FROM (SELECT to_regprocedure('o2c.declare_incarnation()') AS oid) f"""
"""Whether there is a store and this login may do nothing in it but read what analysts see; NULL where there is none."""

_DECLARE_INCARNATION = "SELECT lives, fork_position FROM o2c.declare_incarnation()"
"""Declare a new life of the log if the server shows one; how many lives there are, and the fork position of a life declared just now or
NULL."""

_ADOPT = "SELECT * FROM o2c.adopt_log(%s, %s, %s::uuid)"
"""Declare a new life of the log by hand, once for each command id. Parameters: actor, reason, command id."""

_STANDING = "SELECT system, timeline FROM o2c.standing()"
"""The identifier of the server's system and the timeline it writes on; no row on a standby."""

_LOCK_PATIENCE = "SELECT set_config('lock_timeout', '3s', false)"
"""Let this connection wait three seconds for a lock, not longer."""

_HOLD = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
"""Wait for the advisory lock of a name and hold it as long as the connection lasts. Parameter: name."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered SQL file of `store/migrations`; its first comment line is its note."""

    number: int
    note: str
    sql: str


def migrations() -> list[Migration]:
    """All migrations this program knows, in order."""
    entries = [entry for entry in files("o2c.store").joinpath("migrations").iterdir() if entry.name.endswith(".sql")]
    texts = [(int(entry.name[:4]), entry.read_text(encoding="utf-8")) for entry in sorted(entries, key=lambda entry: entry.name)]
    return [Migration(number, re.sub(r"^-- \d+ ", "", text.partition("\n")[0]), text) for number, text in texts]


def connect(dsn: str) -> psycopg.Connection[dict[str, Any]]:
    """A plain autocommit connection. Raises Refused: unavailable (try later) when the server does not answer, usage when it does not let us
    in."""
    try:
        patience = conninfo_to_dict(dsn).get("connect_timeout") or CONNECT_SECONDS
        return psycopg.connect(dsn, row_factory=dict_row, autocommit=True, connect_timeout=patience)
    except psycopg.OperationalError as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        if any(phrase in reason for phrase in _NOT_LET_IN):
            raise Refused(f"PostgreSQL does not let us in: {reason}; correct O2C_DSN, or ask who keeps the server") from None
        raise Refused(f"cannot reach PostgreSQL: {reason}; check O2C_DSN or the server", kind="unavailable") from None
    except psycopg.ProgrammingError:
        raise Refused("O2C_DSN is no connection string of PostgreSQL; write postgresql://user@host/name or key=value pairs") from None


class Access(NamedTuple):
    """Whether a store takes writes from here, and whether this login sees the log itself and not only what analysts see of it."""

    takes_writes: bool
    sees_log: bool


def prepare(dsn: str, *, reading: bool = False) -> Access:
    """Bring the store's schema to this program's version; returns what can be done with it from here.

    Many processes may start at once: the schema is changed under a lock, and only when it is not current, so that a role that may not
    change it can start too. With `reading=True` a server that takes no writes, such as a standby, is accepted if its schema is current, and
    so is a login of the reader role, from which no writes are taken either. Raises Refused when the server is unsafe, too old or takes no
    writes, the store is newer than this program, or (forbidden) the login only reads and more is asked.
    """
    with connect(dsn) as conn, _explained(conn):
        _refuse_unsafe(conn)
        if only_reads(conn):
            if not reading:
                raise Refused(
                    f"the role {conn.info.user} only reads what analysts see of {conn.info.dbname}, and this does more; use a login that may"
                    " append (`o2c store roles`)",
                    kind="forbidden",
                )
            return Access(takes_writes=False, sees_log=False)
        at, newest = _at(conn), migrations()[-1].number
        if not _takes_writes(conn):
            if not reading:
                raise _read_only(conn)
            if at != newest:
                here = f"database {conn.info.dbname} takes no writes (a standby, or set read-only)"
                raise Refused(
                    f"{here} and is at migration {at}, this program at {newest}; start this program on the primary first", kind="conflict"
                )
            return Access(takes_writes=False, sees_log=True)
        if at != newest:
            patiently(conn, _SCHEMA.work, SCHEMAS, lambda: wait_for_schema(conn), lambda: _migrate(conn))
        declare_incarnation(conn)
    return Access(takes_writes=True, sees_log=True)


def wait_for_schema(conn: psycopg.Connection[dict[str, Any]]) -> None:
    """Wait until no other transaction changes the schema, or makes it; needs a transaction. Raises Refused (try later) when another goes on
    with it.

    Only who may change a store can keep others from it. Whoever may not takes no lock: what it wants to do next is refused, and says why.
    """
    if not _has_migrations(conn):
        wait_for(conn, _FIRST)
    if _has_migrations(conn):
        with suppress(psycopg.errors.InsufficientPrivilege), conn.transaction():
            acts_as_owner = roles.arranged(conn)
            if acts_as_owner:
                conn.execute(SQL("SET LOCAL ROLE {}").format(Identifier(roles.roles_of(conn.info.dbname).owner)))
            wait_for(conn, _SCHEMA)
            if acts_as_owner:
                conn.execute("RESET ROLE")


def _has_migrations(conn: psycopg.Connection[dict[str, Any]]) -> bool:
    return conn.execute(_MIGRATIONS_KEPT).fetchone() == {"there": True}


def _takes_writes(conn: psycopg.Connection[dict[str, Any]]) -> bool:
    return conn.execute(SETTING, ("transaction_read_only",)).fetchone() != {"value": "on"}


@contextmanager
def _explained(conn: psycopg.Connection[dict[str, Any]]) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        what = error.diag.message_primary or "permission denied"
        raise Refused(
            f"the role {conn.info.user} may not make the store in {conn.info.dbname}: {what}; grant it, or use its owner"
        ) from None
    except psycopg.errors.ReadOnlySqlTransaction:
        raise _read_only(conn) from None


def _read_only(conn: psycopg.Connection[dict[str, Any]]) -> Refused:
    return Refused(f"database {conn.info.dbname} takes no writes (a standby, or set read-only); use the primary", kind="conflict")


def _refuse_unsafe(conn: psycopg.Connection[dict[str, Any]]) -> None:
    if conn.info.server_version < 150000:
        raise Refused(f"PostgreSQL {conn.info.server_version // 10000} is too old for the log; use 15 or newer")
    encoding = conn.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise Refused(f"database {conn.info.dbname} is encoded in {encoding}; make one in UTF8")
    for setting, unsafe in _UNSAFE.items():
        row = conn.execute(SETTING, (setting,)).fetchone()
        if row and row["value"] == unsafe:
            raise Refused(f"the server runs with {setting}={unsafe} and may lose acknowledged events; turn it on and restart the server")


def _at(conn: psycopg.Connection[dict[str, Any]]) -> int:
    """The newest migration of the store; 0 where there is none. Raises Refused when this program does not know it."""
    row = conn.execute(_NEWEST_MIGRATION).fetchone() if _has_migrations(conn) else None
    at, newest = int(row["at"]) if row else 0, migrations()[-1].number
    if at > newest:
        raise Refused(f"the store is at migration {at}, this program knows {newest}; use a newer program", kind="conflict")
    return at


def _migrate(conn: psycopg.Connection[dict[str, Any]]) -> None:
    conn.execute("SET LOCAL client_min_messages = warning")
    kept_apart = roles.arranged(conn)
    if kept_apart:
        # Everything a migration makes must belong to the owner of the store, not to the login that happens to start the program first.
        conn.execute(SQL("SET LOCAL ROLE {}").format(Identifier(roles.roles_of(conn.info.dbname).owner)))
    conn.execute("CREATE SCHEMA IF NOT EXISTS o2c")
    conn.execute(_KEEP_MIGRATIONS)
    for migration in migrations()[_at(conn) :]:
        conn.execute("SET LOCAL search_path = o2c")
        conn.execute(migration.sql.encode())
        conn.execute(_MIGRATED, (migration.number, migration.note))
    if kept_apart:
        conn.execute("RESET ROLE")
        roles.allow(conn, roles.roles_of(conn.info.dbname))


def arrange_roles(dsn: str) -> None:
    """Make the store's roles and grant each its own rights (`store/roles.py`). Raises Refused."""

    def arrange() -> None:
        conn.execute("SET LOCAL client_min_messages = warning")
        roles.arrange(conn)

    with connect(dsn) as conn:
        patiently(conn, _SCHEMA.work, SCHEMAS, lambda: wait_for_schema(conn), arrange)


def only_reads(conn: psycopg.Connection[dict[str, Any]]) -> bool:
    """Whether this login may do nothing in the store but read what analysts see: it is a member of the reader role and of no other."""
    row = conn.execute(_ONLY_READS).fetchone()
    return bool(row and row["only_reads"])


def declare_incarnation(conn: psycopg.Connection[dict[str, Any]]) -> int:
    """Notice a promotion, a recovery onto a new timeline or another cluster, and lift the position offset above all that was written
    before.

    Returns the number of the log's current life; 0 on a standby that is in no life of its own, and for a login that only reads.
    """
    if only_reads(conn):
        return 0
    [row] = conn.execute(_DECLARE_INCARNATION).fetchall()
    if row["fork_position"] is not None and row["lives"] > 1:
        logger.warning("incarnation_declared", fork_position=str(row["fork_position"]), **(standing(conn) or {}))
    return int(row["lives"])


@dataclass(frozen=True, slots=True)
class Adopted:
    """A life that was declared by hand: how many there are now, and the last position of the one before."""

    lives: int
    fork_position: int
    repeated: bool


def adopt(dsn: str, *, actor: str, reason: str, command_id: str) -> Adopted:
    """Declare a new life of the log by hand, for a copy that the server cannot recognise; a repeat of the command id declares none.

    Raises Refused when this login does not own the store, or on a standby.
    """
    with connect(dsn) as conn:
        if standing(conn) is None:
            raise _read_only(conn)
        try:
            [row] = conn.execute(_ADOPT, (actor, reason, command_id)).fetchall()
        except psycopg.errors.InsufficientPrivilege:
            raise Refused(f"the role {conn.info.user} does not own the store, and only its owner adopts it; use a member of it") from None
    return Adopted(**row)


def standing(conn: psycopg.Connection[dict[str, Any]]) -> dict[str, Any] | None:
    """The system identifier of the server and the timeline it writes on now; None on a standby."""
    return conn.execute(_STANDING).fetchone()


@contextmanager
def single_driver(dsn: str, name: str) -> Iterator[None]:
    """Hold the advisory lock `name` for the length of the block. Raises Refused (try later) when another process holds it."""
    with connect(dsn) as conn:
        # A driver that was killed is noticed by the server only after a moment.
        conn.execute(_LOCK_PATIENCE)
        try:
            conn.execute(_HOLD, (name,))
        except psycopg.errors.LockNotAvailable:
            found = holder(conn, name, "o2c.policy_checkpoint")
            if found and not found.entitled:
                raise Refused(
                    f"{found} holds the lock of this work ({name}) and has no right to it; end that process", kind="unavailable"
                ) from None
            raise Refused(
                f"another process already does this ({name}): {found or 'it has just ended'}; wait for it or stop it", kind="unavailable"
            ) from None
        yield
