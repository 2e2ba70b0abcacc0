"""The roles of a store: one owns it, one appends, one folds, one reads. Nobody logs in as one of them; a login is made a member of some."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection

NAME_BYTES_MAX = 63
"""PostgreSQL cuts longer names off."""
_ORDINARY = "o2c"


class Roles(NamedTuple):
    """The names of a database's four roles."""

    owner: str
    appender: str
    projector: str
    reader: str

    @property
    def members(self) -> Composed:
        """The roles that own nothing of the log."""
        return SQL(", ").join(map(Identifier, (self.appender, self.projector, self.reader)))


def roles_of(database: str) -> Roles:
    """The roles of a database: `o2c_owner` and so on for one called o2c, `o2c_owner_NAME` for any other.

    Roles belong to the whole cluster: if two stores in one cluster shared them, a login that appends to one could append to the other.
    Raises Refused when the database's name leaves no room.
    """
    suffix = "" if database == _ORDINARY else f"_{database}"
    names = Roles(*(f"o2c_{role}{suffix}" for role in Roles._fields))
    if max(len(name.encode()) for name in names) > NAME_BYTES_MAX:
        raise Refused(f"the name of database {database} is too long for roles of its own; keep it within {NAME_BYTES_MAX - 14} bytes")
    return names


_OWNER = "SELECT nspowner::regrole::text AS owner FROM pg_namespace WHERE nspname = 'o2c'"
"""The role that owns the schema of the log; no row before there is one."""


def arranged(conn: Connection) -> bool:
    """Whether the store belongs to its owner role, so that the roles are in use."""
    row = conn.execute(_OWNER).fetchone()
    return row is not None and row["owner"].strip('"') == roles_of(conn.info.dbname).owner


def arrange(conn: Connection) -> Roles:
    """Make the missing roles, give the store to its owner role, and grant the others exactly their rights; a second call changes nothing.

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
    """Grant each role its rights in the log, no more and no less, whatever was granted before."""
    conn.execute(SQL(_GRANTS).format(members=roles.members, **_identifiers(roles)))


def _identifiers(roles: Roles) -> dict[str, Identifier]:
    return {name: Identifier(role) for name, role in roles._asdict().items()}


def _give(conn: Connection, roles: Roles) -> None:
    """Make the schemas and everything in them belong to their owners."""
    conn.execute(SQL(_SCHEMAS).format(database=Identifier(conn.info.dbname), members=roles.members, **_identifiers(roles)))
    for row in conn.execute(_MISPLACED, roles._asdict()).fetchall():
        conn.execute(SQL("ALTER {} {} OWNER TO {}").format(SQL(row["kind"]), SQL(row["name"]), Identifier(row["owner"])))


_EXISTING = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
"""Those of some roles that exist. Parameter: array of names."""

_OWN_RIGHTS = """SELECT rolsuper, pg_has_role(oid, %s, 'USAGE') AND pg_has_role(oid, %s, 'USAGE') AS member
    FROM pg_roles WHERE rolname = current_user"""
"""Whether this login is a superuser, and whether it has the rights of two roles. Parameters: the two roles."""

_IS_MEMBER = "SELECT pg_has_role(%s, %s, 'MEMBER') AS done"
"""Whether one role is a member of another. Parameters: the one, the other."""


def _make(conn: Connection, roles: Roles) -> None:
    there = {row["rolname"] for row in conn.execute(_EXISTING, (list(roles),)).fetchall()}
    for name in roles:
        if name not in there:
            conn.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(name)))
    rights = conn.execute(_OWN_RIGHTS, (roles.owner, roles.projector)).fetchone()
    if rights and not rights["member"]:
        conn.execute(SQL("GRANT {}, {} TO CURRENT_USER").format(Identifier(roles.owner), Identifier(roles.projector)))
    membership = conn.execute(_IS_MEMBER, (roles.projector, roles.reader)).fetchone()
    if membership and not membership["done"]:
        # A what-if is folded by a projector and written as the reader, which may write nothing that counts.
        conn.execute(SQL("GRANT {} TO {}").format(Identifier(roles.reader), Identifier(roles.projector)))
    if rights and rights["rolsuper"]:
        # Without this right these roles could not see which transaction holds readers back.
        conn.execute(SQL("GRANT pg_read_all_stats TO {}, {}").format(Identifier(roles.owner), Identifier(roles.projector)))


_SCHEMAS = """
GRANT CREATE ON DATABASE {database} TO {owner};
REVOKE CREATE ON DATABASE {database} FROM {members};
CREATE SCHEMA IF NOT EXISTS analyst AUTHORIZATION {owner};
"""
"""Let the owner make schemas, and nobody else: whoever makes a function where another's session finds it acts with that one's rights.

