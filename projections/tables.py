"""The tables of projections: made on demand, written in bulk, with a checkpoint that only its holder may move."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.rows import tuple_row

from o2c.store.database import connect
from projections.fold import Changes, Waiting
from projections.projection import Doc, Projection, Row
from projections.seen import Connection, Mark

_LOCK = 0x70726F6A
_COMMON = b"""
CREATE SCHEMA IF NOT EXISTS projection;
CREATE TABLE IF NOT EXISTS projection.checkpoint (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    event_id uuid,
    shape_version integer NOT NULL,
    generation bigint NOT NULL,
    swapped_at timestamptz
);
COMMENT ON TABLE projection.checkpoint IS 'How far each projection has folded the log; generation changes when its tables were swapped or a group retried.';
CREATE TABLE IF NOT EXISTS projection.parked (
    name text COLLATE "C" NOT NULL,
    group_key text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, group_key, position)
);
COMMENT ON TABLE projection.parked IS 'Events that a fold could not take, and those of the same group that wait behind them.';
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a projection has folded, with which shape, and in which life of its tables."""

    name: str
    mark: Mark
    shape_version: int
    generation: int
    swapped: bool


@contextmanager
def session(dsn: str) -> Iterator[Connection]:
    """A connection whose times are UTC. Raises Refused (try later) when the server does not answer."""
    with connect(dsn) as conn:
        conn.execute("SET timezone = 'UTC'")
        yield conn


def _names(projection: Projection, suffix: str) -> tuple[str, str]:
    return f"{projection.name}{suffix}", f"{projection.name}{suffix}_doc"


def table(projection: Projection, suffix: str = "") -> sql.Identifier:
    """The projection's table of rows (`suffix` `_new`: the shadow of a rebuild, `_old`: what it replaced)."""
    return sql.Identifier("projection", _names(projection, suffix)[0])


def doc_table(projection: Projection, suffix: str = "") -> sql.Identifier:
    """The projection's table of documents."""
    return sql.Identifier("projection", _names(projection, suffix)[1])


def prepare(conn: Connection, projections: Sequence[Projection]) -> None:
    """Make what is missing, under a lock so that many may start at once."""
    if _missing(conn, projections):
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            conn.execute("SET LOCAL client_min_messages = warning")
            conn.execute(_COMMON)
            for projection in _missing(conn, projections):
                create(conn, projection)
                create_views(conn, projection)
                conn.execute(
                    "INSERT INTO projection.checkpoint (name, position, shape_version, generation) VALUES (%s, 0, %s, 0)",
                    (projection.name, projection.shape_version),
                )


def _missing(conn: Connection, projections: Sequence[Projection]) -> list[Projection]:
    row = conn.execute("SELECT to_regclass('projection.checkpoint') AS made").fetchone()
    if row is None or row["made"] is None:
        return list(projections)
    made = {row["name"] for row in conn.execute("SELECT name FROM projection.checkpoint").fetchall()}
    return [projection for projection in projections if projection.name not in made]


def create(conn: Connection, projection: Projection, suffix: str = "") -> None:
    """The two tables of a projection, in place of any that are left under their names."""
    rows, docs = table(projection, suffix), doc_table(projection, suffix)
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind + (' COLLATE "C"' if kind == "text" else "")))
        for name, kind in (("group_key", "text"), *projection.columns.items())
    ]
    key = sql.SQL(", ").join(map(sql.Identifier, ("group_key", *projection.key)))
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}, {}").format(rows, docs))
    conn.execute(sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(rows, sql.SQL(", ").join(columns), key))
    conn.execute(sql.SQL('CREATE TABLE {} (group_key text COLLATE "C" PRIMARY KEY, doc jsonb NOT NULL)').format(docs))
    for index in projection.indexes:
        names = sql.SQL(", ").join(map(sql.Identifier, index.split(", ")))
        conn.execute(sql.SQL("CREATE INDEX ON {} ({})").format(rows, names))
    conn.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(rows, sql.Literal(projection.meaning)))


