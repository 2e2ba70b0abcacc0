"""The role that owns the projections' tables and the role that may read them, where the roles of `o2c/store/roles.py` are in use."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from o2c.store.connection import Connection
from o2c.store.roles import roles_of
from projections.engine.projection import Projection

_PROJECTOR = b"""SELECT r.rolname AS name FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
    WHERE n.nspname = 'projection' AND r.rolname <> current_user AND pg_has_role(current_user, r.oid, 'USAGE')"""
"""The owner of the tables, where that is another role and this login may act as it. No parameters."""

_ACT_AS = sql.SQL("SET ROLE {}")
"""Lets the session act as a role. Part: the role."""

_ROLE_EXISTS = "SELECT FROM pg_roles WHERE rolname = %s"
"""One row if there is such a role. Parameter: its name."""

_EXISTING = """SELECT relname AS name FROM pg_class
WHERE relnamespace = 'projection'::regnamespace AND relkind IN ('r', 'v') AND relname = ANY(%s)"""
"""Those of some tables and views that there are. Parameter: their names."""

_GRANT_READING = sql.SQL("GRANT SELECT ON {} TO {}")
"""Lets a role read a table or view. Parts: the table or view, the role."""


def as_projector(conn: Connection) -> None:
    """Act as the role that owns the tables, for every login must be able to swap and drop tables that another has made."""
    row = conn.execute(_PROJECTOR).fetchone()
    if row:
        conn.execute(_ACT_AS.format(sql.Identifier(row["name"])))


def let_read(conn: Connection, projections: Sequence[Projection]) -> None:
    """Let the reader role read the checkpoints, and the rows and views of projections that read no personal field.

    Does nothing where there is no such role. Needs a transaction. The role may not read documents, nor the lists of parked and skipped
    events.
    """
    reader = roles_of(conn.info.dbname).reader
    if conn.execute(_ROLE_EXISTS, (reader,)).fetchone() is None:
        return
    open_to_all = [name for projection in projections if not projection.personal for name in (projection.name, *projection.views)]
    rows = conn.execute(_EXISTING, (["checkpoint", *open_to_all],)).fetchall()
    for row in rows:
        conn.execute(_GRANT_READING.format(sql.Identifier("projection", row["name"]), sql.Identifier(reader)))
