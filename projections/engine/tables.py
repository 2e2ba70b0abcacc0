"""The tables of a projection, one of rows and one of documents: made when they are missing, written in bulk, exchanged by renaming."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from psycopg import sql
from psycopg.rows import tuple_row

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.database import connect
from projections.engine import shared_tables
from projections.engine.fold import Changes
from projections.engine.projection import Doc, Projection, Row
from projections.engine.readers import as_projector, let_read

_UTC = "SET timezone = 'UTC'"
"""Lets the session write times in UTC. No parameters."""

_IS_READ_ONLY = "SELECT current_setting('transaction_read_only') AS value"
"""`on` where the server takes no writes. No parameters."""

_LOCK_MAKING = "SELECT pg_advisory_xact_lock(1886547818), set_config('client_min_messages', 'warning', true)"
"""Lets one session at a time make tables, until the end of the transaction, and keeps notices away. No parameters."""

_SHARED_ARE_MADE = "SELECT to_regclass('projection.history') AS made"
"""The last of the shared tables, NULL where it is missing. No parameters."""

_MADE = "SELECT name FROM projection.checkpoint"
"""The names of the projections that have tables. No parameters."""

_BEGIN = "INSERT INTO projection.checkpoint (name, position, shape_version, generation) VALUES (%s, 0, %s, 0)"
"""Adds a checkpoint at the start of the log. Parameters: the projection, the shape of its tables."""

_CREATE_ROWS = sql.SQL("CREATE TABLE {} ({})")
"""Makes a table of rows. Parts: the table, its columns."""

_CREATE_DOCS = sql.SQL('CREATE TABLE {} (group_key text COLLATE "C", doc jsonb NOT NULL)')
"""Makes a table of documents. Part: the table."""

_DESCRIBE = sql.SQL("COMMENT ON TABLE {} IS {}")
"""Says in the database what a table shows. Parts: the table, the text."""

_ADD_KEY = sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})")
"""Gives a table its key. Parts: the table, the columns of the key."""

_ADD_INDEX = sql.SQL("CREATE INDEX ON {} ({})")
"""Gives a table an index. Parts: the table, the columns."""

_DROP = sql.SQL("DROP TABLE IF EXISTS {}, {}")
"""Drops the two tables of a projection where they exist. Parts: the tables."""

_CREATE_VIEW = sql.SQL("CREATE VIEW {} AS {}")
"""Makes a view. Parts: the view, its query."""

_DROP_VIEW = sql.SQL("DROP VIEW IF EXISTS {}")
"""Drops a view where it exists. Part: the view."""

_DOCS_OF_GROUPS = sql.SQL("SELECT group_key, doc FROM {} WHERE group_key = ANY(%s)")
"""The documents of some groups. Part: the table of documents. Parameter: the groups."""

_PUT_DOCS = sql.SQL(
    "INSERT INTO {} (group_key, doc) SELECT key, doc::jsonb FROM unnest(%b::text[], %b::text[]) AS x (key, doc)"
    " ON CONFLICT (group_key) DO UPDATE SET doc = excluded.doc"
)
"""Adds or replaces documents. Part: the table of documents. Parameters: the groups, their documents as JSON texts."""

_PUT_ROWS = sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s::json) ON CONFLICT ({1}) DO {2}")
"""Adds or replaces rows. Parts: the table of rows, its key, what to do with a row that exists. Parameter: the rows as a JSON array."""

_REPLACE_ROW = sql.SQL("UPDATE SET {}")
"""What to do with a row that exists. Part: the assignment of each column."""

_DELETE_ROWS = sql.SQL("DELETE FROM {0} t USING json_populate_recordset(NULL::{0}, %s::json) x WHERE {1}")
"""Deletes rows. Parts: the table of rows, the condition on the key. Parameter: the keys as a JSON array."""

_DELETE_GROUP = sql.SQL("DELETE FROM {} WHERE group_key = %s")
"""Deletes all that a table holds of a group. Part: the table. Parameter: the group."""

_COPY_DOCS = sql.SQL("COPY {} (group_key, doc) FROM STDIN")
"""Copies documents in. Part: the table of documents."""

_COPY_ROWS = sql.SQL("COPY {} ({}) FROM STDIN")
"""Copies rows in. Parts: the table of rows, its columns."""

_TABLE_ID = "SELECT %s::regclass::oid::bigint AS id"
"""The id that the server gives a table. Parameter: the table's name."""

