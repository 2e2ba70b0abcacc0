"""Events out: read, followed and waited for in the order of the log, never past the horizon, personal fields left out."""

from __future__ import annotations

import difflib
import fnmatch
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog

from o2c.engine.app import Engine
from o2c.kernel.event import types_by_name, upcast
from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.database import declare_incarnation
from o2c.store.horizon import UNSEEN, holder
from o2c.views.event_types import event_types
from o2c.views.orders import find_order
from o2c.views.reading import folded_to, plain, position_of, time_of
from projections.engine.operations import catch_up
from projections.engine.seen import START, Mark, last_mark
from projections.engine.tables import session

__all__ = [
    "EVERYTHING", "START", "EventRecord", "Mark", "OtherLog", "Wanted", "beginning_at", "check_mark", "ending_before", "events_at",
    "find_events", "last_event", "matching_events",
    "never", "pages", "show_stream", "tail_events", "types_named", "wait_for", "wanted",
]  # fmt: skip

logger = structlog.get_logger(__name__)
PAGE_EVENTS = 1_000
BUSY_S = 0.01
IDLE_S = 0.5
AWAY_S = 0.5
"""How long to wait before a server that went away is asked again."""
POLL_S = 0.005
NEAR = 3
IDENTIFIER = re.compile(r"^(\+?[0-9]{4})[0-9]{4,13}([0-9]{3})$")

EVENT_ID = "SELECT event_id::text AS id FROM o2c.event WHERE position = %s"
"""The id of the event at a position. Parameter: the position."""

LAST_POSITION = "SELECT coalesce(max(position), 0) AS top FROM o2c.event"
"""The last position of the log, 0 where it is empty. No parameters."""

PAGE = """SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, recorded_at, actor, channel,
    command_id::text, causation::text, order_id::text, customer_id, body
FROM o2c.event WHERE position > %(after)s AND position <= %(upto)s{conditions} ORDER BY position LIMIT %(size)s"""
"""A page of events in the order of the log. Parameters: `after` and `upto` (positions), `size`, and those of the conditions."""

AT = """SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, recorded_at, actor, channel,
    command_id::text, causation::text, order_id::text, customer_id, body
FROM o2c.event WHERE position = ANY(%s)"""
"""The events at some positions. Parameter: array of positions."""

CONDITIONS = {
    "types": "type = ANY(%(types)s)",
    "order": "order_id = %(order)s::uuid",
    "customer": "customer_id = %(customer)s",
    "stream": "stream = %(stream)s",
    "since": "occurred_at >= %(since)s",
    "until": "occurred_at < %(until)s",
}
"""The condition that a page gets for each field of `Wanted` that is set. There is an index for each where one helps."""


class OtherLog(Refused):
    """The event a reader stopped at is not in this log, or another stands in its place: a restore, another store. Nothing is read."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="conflict")


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as a reader outside gets it.

    `position` is its place in the whole log, `version` in its stream. `occurred_at` is business time, `recorded_at` the server's clock.
    `causation` is the id of the event that led to it. `data` is the body in its newest shape, without personal fields.
    """

    position: int
    id: str
    stream: str
    version: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    channel: str
    command_id: str
    causation: str | None
    order: str | None
    customer: str | None
    data: dict[str, Any]

    @property
    def mark(self) -> Mark:
        """What to remember in order to go on after this event."""
        return Mark(self.position, self.id)

    def as_json(self) -> dict[str, Any]:
        """The record for JSON: times as stamps, the position as a string (it passes 2^53 one day)."""
        values = {name: getattr(self, name) for name in EventRecord.__slots__}
        return {**plain(values), "position": str(self.position), "data": self.data}

    def masked(self) -> EventRecord:
        """The record as analysts see it: of ICCID, IMSI, MSISDN and IMEI the first four and last three digits, of a port-in nothing."""
        kind, dash, name = self.stream.partition("-")
        stream = f"{kind}{dash}{masked(name)}" if kind in ("sim", "number", "device") else self.stream
        return replace(self, stream=stream, data=masked(self.data))


