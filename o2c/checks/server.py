"""The checks of what the log stands on: the server, its clock, its disk, its backups, and transactions that hold readers back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from o2c.store.connection import Connection
from o2c.store.database import SETTING, standing
from o2c.store.horizon import SEES, holders
from o2c.store.roles import arranged, flaws, roles_of

Answer = tuple[bool, str]
Question = Callable[[Connection], Answer]
"""Asks the database; its answer is whether all is well, and the figures or flaws. Raises CannotTell, or an error of the database, when it
cannot."""

VERSION_MIN = 15
SKEW_S_MAX = 5
FREE_BYTES_MIN = 2**30
CONNECTIONS_MIN = 11
"""The most connections that one engine opens: one, and an overflow of ten."""
HELD_S_MAX = 60
"""No write of ours takes so long; the engine's own sessions are ended by the server when they idle so long in a transaction."""
SHOWN_MAX = 3


class CannotTell(Exception):
    """A check could not be made; the message says why."""


def one(conn: Connection, sql: str, *parameters: Any) -> dict[str, Any]:
    """The one row of a query that always has a row."""
    row = conn.execute(sql.encode(), parameters).fetchone()
    if row is None:
        raise CannotTell("the query found no row")
    return row


_SETTINGS_OF_ROLES = """SELECT coalesce('role ' || r.rolname, 'this database') AS who, setting
    FROM pg_db_role_setting s CROSS JOIN unnest(setconfig) AS setting LEFT JOIN pg_roles r ON r.oid = setrole
    WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND setrole <> 0
    AND setting ~* '^(synchronous_commit=(off|false|no|0)|default_transaction_isolation=(rep|ser)|default_transaction_read_only=(on|true|yes|1)|session_replication_role=(replica|local))'"""
"""The unsafe settings that are set for a role, each with that role."""


def _settings(conn: Connection) -> Answer:
    names = (
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "default_transaction_isolation",
        "default_transaction_read_only",
        "session_replication_role",
    )
    wanted = {
        "default_transaction_isolation": {"read committed"}, "default_transaction_read_only": {"off"}, "session_replication_role": {"origin"}
    }  # fmt: skip
    values = {name: one(conn, SETTING, name)["value"] for name in names}
    wrong = [f"{name} is {value}" for name, value in values.items() if value not in wanted.get(name, {value} - {"off"})]
    for role, setting in _settings_of_roles(conn):
        wrong.append(f"{setting} is set for {role}")
    if wrong:
        return (
            False,
            f"{', '.join(wrong)}; acknowledged events may be lost, appends refused or the log changed: set it back (ALTER SYSTEM, DATABASE or ROLE)",
        )
    return True, ", ".join(f"{name} {value}" for name, value in list(values.items())[:3])


def _settings_of_roles(conn: Connection) -> list[tuple[str, str]]:
    return [(row["who"], row["setting"]) for row in conn.execute(_SETTINGS_OF_ROLES).fetchall()]


_VERSION = """SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding, datcollate AS locale
    FROM pg_database WHERE datname = current_database()"""
"""The version of the server, and the encoding and locale of this database."""


def _version(conn: Connection) -> Answer:
    row = one(conn, _VERSION)
    text = f"PostgreSQL {row['version']}, {row['encoding']}, locale {row['locale']}"
    if conn.info.server_version < VERSION_MIN * 10_000:
        return False, f"{text}; the log needs {VERSION_MIN} or newer"
    return row["encoding"] == "UTF8", text if row["encoding"] == "UTF8" else f"{text}; the log needs UTF8: dump and load it into another"


_INCARNATION = """SELECT id, system_identifier AS system, timeline, position_offset,
    CASE WHEN actor IS NULL THEN reason ELSE 'adopted by hand' END AS reason FROM o2c.incarnation ORDER BY id DESC LIMIT 1"""
"""The current life of the log."""

_BOUND = "SELECT max(position) AS last, (%s + pg_snapshot_xmax(pg_current_snapshot())::text::bigint) * 65536 AS bound FROM o2c.event"
"""The last position of the log, and the first position that this server has not given yet. Parameter: the position offset of the current
life."""


def _incarnation(conn: Connection) -> Answer:
    """Whether the log stands in its current life; a position that this life cannot have given was restored or forged, and new ones fall
    behind it."""
    now = standing(conn)
    if now is None:
        raise CannotTell("this is a standby, or it still recovers: its timeline is known after promotion only")
    last = one(conn, _INCARNATION)
    text = f"incarnation {last['id']} ({last['reason']}), timeline {last['timeline']}"
    if (last["system"], last["timeline"]) != (now["system"], now["timeline"]):
        return False, f"{text}, but the server is {now['system']} on timeline {now['timeline']}; any writing command declares the new one"
    row = one(conn, _BOUND, last["position_offset"])
    if row["last"] is not None and row["last"] >= row["bound"]:
        return (
            False,
            f"position {row['last']} lies ahead of what this server ever gave; it was copied or restored unnoticed: run `o2c store adopt` first",
        )
    return True, text


_TIME = "SELECT clock_timestamp() AS at, (SELECT kind FROM o2c.clock) AS kind"
"""The time of the server, and the kind of the store's clock or NULL."""