_LOCK_FOR_WRITING = sql.SQL("LOCK TABLE {}, {} IN ROW EXCLUSIVE MODE")
"""Keeps two tables from being dropped or renamed until the end of the transaction. Parts: the tables."""

_LOCK_ALONE = sql.SQL("LOCK TABLE {}, {} IN ACCESS EXCLUSIVE MODE")
"""Keeps everybody else out of two tables until the end of the transaction. Parts: the tables."""

_FORGET_KEPT = "DELETE FROM projection.kept WHERE name = %s"
"""Forgets where the kept tables of a projection stood. Parameter: the projection."""

_RENAME = sql.SQL("ALTER TABLE IF EXISTS {} RENAME TO {}")
"""Renames a table where it exists. Parts: the table, its new name."""

_GRANTS = """SELECT a.privilege_type, c.relname, r.rolname FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = 'projection'::regnamespace AND c.relname = ANY(%s) AND a.grantee <> c.relowner"""
"""What others than the owner may do with some tables and views: (privilege, table or view, role; NULL: everybody). Parameter: the names."""

_GRANT = sql.SQL("GRANT {} ON {} TO {}")
"""Gives a role a privilege. Parts: the privilege, the table or view, the role."""

_ROWS = sql.SQL("SELECT to_jsonb(t) AS value FROM {} t{} ORDER BY group_key")
"""Rows by group. Parts: the table of rows, `_OF_GROUPS` or nothing."""

_DOCS = sql.SQL("SELECT to_jsonb(t) AS value FROM {} t{}")
"""Documents with their groups. Parts: the table of documents, `_OF_GROUPS` or nothing."""

_OF_GROUPS = sql.SQL(" WHERE group_key = ANY(%s)")
"""The condition that keeps some groups only. Parameter: the groups."""


@contextmanager
def session(dsn: str) -> Iterator[Connection]:
    """A connection that writes times in UTC and acts as the owner of the tables.

    Raises Refused (try later) when the server does not answer.
    """
    with connect(dsn) as conn:
        conn.execute(_UTC)
        as_projector(conn)
        yield conn


def _names(projection: Projection, suffix: str) -> tuple[str, str]:
    return f"{projection.name}{suffix}", f"{projection.name}{suffix}_doc"


def table(projection: Projection, suffix: str = "") -> sql.Identifier:
    """The projection's table of rows.

    With the suffix `_new` it is the shadow of a rebuild, with `_old` the table that a rebuild replaced.
    """
    return sql.Identifier(projection.schema, _names(projection, suffix)[0])


def doc_table(projection: Projection, suffix: str = "") -> sql.Identifier:
    """The projection's table of documents."""
    return sql.Identifier(projection.schema, _names(projection, suffix)[1])


def prepare(conn: Connection, projections: Sequence[Projection]) -> None:
    """Make the tables that are missing; many sessions may do so at once.

    Raises Refused where tables are missing and the server takes no writes.
    """
    if missing := _missing(conn, projections):
        if conn.execute(_IS_READ_ONLY).fetchone() == {"value": "on"}:
            names = ", ".join(projection.name for projection in missing)
            raise Refused(
                f"this server takes no writes and has no tables of {names} yet; let the primary project once (`o2c status` there)",
                kind="conflict",
            )
        with conn.transaction():
            conn.execute(_LOCK_MAKING)
            conn.execute(shared_tables.CREATE)
            for projection in _missing(conn, projections):
                create(conn, projection)
                create_views(conn, projection)
                let_read(conn, [projection])
                conn.execute(_BEGIN, (projection.name, projection.shape_version))


def _missing(conn: Connection, projections: Sequence[Projection]) -> list[Projection]:
    row = conn.execute(_SHARED_ARE_MADE).fetchone()
    if row is None or row["made"] is None:
        return list(projections)
    made = {row["name"] for row in conn.execute(_MADE).fetchall()}
    return [projection for projection in projections if projection.name not in made]


