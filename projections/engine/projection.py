"""The definition of a projection: a pure fold from events to documents, one for each group, and from a document to rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from projections.engine.seen import Personal, Reader, Seen, Types, stamp

Doc = dict[str, Any]
Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One question and the fold that answers it.

    `group` gives the name of the group that an event belongs to, None for an event to leave out. It reads the envelope only. `evolve` is
    pure: it does not change its arguments. A document must be the same after a trip through JSON. `rows` are unique by `key` within a
    group. `fields` are the fields of the body that the fold may read (None: all). `personal` are the personal fields that it may read. A
    personal value must not get into a document; a hash of it may. `views` are queries over the table, by the name of the view. `found_by`
    says how to find all events of a group, so that single groups can be checked and mended. `stream`: the group is named after its stream;
    `order`: it is named after an order, and its events are in streams of that order; `event`: it is named after the id of its only event,
    whose position the document holds as `position`; None: its events cannot be found by an index. `schema` is the schema of the tables;
    only a what-if has one of its own. After a change of the rows that the fold yields, of the columns or of the views, raise
    `shape_version`: the tables are then rebuilt.
    """

    name: str
    meaning: str
    shape_version: int
    columns: Mapping[str, str]
    key: tuple[str, ...]
    types: Types
    group: Callable[[Seen], str | None]
    evolve: Callable[[Doc, Seen], Doc]
    rows: Callable[[str, Doc], Iterable[Row]]
    initial: Doc = field(default_factory=dict)
    fields: frozenset[str] | None = None
    personal: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    found_by: Literal["stream", "order", "event"] | None = None
    schema: str = "projection"

    def restrict(self, record: Seen) -> Seen:
        """The record with the declared fields only, so that a fold cannot use any other."""
        if record.personal:
            record = record._replace(personal=Personal({name: value for name, value in record.personal.items() if name in self.personal}))
        if self.fields is None or record.body.keys() <= self.fields:
            return record
        return record._replace(body={name: value for name, value in record.body.items() if name in self.fields})


def reader_of(projections: Sequence[Projection], streams: Sequence[str] | None = None) -> Reader:
    """A reader of all that the given projections need, from the whole log or some streams."""
    personal = frozenset[str]().union(*(projection.personal for projection in projections))
    return Reader([projection.types for projection in projections], personal, streams)


def _is_stamp(value: str) -> bool:
    at = datetime.fromisoformat(value)
    return at.tzinfo is not None and stamp(at) == value


KINDS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "bigint": lambda value: type(value) is int and -(2**63) <= value < 2**63,
    "integer": lambda value: type(value) is int and -(2**31) <= value < 2**31,
    "boolean": lambda value: isinstance(value, bool),
    "timestamptz": _is_stamp,
    "date": lambda value: date.fromisoformat(value).isoformat() == value,
    "jsonb": lambda value: isinstance(value, (dict, list)),
}
"""The kinds of column, each with the test for a value of that kind."""


def derive(projection: Projection, group: str, doc: Doc) -> dict[Key, Row]:
    """The rows of a document by their key, with `group_key` added.

    Raises ValueError or TypeError when a row does not fit the columns: that stops one group, while an error of the server would stop a
    whole batch.
    """
    rows: dict[Key, Row] = {}
    for row in projection.rows(group, doc):
        for column, kind in projection.columns.items():
            value = row[column]
            if value is not None and not KINDS[kind](value):
                raise ValueError(f"column {column} of {projection.name} is not {kind}")
        key = tuple(row[column] for column in projection.key)
        if key in rows or len(row) != len(projection.columns) or None in key:
            raise ValueError(f"rows of {projection.name} are not unique by key, or have other columns than it")
        rows[key] = {"group_key": group, **row}
    return rows
