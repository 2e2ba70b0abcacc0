"""Whom the tables of projections belong to, and who else may read them: the roles of the store (`o2c/store/roles.py`), where they are in use."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from o2c.store.roles import roles_of
from projections.engine.projection import Projection
from projections.engine.seen import Connection

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
    """Work as the role that owns the tables: what one login makes, another must be able to swap and drop."""
    row = conn.execute(_PROJECTOR).fetchone()
    if row:
        conn.execute(_ACT_AS.format(sql.Identifier(row["name"])))


def let_read(conn: Connection, projections: Sequence[Projection]) -> None:
    """Let the reader role see how far projections are, their rows and their views; of one that is folded from personal fields nothing.

    Needs a transaction. Documents, and what was parked or skipped and why, stay with the engine. Nothing where there is no such role.
    """
    reader = roles_of(conn.info.dbname).reader
    if conn.execute(_ROLE_EXISTS, (reader,)).fetchone() is None:
        return
    open_to_all = [name for projection in projections if not projection.personal for name in (projection.name, *projection.views)]
    made = conn.execute(_EXISTING, (["checkpoint", *open_to_all],)).fetchall()
    for row in made:
        conn.execute(_GRANT_READING.format(sql.Identifier("projection", row["name"]), sql.Identifier(reader)))