Formatted with identifiers: the database, the roles, and `members` for all but the owner.
"""

_MISPLACED = b"""
WITH wanted (schema, owner) AS (VALUES ('o2c', %(owner)s), ('analyst', %(owner)s))
SELECT 'SCHEMA' AS kind, quote_ident(w.schema) AS name, w.owner FROM wanted w JOIN pg_namespace n ON n.nspname = w.schema
WHERE n.nspowner <> to_regrole(quote_ident(w.owner))
UNION ALL SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
    c.oid::regclass::text, w.owner FROM wanted w JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c') AND c.relowner <> to_regrole(quote_ident(w.owner))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
UNION ALL SELECT 'FUNCTION', p.oid::regprocedure::text, w.owner FROM wanted w JOIN pg_namespace n ON n.nspname = w.schema
    JOIN pg_proc p ON p.pronamespace = n.oid WHERE p.proowner <> to_regrole(quote_ident(w.owner))"""
"""Schemas, tables and functions that do not belong to their owner, schemas first: kind, name, owner. Parameter, by name: owner.

Those of projections are taken over by `projections/engine/ownership.py`, which first looks at what hangs on them.
"""

# The engine reads all of the log and writes through append(); directly it writes only leases, the clock, the positions of reactions, the
# outbox, records of usage and the keys of prospects. Folds read the log, personal fields too: look-ups are folded from them. Readers get
# views and rows that hold nothing personal.
_GRANTS = """
REVOKE ALL ON ALL TABLES IN SCHEMA o2c FROM {members};
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA o2c FROM {members};
REVOKE CREATE ON SCHEMA o2c FROM PUBLIC, {members};
GRANT USAGE ON SCHEMA o2c TO {members};
GRANT SELECT ON o2c.migration, o2c.incarnation, o2c.event, o2c.clock TO {appender}, {projector};
GRANT SELECT ON o2c.head, o2c.command, o2c.guard, o2c.series, o2c.agenda, o2c.pool, o2c.policy_checkpoint, o2c.hook_place, o2c.outbox TO {appender};
GRANT UPDATE (lease_until) ON o2c.agenda TO {appender};
GRANT UPDATE (now, window_end, round) ON o2c.clock TO {appender};
GRANT INSERT, UPDATE ON o2c.policy_checkpoint, o2c.hook_place TO {appender};
GRANT INSERT, UPDATE, DELETE ON o2c.outbox TO {appender};
GRANT SELECT, INSERT, UPDATE, DELETE ON o2c.usage_record TO {appender};
GRANT SELECT, INSERT, UPDATE ON o2c.usage_look TO {appender};
GRANT SELECT, INSERT ON o2c.prospect_key TO {appender};
GRANT EXECUTE ON FUNCTION o2c.append TO {appender};
GRANT SELECT ON o2c.analyst_event, o2c.clock TO {reader};
GRANT USAGE ON SCHEMA analyst TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA analyst TO {reader};
REVOKE EXECUTE ON FUNCTION o2c.append, o2c.begin_life, o2c.adopt_log, o2c.begin_import, o2c.declare_incarnation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION o2c.declare_incarnation() TO {appender}, {projector};
GRANT SELECT ON o2c.projection_shape TO {projector};
REVOKE EXECUTE ON FUNCTION o2c.make_projections, o2c.make_projection, o2c.make_shadow, o2c.index_shadow, o2c.drop_tables, o2c.exchange_tables,
    o2c.make_scratch, o2c.lay_scratch, o2c.index_scratch, o2c.rename_scratch, o2c.clear_scratch, o2c.keep_scratch, o2c.drop_scratch,
    o2c.let_role, o2c.shape_of, o2c.lay_tables, o2c.index_part, o2c.lay_views, o2c.let_read, o2c.refuse_no_scratch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION o2c.make_projections, o2c.make_projection, o2c.make_shadow, o2c.index_shadow, o2c.drop_tables, o2c.exchange_tables,
    o2c.make_scratch TO {projector};