def create(conn: Connection, projection: Projection, suffix: str = "", *, indexed: bool = True) -> None:
    """Make the two tables of a projection; tables left under their names are dropped. Tables that are not `indexed` are filled faster."""
    rows, docs = table(projection, suffix), doc_table(projection, suffix)
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind + (' COLLATE "C"' if kind == "text" else "")))
        for name, kind in (("group_key", "text"), *projection.columns.items())
    ]
    conn.execute(_DROP.format(rows, docs))
    conn.execute(_CREATE_ROWS.format(rows, sql.SQL(", ").join(columns)))
    conn.execute(_CREATE_DOCS.format(docs))
    conn.execute(_DESCRIBE.format(rows, sql.Literal(projection.meaning)))
    if indexed:
        index(conn, projection, suffix)


def index(conn: Connection, projection: Projection, suffix: str = "") -> None:
    """Give the two tables their keys and indexes. Raises UniqueViolation when two rows have one key."""
    rows, docs = table(projection, suffix), doc_table(projection, suffix)
    conn.execute(_ADD_KEY.format(rows, _listed(("group_key", *projection.key))))
    conn.execute(_ADD_KEY.format(docs, sql.Identifier("group_key")))
    for columns in projection.indexes:
        conn.execute(_ADD_INDEX.format(rows, _listed(columns.split(", "))))


def _listed(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def create_views(conn: Connection, projection: Projection) -> None:
    """Make the projection's views over the table that has its name now."""
    for name, select in projection.views.items():
        conn.execute(_CREATE_VIEW.format(sql.Identifier("projection", name), sql.SQL(select)))


def drop_views(conn: Connection, projection: Projection) -> None:
    """Drop the projection's views. A view keeps reading a table that is renamed, so every swap drops and makes them."""
    for name in projection.views:
        conn.execute(_DROP_VIEW.format(sql.Identifier("projection", name)))


def load_docs(conn: Connection, projection: Projection, groups: Iterable[str], suffix: str = "") -> dict[str, Doc]:
    """The stored documents of the given groups."""
    query = _DOCS_OF_GROUPS.format(doc_table(projection, suffix))
    return dict(conn.cursor(row_factory=tuple_row).execute(query, (list(groups),)).fetchall())


def write(conn: Connection, projection: Projection, changes: Changes, suffix: str = "") -> None:
    """Write changes in bulk: one statement for the documents, one for the rows to delete and one for the rows to put."""
    rows = table(projection, suffix)
    if changes.docs:
        docs = (list(changes.docs), [json.dumps(doc) for doc in changes.docs.values()])
        conn.execute(_PUT_DOCS.format(doc_table(projection, suffix)), docs)
    if changes.gone:
        match = sql.SQL(" AND ").join(sql.SQL("t.{0} = x.{0}").format(sql.Identifier(name)) for name in ("group_key", *projection.key))
        conn.execute(_DELETE_ROWS.format(rows, match), (json.dumps(changes.gone),))
    if changes.put:
        conn.execute(_put_rows(projection, rows), (json.dumps(changes.put),))


def replace_group(conn: Connection, projection: Projection, group: str, docs: Mapping[str, Doc], rows: Sequence[Row]) -> None:
    """Replace all that the tables hold of a group by a document and its rows. Needs a transaction around it."""
    for relation in (table(projection), doc_table(projection)):
        conn.execute(_DELETE_GROUP.format(relation), (group,))
    write(conn, projection, Changes(docs=dict(docs), put=list(rows)))


def _put_rows(projection: Projection, rows: sql.Identifier) -> sql.Composed:
    other = [sql.Identifier(name) for name in projection.columns if name not in projection.key]
    replace = _REPLACE_ROW.format(sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in other))
    return _PUT_ROWS.format(rows, _listed(("group_key", *projection.key)), replace if other else sql.SQL("NOTHING"))


