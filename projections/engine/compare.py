"""Comparing what a fold yields with what stands in the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from projections.engine import tables
from projections.engine.fold import strict_rows
from projections.engine.projection import Doc, Key, Projection
from projections.engine.seen import Connection


class Difference(NamedTuple):
    """A document or row that is not as folded: its key (the group first), what the fold yields, what was found (None: nothing)."""

    key: Key
    expected: dict[str, Any] | None
    found: dict[str, Any] | None


def compare_rows(
    conn: Connection, projection: Projection, docs: Mapping[str, Doc], groups: Sequence[str] | None = None
) -> Iterator[Difference]:
    """Rows, of all groups or some, that differ from those of the given documents, by group. Needs a transaction around it. Raises FoldFailed."""
    unseen = set(docs)
    for group, rows in groupby(tables.stored_rows(conn, projection, groups), key=itemgetter("group_key")):
        unseen.discard(group)
        expected = strict_rows(projection, group, docs[group]) if group in docs else {}
        found = {tuple(row.get(column) for column in projection.key): row for row in rows}
        yield from _unequal(group, expected, found)
    for group in sorted(unseen):
        yield from _unequal(group, strict_rows(projection, group, docs[group]), {})


def compare_docs(
    conn: Connection, projection: Projection, docs: Mapping[str, Doc], groups: Sequence[str] | None = None
) -> Iterator[Difference]:
    """Documents, of all groups or some, that differ from the given ones. Needs a transaction around it."""
    unseen = set(docs)
    for row in tables.stored_docs(conn, projection, groups):
        group, found = row["group_key"], row["doc"]
        unseen.discard(group)
        if docs.get(group) != found:
            yield Difference((group,), docs.get(group), found)
    for group in sorted(unseen):
        yield Difference((group,), docs[group], None)


def _unequal(group: str, expected: Mapping[Key, dict[str, Any]], found: Mapping[Key, dict[str, Any]]) -> Iterator[Difference]:
    for key in [*expected, *(key for key in found if key not in expected)]:
        if expected.get(key) != found.get(key):
            yield Difference((group, *key), expected.get(key), found.get(key))