def _clock(conn: Connection) -> Answer:
    """Whether server and program have the same time; the server is taken to have read its clock in the middle of the round trip."""
    before = datetime.now(UTC)
    row = one(conn, _TIME)
    after = datetime.now(UTC)
    skew = abs(row["at"] - (before + (after - before) / 2)) - (after - before) / 2
    seconds = max(skew / timedelta(seconds=1), 0.0)
    if row["kind"] is None:
        return False, "the store has no clock yet; run `o2c init --clock simulated` or `o2c init --clock real`"
    text = f"{row['kind']} clock; server and program differ by {seconds:.1f} s"
    return seconds <= SKEW_S_MAX, text if seconds <= SKEW_S_MAX else f"{text}; let both follow the same time server"


_CONNECTIONS = """SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
    sum(numbackends)::int AS used FROM pg_stat_database"""
"""How many connections the server takes from ordinary logins, and how many it has."""


def _connections(conn: Connection) -> Answer:
    row = one(conn, _CONNECTIONS)
    text = f"{row['used']} of {row['most']} connections used"
    enough = row["most"] - row["used"] >= CONNECTIONS_MIN
    return enough, text if enough else f"{text}; an engine opens up to {CONNECTIONS_MIN}: end some, or raise max_connections"


_OPEN_TRANSACTIONS = f"SELECT pg_snapshot_xmin(s) = pg_snapshot_xmax(s) AS none, {SEES} AS sees FROM pg_current_snapshot() AS s"
"""Whether no transaction with an id is open, and whether this role would see the transactions of others."""


def _holders(conn: Connection) -> Answer:
    """Whether readers are held back: by any transaction with an id, in any database of the cluster."""
    row = one(conn, _OPEN_TRANSACTIONS)
    rows = holders(conn)
    long = [row for row in rows if row["seconds"] > HELD_S_MAX]
    if long:
        first = "; ".join(f"{row['holder']}{row['detail']} for {row['seconds']:.0f} s: {row['cure']}" for row in long[:SHOWN_MAX])
        return False, f"readers see nothing newer than what these hold back: {first}"
    if not row["none"] and not row["sees"]:
        raise CannotTell("a transaction is open, and this role may not see whose; grant it pg_read_all_stats")
    return True, f"{len(rows)} writing transactions open, none for more than {HELD_S_MAX} s"


def _disk(conn: Connection) -> Answer:
    """Whether the disk has room; only where the server runs on this machine, as no query says how full the disk is."""
    if not (conn.info.host or "").startswith("/"):
        raise CannotTell("the server runs on another host; look at the disk of its data folder there")
    folder = Path(one(conn, SETTING, "data_directory")["value"])
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise CannotTell(f"the data folder {folder} cannot be looked at: {error.strerror}") from None
    text = f"{free / 2**30:,.1f} GiB free in {folder}"
    return free >= FREE_BYTES_MIN, text if free >= FREE_BYTES_MIN else f"{text}; without room the server stops: make some"


_ARCHIVER = """SELECT archived_count, last_failed_wal, last_failed_time > coalesce(last_archived_time, '-infinity') AS failing,
    extract(epoch FROM clock_timestamp() - last_archived_time)::float8 AS seconds FROM pg_stat_archiver"""
"""How many WAL files were archived, whether archiving fails now and since which file, and how many seconds ago the last file was
archived."""


def _backups(conn: Connection) -> Answer:
    """Whether WAL is archived: only that leaves a trace in the server, a base backup or a dump leaves none."""
    unseen = "whether a base backup or a dump is kept cannot be seen from here (docs/operations.md)"
    if one(conn, SETTING, "archive_mode")["value"] == "off":
        raise CannotTell(f"the server archives no WAL, and {unseen}")
    row = one(conn, _ARCHIVER)
    if row["failing"]:
        return False, f"archiving fails since WAL file {row['last_failed_wal']}; see the server's log: the disk fills until it works"
    if not row["archived_count"]:
        raise CannotTell(f"archiving is on and has not archived anything yet, and {unseen}")
    return True, f"WAL is archived, the last file {row['seconds']:.0f} s ago; {unseen}"


_LOGIN = """SELECT rolname AS name, rolsuper AS super, rolsuper OR rolcreaterole AS may, ARRAY(SELECT w.role FROM unnest(%s::text[]) AS w (role)
    JOIN pg_roles o ON o.rolname = w.role WHERE pg_has_role(r.oid, o.oid, 'MEMBER')) AS of FROM pg_roles r WHERE rolname = current_user"""
"""This login: whether it is a superuser, whether it may make roles, and of which roles it is a member. Parameter: array of roles."""


def _roles(conn: Connection) -> Answer:
    """Whether each role has only its own rights, where roles are in use; no right binds a superuser, and the answer says so."""
    roles = roles_of(conn.info.dbname)
    me = one(conn, _LOGIN, list(roles))
    if not arranged(conn):
        cure = "`o2c store roles` makes them" if me["may"] else f"{me['name']} may make none; all else works"
        return True, f"no roles: owner, writers and readers of the store are not kept apart; {cure}"
    if wrong := flaws(conn, roles):
        return False, f"{'; '.join(wrong[:SHOWN_MAX])}; `o2c store roles` takes back what it can, REVOKE the rest"
    if me["super"]:
        return (
            True,
            f"owner, appender, projector and reader are kept apart; this login, {me['name']}, is a superuser and held by none of it",
        )
    return True, f"owner, appender, projector and reader are kept apart; {me['name']} acts as {', '.join(me['of']) or 'none of them'}"


ABOUT_SERVER: dict[str, Question] = {
    "server settings are safe": _settings,
    "server version and encoding": _version,
    "incarnation is current": _incarnation,
    "clocks agree": _clock,
    "roles are kept apart": _roles,
    "connections are left": _connections,
    "nobody holds back readers": _holders,
    "the disk has room": _disk,
    "WAL is archived": _backups,
}
