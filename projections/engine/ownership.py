"""Who owns the tables of projections: the owner of the store, so that nobody else hangs code on them that another's session would run.

Tables of an older program belong to the projector role, and anybody in it may have put a trigger, a rule or a default on one. They are
taken over: plain ones as they are; whatever carries code of somebody's is dropped, and folded anew from the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from psycopg import errors, sql

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.roles import Roles, roles_of
from o2c.store.turns import patiently, turn_of_name, turn_of_table, wait_for
from projections.catalogue import ALL
from projections.engine.projection import Projection
from projections.lookups import lookups

logger = structlog.get_logger(__name__)

_STANDING = b"""SELECT current_user::text AS login, o.rolname = %(owner)s AS arranged,
    (SELECT nspowner <> o.oid FROM pg_namespace WHERE nspname = 'projection') AND current_setting('transaction_read_only') = 'off' AS foreign,
    EXISTS (SELECT FROM pg_roles r WHERE r.rolname = %(projector)s AND r.rolname <> current_user AND pg_has_role(current_user, r.oid, 'USAGE')) AS may_act
FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner WHERE n.nspname = 'o2c'"""
"""Whether the roles are in use, whether projections belong to another than the owner of the log and can be given to it (NULL: there are
none), and whether this login may act as the projector; no row before there is a log. Parameters, by name: owner, projector."""

_ACT_AS = sql.SQL("SET ROLE {}")
"""Lets the session act as a role. Part: the role."""

_AS_LOGIN = "RESET ROLE"
"""Lets the session act as its login. No parameters."""

_TRUSTED_PATH = "SET LOCAL search_path = pg_catalog"
"""Lets the transaction find no function but the server's own. No parameters."""

_ARE_MADE = "SELECT to_regnamespace('projection') IS NOT NULL AS made"
"""Whether there is a schema of projections. No parameters."""

_MAKE_SHARED = "SELECT o2c.make_projections()"
"""Makes the schema and the tables that all projections share, where they are missing. No parameters."""

_CURRENT_ROLE = "SELECT current_user::text AS acting, session_user::text AS login"
"""The role that the session acts as, and its login. No parameters."""

_QUIET = "SELECT set_config('client_min_messages', 'warning', true)"
"""Keeps notices away until the end of the transaction. No parameters."""

_SHARED_IS_MADE = "SELECT to_regclass('projection.checkpoint') IS NOT NULL AS made"
"""Whether the first of the tables that all projections share is there. No parameters."""

_SHAPES = """SELECT w.name FROM unnest(%s::text[], %s::integer[], %s::text[]) AS w (name, shape, definition)
    LEFT JOIN o2c.projection_shape s ON s.name = w.name AND s.shape_version = w.shape WHERE s.definition IS DISTINCT FROM w.definition::jsonb"""
"""Those of some shapes that the store does not know, or knows otherwise. Parameters: arrays of names, shape versions, definitions."""

_REGISTER = """INSERT INTO o2c.projection_shape SELECT * FROM unnest(%s::text[], %s::integer[], %s::jsonb[])
    ON CONFLICT (name, shape_version) DO UPDATE SET definition = excluded.definition"""
"""Lets tables of some shapes be made. Parameters: arrays of names, shape versions, definitions."""

_TAKE_SCHEMA = """ALTER SCHEMA projection OWNER TO {owner};
REVOKE ALL ON SCHEMA projection FROM PUBLIC, {projector}, {reader}, {appender};
REVOKE CREATE ON DATABASE {database} FROM {projector}, {reader}, {appender};
GRANT USAGE ON SCHEMA projection TO {projector}, {reader}, {appender}"""
"""Gives the schema of projections to the owner of the store. Parts: the database, the roles."""

_RELATIONS = """SELECT c.relname AS name, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
        WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind
    FROM pg_class c WHERE c.relnamespace = 'projection'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        AND c.relowner <> to_regrole(quote_ident(%s)) ORDER BY c.relkind <> 'v', c.relname"""
"""What stands in the schema of projections and is not its owner's, by kind, views first. Parameter: the owner."""

_LOCK_ALONE = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
"""Keeps everybody else out of a table until the end of the transaction. Part: the table."""

