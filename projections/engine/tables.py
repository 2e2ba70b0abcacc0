"""The tables of a projection, one of rows and one of documents: made when they are missing, written in bulk, exchanged by renaming."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Literal, NamedTuple

from psycopg import sql
from psycopg.rows import tuple_row

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.database import connect
from projections.engine.fold import Changes
from projections.engine.ownership import as_projector, definition_of, let_make, wait_for_making
from projections.engine.projection import Doc, Projection, Row

IN_PLACE = "projection"
"""The schema of the tables that everybody reads; those of a what-if stand in another."""

_UTC = "SET timezone = 'UTC'"
"""Lets the session write times in UTC. No parameters."""

_IS_READ_ONLY = "SELECT current_setting('transaction_read_only') AS value"
"""`on` where the server takes no writes. No parameters."""

_SHARED_ARE_MADE = "SELECT to_regclass('projection.history') AS made"
"""The last of the shared tables, NULL where it is missing. No parameters."""

_MADE = "SELECT name FROM projection.checkpoint"
"""The names of the projections that have tables. No parameters."""

_MAKE_SHARED = "SELECT o2c.make_projections()"
"""Makes the schema and the tables that all projections share, where they are missing. No parameters."""

_MAKE = "SELECT o2c.make_projection(%s, %s)"
"""Makes the tables of a projection, its views and its checkpoint at the start of the log. Parameters: the projection, its shape."""

_MAKE_SHADOW = "SELECT o2c.make_shadow(%s, %s)"
"""Makes the empty shadow of a projection. Parameters: the projection, its shape."""

_INDEX_SHADOW = "SELECT o2c.index_shadow(%s, %s, %s) AS more"
"""Gives the shadow one of its keys and indexes, and says whether there is more. Parameters: the projection, its shape, which one."""

_DROP = "SELECT o2c.drop_tables(%s, %s)"
"""Drops the two tables of a projection under the name with a suffix, where they exist. Parameters: the projection, the suffix."""

_EXCHANGE = "SELECT o2c.exchange_tables(%s, %s, %s)"
"""Keeps the tables of a projection and puts others in their place. Parameters: the projection, its shape, the suffix of the others."""

_LAY_SCRATCH = "SELECT o2c.lay_scratch(%s, %s, %s, %s)"
"""Makes the two tables of a projection in a scratch schema. Parameters: the schema, the projection, the suffix, its definition."""

_INDEX_SCRATCH = "SELECT o2c.index_scratch(%s, %s, %s, %s, %s) AS more"
"""Gives them one of their keys and indexes, and says whether there is more. Parameters: as before, and which one."""

_RENAME_SCRATCH = "SELECT o2c.rename_scratch(%s, %s, %s)"
"""Renames the two tables of a projection in a scratch schema. Parameters: the schema, the old name, the new one."""

_CLEAR_SCRATCH = "SELECT o2c.clear_scratch(%s, %s)"
"""Drops the two tables of a projection in a scratch schema. Parameters: the schema, the name."""

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

_FORGET_KEPT = "DELETE FROM projection.kept WHERE name = %s"
"""Forgets where the kept tables of a projection stood. Parameter: the projection."""

_ROWS = sql.SQL("SELECT to_jsonb(t.*) AS value FROM {} t{} ORDER BY group_key")
"""Rows by group. Parts: the table of rows, `_OF_GROUPS` or nothing."""

_DOCS = sql.SQL("SELECT to_jsonb(t.*) AS value FROM {} t{}")
"""Documents with their groups. Parts: the table of documents, `_OF_GROUPS` or nothing."""

_PART = sql.SQL("SELECT {} AS part, to_jsonb(t.*) AS value FROM {} t")
"""All that one table holds. Parts: its place among others, the table."""

_OF_GROUPS = sql.SQL(" WHERE group_key = ANY(%s)")
"""The condition that keeps some groups only. Parameter: the groups."""


@contextmanager
def session(dsn: str) -> Iterator[Connection]:
    """A connection that writes times in UTC and acts in the projector's role, where there is one.

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
            wait_for_making(conn)
            conn.execute(_MAKE_SHARED)
            missing = _missing(conn, projections)
            let_make(conn, missing)
            for projection in missing:
                conn.execute(_MAKE, (projection.name, projection.shape_version))


def _missing(conn: Connection, projections: Sequence[Projection]) -> list[Projection]:
    row = conn.execute(_SHARED_ARE_MADE).fetchone()
    if row is None or row["made"] is None:
        return list(projections)
    made = {row["name"] for row in conn.execute(_MADE).fetchall()}
    return [projection for projection in projections if projection.name not in made]


def make_shadow(conn: Connection, projection: Projection, suffix: str = "_new") -> None:
    """Make the two tables of a projection without keys, which are filled faster; tables left under their names are dropped."""
    if projection.schema == IN_PLACE:
        conn.execute(_MAKE_SHADOW, (projection.name, projection.shape_version))
    else:
        conn.execute(_LAY_SCRATCH, (projection.schema, projection.name, suffix, definition_of(projection)))