def copy_in(conn: Connection, projection: Projection, docs: Mapping[str, Doc], rows: Iterable[Row], suffix: str) -> None:
    """Fill fresh tables by COPY."""
    cursor = conn.cursor()
    with cursor.copy(_COPY_DOCS.format(doc_table(projection, suffix))) as copy:
        for group, doc in docs.items():
            copy.write_row((group, json.dumps(doc)))
    columns = ("group_key", *projection.columns)
    nested = {name for name, kind in projection.columns.items() if kind == "jsonb"}
    with cursor.copy(_COPY_ROWS.format(table(projection, suffix), _listed(columns))) as copy:
        for row in rows:
            copy.write_row([json.dumps(row[name]) if name in nested and row[name] is not None else row[name] for name in columns])


def shadow_id(conn: Connection, projection: Projection) -> int:
    """The server's id of the shadow, by which one rebuild's shadow differs from another's.

    Raises UndefinedTable when there is no shadow.
    """
    row = conn.execute(_TABLE_ID, (f'{projection.schema}."{_names(projection, "_new")[1]}"',)).fetchone()
    return int(row["id"]) if row else 0


def lock_shadow(conn: Connection, projection: Projection) -> None:
    """Keep the shadow from being dropped until the end of the transaction. Raises UndefinedTable when there is no shadow."""
    conn.execute(_LOCK_FOR_WRITING.format(doc_table(projection, "_new"), table(projection, "_new")))


def drop(conn: Connection, projection: Projection, suffix: str) -> None:
    """Drop the tables under the name with the suffix, if they exist."""
    conn.execute(_DROP.format(table(projection, suffix), doc_table(projection, suffix)))


def drop_old(conn: Connection, projection: Projection) -> None:
    """Drop the tables that the last rebuild replaced. After that it cannot be rolled back."""
    drop(conn, projection, "_gone")
    drop(conn, projection, "_old")
    conn.execute(_FORGET_KEPT, (projection.name,))


def exchange(conn: Connection, projection: Projection, comes: Literal["_new", "_gone"]) -> None:
    """Rename `_old` to `_gone`, the tables in place to `_old`, and those with the suffix `comes` to the projection's name.

    The views are made again, and every role keeps its privileges. Raises LockNotAvailable when readers hold the tables beyond the lock
    timeout.
    """
    conn.execute(_LOCK_ALONE.format(table(projection), doc_table(projection)))
    grants = _grants(conn, projection)
    drop_views(conn, projection)
    for before, after in (("_old", "_gone"), ("", "_old"), (comes, "")):
        rename(conn, projection, before, after)
    create_views(conn, projection)
    for privilege, relation, grantee in grants:
        role = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
        conn.execute(_GRANT.format(sql.SQL(privilege), sql.Identifier("projection", relation), role))


def rename(conn: Connection, projection: Projection, before: str, after: str) -> None:
    """Give the two tables with the suffix `before` the suffix `after`, if they exist."""
    for name, new in zip(_names(projection, before), _names(projection, after), strict=True):
        conn.execute(_RENAME.format(sql.Identifier(projection.schema, name), sql.Identifier(new)))


def _grants(conn: Connection, projection: Projection) -> list[tuple[Any, ...]]:
    names = [projection.name, f"{projection.name}_doc", *projection.views]
    return conn.cursor(row_factory=tuple_row).execute(_GRANTS, (names,)).fetchall()


def stored_rows(conn: Connection, projection: Projection, groups: Sequence[str] | None = None) -> Iterator[Row]:
    """All rows of the table, or those of some groups, as JSON, streamed by group; times are stamps. Needs a transaction around it."""
    yield from _stream(conn, _ROWS, table(projection), groups)


def stored_docs(conn: Connection, projection: Projection, groups: Sequence[str] | None = None) -> Iterator[Row]:
    """All documents, or those of some groups, with their `group_key`, streamed. Needs a transaction around it."""
    yield from _stream(conn, _DOCS, doc_table(projection), groups)


def _stream(conn: Connection, query: sql.SQL, relation: sql.Identifier, groups: Sequence[str] | None) -> Iterator[Row]:
    with conn.cursor("stream") as cursor:
        cursor.itersize = 5_000
        if groups is None:
            cursor.execute(query.format(relation, sql.SQL("")))
        else:
            cursor.execute(query.format(relation, _OF_GROUPS), (list(groups),))
        for row in cursor:
            yield row["value"]