def create_views(conn: Connection, projection: Projection) -> None:
    """The views over the table that now bears the projection's name."""
    for name, select in projection.views.items():
        conn.execute(sql.SQL("CREATE VIEW {} AS {}").format(sql.Identifier("projection", name), sql.SQL(select)))


def drop_views(conn: Connection, projection: Projection) -> None:
    """Views follow a table through its renaming, so a swap makes them anew."""
    for name in projection.views:
        conn.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier("projection", name)))


def checkpoints(conn: Connection, projections: Iterable[Projection]) -> dict[str, Checkpoint]:
    """The checkpoints of the given projections by name."""
    rows = conn.execute(
        "SELECT name, position, event_id::text, shape_version, generation, swapped_at IS NOT NULL AS swapped FROM projection.checkpoint"
        " WHERE name = ANY(%s)",
        ([projection.name for projection in projections],),
    ).fetchall()
    return {
        row["name"]: Checkpoint(
            row["name"], Mark(row["position"], row["event_id"]), row["shape_version"], row["generation"], row["swapped"]
        )
        for row in rows
    }


def move(conn: Connection, old: Checkpoint, new: Mark) -> bool:
    """Move the checkpoint if it is still where the caller saw it; False when another worker moved it or its tables were swapped."""
    done = conn.execute(
        "UPDATE projection.checkpoint SET position = %s, event_id = %s WHERE name = %s AND position = %s AND generation = %s AND shape_version = %s",
        (new.position, new.event_id, old.name, old.mark.position, old.generation, old.shape_version),
    )
    return done.rowcount == 1


def load_docs(conn: Connection, projection: Projection, groups: Iterable[str]) -> dict[str, Doc]:
    """The stored documents of the given groups."""
    query = sql.SQL("SELECT group_key, doc FROM {} WHERE group_key = ANY(%s)").format(doc_table(projection))
    return dict(conn.cursor(row_factory=tuple_row).execute(query, (list(groups),)).fetchall())


def write(conn: Connection, projection: Projection, changes: Changes, suffix: str = "") -> None:
    """Put and delete in bulk: one statement a table."""
    rows, docs = table(projection, suffix), doc_table(projection, suffix)
    if changes.docs:
        query = sql.SQL(
            "INSERT INTO {} (group_key, doc) SELECT key, doc::jsonb FROM unnest(%b::text[], %b::text[]) AS x (key, doc)"
            " ON CONFLICT (group_key) DO UPDATE SET doc = excluded.doc"
        )
        conn.execute(query.format(docs), (list(changes.docs), [json.dumps(doc) for doc in changes.docs.values()]))
    if changes.gone:
        match = sql.SQL(" AND ").join(sql.SQL("t.{0} = x.{0}").format(sql.Identifier(name)) for name in ("group_key", *projection.key))
        deletion = sql.SQL("DELETE FROM {0} t USING json_populate_recordset(NULL::{0}, %s::json) x WHERE ").format(rows)
        conn.execute(deletion + match, (json.dumps(changes.gone),))
    if changes.put:
        conn.execute(_upsert(projection, rows), (json.dumps(changes.put),))


def _upsert(projection: Projection, rows: sql.Identifier) -> sql.Composed:
    other = [sql.Identifier(name) for name in projection.columns if name not in projection.key]
    key = sql.SQL(", ").join(map(sql.Identifier, ("group_key", *projection.key)))
    update = sql.SQL("UPDATE SET ") + sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in other)
    return sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s::json) ON CONFLICT ({1}) DO {2}").format(
        rows, key, update if other else sql.SQL("NOTHING")
    )


