"""Comparing the documents and rows of a fold with those in the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.fold import strict_rows
from projections.engine.projection import Doc, Key, Projection


class Difference(NamedTuple):
    """A document or row that differs: its key (the group first), the one that the fold yields and the one in the table, or None."""

    key: Key
    expected: dict[str, Any] | None
    actual: dict[str, Any] | None


def compare_rows(
    conn: Connection, projection: Projection, docs: Mapping[str, Doc], groups: Sequence[str] | None = None
) -> Iterator[Difference]:
    """Stored rows, of all groups or some, that differ from the rows of the given documents.

    Needs a transaction around it. Raises FoldFailed.
    """
    not_stored = set(docs)
    for group, rows in groupby(tables.stored_rows(conn, projection, groups), key=itemgetter("group_key")):
        not_stored.discard(group)
        expected = strict_rows(projection, group, docs[group]) if group in docs else {}
        actual = {tuple(row.get(column) for column in projection.key): row for row in rows}
        yield from _unequal(group, expected, actual)
    for group in sorted(not_stored):
        yield from _unequal(group, strict_rows(projection, group, docs[group]), {})


def compare_docs(
    conn: Connection, projection: Projection, docs: Mapping[str, Doc], groups: Sequence[str] | None = None
) -> Iterator[Difference]:
    """Stored documents, of all groups or some, that differ from the given ones. Needs a transaction around it."""
    not_stored = set(docs)
    for row in tables.stored_docs(conn, projection, groups):
        group, actual = row["group_key"], row["doc"]
        not_stored.discard(group)
        if docs.get(group) != actual:
            yield Difference((group,), docs.get(group), actual)
    for group in sorted(not_stored):
        yield Difference((group,), docs[group], None)


def _unequal(group: str, expected: Mapping[Key, dict[str, Any]], actual: Mapping[Key, dict[str, Any]]) -> Iterator[Difference]:
    for key in [*expected, *(key for key in actual if key not in expected)]:
        if expected.get(key) != actual.get(key):
            yield Difference((group, *key), expected.get(key), actual.get(key))
