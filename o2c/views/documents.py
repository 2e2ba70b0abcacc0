"""Orders as documents: all that a standard's order resource tells of one, in a page of many or alone, now or as it stood."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from o2c.engine.app import Engine
from o2c.kernel.reasons import Codes
from o2c.kernel.refusal import Refused
from o2c.views.document_told import AMENDED, CAPTURED, REVISED, Told, document_told
from o2c.views.order_folds import FOLDS, begun, fold_on, folded, rows_of
from o2c.views.orders import ORDER_STATES, find_order
from o2c.views.reading import Page, Rows, part_of, plain
from o2c.views.shown import DocumentShown
from projections import cancellations, fallout, items, milestones, orders, promises
from projections.engine.projection import reader_of
from projections.engine.seen import Reader, Seen

DOCUMENTS_MAX = 1_000
SORTS = frozenset({"captured_at", "closed_at", "external_id", "order", "priority", "state"})
"""What a page of documents may be sorted by; with a minus before it, downwards."""

TOLD_OF_ORDERS = """SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, order_id::text, customer_id, channel,
    command_id::text, actor, body::text AS told
FROM o2c.event WHERE stream = ANY(%s) AND (version = 1 OR type IN ('order.amended', 'order.revised')) ORDER BY stream, version"""
"""How some orders were captured and what was changed since, without what is personal. Parameter: their streams."""

TOLD_IN_FULL = """SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, order_id::text, customer_id, channel,
    command_id::text, actor, body::text AS told, personal::text AS personal
FROM o2c.event WHERE stream = ANY(%s) AND (version = 1 OR type IN ('order.amended', 'order.revised')) ORDER BY stream, version"""
"""The same with what is personal. Parameter: their streams."""

EVENTS_OF_ORDERS = """SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, order_id::text, customer_id, channel,
    command_id::text, actor, body::text AS told FROM o2c.event WHERE stream = ANY(%s) ORDER BY stream, version"""
"""The events of some orders, without what is personal. Parameter: their streams."""

EVENTS_OF_ORDER = """SELECT position, event_id::text, stream, version, type, schema_version, occurred_at, order_id::text, customer_id, channel,
    command_id::text, actor, body::text AS told, CASE WHEN %s AND (version = 1 OR type IN ('order.amended', 'order.revised')) THEN personal::text END AS personal
