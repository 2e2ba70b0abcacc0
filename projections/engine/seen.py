"""Reading the log for folds: records, which are events as a fold sees them, all of them before the horizon."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg.rows import tuple_row

from o2c.kernel.event import Event, types_by_name, upcast
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import OfItem, OfStep
from o2c.store.connection import Connection

Types = frozenset[str] | Callable[[type[Event]], bool]
"""The types of events that a projection needs: their names, or a predicate on event classes, called once all classes are loaded."""


PAGE_EVENTS = 5_000

_LAST = b"""
WITH bound AS MATERIALIZED (SELECT o2c.horizon() AS h)
SELECT position, event_id::text FROM o2c.event WHERE position < (SELECT h FROM bound) AND position <= %s ORDER BY position DESC LIMIT 1"""
"""The last event before the horizon and no later than a position. Parameter: the position."""

_PAGE = """
SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, order_id::text, customer_id, channel, command_id::text,
       actor, CASE WHEN type = ANY(%(types)s) THEN body::text END{personal}
FROM o2c.event WHERE position > %(after)s AND position <= %(upto)s AND (%(every)s OR type = ANY(%(types)s)){streams}
ORDER BY position LIMIT %(limit)s"""
"""A page of the log. Parts: `_PERSONAL` and `_OF_STREAMS`, or nothing.

Parameters: `after`, `upto`, `limit`, `types`, `every` (whether events of other types come too, without body), `streams`.
"""

_PERSONAL = ", CASE WHEN type = ANY(%(types)s) THEN personal::text END"
_OF_STREAMS = " AND stream = ANY(%(streams)s)"


class Personal(dict[str, Any]):
    """Personal fields by name. As text it shows the names and no value."""

    def __repr__(self) -> str:
        return f"Personal({sorted(self)})"

    __str__ = __repr__


NOTHING_PERSONAL = Personal()


class Seen(NamedTuple):
    """A record: an event as a fold sees it. `at` is the stamp of its business time.

    `body` holds the declared fields, upcast to the newest schema version and not validated. `personal` holds the personal fields that the
    projection declares, and is empty for one that declares none.
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
    actor: str
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
    """The names of the types. A predicate is called on all event classes of this program."""
    return types if isinstance(types, frozenset) else _judged(types, len(types_by_name()))


@lru_cache(maxsize=256)
def _judged(types: Callable[[type[Event]], bool], known: int) -> frozenset[str]:
    """The names that a predicate chooses of so many classes; each is asked about each class once, and not with every look."""
    return frozenset(name for name, cls in types_by_name().items() if types(cls))


def last_mark(conn: Connection, upto: int | None = None) -> Mark:
    """The mark of the last event before the horizon, and no later than the position `upto`: no event can be added before it any more."""
    row = conn.cursor(row_factory=tuple_row).execute(_LAST, (2**63 - 1 if upto is None else upto,)).fetchone()
    return Mark(*row) if row else START


@dataclass(frozen=True, slots=True)
class _Facts:
    """The facts of an event class that are needed to make a record."""

    shape: str = ""
    step: str = ""
    generic: bool = False
    of_item: bool = False
    schema: int = 1
    personal: frozenset[str] = frozenset()


class Reader:
    """Reads pages of records for several projections at once, from the whole log or from `streams`, with the fields of `personal`."""

    size = PAGE_EVENTS

    def __init__(self, types: Sequence[Types], personal: frozenset[str] = frozenset(), streams: Sequence[str] | None = None) -> None:
        named = frozenset().union(*(names for names in types if isinstance(names, frozenset)))
        self.type_names = frozenset().union(*map(names_of, types))
        # A predicate needs the class of an event. Where one is used every event is read, to stop at one that has no class here.
        self._judged = None if all(isinstance(names, frozenset) for names in types) else named | types_by_name().keys()
        self._facts = {name: _facts_of(types_by_name().get(name)) for name in self.type_names}
        self._personal = personal
        self._streams = None if streams is None else list(streams)
        self._query = _PAGE.format(personal=_PERSONAL if personal else "", streams="" if streams is None else _OF_STREAMS).encode()

    def page(self, conn: Connection, after: int, upto: int) -> tuple[list[Seen], Mark | None]:
        """The records of the page after the position `after`, and the mark of its end; None when it reaches up to `upto`.

        Raises Refused at an event of an unknown type when a projection chooses its types by a predicate.
        """
        limits = {"after": after, "upto": upto, "limit": self.size, "every": self._judged is not None, "types": list(self.type_names)}
        parameters = limits if self._streams is None else {**limits, "streams": self._streams}
        rows = conn.cursor(row_factory=tuple_row).execute(self._query, parameters).fetchall()
        if self._judged is not None:
            refuse_unknown(rows, self._judged)
        end = Mark(rows[-1][0], rows[-1][1]) if len(rows) == self.size else None
        return [self.record(row) for row in rows if row[4] in self.type_names], end

    def some(self, conn: Connection, positions: Sequence[int]) -> list[Seen]:
        """The records at the given positions, in order."""
        return [record for position in sorted(positions) for record in self.page(conn, position - 1, position)[0]]

    def record(self, row: tuple[Any, ...]) -> Seen:
        """The record of one line of a page."""
        position, event_id, stream, version, name, schema, occurred_at, order_id, customer_id, channel, command_id, actor, text, *more = row
        facts = self._facts[name]
        body = json.loads(text)
        hidden = json.loads(more[0]) if more and more[0] else {}
        if schema < facts.schema:
            body = upcast(name, schema, {**body, **hidden})
            hidden = {key: body.pop(key) for key in facts.personal if key in body}
        personal = Personal({key: value for key, value in hidden.items() if key in self._personal}) if hidden else NOTHING_PERSONAL
        step = body.get("step", "") if facts.generic else facts.step
        item = body.get("item", "") if facts.of_item else ""
        return Seen(
            position, event_id, stream, version, name, facts.shape, step, item, stamp(occurred_at), order_id, customer_id, channel,
            command_id, actor, body, personal,
        )  # fmt: skip


def _facts_of(cls: type[Event] | None) -> _Facts:
    if cls is None:
        return _Facts()
    return _Facts(cls.shape, cls.step_name, issubclass(cls, OfStep), issubclass(cls, OfItem), cls.schema_version(), cls.personal)


def refuse_unknown(rows: Sequence[Sequence[Any]], judged: frozenset[str]) -> None:
    """Raises Refused when an event (position first, type fifth) is of a type that is not in `judged`."""
    for row in rows:
        if row[4] not in judged:
            raise Refused(f"event {row[4]} at position {row[0]} is unknown to this program; use the version that wrote it", kind="conflict")
