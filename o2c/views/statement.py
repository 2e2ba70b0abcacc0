"""One statement of an analyst's, run as the reader role would."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.roles import roles_of
from o2c.views.reading import Rows, plain

READING = "SET default_transaction_read_only = on"
"""Lets a session write nothing. No parameters."""

MAY_BECOME = "SELECT pg_has_role(rolname, 'MEMBER') AS may FROM pg_roles WHERE rolname = %s"
"""Whether this login may act as a role; no row where there is no such role. Parameter: the role."""

BECOME = sql.SQL("SET ROLE {}")
"""Acts as a role for the rest of the session. Part: the role."""


def run_statement(app: Engine, statement: str) -> Rows:
    """The rows of one SQL statement over the views of the schema `analyst` and the projections, with nothing personal in reach.

    It runs read-only and as the reader role, where this login may act as it. Not a wall around an owner of the store, who may read all in
    other ways. Raises Refused (usage) for what PostgreSQL does not take, in its words.
    """
    with psycopg.connect(app.dsn, row_factory=dict_row, autocommit=True) as conn:
        conn.execute(READING)
        become_reader(conn)
        try:
            # Bytes with parameters asked for: one statement, so none that first takes the role off.
            # A per cent sign is the analyst's own, and never the place of a parameter.
            done = conn.execute(statement.replace("%", "%%").encode(), (), prepare=True)
        except psycopg.Error as error:
            raise Refused(f"PostgreSQL does not take this: {error.diag.message_primary or str(error).strip()}") from None
        return [{name: _plain(value) for name, value in row.items()} for row in done.fetchall()] if done.description else []


def become_reader(conn: Connection) -> None:
    """Act as the reader role from here on, where there is one and this login may."""
    reader = roles_of(conn.info.dbname).reader
    row = conn.execute(MAY_BECOME, (reader,)).fetchone()
    if row and row["may"]:
        conn.execute(BECOME.format(sql.Identifier(reader)))


def reader_dsn(app: Engine) -> str:
    """A connection string by which an analyst's programs read, as the reader role where there is one and read-only."""
    parts = {name: str(value) for name, value in conninfo_to_dict(app.dsn).items() if value is not None}
    with psycopg.connect(app.dsn, row_factory=dict_row) as conn:
        row = conn.execute(MAY_BECOME, (roles_of(conn.info.dbname).reader,)).fetchone()
        role = f" -c role={roles_of(conn.info.dbname).reader}" if row and row["may"] else ""
    parts["options"] = f"-c default_transaction_read_only=on{role}"
    return make_conninfo(**parts)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else plain(value)
