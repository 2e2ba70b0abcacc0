"""How the rows of a rebuild differ from those it replaces: compared by the server, in one snapshot, at one position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import sql

from projections.engine import tables
from projections.engine.checkpoints import checkpoints
from projections.engine.compare import Difference
from projections.engine.fold import Fold, pages, strict_rows
from projections.engine.projection import Doc, Key, Projection, Row
from projections.engine.seen import Connection, Mark, Reader

KEPT_ROWS = 1_000

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Lets all statements of the transaction see the tables at one moment. No parameters."""

_COLUMNS = """SELECT attname AS name, count(*) = 2 AND min(atttypid) = max(atttypid) AS shared FROM pg_attribute
WHERE attrelid IN (%s::regclass, %s::regclass) AND attnum > 0 AND NOT attisdropped GROUP BY attname ORDER BY min(attnum), attname"""
"""The columns of two tables, and whether both have them with one type. Parameters: the names of the two tables."""

_BOTH = sql.SQL(
    "FROM (SELECT * FROM {} WHERE group_key <> ALL(%(out)s)) o FULL JOIN (SELECT * FROM {} WHERE group_key <> ALL(%(out)s)) n ON {}"
)
"""Each old row beside the new row with its key. Parts: the two tables, the condition on the key. Parameter: `out`, the groups left out."""

_IN_BOTH = sql.SQL("count(*) FILTER (WHERE o.group_key IS NOT NULL AND n.group_key IS NOT NULL AND ({}))")
"""How many rows stand in both tables and meet a condition. Part: the condition."""

_COUNT = sql.SQL(
    "SELECT ARRAY[count(*) FILTER (WHERE o.group_key IS NULL), count(*) FILTER (WHERE n.group_key IS NULL), {}] AS counts {} WHERE {}"
)
"""How many rows are gained, lost and changed, then how many by each column. Parts: counts of `_IN_BOTH`, `_BOTH`, the condition for a difference."""

_FIRST = sql.SQL("SELECT to_jsonb(n) AS new, to_jsonb(o) AS old {} WHERE {} ORDER BY coalesce(o.group_key, n.group_key), {} LIMIT {}")
"""The first rows that differ, by group and key. Parts: `_BOTH`, the condition for a difference, the key, how many."""


@dataclass(frozen=True, slots=True)
class Diff:
    """Rows that differ, all counted. `rows` keeps the first of them by key: `expected` is the new row, `found` the one in place before.

    `columns` counts changed rows by the column that changed. `not_compared` are columns that only one of the two tables has, or with another
    type; when a column of the key is among them no row was compared.
    """

    gained: int = 0
    lost: int = 0
    changed: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[Difference, ...] = ()
    not_compared: tuple[str, ...] = ()

    @property
    def differing(self) -> int:
        """How many rows differ in any way."""
        return self.gained + self.lost + self.changed

    def __add__(self, more: Diff) -> Diff:
        """Both together, those of `more` after ours."""
        columns = {name: self.columns.get(name, 0) + more.columns.get(name, 0) for name in {**self.columns, **more.columns}}
        rows = (*self.rows, *more.rows)[:KEPT_ROWS]
        return Diff(self.gained + more.gained, self.lost + more.lost, self.changed + more.changed, columns, rows, self.not_compared)


def difference(conn: Connection, projection: Projection, reader: Reader, at: Mark) -> Diff:
    """What will change when the shadow, which stands at `at`, replaces the table, which may have moved on. Raises FoldFailed.

    Groups that moved on are folded on, up to where the table stands, and compared here; all others by the server.
    """
    with conn.transaction():
        conn.execute(_SNAPSHOT)
        now = checkpoints(conn, [projection])[projection.name].mark
        return compared(conn, projection, projection, reader, at, now)