_WITH_CODE = """SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = to_regnamespace('projection') AND c.relkind IN ('r', 'p') AND (
    c.relkind = 'p' OR c.relrowsecurity OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
    OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid) OR EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid)
    OR EXISTS (SELECT FROM pg_attrdef d WHERE d.adrelid = c.oid AND pg_get_expr(d.adbin, d.adrelid) <> 'clock_timestamp()')
    OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype NOT IN ('p', 'n'))
    OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
    OR EXISTS (SELECT FROM pg_statistic_ext s WHERE s.stxrelid = c.oid)
    OR EXISTS (SELECT FROM pg_inherits h WHERE c.oid IN (h.inhrelid, h.inhparent))
    OR EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace <> 'pg_catalog'::regnamespace))"""
"""The tables of projections that run code of somebody's when they are read, written or analysed. Needs a search path of pg_catalog alone,
so that a default is written with the schema of its function. No parameters."""

_TAKE_TABLE = sql.SQL("ALTER TABLE {} OWNER TO {}")
"""Gives a table to the owner of the store. Parts: the table, the owner."""

_LEAVE_ROWS = """REVOKE ALL ON ALL TABLES IN SCHEMA projection FROM {projector};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projection TO {projector}"""
"""Leaves the rows of all tables to the projector, and nothing else. Parts: the roles."""

_DROP = sql.SQL("DROP {} projection.{} CASCADE")
"""Drops something of the schema of projections with what hangs on it. Parts: its kind, its name."""

_ROUTINES = "SELECT p.oid::regprocedure::text AS name FROM pg_proc p WHERE p.pronamespace = 'projection'::regnamespace"
"""The functions in the schema of projections, where nobody makes one. No parameters."""

_DROP_ROUTINE = sql.SQL("DROP ROUTINE {} CASCADE")
"""Drops a function with what hangs on it. Part: its signature."""

_FORGET_LOST = """WITH lost AS (DELETE FROM projection.checkpoint c WHERE 2 > (SELECT count(*) FROM pg_class t
        WHERE t.relnamespace = 'projection'::regnamespace AND t.relname IN (c.name, c.name || '_doc')) RETURNING c.name)
    DELETE FROM projection.parked p USING lost WHERE p.name = lost.name"""
"""Forgets how far projections without their tables were: they are folded anew. No parameters."""

_STANDING_SHAPES = "SELECT name, shape_version FROM projection.checkpoint"
"""The projections that have tables, and of which shape. No parameters."""

_LAY_VIEWS = """SELECT CASE WHEN EXISTS (SELECT FROM jsonb_object_keys(s.definition -> 'views') v WHERE to_regclass(format('projection.%%I', v)) IS NULL)
    THEN o2c.lay_views(s.name, s.definition) ELSE o2c.let_read(s.name, s.definition) END
FROM o2c.projection_shape s WHERE s.name = %s AND s.shape_version = %s"""
"""Makes the views of a projection if one is missing, and lets readers read. Parameters: the projection, its shape."""


_FIRST = turn_of_name("the making of the tables of projections", "o2c tables of projections", "projection.checkpoint")
_MAKING = turn_of_table("the making of tables of projections", "projection.checkpoint")


def wait_for_making(conn: Connection) -> None:
    """Let one session at a time make tables, until the end of the transaction. Raises Refused (try later) when another goes on with it.

    Once there are tables only those can keep others from it who may write them.
    """
    conn.execute(_QUIET)
    if not _shared_is_made(conn):
        wait_for(conn, _FIRST)
    if _shared_is_made(conn):
        wait_for(conn, _MAKING)


def _shared_is_made(conn: Connection) -> bool:
    return conn.execute(_SHARED_IS_MADE).fetchone() == {"made": True}


def definition_of(projection: Projection) -> str:
    """What the owner's functions make tables and views from, as JSON."""
    shape = {
        "columns": list(projection.columns.items()),
        "key": ["group_key", *projection.key],
        "indexes": [columns.split(", ") for columns in projection.indexes],
        "meaning": projection.meaning,
        "personal": bool(projection.personal),
        "views": dict(projection.views),
    }
    return json.dumps(shape)


def as_projector(conn: Connection) -> None:
    """Act in the projector's role, where the roles of the store are in use and this login may: it writes rows and makes nothing.

    Takes the tables of an older program over first. Raises Refused when that is to be done and this login may not.
    """
    roles = roles_of(conn.info.dbname)
    row = conn.execute(_STANDING, roles._asdict()).fetchone()
    if row is None or not row["arranged"]:
        return
    if row["foreign"]:
        try:
            take_over(conn)
        except errors.InsufficientPrivilege as error:
            raise Refused(
                f"the tables of projections do not belong to {roles.owner} yet, and {row['login']} may not give them to it"
                f" ({error.diag.message_primary}); let a superuser, or one who may act as both roles, run `o2c store roles`"
            ) from None
    if row["may_act"]:
        conn.execute(_ACT_AS.format(sql.Identifier(roles.projector)))


