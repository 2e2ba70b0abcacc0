"""The tables of projections: made on demand, written in bulk, with a checkpoint that only its holder may move."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import sql
from psycopg.rows import tuple_row

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.engine.fold import Changes, Waiting
from projections.engine.projection import Doc, Projection, Row
from projections.engine.readers import as_projector, let_read
from projections.engine.seen import Connection, Mark

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
CREATE TABLE IF NOT EXISTS projection.skipped (
    name text COLLATE "C" NOT NULL,
    group_key text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    error text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, position)
);
COMMENT ON TABLE projection.skipped IS 'Events that a person set aside for good: no way of running the fold takes them.';
CREATE TABLE IF NOT EXISTS projection.kept (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    event_id uuid,
    shape_version integer NOT NULL,
    parked jsonb NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE projection.kept IS 'Of the tables a rebuild replaced (<name>_old): how far they had folded the log, and what was parked.';
CREATE TABLE IF NOT EXISTS projection.history (
    name text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    what text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    group_key text COLLATE "C",
    position bigint NOT NULL,
    from_shape integer NOT NULL,
    to_shape integer NOT NULL
);
COMMENT ON TABLE projection.history IS 'Who rebuilt, rolled back, retried, skipped or mended what, and why. position: where the tables stood then; of a skip, the event.';
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
        as_projector(conn)
        yield conn


def _names(projection: Projection, suffix: str) -> tuple[str, str]:
    return f"{projection.name}{suffix}", f"{projection.name}{suffix}_doc"


def table(projection: Projection, suffix: str = "") -> sql.Identifier:
    """The projection's table of rows (`suffix` `_new`: the shadow of a rebuild, `_old`: what it replaced)."""
    return sql.Identifier(projection.schema, _names(projection, suffix)[0])


def doc_table(projection: Projection, suffix: str = "") -> sql.Identifier:
    """The projection's table of documents."""
    return sql.Identifier(projection.schema, _names(projection, suffix)[1])


def prepare(conn: Connection, projections: Sequence[Projection]) -> None:
    """Make what is missing, under a lock so that many may start at once. Raises Refused where it is missing and nothing may be written."""
    if missing := _missing(conn, projections):
        if conn.execute("SELECT current_setting('transaction_read_only') AS value").fetchone() == {"value": "on"}:
            names = ", ".join(projection.name for projection in missing)
            raise Refused(
                f"this server takes no writes and has no tables of {names} yet; let the primary project once (`o2c status` there)",
                kind="conflict",
            )
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            conn.execute("SET LOCAL client_min_messages = warning")
            conn.execute(_COMMON)
            for projection in _missing(conn, projections):
                create(conn, projection)
                create_views(conn, projection)
                let_read(conn, [projection])
                conn.execute(
                    "INSERT INTO projection.checkpoint (name, position, shape_version, generation) VALUES (%s, 0, %s, 0)",
                    (projection.name, projection.shape_version),
                )


def _missing(conn: Connection, projections: Sequence[Projection]) -> list[Projection]:
    row = conn.execute("SELECT to_regclass('projection.history') AS made").fetchone()
    if row is None or row["made"] is None:
        return list(projections)
    made = {row["name"] for row in conn.execute("SELECT name FROM projection.checkpoint").fetchall()}
    return [projection for projection in projections if projection.name not in made]


def create(conn: Connection, projection: Projection, suffix: str = "", *, indexed: bool = True) -> None:
    """The two tables of a projection, in place of any that are left under their names; without `indexed`, ready to be filled fast."""
    rows, docs = table(projection, suffix), doc_table(projection, suffix)
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind + (' COLLATE "C"' if kind == "text" else "")))
        for name, kind in (("group_key", "text"), *projection.columns.items())
    ]
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}, {}").format(rows, docs))
    conn.execute(sql.SQL("CREATE TABLE {} ({})").format(rows, sql.SQL(", ").join(columns)))
    conn.execute(sql.SQL('CREATE TABLE {} (group_key text COLLATE "C", doc jsonb NOT NULL)').format(docs))
    conn.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(rows, sql.Literal(projection.meaning)))
    if indexed:
        index(conn, projection, suffix)


def index(conn: Connection, projection: Projection, suffix: str = "") -> None:
    """Give the two tables their keys and indexes. Raises UniqueViolation when a key stands twice."""
    rows, docs = table(projection, suffix), doc_table(projection, suffix)
    key = sql.SQL(", ").join(map(sql.Identifier, ("group_key", *projection.key)))
    conn.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(rows, key))
    conn.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (group_key)").format(docs))
    for columns in projection.indexes:
        names = sql.SQL(", ").join(map(sql.Identifier, columns.split(", ")))
        conn.execute(sql.SQL("CREATE INDEX ON {} ({})").format(rows, names))


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