FROM o2c.event WHERE stream = %s AND (%s::timestamptz IS NULL OR occurred_at <= %s) ORDER BY version"""
"""The events of an order, those that had happened by a time where one is given (NULL: all). Parameters: whether with what is personal of
how it was captured and amended, its stream, the time twice."""


def list_documents(
    app: Engine,
    *,
    orders: Sequence[str] = (),
    external_ids: Sequence[str] = (),
    states: Sequence[str] = (),
    customers: Sequence[str] = (),
    channels: Sequence[str] = (),
    categories: Sequence[str] = (),
    mentioning: Sequence[str] = (),
    priorities: Sequence[int] = (),
    parties_named: Sequence[str] = (),
    channels_named: Sequence[str] = (),
    items_named: Sequence[str] = (),
    actions: Sequence[str] = (),
    offerings: Sequence[str] = (),
    accounts_named: Sequence[str] = (),
    item_products: Sequence[str] = (),
    item_accounts: Sequence[str] = (),
    quantities: Sequence[int] = (),
    quantity_from: int | None = None,
    quantity_to: int | None = None,
    item_states: Sequence[str] = (),
    open_reasons: Sequence[str] = (),
    captured_at: Sequence[datetime] = (),
    captured_since: datetime | None = None,
    captured_until: datetime | None = None,
    closed_at: Sequence[datetime] = (),
    closed_since: datetime | None = None,
    closed_until: datetime | None = None,
    promised_from: date | None = None,
    promised_to: date | None = None,
    captured_by: str = "",
    sort: str = "captured_at",
    offset: int = 0,
    limit: int = 100,
    brief: bool = False,
    personal: bool = False,
) -> Page[DocumentShown]:
    """Orders in full, as `show_document` gives each: those that fit all that is given, by capture time; the page says how many more there
    are.

    Where nothing says whose (order, external id, customer, who captured it), those of programs and of tests of our own are left out.
    `orders` are our ids; `mentioning` are words of which one stands in the paper, and counts only with `personal`, for it tells of the
    paper. `parties_named`, `channels_named`, `accounts_named` (of the order) and, of items of the outermost level, `items_named`,
    `actions`, `offerings`, `item_products`, `item_accounts`, `quantities`, `quantity_from` and `quantity_to` are found as they were sent
    with `personal`, else as they were taken down: of parties the customer, of channels the first. `item_states` finds whatever may have a
    line that stands so: a caller looks at the lines as well, and so it does with `promised_from` and `promised_to`, between which some item
    is promised. `open_reasons` are codes of open fallouts. `captured_at` and `closed_at` fit to the millisecond; the ends of times are not
    included. `brief` leaves milestones, promises, fallouts and cancellations out. With `personal`, what was captured comes to the letter.
    The projections must be caught up. Raises Refused (usage) for a state, an order of rows, an offset or a limit that is none.
    """
    if unknown := sorted(set(states) - set(ORDER_STATES)):
        raise Refused(f"{unknown[0]} is no state of an order; use some of {', '.join(ORDER_STATES)}")
    if sort.removeprefix("-") not in SORTS:
        raise Refused(f"sort by one of {', '.join(sorted(SORTS))}")
    picked = {
        "orders": list(orders), "external_ids": list(external_ids), "states": list(states), "customers": list(customers),
        "channels": list(channels), "categories": list(categories), "mentioning": list(mentioning) if personal else [],
        "priorities": list(priorities), "captured_at": list(captured_at), "captured_since": captured_since,
        "captured_until": captured_until, "closed_since": closed_since, "closed_until": closed_until, "captured_by": captured_by,
        "parties_named": list(parties_named), "channels_named": list(channels_named), "items_named": list(items_named), "actions": list(actions),
        "offerings": list(offerings), "accounts_named": list(accounts_named), "item_products": list(item_products), "item_accounts": list(item_accounts),
        "quantities": list(quantities), "quantity_from": quantity_from, "quantity_to": quantity_to, "item_states": list(item_states), "open_reasons": list(open_reasons), "closed_at": list(closed_at),
        "promised_from": promised_from, "promised_to": promised_to,
        "in_paper": personal,
    }  # fmt: skip
    return _page(app, {**picked, "sort": sort}, offset, limit, brief=brief)


def _page(app: Engine, picked: Mapping[str, Any], offset: int, limit: int, *, brief: bool) -> Page[DocumentShown]:
    rows = part_of(app, orders.DOCUMENTED, orders.DOCUMENTED_COUNT, picked, offset, limit)
    now, codes = _always(app.clock().now), _always(app.codes().newest)
    page = Page(document_told(told, now, codes) for told in _told_of(app, rows, brief=brief, personal=picked["in_paper"]))
    page.more = rows.more
    return page


def _told_of(app: Engine, rows: Rows, *, brief: bool, personal: bool) -> list[Told]:
    """What is known of each of some orders: one read for each kind of row, whatever their number."""
    ids = [row["order_id"] for row in rows]
    of: dict[str, dict[str, Rows]] = {name: {} for name in ("items", "promises", "milestones", "fallout", "cancellations")}
    for name, statement in _STATEMENTS.items():
        for row in app.reads.rows(statement, ids) if ids and (name == "items" or not brief) else ():
            of[name].setdefault(row["order_id"], []).append(row)
    records = _records(app, [f"order-{name}" for name in ids], personal=personal)
    return [
        Told(row, **{name: found.get(row["order_id"], []) for name, found in of.items()}, records=tuple(records.get(f"order-{row['order_id']}", ())))
        for row in rows
    ]  # fmt: skip


_STATEMENTS = {
    "items": items.ROWS_OF_ORDERS,
    "promises": promises.PROMISES_OF_ORDERS,
    "milestones": milestones.REACHED_BY_ORDERS,
    "fallout": fallout.OF_STREAMS,
    "cancellations": cancellations.OF_ORDERS,
}


@cache
def record_reader() -> Reader:
    """Makes records of rows, with what is personal of those events that a document tells in full."""
    reader = reader_of(FOLDS)
    return Reader([reader.type_names | {CAPTURED, AMENDED, REVISED}], frozenset({"original", "description", "contact", "note", "author"}))


def _records(app: Engine, streams: Sequence[str], *, personal: bool) -> dict[str, list[Seen]]:
    """How orders were captured, and what was amended since, by stream."""
    found: dict[str, list[Seen]] = {}
    for row in app.reads.rows(TOLD_IN_FULL if personal else TOLD_OF_ORDERS, list(streams)) if streams else ():
        found.setdefault(row["stream"], []).append(record_reader().record(tuple(row.values())))
    return found


def show_document(app: Engine, name: str, *, at: datetime | None = None, personal: bool = False) -> DocumentShown:
    """One order in full, by our id or its external id: what was captured, how it and each line of it stands, what was promised and reached,
    its fallouts and cancellations.

    With `at`, as it stood at that business time. Read from its events, so that whoever has just written sees it. With `personal`, what was
    captured comes to the letter (`paper`). Raises Refused: missing (no such order, or not yet), usage (a time to come).
    """
    if at is not None and at > (now := app.clock().now):
        raise Refused(f"{plain(at)} is still to come: the clock stands at {plain(now)}; give a time up to then")
    stream, records = _events(app, name, at, personal=personal)
    known = folded(stream, records)
    if not known["orders"]:
        raise Refused(f"{name} was not captured yet at {plain(at)}; see `o2c orders timeline`", kind="missing")
    return document_of(app, known, records, at)


def document_of(app: Engine, known: dict[str, Rows], records: Sequence[Seen], at: datetime | None = None) -> DocumentShown:
    """One order in full by what its events fold to, and those events."""
    told = tuple(record for record in records if record.type in (CAPTURED, AMENDED, REVISED))
    return document_told(Told(known.pop("orders")[0], **known, records=told), lambda: at or app.clock().now, lambda: app.codes().newest)


def _events(app: Engine, name: str, at: datetime | None, *, personal: bool) -> tuple[str, list[Seen]]:
    """The stream of an order and its events up to a time; looked for by our id first, so that whoever has it needs one read. Raises Refused
    (missing)."""
    stream = f"order-{name}"
    rows = app.reads.rows(EVENTS_OF_ORDER, personal, stream, at, at)
    if not rows:
        stream, _ = find_order(app, name)
        rows = app.reads.rows(EVENTS_OF_ORDER, personal, stream, at, at)
    reader = record_reader()
    return stream, [reader.record(tuple(row.values())) for row in rows if row["type"] in reader.type_names]


def documents_at(app: Engine, wanted: Mapping[str, Collection[int]]) -> dict[tuple[str, int], DocumentShown | None]:
    """Orders, by our id, as each stood right after the events at some positions of the log; None where it was not captured by then.

    Without what is personal. However many positions, an order is read and folded once.
    """
    codes, reader, seen = app.codes().newest, record_reader(), dict[str, list[Seen]]()
    streams = [f"order-{order}" for order in wanted]
    for row in app.reads.rows(EVENTS_OF_ORDERS, streams) if streams else ():
        if row["type"] in reader.type_names:
            seen.setdefault(row["stream"], []).append(reader.record(tuple(row.values())))
    told = _records(app, streams, personal=False)
    return {
        (order, position): document
        for order, stream in zip(wanted, streams, strict=True)
        for position, document in _stood(stream, seen.get(stream, []), told.get(stream, []), sorted(wanted[order]), codes)
    }


def _stood(
    stream: str, seen: Sequence[Seen], told: Sequence[Seen], positions: Sequence[int], codes: Codes
) -> Iterator[tuple[int, DocumentShown | None]]:
    """An order at rising positions; where nothing came between two, it is the same document."""
    docs, begin, document = begun(), 0, None
    for position in positions:
        end = bisect_right(seen, position, lo=begin, key=lambda record: record.position)
        if end > begin:
            fold_on(docs, seen[begin:end])
            known, begin = rows_of(stream, docs), end
            records = tuple(one for one in told if one.position <= position)
            rows = known.pop("orders")
            then = _always(seen[end - 1].occurred_at)
            document = document_told(Told(rows[0], **known, records=records), then, _always(codes)) if rows else None
        yield position, document


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def texts_of(app: Engine, stream: str) -> dict[str, str]:
    """The description and the contact of an order as they stand: as last amended, else as its paper has them; for whoever is to amend
    it."""
    records = _records(app, [stream], personal=True).get(stream, [])
    paper = json.loads(records[0].personal.get("original", "{}")) if records else {}
    told = {"description": _text(paper.get("description")), "contact": _text(paper.get("notificationContact"))}
    for record in (one for one in records if one.type == AMENDED):
        told |= {name: str(record.personal.get(name, "")) for name in told if name in record.body["amended"]}
    return told


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
