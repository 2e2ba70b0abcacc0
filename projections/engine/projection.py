"""What a projection is: a pure fold of events to documents, one a group, and of a document to table rows."""

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

    `group` names the document an event belongs to (None: it does not concern us); it looks at the envelope only.
    `evolve` is pure: it leaves its argument as it is, and a document survives JSON unchanged. `rows` are unique by `key` within a group.
    `fields` are the body fields the fold may read (None: all), `personal` the personal ones, which it may turn into something that does not
    tell them and never put into a document. `views` are SQL over the table, by name. `found_by` says what a group is named after, so that single
    groups can be checked and mended: its stream, the order in whose own streams it is, or its one event's id (whose `position` the document then keeps).
    `schema` is where its tables stand; only a what-if has another.
    Whoever changes what the fold yields, its columns or its views raises `shape_version`; the tables are then rebuilt by themselves.
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
        """The event with the declared fields only, so that a fold cannot come to depend on another."""
        if record.personal:
            record = record._replace(personal=Personal({name: value for name, value in record.personal.items() if name in self.personal}))
        if self.fields is None or record.body.keys() <= self.fields:
            return record
        return record._replace(body={name: value for name, value in record.body.items() if name in self.fields})


def reader_of(projections: Sequence[Projection], streams: Sequence[str] | None = None) -> Reader:
    """A reader of what the given projections need between them, in the whole log or in some streams."""
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
"""The kinds of column, each with what tells whether a value fits."""


def derive(projection: Projection, group: str, doc: Doc) -> dict[Key, Row]:
    """The table rows of a document by their key, with `group_key` added.

    Raises ValueError or TypeError when a row does not fit the columns: found here it stops one group, found by the server the whole batch.
    """
    found: dict[Key, Row] = {}
    for row in projection.rows(group, doc):
        for column, kind in projection.columns.items():
            value = row[column]
            if value is not None and not KINDS[kind](value):
                raise ValueError(f"column {column} of {projection.name} is not {kind}")
        key = tuple(row[column] for column in projection.key)
        if key in found or len(row) != len(projection.columns) or None in key:
            raise ValueError(f"rows of {projection.name} are not unique by key, or have other columns than it")
        found[key] = {"group_key": group, **row}
    return found