GRANT EXECUTE ON FUNCTION o2c.lay_scratch, o2c.index_scratch, o2c.rename_scratch, o2c.clear_scratch, o2c.keep_scratch, o2c.drop_scratch
    TO {projector}, {reader};
"""
"""Take every right in the log from the roles, then grant each its own. Formatted with identifiers: the roles, and `members` for all but the
owner."""

_FLAWS = b"""
SELECT r.rolname || ' may ' || lower(p.what) || ' ' || c.relname AS flaw FROM pg_roles r
CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('SELECT')) AS p (what)
JOIN pg_class c ON c.relnamespace = 'o2c'::regnamespace AND c.relkind IN ('r', 'p')
WHERE r.rolname = ANY(%(members)s) AND CASE
    WHEN p.what = 'SELECT' THEN r.rolname = %(reader)s AND c.relname <> 'clock' AND has_any_column_privilege(r.oid, c.oid, 'SELECT')
    WHEN c.relname IN ('policy_checkpoint', 'clock', 'hook_place', 'outbox', 'usage_record', 'usage_look') AND p.what <> 'TRUNCATE' AND r.rolname = %(appender)s THEN false
    WHEN c.relname = 'prospect_key' AND p.what IN ('SELECT', 'INSERT') AND r.rolname = %(appender)s THEN false
    ELSE has_table_privilege(r.oid, c.oid, p.what) END
UNION ALL SELECT r.rolname || ' may call ' || p.proname || '()' FROM pg_roles r JOIN pg_proc p ON p.pronamespace = 'o2c'::regnamespace
WHERE p.proname IN ('append', 'begin_life', 'adopt_log', 'begin_import', 'lay_tables', 'lay_views') AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
    AND (r.rolname = ANY(%(members)s) AND (p.proname <> 'append' OR r.rolname <> %(appender)s))
UNION ALL SELECT r.rolname || ' may make schemas in ' || current_database() FROM pg_roles r
WHERE r.rolname = ANY(%(members)s) AND has_database_privilege(r.oid, current_database(), 'CREATE')
UNION ALL SELECT r.rolname || ' may make functions in schema ' || n.nspname FROM pg_roles r CROSS JOIN pg_namespace n
WHERE r.rolname = ANY(%(members)s) AND has_schema_privilege(r.oid, n.oid, 'CREATE') AND n.nspname !~ '^pg_(temp|toast)'
UNION ALL SELECT r.rolname || ' may put triggers on ' || n.nspname || '.' || c.relname FROM pg_roles r CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rolname = ANY(%(members)s) AND n.nspname IN ('o2c', 'analyst', 'projection') AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(r.oid, c.oid, 'TRIGGER')
UNION ALL SELECT rolname || ' is a superuser, or may make roles' FROM pg_roles WHERE rolname = ANY(%(all)s) AND (rolsuper OR rolcreaterole)
UNION ALL SELECT rolname || ' may log in' FROM pg_roles WHERE rolname = ANY(%(all)s) AND rolcanlogin
ORDER BY 1"""
"""Rights that a role has and should not have, each as a sentence. Parameters, by name: members, all, appender, reader."""


def flaws(conn: Connection, roles: Roles) -> list[str]:
    """What a role may do and should not, in words, no matter how it got that right."""
    parameters = {"members": list(roles[1:]), "all": list(roles), "appender": roles.appender, "reader": roles.reader}
    return [row["flaw"] for row in conn.execute(_FLAWS, parameters).fetchall()]


_STANDING = """SELECT w.role, r.oid IS NOT NULL AS there, coalesce((SELECT string_agg(DISTINCT m.rolname::text, ', ') FROM pg_auth_members a
        JOIN pg_roles m ON m.oid = a.member WHERE a.roleid = r.oid AND m.rolname <> ALL(%(roles)s)), '') AS members
    FROM unnest(%(roles)s::text[]) WITH ORDINALITY AS w (role, n) LEFT JOIN pg_roles r ON r.rolname = w.role ORDER BY w.n"""
"""Each of some roles: whether it exists, and its members outside these roles. Parameter, by name: roles, an array of names."""


def standing_of(conn: Connection) -> list[dict[str, Any]]:
    """The roles of this database as they are: `role`, `there`, and the logins that are members, by name."""
    return conn.execute(_STANDING, {"roles": list(roles_of(conn.info.dbname))}).fetchall()
