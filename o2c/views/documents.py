"""Orders as documents: all that a standard's order resource tells of one, in a page of many or alone, now or as it stood."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.reasons import Codes
from o2c.kernel.refusal import Refused
from o2c.markets.registry import market
from o2c.orders.rollup import FINAL, together
from o2c.views.codes import guide_of
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
CAPTURED, AMENDED, REVISED = "order.captured", "order.amended", "order.revised"

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
"""The events of an order, those that had happened by a time where one is given (NULL: all). Parameters: whether with what is personal of how it was
captured and amended, its stream, the time twice."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of one order, as rows: of itself, its items, promises, milestones, fallouts and cancellations; and how it was captured."""

    order: Mapping[str, Any]
    items: Rows = field(default_factory=list)
    promises: Rows = field(default_factory=list)
    milestones: Rows = field(default_factory=list)
    fallout: Rows = field(default_factory=list)
    cancellations: Rows = field(default_factory=list)
    records: tuple[Seen, ...] = ()


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
    """Orders in full, as `show_document` gives each: those that fit all that is given, by capture time; the page says how many more there are.

    `orders` are our ids; `mentioning` are words of which one stands in the paper, and counts only with `personal`, for it tells of the paper. `parties_named`,
    `channels_named`, `accounts_named` (of the order) and, of items of the outermost level, `items_named`, `actions`, `offerings`, `item_products`,
    `item_accounts`, `quantities`, `quantity_from` and `quantity_to` are found as they were sent with `personal`, else as they were taken down: of parties the customer, of channels the first. `item_states` finds whatever may have a line that stands so: a caller looks at the
    lines as well, and so it does with `promised_from` and `promised_to`, between which some item is promised. `open_reasons` are codes of open fallouts. `captured_at` and `closed_at` fit to the millisecond; the ends of times are not included. `brief` leaves milestones,
    promises, fallouts and cancellations out. With `personal`, what was captured comes to the letter. The projections must be caught up. Raises Refused (usage) for a state, an order of rows, an offset or a limit that is none.
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
    page = Page(_document(told, now, codes) for told in _told_of(app, rows, brief=brief, personal=picked["in_paper"]))
    page.more = rows.more
    return page


def _told_of(app: Engine, rows: Rows, *, brief: bool, personal: bool) -> list[_Told]:
    """What is known of each of some orders: one read for each kind of row, whatever their number."""
    ids = [row["order_id"] for row in rows]
    of: dict[str, dict[str, Rows]] = {name: {} for name in ("items", "promises", "milestones", "fallout", "cancellations")}
    for name, statement in _STATEMENTS.items():
        for row in app.reads.rows(statement, ids) if ids and (name == "items" or not brief) else ():
            of[name].setdefault(row["order_id"], []).append(row)
    records = _records(app, [f"order-{name}" for name in ids], personal=personal)
    return [
        _Told(row, **{name: found.get(row["order_id"], []) for name, found in of.items()}, records=tuple(records.get(f"order-{row['order_id']}", ())))
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
    """One order in full, by our id or its external id: what was captured, how it and each line of it stands, what was promised and reached, its
    fallouts and cancellations.

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
    return _document(_Told(known.pop("orders")[0], **known, records=told), lambda: at or app.clock().now, lambda: app.codes().newest)


def _events(app: Engine, name: str, at: datetime | None, *, personal: bool) -> tuple[str, list[Seen]]:
    """The stream of an order and its events up to a time; looked for by our id first, so that whoever has it needs one read. Raises Refused (missing)."""
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
            document = _document(_Told(rows[0], **known, records=records), then, _always(codes)) if rows else None
        yield position, document


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _document(told: _Told, now: Callable[[], datetime], codes: Callable[[], Codes]) -> DocumentShown:
    captured = next((record for record in told.records if record.type == CAPTURED), None)
    if captured is None:
        raise Refused(f"order {told.order['order_id']} is not told in this log; ask again", kind="unavailable")
    # What the paper says is that of the last change; how and under which market it came stays.
    paper = next((record for record in reversed(told.records) if record.type == REVISED), captured)
    body, row = {**captured.body, **paper.body}, told.order
    by_item = {item["item"]: item for item in told.items}
    promised = [item["promised_on"] for item in told.items if item["promised_on"] and item["state"] not in FINAL - {"completed"}]
    shown = {
        "order": row["order_id"],
        "external_id": row["external_id"],
        "owner": body.get("owner", ""),
        "named_by_us": body.get("named_by_us", False),
        "customer": row["customer_id"],
        "agent": body.get("agent", ""),
        "account": body["account"],
        "market": body["market"],
        "channel": row["channel"],
        "category": row["category"],
        "priority": row["priority"],
        "state": row["state"],
        "captured_at": row["captured_at"],
        "closed_at": row["closed_at"],
        "danger": row["danger"],
        "danger_at": row["danger_at"],
        "requested_start": body.get("requested_start", ""),
        "requested_completion": body.get("requested_completion", ""),
        "promised_on": max(map(_day, promised), default=None),
        "promised_until": _end_of(max(map(_day, promised), default=None), body["market"]),
        "after": body.get("after", ""),
        "lines": [_line(line, by_item, row["state"]) for line in _with_parents(body["lines"])],
        "milestones": _milestones(told, now, body["market"]),
        "promises": [_promise(one) for one in told.promises],
        "fallouts": [_fallout(one, codes()) for one in sorted(told.fallout, key=lambda one: (str(one["opened_at"]), one["fallout"]))],
        "cancellations": [_cancellation(one, row, by_item) for one in told.cancellations],
        "amendments": [_amendment(record) for record in told.records if record.type == AMENDED],
    }
    # The paper is plain already, and the longest part of all.
    return cast("DocumentShown", {**_told_plainly(shown), "paper": json.loads(paper.personal.get("original", "null"))})


