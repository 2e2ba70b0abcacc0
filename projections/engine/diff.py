"""Comparing the rows of a rebuild with the rows that they replace: by the server, in one snapshot, at one position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import sql

from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.checkpoints import checkpoints
from projections.engine.compare import Difference
from projections.engine.fold import Fold, pages, strict_rows
from projections.engine.projection import Doc, Key, Projection, Row
from projections.engine.seen import Mark, Reader

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
"""How many rows are gained, lost and changed, then how many by each column.

Parts: counts of `_IN_BOTH`, `_BOTH`, the condition for a difference.
"""

_FIRST = sql.SQL("SELECT to_jsonb(n.*) AS new, to_jsonb(o.*) AS old {} WHERE {} ORDER BY coalesce(o.group_key, n.group_key), {} LIMIT {}")
"""The first rows that differ, by group and key. Parts: `_BOTH`, the condition for a difference, the key, how many."""


@dataclass(frozen=True, slots=True)
class Diff:
    """How many rows differ, and the first of them by key in `rows`: there `expected` is the new row and `actual` the old one.

    `columns` counts the changed rows by the column that changed. `not_compared` are the columns that only one of the two tables has, or
    that have different types; when a column of the key is among them no row was compared.
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
        """The sum of two diffs; the rows of `more` come after our own."""
        columns = {name: self.columns.get(name, 0) + more.columns.get(name, 0) for name in {**self.columns, **more.columns}}
        rows = (*self.rows, *more.rows)[:KEPT_ROWS]
        return Diff(self.gained + more.gained, self.lost + more.lost, self.changed + more.changed, columns, rows, self.not_compared)


def compare_shadow(conn: Connection, projection: Projection, reader: Reader, at: Mark) -> Diff:
    """How the shadow, folded up to `at`, differs from the table, which may have been folded further. Raises FoldFailed."""
    with conn.transaction():
        conn.execute(_SNAPSHOT)
        now = checkpoints(conn, [projection])[projection.name].mark
        return compare_tables(conn, projection, projection, reader, at, now)


def compare_tables(conn: Connection, old: Projection, new: Projection, reader: Reader, at: Mark, now: Mark) -> Diff:
    """How the shadow of `new`, folded up to `at`, differs from the tables of `old`, folded up to `now`.

    The events from `at` to `now` are folded in memory onto the documents of their groups, and those groups are compared here. All other
    groups are compared by the server. Needs a transaction with one snapshot. Raises FoldFailed.
    """
    fold = Fold(new, reader.type_names)
    for page, _ in pages(conn, reader, at.position, now):
        events = fold.assign_groups(page)
        fold.docs |= tables.load_docs(conn, new, {group for group, _ in events} - fold.docs.keys(), "_new")
        fold.take(events)
    shared, others = _columns(conn, old, new)
    if not {"group_key", *new.key} <= set(shared) or old.key != new.key:
        return Diff(not_compared=tuple(others))
    values = [name for name in shared if name not in ("group_key", *new.key)]
    by_server = _by_server(conn, (tables.table(old), tables.table(new, "_new")), new, values, others, [*{*fold.docs, *fold.waiting}])
    return by_server + _in_memory(conn, old, new, values, fold.docs)


def _columns(conn: Connection, old: Projection, new: Projection) -> tuple[list[str], list[str]]:
    """The columns that both tables have with the same type, and all other columns."""
    both = [f'{old.schema}."{old.name}"', f'{new.schema}."{new.name}_new"']
    rows = conn.execute(_COLUMNS, both).fetchall()
    return [row["name"] for row in rows if row["shared"]], [row["name"] for row in rows if not row["shared"]]


def _by_server(
    conn: Connection,
    both_tables: Sequence[sql.Identifier],
    projection: Projection,
    values: list[str],
    others: list[str],
    left_out: list[str],
) -> Diff:
    same_key = sql.SQL(" AND ").join(sql.SQL("o.{0} = n.{0}").format(sql.Identifier(name)) for name in ("group_key", *projection.key))
    changes = [sql.SQL("o.{0} IS DISTINCT FROM n.{0}").format(sql.Identifier(name)) for name in values]
    source = _BOTH.format(*both_tables, same_key)
    condition = sql.SQL(" OR ").join([sql.SQL("o.group_key IS NULL"), sql.SQL("n.group_key IS NULL"), *changes])
    counts = [_IN_BOTH.format(change) for change in (sql.SQL(" OR ").join(changes) if changes else sql.SQL("false"), *changes)]
    row = conn.execute(_COUNT.format(sql.SQL(", ").join(counts), source, condition), {"out": left_out}).fetchone()
    gained, lost, changed, *by_column = row["counts"] if row else [0, 0, 0]
    if not gained + lost + changed:
        return Diff(not_compared=tuple(others))
    order = sql.SQL(", ").join(sql.SQL("coalesce(o.{0}, n.{0})").format(sql.Identifier(name)) for name in projection.key)
    rows = conn.execute(_FIRST.format(source, condition, order, sql.Literal(KEPT_ROWS)), {"out": left_out}).fetchall()
    first = tuple(Difference(_key(projection, row["new"] or row["old"]), row["new"], row["old"]) for row in rows)
    return Diff(gained, lost, changed, {name: n for name, n in zip(values, by_column, strict=True) if n}, first, tuple(others))


def _in_memory(conn: Connection, old: Projection, new: Projection, values: list[str], docs: Mapping[str, Doc]) -> Diff:
    diff = Diff()
    stored = groupby(tables.stored_rows(conn, old, list(docs)), key=itemgetter("group_key"))
    before = {group: {_key(old, row)[1:]: row for row in rows} for group, rows in stored}
    for group in sorted(docs):
        diff += _unequal(new, values, strict_rows(new, group, docs[group]), before.get(group, {}))
    return diff


def _unequal(projection: Projection, values: Iterable[str], new: Mapping[Key, Row], old: Mapping[Key, Row]) -> Diff:
    diff = Diff()
    for key in [*new, *(key for key in old if key not in new)]:
        after, before = new.get(key), old.get(key)
        if after is None or before is None:
            diff += Diff(
                gained=before is None, lost=after is None, rows=(Difference(_key(projection, after or before or {}), after, before),)
            )
        elif changes := [name for name in values if after.get(name) != before.get(name)]:
            diff += Diff(changed=1, columns=dict.fromkeys(changes, 1), rows=(Difference(_key(projection, after), after, before),))
    return diff


def _key(projection: Projection, row: Mapping[str, Any]) -> Key:
    return tuple(row[name] for name in ("group_key", *projection.key))