def copy_in(conn: Connection, projection: Projection, docs: Mapping[str, Doc], rows: Iterable[Row], suffix: str) -> None:
    """Fill fresh tables by COPY."""
    cursor = conn.cursor()
    with cursor.copy(sql.SQL("COPY {} (group_key, doc) FROM STDIN").format(doc_table(projection, suffix))) as copy:
        for group, doc in docs.items():
            copy.write_row((group, json.dumps(doc)))
    columns = ("group_key", *projection.columns)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    nested = {name for name, kind in projection.columns.items() if kind == "jsonb"}
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table(projection, suffix), names)) as copy:
        for row in rows:
            copy.write_row([json.dumps(row[name]) if name in nested and row[name] is not None else row[name] for name in columns])


def drop_old(conn: Connection, projection: Projection) -> None:
    """Drop what the last rebuild replaced."""
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}, {}").format(table(projection, "_old"), doc_table(projection, "_old")))


def put_in_place(conn: Connection, projection: Projection) -> None:
    """Rename the shadow to the projection's name and what bore it to `_old`; views are made anew, and who might read may read on."""
    allowed = _grants(conn, projection)
    drop_views(conn, projection)
    drop_old(conn, projection)
    for now, then in (("", "_old"), ("_new", "")):
        for name, new in zip(_names(projection, now), _names(projection, then), strict=True):
            conn.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(sql.Identifier("projection", name), sql.Identifier(new)))
    create_views(conn, projection)
    for privilege, relation, grantee in allowed:
        role = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
        conn.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(privilege), sql.Identifier("projection", relation), role))


def _grants(conn: Connection, projection: Projection) -> list[tuple[Any, ...]]:
    """What others than the owner may do with the tables and views: (privilege, relation, role; None is everybody)."""
    query = """SELECT a.privilege_type, c.relname, r.rolname FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relnamespace = 'projection'::regnamespace AND c.relname = ANY(%s) AND a.grantee <> c.relowner"""
    names = [projection.name, f"{projection.name}_doc", *projection.views]
    return conn.cursor(row_factory=tuple_row).execute(query, (names,)).fetchall()


def parked_groups(conn: Connection, projection: Projection) -> dict[str, int]:
    """The groups that wait, each with the position of the first event it has not taken."""
    rows = conn.execute(
        "SELECT group_key, min(position) AS first FROM projection.parked WHERE name = %s GROUP BY group_key", (projection.name,)
    ).fetchall()
    return {row["group_key"]: row["first"] for row in rows}


def park(conn: Connection, projection: Projection, waiting: Mapping[str, Sequence[Waiting]]) -> None:
    """Write down events that their groups have not taken."""
    columns: list[list[Any]] = [[], [], [], []]
    for group, events in waiting.items():
        for event in events:
            for column, value in zip(columns, (group, *event), strict=True):
                column.append(value)
    if columns[0]:
        conn.execute(
            "INSERT INTO projection.parked (name, group_key, position, event_id, error)"
            " SELECT %s, x.* FROM unnest(%s::text[], %s::bigint[], %s::uuid[], %s::text[]) AS x ON CONFLICT DO NOTHING",
            (projection.name, *columns),
        )


def stored_rows(conn: Connection, projection: Projection) -> Iterator[Row]:
    """All rows of the table as JSON, streamed by group; times are stamps. Needs a transaction around it."""
    yield from _stream(conn, sql.SQL("SELECT to_jsonb(t) AS value FROM {} t ORDER BY group_key").format(table(projection)))


def stored_docs(conn: Connection, projection: Projection) -> Iterator[Row]:
    """All documents with their `group_key`, streamed. Needs a transaction around it."""
    yield from _stream(conn, sql.SQL("SELECT to_jsonb(t) AS value FROM {} t").format(doc_table(projection)))


def _stream(conn: Connection, query: sql.Composed) -> Iterator[Row]:
    with conn.cursor("stream") as cursor:
        cursor.itersize = 5_000
        cursor.execute(query)
        for row in cursor:
            yield row["value"]