def _told_plainly(value: Any, key: str = "") -> Any:
    """A value as JSON shows it, with the stamps of folds as the tables give them, so that both ways of reading print the same."""
    kind = type(value)
    if kind is str:
        return plain(datetime.fromisoformat(value)) if key.endswith("_at") else value
    if kind is dict:
        return {name: _told_plainly(part, name) for name, part in value.items()}
    return [_told_plainly(part) for part in value] if kind is list or kind is tuple else plain(value)


def _day(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


def _end_of(day: str | None, pin: str) -> datetime | None:
    """When a day of the order's market is over."""
    after = date.fromisoformat(day) + timedelta(days=1) if day else None
    return local_time(after, 0, 0, _zone(pin)) if after else None


def _zone(pin: str) -> str:
    known = market(pin)
    return known.zone if known else "UTC"


def _with_parents(lines: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Each line with the lines that it stands for: the leaves within it, or itself."""
    inner: dict[str, list[str]] = {}
    for line in lines:
        inner.setdefault(line.get("parent", ""), []).append(line["item"])

    def leaves(name: str, seen: frozenset[str]) -> list[str]:
        within = [child for child in inner.get(name, ()) if child not in seen and child]
        return [leaf for child in within for leaf in leaves(child, seen | {child})] if within else [name]

    return [(line, leaves(line["item"], frozenset({line["item"]}))) for line in lines]


def _line(of: tuple[Mapping[str, Any], list[str]], by_item: Mapping[str, Any], order_state: str) -> dict[str, Any]:
    line, leaves = of
    own = [item for name, item in by_item.items() if name in leaves or name.rpartition("#")[0] in leaves]
    names = ("item", "parent", "action", "quantity", "offering", "product", "account", "requested_start", "requested_completion")
    return {
        **{name: line.get(name, "") for name in names},
        "relies_on": list(line.get("relies_on", ())),
        "state": together([item["state"] for item in own]) if own else order_state,
        "promised_on": max((_day(item["promised_on"]) for item in own if item["promised_on"]), default=None),
    }


def _milestones(told: _Told, now: Callable[[], datetime], pin: str) -> Rows:
    """What was reached, and of each item the day by which it is promised: reached, missed or still to come."""
    open_items = {item["item"] for item in told.items if item["state"] not in FINAL}
    promised = {row["item"]: _day(row["promised_on"]) for row in told.promises}
    found: Rows = []
    for row in told.milestones:
        reached = {name: at for name, at in row["reached"].items() if not name.endswith(".requested")}
        if row["item"]:
            reached = {name: at for name, at in reached.items() if name not in ("captured", "planned")}
        found += [
            {"item": row["item"], "milestone": name.removesuffix(".done"), "promised_on": promised.get(row["item"]) if name == "completed" else None,
             "promised_until": None, "reached_at": at, "status": "reached"}
            for name, at in sorted(reached.items(), key=lambda pair: (pair[1], pair[0]))
        ]  # fmt: skip
        if row["item"] in open_items and row["item"] in promised and "completed" not in reached:
            status = "missed" if local_date(now(), _zone(pin)).isoformat() > promised[row["item"]] else "to come"
            day = promised[row["item"]]
            to_reach = {"milestone": "completed", "promised_on": day, "promised_until": _end_of(day, pin), "reached_at": None}
            found.append({"item": row["item"], **to_reach, "status": status})
    return found


def _promise(row: Mapping[str, Any]) -> dict[str, Any]:
    days = {name: _day(row[name]) for name in ("first_promised_on", "promised_on")}
    return {"item": row["item"], **days, **{name: row[name] for name in ("revisions", "state", "cause_step", "cause_reason", "danger")}}


def _fallout(row: Mapping[str, Any], codes: Codes) -> dict[str, Any]:
    names = ("fallout", "item", "step", "reason", "class", "waiting_for", "state", "opened_at", "closed_at")
    return {**{name: row[name] for name in names}, "meaning": guide_of(codes, row["reason"]).meaning}


def _cancellation(row: Mapping[str, Any], order: Mapping[str, Any], by_item: Mapping[str, Any]) -> dict[str, Any]:
    whole = not row["item"] and not row["part"]
    over_at = order["closed_at"] if whole and order["state"] == "cancelled" else None
    if row["item"] in by_item and by_item[row["item"]]["state"] == "cancelled":
        over_at = by_item[row["item"]]["ended_at"]
    names = ("cancellation", "item", "part", "requested_at", "items", "answer", "answered_at", "past")
    return {**{name: row[name] for name in names}, "ended_at": over_at}


def _amendment(record: Seen) -> dict[str, Any]:
    return {"amendment": record.event_id, "amended_at": record.at, "by": record.actor, **record.body, **dict(record.personal)}


def texts_of(app: Engine, stream: str) -> dict[str, str]:
    """The description and the contact of an order as they stand: as last amended, else as its paper has them; for whoever is to amend it."""
    records = _records(app, [stream], personal=True).get(stream, [])
    paper = json.loads(records[0].personal.get("original", "{}")) if records else {}
    told = {"description": _text(paper.get("description")), "contact": _text(paper.get("notificationContact"))}
    for record in (one for one in records if one.type == AMENDED):
        told |= {name: str(record.personal.get(name, "")) for name in told if name in record.body["amended"]}
    return told


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
