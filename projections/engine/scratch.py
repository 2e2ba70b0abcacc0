"""Scratch schemas: each what-if has one of its own, and fills it on a connection that may write nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psycopg
from psycopg import sql

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.database import connect
from o2c.store.roles import arranged, roles_of

PREFIX = "what_if_"
_PASSING = "Goes with the run that made it."
_KEPT = "Kept for whoever asked; drop it when it has answered: DROP SCHEMA {} CASCADE"
_LEFT = """SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^what_if_[0-9a-f]{12}$' AND pg_has_role(nspowner, 'USAGE')
    AND obj_description(oid, 'pg_namespace') = %s"""
"""The scratch schemas with a comment, of those that this login may drop. Parameter: the comment."""

_SETTINGS = "SET default_transaction_read_only = off; SET timezone = 'UTC'; SET client_min_messages = warning"
"""Lets a session write, use UTC and keep notices to itself. No parameters."""

_LOCK = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
"""Takes the lock of a schema. Parameter: the schema's name."""

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours"
"""Takes the lock of a schema if it is free, and says whether it was. Parameter: the schema's name."""

_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
"""Gives the lock of a schema back. Parameter: the schema's name."""

_COMMENT = "SELECT obj_description(to_regnamespace(%s), 'pg_namespace') AS text"
"""The comment on a schema. Parameter: the schema's name."""

_SET_COMMENT = sql.SQL("COMMENT ON SCHEMA {} IS {}")
"""Writes the comment on a schema. Parts: the schema, the comment."""

_CREATE = sql.SQL("CREATE SCHEMA {}")
"""Makes a schema. Part: the schema."""

_CREATE_FOR = sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}")
"""Makes a schema that belongs to a role. Parts: the schema, the role."""

_ACT_AS = sql.SQL("SET ROLE {}")
"""Lets the session act as a role. Part: the role."""

_DROP = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
"""Drops a schema and all in it. Part: the schema."""


@contextmanager
def scratch(dsn: str, *, keep: bool = False) -> Iterator[tuple[Connection, str]]:
    """A new schema, and the connection to fill it. It is dropped at the end, unless `keep` is set and the block raised nothing.

    Where the roles of the store are in use the connection acts as the reader role, which owns the schema and may write neither the log
    nor the tables of projections. Schemas that killed runs have left behind are dropped too. Raises Refused when this login may not make
    a schema, or may not act as the reader.
    """
    with connect(dsn) as conn:
        # The environment may have set sessions to read only, for the code of a what-if's file.
        conn.execute(_SETTINGS)
        _drop_left_behind(conn)
        schema = f"{PREFIX}{uuid4().hex[:12]}"
        conn.execute(_LOCK, (schema,))
        _make(conn, schema)
        kept = False
        try:
            yield conn, schema
            if keep:
                _set_comment(conn, schema, _KEPT.format(schema))
                kept = True
        finally:
            if not kept:
                with suppress(psycopg.OperationalError):  # the next what-if drops it
                    _drop(conn, schema)


def _make(conn: Connection, schema: str) -> None:
    reader = roles_of(conn.info.dbname).reader if arranged(conn) else None
    try:
        with conn.transaction():
            name = sql.Identifier(schema)
            if reader:
                conn.execute(_CREATE_FOR.format(name, sql.Identifier(reader)))
                conn.execute(_ACT_AS.format(sql.Identifier(reader)))
            else:
                conn.execute(_CREATE.format(name))
            _set_comment(conn, schema, _PASSING)
    except psycopg.errors.InsufficientPrivilege as error:
        cure = f'act as "{reader}" (`o2c store roles` lets a projector) and ' if reader else ""
        raise Refused(
            f"the role {conn.info.user} may not make a schema to fold in: {error.diag.message_primary}; it must be allowed to {cure}CREATE in"
            f" database {conn.info.dbname}"
        ) from None


def _drop_left_behind(conn: Connection) -> None:
    """Drop the schemas of killed runs. A run that is alive holds the lock of its schema."""
    for row in conn.execute(_LEFT, (_PASSING,)).fetchall():
        name = (row["name"],)
        lock = conn.execute(_TRY_LOCK, name).fetchone()
        if not lock or not lock["ours"]:
            continue
        comment = conn.execute(_COMMENT, name).fetchone()
        if comment and comment["text"] == _PASSING:
            _drop(conn, row["name"])
        conn.execute(_UNLOCK, name)


def _set_comment(conn: Connection, schema: str, text: str) -> None:
    conn.execute(_SET_COMMENT.format(sql.Identifier(schema), sql.Literal(text)))


def _drop(conn: Connection, schema: str) -> None:
    conn.execute(_DROP.format(sql.Identifier(schema)))