def masked(value: Any) -> Any:
    """A value with its identifiers masked, as `o2c.masked` does it for the analysts' views."""
    if isinstance(value, dict):
        return {key: "***" if key.startswith("portIn") else masked(part) for key, part in value.items()}
    if isinstance(value, list):
        return [masked(part) for part in value]
    return IDENTIFIER.sub(r"\1***\2", value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events: of some types (of all when empty), of an order or customer by id, that happened from `since` on and before `until`."""

    types: tuple[str, ...] = ()
    order: str | None = None
    customer: str | None = None
    stream: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> str:
        """The conditions for the fields that are set."""
        return "".join(f" AND {condition}" for name, condition in CONDITIONS.items() if getattr(self, name))

    def parameters(self) -> dict[str, Any]:
        """Give the values for the placeholders of `conditions`."""
        return {name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in Wanted.__slots__}


EVERYTHING = Wanted()


def wanted(app: Engine, *, types: Iterable[str] = (), order: str = "", customer: str = "") -> Wanted:
    """The events that concern an order (by its id or external id) or a customer, of types by stored name or pattern (`order.*`).

    Raises Refused: usage (no such type), missing (no such order).
    """
    order_id = find_order(app, order)[1].order_id if order else None
    return Wanted(types=types_named(types), order=order_id, customer=customer or None)


def never() -> bool:
    """Goes on for ever, as a `stop`."""
    return False


def tail_events(
    app: Engine, wanted: Wanted, after: Mark = START, *, stop: Callable[[], bool] = never, wait: bool = True
) -> Iterator[list[EventRecord]]:
    """Events as they come after a mark, page by page, each once, in the order of the log, until `stop` says so.

    Without `wait` it ends with what is there now. Raises as `pages` does.
    """
    return pages(app.dsn, wanted, after, stop=stop, wait=wait)


def find_events(
    app: Engine, wanted: Wanted, *, after: Mark = START, before: int | None = None, limit: int | None = None
) -> Iterator[EventRecord]:
    """The events of the log that fit, oldest first, as far as readers see it now. Raises OtherLog for a mark that is not of this log."""
    return matching_events(app.dsn, wanted, after=after, before=before, limit=limit)


def show_stream(app: Engine, name: str) -> list[EventRecord]:
    """The events of one stream, in version order; none where there is no such stream."""
    return list(matching_events(app.dsn, Wanted(stream=name)))


def events_at(app: Engine, positions: Iterable[int]) -> dict[int, EventRecord]:
    """The events at some positions, by position."""
    return {row["position"]: _record(row) for row in app.reads.rows(AT, list(positions))}


def last_event(app: Engine) -> Mark:
    """The last event of the log that readers see now: what comes after it is new."""
    with session(app.dsn) as conn:
        return last_mark(conn)


def wait_for(app: Engine, position: int, *, timeout_s: float) -> None:
    """Return once readers of the log and the projections have passed a position.

    Brings the projections there itself; the timeout is for the log. Raises Refused: unavailable when a transaction elsewhere still holds
    back all readers, and names it; conflict when the position lies ahead of this log (it was given by another store).
    """
    deadline = time.monotonic() + timeout_s
    while not (reached := app.reads.reached(position)).passed:
        if not reached.given:
            raise Refused(f"position {position} lies ahead of this log; ask the store that gave it", kind="conflict")
        if time.monotonic() > deadline:
            raise Refused(f"position {position}: readers are held back by {_holder(app)}; end it, or wait longer", kind="unavailable")
        time.sleep(POLL_S)
    if not folded_to(app, position):
        with app.catching_up:
            catch_up(app.dsn, upto=position)


def _holder(app: Engine) -> str:
    with session(app.dsn) as conn:
        return holder(conn) or UNSEEN


def beginning_at(app: Engine, text: str, wanted: Wanted) -> tuple[Mark, Wanted]:
    """Where to begin, as a person writes it (POSITION, POSITION:ID or a time; empty for the beginning), checked against the log.

    Raises Refused for what is none of these; OtherLog for a mark that is not of this log.
    """
    position, colon, event_id = text.partition(":")
    if not text:
        return START, wanted
    if (begin := position_of(position)) is None:
        return START, replace(wanted, since=time_of(text))
    mark = Mark(begin, _event_id(event_id) if colon else None)
    with session(app.dsn) as conn:
        check_mark(conn, mark)
    return mark, wanted


def ending_before(text: str, wanted: Wanted) -> tuple[int | None, Wanted]:
    """Where to end, as a person writes it: a position or a time; empty for the end of the log. Raises Refused."""
    end = position_of(text)
    return end, wanted if end is not None or not text else replace(wanted, until=time_of(text))


def _event_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Refused("behind the position stands no event id; give POSITION:ID as a line of the log has them") from None


def types_named(names: Iterable[str]) -> tuple[str, ...]:
    """Stored names of event types; `order.*` means all that match. Raises Refused, with names that are near, when there is none."""
    known = [cls.type_name for cls in event_types()]
    orders: list[str] = []
    for name in names:
        matching = fnmatch.filter(known, name)
        if not matching:
            near = difflib.get_close_matches(name, known, NEAR)
            hint = f"did you mean {' or '.join(near)}?" if near else "see docs/events.md"
            raise Refused(f"no event is called {name}; {hint}")
        orders += matching
    return tuple(orders)


def check_mark(conn: Connection, mark: Mark) -> None:
    """Read the event of a mark again. Raises OtherLog when it is not there, is another, or lies ahead of this log.

    A mark without id is a bare position: it may lie between events, not ahead of them all.
    """
    if mark == START:
        return
    row = conn.execute(EVENT_ID, (mark.position,)).fetchone()
    if row and mark.event_id in (None, row["id"]):
        return
    if row:
        raise OtherLog(f"position {mark.position}: event {row['id']} stands there, not {mark.event_id}; {_START_AGAIN}")
    top = conn.execute(LAST_POSITION).fetchone()
    if top and mark.position > top["top"]:
        raise OtherLog(f"position {mark.position} lies ahead of this log, which ends at {top['top']}; {_START_AGAIN}")
    if mark.event_id is not None:
        raise OtherLog(f"position {mark.position}: event {mark.event_id} is not in this log; {_START_AGAIN}")


_START_AGAIN = "this is not the log you read before (restored, or another store): find out what you know too much, then start anew"


def matching_events(
    dsn: str, wanted: Wanted, *, after: Mark = START, before: int | None = None, limit: int | None = None
) -> Iterator[EventRecord]:
    """What readers see now, in log order: after a mark, before a position, at most so many. Raises OtherLog."""
    left = limit
    with session(dsn) as conn:
        check_mark(conn, after)
        position, upto = after.position, last_mark(conn, None if before is None else before - 1).position
        while left is None or left > 0:
            size = PAGE_EVENTS if left is None else min(left, PAGE_EVENTS)
            page = _page(conn, wanted, position, upto, size)
            yield from page
            if len(page) < size:
                return
            position = page[-1].position
            left = None if left is None else left - size


def pages(dsn: str, wanted: Wanted, after: Mark, *, stop: Callable[[], bool] = never, wait: bool = True) -> Iterator[list[EventRecord]]:
    """What comes after a mark, page by page as it comes, until `stop` says so; without `wait`, what is there now.

    Asks often while much happens and twice a second while nothing does. A server that goes away is waited for, and the log it comes back
    with must still hold the event that was read last. Raises OtherLog; Refused (try later) when the server does not answer at first.
    """
    mark, met = after, False
    while not stop():
        try:
            with session(dsn) as conn:
                declare_incarnation(conn)
                check_mark(conn, mark)
                met = True
                for page, read_to in _following(conn, wanted, mark, stop, wait=wait):
                    mark = read_to
                    if page:
                        yield page
                return
        except (psycopg.OperationalError, psycopg.InterfaceError, Refused) as error:
            if isinstance(error, Refused) and (error.kind != "unavailable" or not met):
                raise
            if not wait:
                raise Refused("the database went away while its log was read; read on from the last event", kind="unavailable") from None
            logger.warning("follower_waits_for_the_server", position=str(mark.position), error=type(error).__name__)
        time.sleep(AWAY_S)


def _following(
    conn: Connection, wanted: Wanted, mark: Mark, stop: Callable[[], bool], *, wait: bool
) -> Iterator[tuple[list[EventRecord], Mark]]:
    """Pages, each with the mark up to which nothing more is to be read: an event that need not be wanted itself."""
    pause, last = BUSY_S, last_mark(conn)
    while not stop():
        page = _page(conn, wanted, mark.position, last.position, PAGE_EVENTS) if last.position > mark.position else []
        full = len(page) == PAGE_EVENTS
        mark = page[-1].mark if full else max(mark, last, key=lambda each: each.position)
        yield page, mark
        if full:
            continue
        if not wait:
            return
        pause = BUSY_S if page else min(pause * 2, IDLE_S)
        time.sleep(pause)
        last = last_mark(conn)


def _page(conn: Connection, wanted: Wanted, after: int, upto: int, size: int) -> list[EventRecord]:
    query = PAGE.format(conditions=wanted.conditions())
    rows = conn.execute(query.encode(), {**wanted.parameters(), "after": after, "upto": upto, "size": size}).fetchall()
    return [_record(row) for row in rows]


def _record(row: dict[str, Any]) -> EventRecord:
    data, schema = row.pop("body"), row.pop("schema_version")
    if (cls := types_by_name().get(row["type"])) and schema < cls.schema_version():
        data = {name: value for name, value in upcast(cls.type_name, schema, data).items() if name not in cls.personal}
    return EventRecord(**{"id": row.pop("event_id"), "order": row.pop("order_id"), "customer": row.pop("customer_id"), **row}, data=data)
