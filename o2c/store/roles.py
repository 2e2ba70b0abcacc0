"""The roles of a store: who owns it, who appends, who folds, who reads. They are groups nobody logs in as; a login is made a member of some."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from o2c.kernel.refusal import Refused

Connection = psycopg.Connection[dict[str, Any]]

NAME_BYTES_MAX = 63
"""PostgreSQL cuts off what is longer."""
_ORDINARY = "o2c"


class Roles(NamedTuple):
    """The names of a database's four roles."""

    owner: str
    appender: str
    projector: str
    reader: str

    @property
    def members(self) -> Composed:
        """Those that own nothing of the log."""
        return SQL(", ").join(map(Identifier, (self.appender, self.projector, self.reader)))


def roles_of(database: str) -> Roles:
    """The roles of a database: `o2c_owner` and so on for one called o2c, `o2c_owner_NAME` for any other.

    Roles belong to the whole cluster: two stores in one cluster would share them, and who appends to the one could append to the other.
    Raises Refused when the database's name leaves no room.
    """
    suffix = "" if database == _ORDINARY else f"_{database}"
    names = Roles(*(f"o2c_{role}{suffix}" for role in Roles._fields))
    if max(len(name.encode()) for name in names) > NAME_BYTES_MAX:
        raise Refused(f"the name of database {database} is too long for roles of its own; keep it within {NAME_BYTES_MAX - 14} bytes")
    return names


def arranged(conn: Connection) -> bool:
    """Whether the store belongs to its owner role, so that the roles are in use."""
    row = conn.execute("SELECT nspowner::regrole::text AS owner FROM pg_namespace WHERE nspname = 'o2c'").fetchone()
    return row is not None and row["owner"].strip('"') == roles_of(conn.info.dbname).owner


def arrange(conn: Connection) -> Roles:
    """Make the roles that are missing, give the store to its owner role, and grant to the others exactly what is theirs; again is nothing new.

    Needs a transaction. Raises Refused when roles are missing and this login may not make them, or may not give the store away.
    """
    roles = roles_of(conn.info.dbname)
    try:
        _make(conn, roles)
        _give(conn, roles)
        allow(conn, roles)
    except psycopg.errors.InsufficientPrivilege as error:
        missing = "; ".join(f'CREATE ROLE "{name}"' for name in roles)
        raise Refused(
            f"the role {conn.info.user} may not arrange the roles of {conn.info.dbname}: {error.diag.message_primary}; let one who may run"
            f' {missing}; GRANT "{roles.owner}", "{roles.projector}" TO "{conn.info.user}", and run this again'
        ) from None
    return roles


def allow(conn: Connection, roles: Roles) -> None:
    """What each of the roles may do in the log, no more and no less, whatever was granted before."""
    conn.execute(SQL(_GRANTS).format(members=roles.members, **_identifiers(roles)))


def _identifiers(roles: Roles) -> dict[str, Identifier]:
    return {name: Identifier(role) for name, role in roles._asdict().items()}


def _give(conn: Connection, roles: Roles) -> None:
    """The schemas and all that is in them to those whom they should belong to."""
    conn.execute(SQL(_SCHEMAS).format(database=Identifier(conn.info.dbname), **_identifiers(roles)))
    for row in conn.execute(_MISPLACED, roles._asdict()).fetchall():
        conn.execute(SQL("ALTER {} {} OWNER TO {}").format(SQL(row["kind"]), SQL(row["name"]), Identifier(row["owner"])))
    conn.execute(SQL("GRANT USAGE ON SCHEMA projection TO {members}").format(members=roles.members))


def _make(conn: Connection, roles: Roles) -> None:
    there = {row["rolname"] for row in conn.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(roles),)).fetchall()}
    for name in roles:
        if name not in there:
            conn.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(name)))
    may = conn.execute(
        "SELECT rolsuper, pg_has_role(oid, %s, 'USAGE') AND pg_has_role(oid, %s, 'USAGE') AS member FROM pg_roles WHERE rolname = current_user",
        (roles.owner, roles.projector),
    ).fetchone()
    if may and not may["member"]:
        conn.execute(SQL("GRANT {}, {} TO CURRENT_USER").format(Identifier(roles.owner), Identifier(roles.projector)))
    let_in = conn.execute("SELECT pg_has_role(%s, %s, 'MEMBER') AS done", (roles.projector, roles.reader)).fetchone()
    if let_in and not let_in["done"]:
        # A what-if is folded by a projector and written as the reader, who may write nothing that counts.
        conn.execute(SQL("GRANT {} TO {}").format(Identifier(roles.reader), Identifier(roles.projector)))
    if may and may["rolsuper"]:
        # Who holds readers back can be named to those who watch them, and by nobody else without this.
        conn.execute(SQL("GRANT pg_read_all_stats TO {}, {}").format(Identifier(roles.owner), Identifier(roles.projector)))


_SCHEMAS = """
GRANT CREATE ON DATABASE {database} TO {owner}, {projector};
CREATE SCHEMA IF NOT EXISTS analyst AUTHORIZATION {owner};
CREATE SCHEMA IF NOT EXISTS projection AUTHORIZATION {projector};
"""

