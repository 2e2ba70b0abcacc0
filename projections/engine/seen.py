"""What a fold sees of an event: a light record read straight out of the log, never later than the horizon."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from o2c.kernel.event import EVENT_TYPES, Event, load_event_types, upcast
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import OfItem, OfStep

Types = frozenset[str] | Callable[[type[Event]], bool]
"""The events a projection needs: their names, or a predicate on their classes, asked once all classes are known."""

Connection = psycopg.Connection[dict[str, Any]]

PAGE_EVENTS = 5_000

_LAST = b"""
WITH bound AS MATERIALIZED (SELECT o2c.horizon() AS h)
SELECT position, event_id::text FROM o2c.event WHERE position < (SELECT h FROM bound) AND position <= %s ORDER BY position DESC LIMIT 1"""
"""The last event behind the horizon and no later than a position. Parameter: the position."""

_PAGE = """
SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, order_id::text, customer_id, channel, command_id::text,
       CASE WHEN type = ANY(%(types)s) THEN body::text END{personal}
FROM o2c.event WHERE position > %(after)s AND position <= %(upto)s AND (%(every)s OR type = ANY(%(types)s)){streams}
ORDER BY position LIMIT %(limit)s"""
"""A page of the log. Parts: `_PERSONAL` and `_OF_STREAMS` or nothing. Parameters: `after`, `upto`, `limit`, `types`, `every` (others too, without body), `streams`."""

_PERSONAL = ", CASE WHEN type = ANY(%(types)s) THEN personal::text END"
_OF_STREAMS = " AND stream = ANY(%(streams)s)"


class Personal(dict[str, Any]):
    """Personal fields by name. Its text names them and shows no value."""

    def __repr__(self) -> str:
        return f"Personal({sorted(self)})"

    __str__ = __repr__


NOTHING_PERSONAL = Personal()


class Seen(NamedTuple):
    """An event as a fold sees it. `body` holds the declared fields only, brought to the newest schema version; nothing of it is validated.

    `personal` holds the personal fields that a projection declares it may read, and is empty for all others. `at` is the stamp of its business time.
    """

    position: int
    event_id: str
    stream: str
    version: int
    type: str
    shape: str
    step: str
    item: str
    at: str
    order_id: str | None
    customer_id: str | None
    channel: str
    command_id: str
    body: dict[str, Any]
    personal: Personal = NOTHING_PERSONAL

    @property
    def occurred_at(self) -> datetime:
        """The business time that `at` is the stamp of."""
        return datetime.fromisoformat(self.at)


class Mark(NamedTuple):
    """A place in the log: the position of an event and its id."""

    position: int
    event_id: str | None


START = Mark(0, None)


def stamp(at: datetime) -> str:
    """A time as ISO 8601 text in UTC, written as PostgreSQL writes it in JSON, so that folds and tables compare equal."""
    text = at.astimezone(UTC).isoformat()
    return text.replace("+00:00", "").rstrip("0") + "+00:00" if at.microsecond else text


def names_of(types: Types) -> frozenset[str]:
    """The event names that are meant, of those known to this program."""
    return types if isinstance(types, frozenset) else frozenset(name for name, cls in EVENT_TYPES.items() if types(cls))


def last_mark(conn: Connection, upto: int | None = None) -> Mark:
    """The last event nothing can appear behind any more, no later than `upto`. Pages up to it need no horizon of their own."""
    row = conn.cursor(row_factory=tuple_row).execute(_LAST, (2**63 - 1 if upto is None else upto,)).fetchone()
    return Mark(*row) if row else START


@dataclass(frozen=True, slots=True)
class _Resolved:
    shape: str = ""
    step: str = ""
    generic: bool = False
    of_item: bool = False
    schema: int = 1
    personal: frozenset[str] = frozenset()


class Reader:
    """Reads pages of the log for some projections at once: whole, or of some streams; of personal fields those that are named and no other."""

    size = PAGE_EVENTS

    def __init__(self, types: Sequence[Types], personal: frozenset[str] = frozenset(), streams: Sequence[str] | None = None) -> None:
        load_event_types()
        named = frozenset().union(*(known for known in types if isinstance(known, frozenset)))
        self.type_names = frozenset().union(*map(names_of, types))
        # A predicate is asked of classes: an event without one cannot be judged, so that pages must show it.
        self._known = None if all(isinstance(known, frozenset) for known in types) else named | EVENT_TYPES.keys()
        self._resolved = {name: _resolve(EVENT_TYPES.get(name)) for name in self.type_names}
        self._personal = personal
        self._streams = None if streams is None else list(streams)
        self._query = _PAGE.format(personal=_PERSONAL if personal else "", streams="" if streams is None else _OF_STREAMS).encode()

    def page(self, conn: Connection, after: int, upto: int) -> tuple[list[Seen], Mark | None]:
        """The wanted events of a page in position order, and the mark the page ends at; None when nothing follows it up to `upto`.

        Raises Refused when the page has an event of a type that this program does not know and cannot judge.
        """
        limits = {"after": after, "upto": upto, "limit": self.size, "every": self._known is not None, "types": list(self.type_names)}
        parameters = limits if self._streams is None else {**limits, "streams": self._streams}
        rows = conn.cursor(row_factory=tuple_row).execute(self._query, parameters).fetchall()
        if self._known is not None:
            refuse_unknown(rows, self._known)
        end = Mark(rows[-1][0], rows[-1][1]) if len(rows) == self.size else None
        return [self.record(row) for row in rows if row[4] in self.type_names], end

    def some(self, conn: Connection, positions: Sequence[int]) -> list[Seen]:
        """The events at the given positions, in order."""
        return [record for position in sorted(positions) for record in self.page(conn, position - 1, position)[0]]

    def record(self, row: tuple[Any, ...]) -> Seen:
        """A row of a page as a fold sees it."""
        position, event_id, stream, version, name, schema, occurred_at, order_id, customer_id, channel, command_id, text, *more = row
        how = self._resolved[name]
        body = json.loads(text)
        told = json.loads(more[0]) if more and more[0] else {}
        if schema < how.schema:
            body = upcast(name, schema, {**body, **told})
            told = {key: body.pop(key) for key in how.personal if key in body}
        personal = Personal({key: value for key, value in told.items() if key in self._personal}) if told else NOTHING_PERSONAL
        step = body.get("step", "") if how.generic else how.step
        item = body.get("item", "") if how.of_item else ""
        return Seen(
            position, event_id, stream, version, name, how.shape, step, item, stamp(occurred_at), order_id, customer_id, channel,
            command_id, body, personal,
        )  # fmt: skip


def _resolve(cls: type[Event] | None) -> _Resolved:
    if cls is None:
        return _Resolved()
    return _Resolved(cls.shape, cls.step_name, issubclass(cls, OfStep), issubclass(cls, OfItem), cls.schema_version(), cls.personal)


def refuse_unknown(rows: Sequence[Sequence[Any]], known: frozenset[str]) -> None:
    """Raises Refused when a row (position first, type fifth) is of a type that is not known."""
    for row in rows:
        if row[4] not in known:
            raise Refused(f"event {row[4]} at position {row[0]} is unknown to this program; use the version that wrote it", kind="conflict")