@contextmanager
def as_login(conn: Connection) -> Iterator[None]:
    """Within the block the session acts as its login and not in the projector's role."""
    row = conn.execute(_CURRENT_ROLE).fetchone()
    assert row
    if row["acting"] == row["login"]:
        yield
        return
    conn.execute(_AS_LOGIN)
    yield
    conn.execute(_ACT_AS.format(sql.Identifier(row["acting"])))


def let_make(conn: Connection, projections: Sequence[Projection]) -> None:
    """Tell the store what the tables of these projections look like, unless it knows.

    Raises Refused when it does not and this login is not its owner's.
    """
    wanted: list[list[Any]] = [[], [], []]
    for projection in projections:
        for column, value in zip(wanted, (projection.name, projection.shape_version, definition_of(projection)), strict=True):
            column.append(value)
    unknown = [row["name"] for row in conn.execute(_SHAPES, wanted).fetchall()]
    if not unknown:
        return
    try:
        with conn.transaction(), as_login(conn):
            conn.execute(_REGISTER, wanted)
    except errors.InsufficientPrivilege:
        raise Refused(
            f"the owner of the store has not let tables of {', '.join(unknown)} be made as this program has them; let one who owns the store"
            " run `o2c store roles` with this program"
        ) from None


def take_over(conn: Connection) -> None:
    """Give all that stands in the schema of projections to the owner of the store, who lets tables of this program's shapes be made.

    What carries code of somebody's, or is none of ours, is dropped and named in the log. Acts as the login, which must be a superuser or
    may act as owner and projector. A second call changes nothing. Raises Refused (try later) when readers do not let go of the tables.
    """
    patiently(conn, _MAKING.work, ("projection",), lambda: wait_for_making(conn), lambda: _take_over(conn, roles_of(conn.info.dbname)))


def _take_over(conn: Connection, roles: Roles) -> None:
    conn.execute(_TRUSTED_PATH)
    if conn.execute(_ARE_MADE).fetchone() == {"made": True}:
        _take(conn, roles)
    # What is made from here on is the owner's: a view reads its tables with the rights of whoever made it.
    conn.execute(_ACT_AS.format(sql.Identifier(roles.owner)))
    conn.execute(_MAKE_SHARED)
    conn.execute(_FORGET_LOST)
    known = (*ALL, lookups(b""))  # the key shapes no table
    let_make(conn, known)
    standing = {row["name"]: row["shape_version"] for row in conn.execute(_STANDING_SHAPES).fetchall()}
    for projection in known:
        if standing.get(projection.name) == projection.shape_version:
            conn.execute(_LAY_VIEWS, (projection.name, projection.shape_version))
    conn.execute(_AS_LOGIN)


def with_code(conn: Connection) -> set[str]:
    """The tables of projections that run code of somebody's when they are read, written or analysed."""
    with conn.transaction():
        conn.execute(_TRUSTED_PATH)
        return {row["name"] for row in conn.execute(_WITH_CODE).fetchall()}


def _take(conn: Connection, roles: Roles) -> None:
    names = {name: sql.Identifier(role) for name, role in roles._asdict().items()}
    conn.execute(sql.SQL(_TAKE_SCHEMA).format(database=sql.Identifier(conn.info.dbname), **names))
    relations = {row["name"]: row["kind"] for row in conn.execute(_RELATIONS, (roles.owner,)).fetchall()}
    for name, kind in relations.items():
        if kind == "TABLE":
            conn.execute(_LOCK_ALONE.format(sql.Identifier("projection", name)))
    dropped = with_code(conn)
    for name, kind in relations.items():
        if kind != "TABLE" or name in dropped:
            if kind != "VIEW":
                logger.warning("projection_object_dropped", kind=kind.lower(), name=name)
            conn.execute(_DROP.format(sql.SQL(kind), sql.Identifier(name)))
        else:
            conn.execute(_TAKE_TABLE.format(sql.Identifier("projection", name), names["owner"]))
    for row in conn.execute(_ROUTINES).fetchall():
        logger.warning("projection_object_dropped", kind="function", name=row["name"])
        conn.execute(_DROP_ROUTINE.format(sql.SQL(row["name"])))
    conn.execute(sql.SQL(_LEAVE_ROWS).format(**names))