# What does not belong to whom it should, schemas first.
_MISPLACED = b"""
WITH wanted (schema, owner) AS (VALUES ('o2c', %(owner)s), ('analyst', %(owner)s), ('projection', %(projector)s))
SELECT 'SCHEMA' AS kind, quote_ident(w.schema) AS name, w.owner FROM wanted w JOIN pg_namespace n ON n.nspname = w.schema
WHERE n.nspowner <> to_regrole(quote_ident(w.owner))
UNION ALL SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
    c.oid::regclass::text, w.owner FROM wanted w JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c') AND c.relowner <> to_regrole(quote_ident(w.owner))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
UNION ALL SELECT 'FUNCTION', p.oid::regprocedure::text, w.owner FROM wanted w JOIN pg_namespace n ON n.nspname = w.schema
    JOIN pg_proc p ON p.pronamespace = n.oid WHERE p.proowner <> to_regrole(quote_ident(w.owner))"""


# What is granted, table by table. The engine reads all of the log and writes through append(); what it writes beside it is a lease, the clock and
# where a reaction stands. Folds read the log, names too: look-ups are folded from them. Readers get views and rows that hold nothing personal.
_GRANTS = """
REVOKE ALL ON ALL TABLES IN SCHEMA o2c FROM {members};
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA o2c FROM {members};
REVOKE CREATE ON SCHEMA o2c FROM PUBLIC, {members};
GRANT USAGE ON SCHEMA o2c TO {members};
GRANT SELECT ON o2c.migration, o2c.incarnation, o2c.event, o2c.clock TO {appender}, {projector};
GRANT SELECT ON o2c.head, o2c.command, o2c.guard, o2c.agenda, o2c.pool, o2c.policy_checkpoint TO {appender};
GRANT UPDATE (lease_until) ON o2c.agenda TO {appender};
GRANT UPDATE (now, window_end, round) ON o2c.clock TO {appender};
GRANT INSERT, UPDATE ON o2c.policy_checkpoint TO {appender};
GRANT EXECUTE ON FUNCTION o2c.append TO {appender};
GRANT SELECT ON o2c.analyst_event TO {reader};
GRANT USAGE ON SCHEMA analyst TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA analyst TO {reader};
REVOKE EXECUTE ON FUNCTION o2c.append, o2c.begin_life, o2c.adopt_log, o2c.begin_import, o2c.declare_incarnation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION o2c.declare_incarnation() TO {appender}, {projector};
"""

_FLAWS = b"""
SELECT r.rolname || ' may ' || lower(p.what) || ' ' || c.relname AS flaw FROM pg_roles r
CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('SELECT')) AS p (what)
JOIN pg_class c ON c.relnamespace = 'o2c'::regnamespace AND c.relkind IN ('r', 'p')
WHERE r.rolname = ANY(%(members)s) AND CASE
    WHEN p.what = 'SELECT' THEN r.rolname = %(reader)s AND has_any_column_privilege(r.oid, c.oid, 'SELECT')
    WHEN c.relname IN ('policy_checkpoint', 'clock') AND r.rolname = %(appender)s THEN false
    ELSE has_table_privilege(r.oid, c.oid, p.what) END
UNION ALL SELECT r.rolname || ' may call ' || p.proname || '()' FROM pg_roles r JOIN pg_proc p ON p.pronamespace = 'o2c'::regnamespace
WHERE p.proname IN ('append', 'begin_life', 'adopt_log', 'begin_import') AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
    AND (r.rolname = ANY(%(members)s) AND (p.proname <> 'append' OR r.rolname <> %(appender)s))
UNION ALL SELECT rolname || ' is a superuser, or may make roles' FROM pg_roles WHERE rolname = ANY(%(all)s) AND (rolsuper OR rolcreaterole)
UNION ALL SELECT rolname || ' may log in' FROM pg_roles WHERE rolname = ANY(%(all)s) AND rolcanlogin
ORDER BY 1"""


def flaws(conn: Connection, roles: Roles) -> list[str]:
    """What a role may do and should not, in words; whatever way it came to it."""
    told = {"members": list(roles[1:]), "all": list(roles), "appender": roles.appender, "reader": roles.reader}
    return [row["flaw"] for row in conn.execute(_FLAWS, told).fetchall()]


def standing_of(conn: Connection) -> list[dict[str, Any]]:
    """The roles of this database as they are: `role`, `there`, and the logins that are members, by name."""
    return conn.execute(
        "SELECT w.role, r.oid IS NOT NULL AS there, coalesce((SELECT string_agg(DISTINCT m.rolname::text, ', ') FROM pg_auth_members a"
        " JOIN pg_roles m ON m.oid = a.member WHERE a.roleid = r.oid AND m.rolname <> ALL(%(roles)s)), '') AS members"
        " FROM unnest(%(roles)s::text[]) WITH ORDINALITY AS w (role, n) LEFT JOIN pg_roles r ON r.rolname = w.role ORDER BY w.n",
        {"roles": list(roles_of(conn.info.dbname))},
    ).fetchall()
