"""Comparing the documents and rows of a fold with those in the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from projections.engine.fold import strict_rows
from projections.engine.projection import Doc, Key, Projection, Row


class Difference(NamedTuple):
    """A document or row that differs: its key (the group first), the one that the fold yields and the one in the table, or None."""

    key: Key
    expected: dict[str, Any] | None
    actual: dict[str, Any] | None


def compare_rows(projection: Projection, stored: Iterable[Row], docs: Mapping[str, Doc]) -> Iterator[Difference]:
    """Stored rows, group by group, that differ from the rows of the given documents. Raises FoldFailed."""
    not_stored = set(docs)
    for group, rows in groupby(stored, key=itemgetter("group_key")):
        not_stored.discard(group)
        expected = strict_rows(projection, group, docs[group]) if group in docs else {}
        actual = {tuple(row.get(column) for column in projection.key): row for row in rows}
        yield from _unequal(group, expected, actual)
    for group in sorted(not_stored):
        yield from _unequal(group, strict_rows(projection, group, docs[group]), {})


def compare_docs(stored: Iterable[Row], docs: Mapping[str, Doc]) -> Iterator[Difference]:
    """Stored documents that differ from the given ones."""
    not_stored = set(docs)
    for row in stored:
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
