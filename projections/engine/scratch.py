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
_KEPT = "Kept for whoever asked; drop it when it has answered: SELECT o2c.drop_scratch('{}')"
_LEFT = """SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^what_if_[0-9a-f]{12}$'
    AND nspowner = (SELECT nspowner FROM pg_namespace WHERE nspname = 'o2c') AND obj_description(oid, 'pg_namespace') = %s
    AND has_function_privilege('o2c.drop_scratch(text)', 'EXECUTE')"""
"""The scratch schemas with a comment, if this login may drop them. Parameter: the comment."""

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

_MAKE = "SELECT o2c.make_scratch(%s, %s)"
"""Makes a scratch schema. Parameters: its name, the comment on it."""

_KEEP = "SELECT o2c.keep_scratch(%s, %s)"
"""Writes another comment on a scratch schema. Parameters: its name, the comment."""

_ACT_AS = sql.SQL("SET ROLE {}")
"""Lets the session act as a role. Part: the role."""

_DROP = "SELECT o2c.drop_scratch(%s)"
"""Drops a scratch schema and all in it. Parameter: its name."""


@contextmanager
def scratch(dsn: str, *, keep: bool = False) -> Iterator[tuple[Connection, str]]:
    """A new schema, and the connection to fill it. It is dropped at the end, unless `keep` is set and the block raised nothing.

    Where the roles of the store are in use the schema belongs to the owner of the store, so that nobody hangs code on its tables, and the
    connection acts as the reader role, which may write rows there and neither the log nor the tables of projections. Schemas that killed
    runs have left behind are dropped too. Raises Refused when this login may not make a schema, or may not act as the reader.
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
                conn.execute(_KEEP, (schema, _KEPT.format(schema)))
                kept = True
        finally:
            if not kept:
                with suppress(psycopg.OperationalError):  # the next what-if drops it
                    _drop(conn, schema)


def _make(conn: Connection, schema: str) -> None:
    reader = roles_of(conn.info.dbname).reader if arranged(conn) else None
    try:
        with conn.transaction():
            conn.execute(_MAKE, (schema, _PASSING))
            if reader:
                conn.execute(_ACT_AS.format(sql.Identifier(reader)))
    except psycopg.errors.InsufficientPrivilege as error:
        cure = f'be a projector, who may act as "{reader}"' if reader else "own the store"
        raise Refused(
            f"the role {conn.info.user} may not make a schema to fold in: {error.diag.message_primary}; it must {cure} (`o2c store roles`)"
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


def _drop(conn: Connection, schema: str) -> None:
    conn.execute(_DROP, (schema,))