def compared(conn: Connection, old: Projection, new: Projection, reader: Reader, at: Mark, now: Mark) -> Diff:
    """How the shadow of `new`, which stands at `at`, differs from the tables of `old`, which stand at `now`. Needs a snapshot for all of it."""
    fold = Fold(new, reader.wanted)
    for page, _ in pages(conn, reader, at.position, now):
        concerned = fold.concerned(page)
        fold.docs |= tables.load_docs(conn, new, {group for group, _ in concerned} - fold.docs.keys(), "_new")
        fold.take(concerned)
    shared, others = _columns(conn, old, new)
    if not {"group_key", *new.key} <= set(shared) or old.key != new.key:
        return Diff(not_compared=tuple(others))
    values = [name for name in shared if name not in ("group_key", *new.key)]
    by_server = _by_server(conn, (tables.table(old), tables.table(new, "_new")), new, values, others, [*{*fold.docs, *fold.waiting}])
    return by_server + _folded_on(conn, old, new, values, fold.docs)


def _columns(conn: Connection, old: Projection, new: Projection) -> tuple[list[str], list[str]]:
    """The columns that both tables have with one type, and the others, in the order of the new table."""
    both = [f'{old.schema}."{old.name}"', f'{new.schema}."{new.name}_new"']
    rows = conn.execute(_COLUMNS, both).fetchall()
    return [row["name"] for row in rows if row["shared"]], [row["name"] for row in rows if not row["shared"]]


def _by_server(
    conn: Connection,
    both_tables: Sequence[sql.Identifier],
    projection: Projection,
    compared: list[str],
    others: list[str],
    without: list[str],
) -> Diff:
    joined = sql.SQL(" AND ").join(sql.SQL("o.{0} = n.{0}").format(sql.Identifier(name)) for name in ("group_key", *projection.key))
    changes = [sql.SQL("o.{0} IS DISTINCT FROM n.{0}").format(sql.Identifier(name)) for name in compared]
    source = _BOTH.format(*both_tables, joined)
    condition = sql.SQL(" OR ").join([sql.SQL("o.group_key IS NULL"), sql.SQL("n.group_key IS NULL"), *changes])
    counts = [_IN_BOTH.format(change) for change in (sql.SQL(" OR ").join(changes) if changes else sql.SQL("false"), *changes)]
    row = conn.execute(_COUNT.format(sql.SQL(", ").join(counts), source, condition), {"out": without}).fetchone()
    gained, lost, changed, *by_column = row["counts"] if row else [0, 0, 0]
    if not gained + lost + changed:
        return Diff(not_compared=tuple(others))
    order = sql.SQL(", ").join(sql.SQL("coalesce(o.{0}, n.{0})").format(sql.Identifier(name)) for name in projection.key)
    rows = conn.execute(_FIRST.format(source, condition, order, sql.Literal(KEPT_ROWS)), {"out": without}).fetchall()
    kept = tuple(Difference(_key(projection, row["new"] or row["old"]), row["new"], row["old"]) for row in rows)
    return Diff(gained, lost, changed, {name: n for name, n in zip(compared, by_column, strict=True) if n}, kept, tuple(others))


def _folded_on(conn: Connection, old: Projection, new: Projection, compared: list[str], docs: Mapping[str, Doc]) -> Diff:
    diff = Diff()
    stored = groupby(tables.stored_rows(conn, old, list(docs)), key=itemgetter("group_key"))
    before = {group: {_key(old, row)[1:]: row for row in rows} for group, rows in stored}
    for group in sorted(docs):
        diff += _unequal(new, compared, strict_rows(new, group, docs[group]), before.get(group, {}))
    return diff


def _unequal(projection: Projection, compared: Iterable[str], new: Mapping[Key, Row], old: Mapping[Key, Row]) -> Diff:
    diff = Diff()
    for key in [*new, *(key for key in old if key not in new)]:
        after, before = new.get(key), old.get(key)
        if after is None or before is None:
            diff += Diff(
                gained=before is None, lost=after is None, rows=(Difference(_key(projection, after or before or {}), after, before),)
            )
        elif changes := [name for name in compared if after.get(name) != before.get(name)]:
            diff += Diff(changed=1, columns=dict.fromkeys(changes, 1), rows=(Difference(_key(projection, after), after, before),))
    return diff


def _key(projection: Projection, row: Mapping[str, Any]) -> Key:
    return tuple(row[name] for name in ("group_key", *projection.key))
