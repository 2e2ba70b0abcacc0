"""Opening a store: which PostgreSQL it needs, which migrations it has, which incarnation it lives in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from o2c.kernel.refusal import Refused
from o2c.store import roles

logger = structlog.get_logger(__name__)
MIGRATION_LOCK = 0x6F3263
CONNECT_SECONDS = 10
# libpq gives no code for a connection that was refused, and trying later helps none of these; in another language they read as unavailable.
_NOT_LET_IN = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry", "permission denied for database")
_UNSAFE = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered SQL file of `store/migrations`; its first comment line is its note."""

    number: int
    note: str
    sql: str


def migrations() -> list[Migration]:
    """All migrations this program knows, in order."""
    found = sorted(
        (entry for entry in files("o2c.store").joinpath("migrations").iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name
    )
    texts = [(int(entry.name[:4]), entry.read_text(encoding="utf-8")) for entry in found]
    return [Migration(number, re.sub(r"^-- \d+ ", "", text.partition("\n")[0]), text) for number, text in texts]


def connect(dsn: str) -> psycopg.Connection[dict[str, Any]]:
    """A plain autocommit connection. Raises Refused: unavailable (try later) when the server does not answer, usage when it does not let us in."""
    try:
        patience = conninfo_to_dict(dsn).get("connect_timeout") or CONNECT_SECONDS
        return psycopg.connect(dsn, row_factory=dict_row, autocommit=True, connect_timeout=patience)
    except psycopg.OperationalError as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        if any(said in reason for said in _NOT_LET_IN):
            raise Refused(f"PostgreSQL does not let us in: {reason}; correct O2C_DSN, or ask who keeps the server") from None
        raise Refused(f"cannot reach PostgreSQL: {reason}; check O2C_DSN or the server", kind="unavailable") from None
    except psycopg.ProgrammingError:
        raise Refused("O2C_DSN is no connection string of PostgreSQL; write postgresql://user@host/name or key=value pairs") from None


def prepare(dsn: str, *, reading: bool = False) -> bool:
    """Bring the store's schema to this program's version, under a lock so that many may start at once; a current one needs no right to change it.

    Whether the server takes writes: one that takes none, a standby, will do where somebody is only `reading`. Raises Refused when the server is
    unsafe, too old or takes no writes of ours, or the store is newer than this program.
    """
    with connect(dsn) as conn, _explained(conn):
        _refuse_unsafe(conn)
        at, newest = _at(conn), migrations()[-1].number
        if not _takes_writes(conn):
            if not reading:
                raise _read_only(conn)
            if at != newest:
                here = f"database {conn.info.dbname} takes no writes (a standby, or set read-only)"
                raise Refused(
                    f"{here} and is at migration {at}, this program at {newest}; start this program on the primary first", kind="conflict"
                )
            return False
        if at != newest:
            with conn.transaction():
                conn.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
                _migrate(conn)
        declare_incarnation(conn)
    return True


def _takes_writes(conn: psycopg.Connection[dict[str, Any]]) -> bool:
    return conn.execute("SELECT current_setting('transaction_read_only') AS value").fetchone() != {"value": "on"}


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
        row = conn.execute("SELECT current_setting(%s) AS value", (setting,)).fetchone()
        if row and row["value"] == unsafe:
            raise Refused(f"the server runs with {setting}={unsafe} and may lose acknowledged events; turn it on and restart the server")


def _at(conn: psycopg.Connection[dict[str, Any]]) -> int:
    """The newest migration of the store; 0 where there is none. Raises Refused when this program does not know it."""
    made = conn.execute("SELECT to_regclass('o2c.migration') IS NOT NULL AS there").fetchone()
    row = conn.execute("SELECT coalesce(max(number), 0) AS at FROM o2c.migration").fetchone() if made and made["there"] else None
    at, newest = int(row["at"]) if row else 0, migrations()[-1].number
    if at > newest:
        raise Refused(f"the store is at migration {at}, this program knows {newest}; use a newer program", kind="conflict")
    return at


def _migrate(conn: psycopg.Connection[dict[str, Any]]) -> None:
    conn.execute("SET LOCAL client_min_messages = warning")
    kept_apart = roles.arranged(conn)
    if kept_apart:
        # What a migration makes belongs to the owner of the store, whoever starts the program first.
        conn.execute(SQL("SET LOCAL ROLE {}").format(Identifier(roles.roles_of(conn.info.dbname).owner)))
    conn.execute("CREATE SCHEMA IF NOT EXISTS o2c")
    conn.execute(
        "CREATE TABLE IF NOT EXISTS o2c.migration (number integer PRIMARY KEY, note text NOT NULL, applied_at timestamptz DEFAULT now())"
    )
    for migration in migrations()[_at(conn) :]:
        conn.execute("SET LOCAL search_path = o2c")
        conn.execute(migration.sql.encode())
        conn.execute("INSERT INTO o2c.migration (number, note) VALUES (%s, %s)", (migration.number, migration.note))
    if kept_apart:
        conn.execute("RESET ROLE")
        roles.allow(conn, roles.roles_of(conn.info.dbname))


def arrange_roles(dsn: str) -> None:
    """Make the store's roles and let each do what is its own (`store/roles.py`). Raises Refused."""
    with connect(dsn) as conn, conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        conn.execute("SET LOCAL client_min_messages = warning")
        roles.arrange(conn)


def declare_incarnation(conn: psycopg.Connection[dict[str, Any]]) -> int:
    """Notice a promotion, a recovery onto a new timeline or another cluster, and lift the position offset above all that was written before.

    The number of the log's life that is current then; 0 on a standby that is in no life of its own.
    """
    [row] = conn.execute("SELECT lives, fork_position FROM o2c.declare_incarnation()").fetchall()
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
    """Declare a new life of the log by hand, for a copy that the server does not show; a repeat of the command id declares none.

    Raises Refused when this login does not own the store, or on a standby.
    """
    with connect(dsn) as conn:
        if standing(conn) is None:
            raise _read_only(conn)
        try:
            [row] = conn.execute("SELECT * FROM o2c.adopt_log(%s, %s, %s::uuid)", (actor, reason, command_id)).fetchall()
        except psycopg.errors.InsufficientPrivilege:
            raise Refused(f"the role {conn.info.user} does not own the store, and only its owner adopts it; use a member of it") from None
    return Adopted(**row)


def standing(conn: psycopg.Connection[dict[str, Any]]) -> dict[str, Any] | None:
    """The system and the timeline that the server writes on now; None on a standby."""
    return conn.execute("SELECT system, timeline FROM o2c.standing()").fetchone()


@contextmanager
def single_driver(dsn: str, name: str) -> Iterator[None]:
    """Hold the advisory lock `name` for the length of the block. Raises Refused (try later) when another process holds it."""
    with connect(dsn) as conn:
        # A driver that was killed is noticed by the server only after a moment.
        conn.execute("SELECT set_config('lock_timeout', '3s', false)")
        try:
            conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (name,))
        except psycopg.errors.LockNotAvailable:
            raise Refused(f"another process already does this ({name}); wait for it or stop it", kind="unavailable") from None
        yield