def index(conn: Connection, projection: Projection, suffix: str = "_new") -> None:
    """Give the two tables their keys and indexes, and count them for the planner. Raises UniqueViolation when two rows have one key."""
    part, more = 0, True
    while more:
        if projection.schema == IN_PLACE:
            row = conn.execute(_INDEX_SHADOW, (projection.name, projection.shape_version, part)).fetchone()
        else:
            row = conn.execute(_INDEX_SCRATCH, (projection.schema, projection.name, suffix, definition_of(projection), part)).fetchone()
        part, more = part + 1, bool(row and row["more"])


def _listed(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


class _Written(NamedTuple):
    """The statements that read and write the two tables of a projection in bulk, put together once: that took longer than to send them."""

    docs_of_groups: bytes
    put_docs: bytes
    delete_rows: bytes
    put_rows: bytes


def load_docs(conn: Connection, projection: Projection, groups: Iterable[str], suffix: str = "") -> dict[str, Doc]:
    """The stored documents of the given groups."""
    query = _written(projection, suffix).docs_of_groups
    return dict(conn.cursor(row_factory=tuple_row).execute(query, (list(groups),)).fetchall())


def write(conn: Connection, projection: Projection, changes: Changes, suffix: str = "") -> None:
    """Write changes in bulk: one statement for the documents, one for the rows to delete and one for the rows to put."""
    written = _written(projection, suffix)
    if changes.docs:
        conn.execute(written.put_docs, (list(changes.docs), [json.dumps(doc) for doc in changes.docs.values()]))
    if changes.gone:
        conn.execute(written.delete_rows, (json.dumps(changes.gone),))
    if changes.put:
        conn.execute(written.put_rows, (json.dumps(changes.put),))


def _written(projection: Projection, suffix: str) -> _Written:
    return _put_together(projection.schema, *_names(projection, suffix), projection.key, tuple(projection.columns))


@lru_cache(maxsize=256)
def _put_together(schema: str, name: str, name_of_docs: str, key: tuple[str, ...], columns: tuple[str, ...]) -> _Written:
    rows, docs, whole_key = sql.Identifier(schema, name), sql.Identifier(schema, name_of_docs), ("group_key", *key)
    match = sql.SQL(" AND ").join(sql.SQL("t.{0} = x.{0}").format(sql.Identifier(column)) for column in whole_key)
    other = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in columns if column not in key]
    replace = _REPLACE_ROW.format(sql.SQL(", ").join(other)) if other else sql.SQL("NOTHING")
    put_rows = _PUT_ROWS.format(rows, _listed(whole_key), replace)
    parts = _DOCS_OF_GROUPS.format(docs), _PUT_DOCS.format(docs), _DELETE_ROWS.format(rows, match), put_rows
    return _Written(*(part.as_bytes() for part in parts))


def replace_group(conn: Connection, projection: Projection, group: str, docs: Mapping[str, Doc], rows: Sequence[Row]) -> None:
    """Replace all that the tables hold of a group by a document and its rows. Needs a transaction around it."""
    for relation in (table(projection), doc_table(projection)):
        conn.execute(_DELETE_GROUP.format(relation), (group,))
    write(conn, projection, Changes(docs=dict(docs), put=list(rows)))


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
    if projection.schema == IN_PLACE:
        conn.execute(_DROP, (projection.name, suffix))
    else:
        conn.execute(_CLEAR_SCRATCH, (projection.schema, projection.name + suffix))


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
    conn.execute(_EXCHANGE, (projection.name, projection.shape_version, comes))


def rename(conn: Connection, projection: Projection, before: str, after: str) -> None:
    """In a scratch schema: give the two tables with the suffix `before` the suffix `after`, if they exist."""
    conn.execute(_RENAME_SCRATCH, (projection.schema, projection.name + before, projection.name + after))


def stored_rows(conn: Connection, projection: Projection, groups: Sequence[str] | None = None) -> Iterator[Row]:
    """All rows of the table, or those of some groups, as JSON, streamed by group; times are stamps. Needs a transaction around it."""
    yield from _stream(conn, _ROWS, table(projection), groups)


def stored_docs(conn: Connection, projection: Projection, groups: Sequence[str] | None = None) -> Iterator[Row]:
    """All documents, or those of some groups, with their `group_key`, streamed. Needs a transaction around it."""
    yield from _stream(conn, _DOCS, doc_table(projection), groups)


def stored_together(conn: Connection, projections: Sequence[Projection]) -> list[tuple[list[Row], list[Row]]]:
    """The documents and the rows of each projection, by group, all read by one statement and held at once."""
    relations = [relation(projection) for projection in projections for relation in (doc_table, table)]
    query = sql.SQL(" UNION ALL ").join(_PART.format(sql.Literal(place), relation) for place, relation in enumerate(relations))
    found: list[list[Row]] = [[] for _ in relations]
    for place, value in conn.cursor(row_factory=tuple_row).execute(query):
        found[place].append(value)
    for part in found:
        part.sort(key=itemgetter("group_key"))
    return list(zip(found[::2], found[1::2], strict=True))


def _stream(conn: Connection, query: sql.SQL, relation: sql.Identifier, groups: Sequence[str] | None) -> Iterator[Row]:
    with conn.cursor("stream") as cursor:
        cursor.itersize = 5_000
        if groups is None:
            cursor.execute(query.format(relation, sql.SQL("")))
        else:
            cursor.execute(query.format(relation, _OF_GROUPS), (list(groups),))
        for row in cursor:
            yield row["value"]