def seize(conn: Connection, projection: Projection) -> None:
    """Lock the checkpoint, and make workers forget what they have folded but not written. Needs a transaction around it.

    The row lock keeps them from parking or writing more behind the caller's back. Raises Refused (conflict) when the tables have another shape.
    """
    known = conn.execute(
        "UPDATE projection.checkpoint SET generation = generation + 1 WHERE name = %s AND shape_version = %s",
        (projection.name, projection.shape_version),
    )
    if known.rowcount != 1:
        raise Refused(f"projection {projection.name} was given another shape meanwhile; catch up again", kind="conflict")


def load_docs(conn: Connection, projection: Projection, groups: Iterable[str], suffix: str = "") -> dict[str, Doc]:
    """The stored documents of the given groups."""
    query = sql.SQL("SELECT group_key, doc FROM {} WHERE group_key = ANY(%s)").format(doc_table(projection, suffix))
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


def replace_group(conn: Connection, projection: Projection, group: str, docs: Mapping[str, Doc], rows: Sequence[Row]) -> None:
    """Put a group's document and rows in place of whatever stands there. Needs a transaction around it."""
    for relation in (table(projection), doc_table(projection)):
        conn.execute(sql.SQL("DELETE FROM {} WHERE group_key = %s").format(relation), (group,))
    write(conn, projection, Changes(docs=dict(docs), put=list(rows)))


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


def shadow_id(conn: Connection, projection: Projection) -> int:
    """What tells the shadow of this rebuild from that of another under the same name. Raises UndefinedTable when there is none."""
    row = conn.execute("SELECT %s::regclass::oid::bigint AS id", (f'{projection.schema}."{_names(projection, "_new")[1]}"',)).fetchone()
    return int(row["id"]) if row else 0


def lock_shadow(conn: Connection, projection: Projection) -> None:
    """Keep the shadow from being replaced until the end of the transaction. Raises UndefinedTable when there is none."""
    conn.execute(sql.SQL("LOCK TABLE {}, {} IN ROW EXCLUSIVE MODE").format(doc_table(projection, "_new"), table(projection, "_new")))


def drop(conn: Connection, projection: Projection, suffix: str) -> None:
    """Drop the tables under the name with the suffix, if there are any."""
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}, {}").format(table(projection, suffix), doc_table(projection, suffix)))


def drop_old(conn: Connection, projection: Projection) -> None:
    """Drop what the last rebuild replaced: there is no way back then."""
    drop(conn, projection, "_gone")
    drop(conn, projection, "_old")
    conn.execute("DELETE FROM projection.kept WHERE name = %s", (projection.name,))


def exchange(conn: Connection, projection: Projection, comes: Literal["_new", "_gone"]) -> None:
    """Rename `_old` to `_gone`, the tables in place to `_old`, and those with the suffix to the projection's name.

    Views are made anew, and who might read may read on. Raises LockNotAvailable when readers hold the tables beyond the lock timeout.
    """
    conn.execute(sql.SQL("LOCK TABLE {}, {} IN ACCESS EXCLUSIVE MODE").format(table(projection), doc_table(projection)))
    allowed = _grants(conn, projection)
    drop_views(conn, projection)
    for now, then in (("_old", "_gone"), ("", "_old"), (comes, "")):
        rename(conn, projection, now, then)
    create_views(conn, projection)
    for privilege, relation, grantee in allowed:
        role = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
        conn.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(privilege), sql.Identifier("projection", relation), role))


def rename(conn: Connection, projection: Projection, now: str, then: str) -> None:
    """Give the two tables under one suffix the other, if there are any."""
    for name, new in zip(_names(projection, now), _names(projection, then), strict=True):
        renaming = sql.SQL("ALTER TABLE IF EXISTS {} RENAME TO {}")
        conn.execute(renaming.format(sql.Identifier(projection.schema, name), sql.Identifier(new)))


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


def stored_rows(conn: Connection, projection: Projection, groups: Sequence[str] | None = None) -> Iterator[Row]:
    """All rows of the table, or those of some groups, as JSON, streamed by group; times are stamps. Needs a transaction around it."""
    query = sql.SQL("SELECT to_jsonb(t) AS value FROM {} t{} ORDER BY group_key").format(table(projection), _of(groups))
    yield from _stream(conn, query, groups)


def stored_docs(conn: Connection, projection: Projection, groups: Sequence[str] | None = None) -> Iterator[Row]:
    """All documents, or those of some groups, with their `group_key`, streamed. Needs a transaction around it."""
    query = sql.SQL("SELECT to_jsonb(t) AS value FROM {} t{}").format(doc_table(projection), _of(groups))
    yield from _stream(conn, query, groups)


def _of(groups: Sequence[str] | None) -> sql.SQL:
    return sql.SQL("" if groups is None else " WHERE group_key = ANY(%s)")


def _stream(conn: Connection, query: sql.Composed, groups: Sequence[str] | None) -> Iterator[Row]:
    with conn.cursor("stream") as cursor:
        cursor.itersize = 5_000
        cursor.execute(query, None if groups is None else (list(groups),))
        for row in cursor:
            yield row["value"]
