"""Promises: what each item was promised first and last, when it was complete, and why a promise could not be kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from projections import order_progress as progress
from projections.captures import APART
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.open_fallouts import OF_ITEM

_KEEPING = """
SELECT CASE GROUPING(offering) WHEN 0 THEN offering ELSE '*' END COLLATE "C" AS offering,
    CASE GROUPING(cause_step) WHEN 0 THEN cause_step ELSE '*' END COLLATE "C" AS step,
    CASE GROUPING(cause_reason) WHEN 0 THEN cause_reason ELSE '*' END COLLATE "C" AS reason,
    count(*) AS promised, count(completed_on) AS completed,
    count(*) FILTER (WHERE kept_first) AS kept_first, count(*) FILTER (WHERE NOT kept_first) AS broken_first,
    count(*) FILTER (WHERE kept_last) AS kept_last, count(*) FILTER (WHERE NOT kept_last) AS broken_last,
    count(*) FILTER (WHERE state NOT IN ('completed', 'failed', 'cancelled')) AS open
FROM projection.promises p WHERE {of} GROUP BY GROUPING SETS ((), (offering), (cause_step, cause_reason), (offering, cause_step, cause_reason))
HAVING NOT (GROUPING(cause_step) = 0 AND cause_step = '')
ORDER BY 1, 2, 3
"""
"""Promises kept and broken, by offering and by cause (`*`: all together). Part: of which rows `p`."""
KEEPING_VIEW = _KEEPING.format(of="true")
"""The view `projection.promise_keeping`: promises kept and broken, by offering and by cause (`*`: all together)."""


JEOPARDY = ("order.jeopardy-raised", "order.jeopardy-cleared")


def _concerns(event: type[Event]) -> bool:
    return progress.concerns(event) or event.type_name in ("promise.made", *JEOPARDY)


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type == "promise.made":
        return {**_promised(doc, record, record.body["items"]), "zone": record.body["zone"]}
    if record.type in JEOPARDY:
        return {**doc, "danger": {**doc.get("danger", {}), record.item: record.body.get("level", "")}}
    after = progress.evolve(doc, record)
    if record.type == "order.planned":
        planned = _promised(after, record, record.body["items"])
        return {**planned, "first": {item["item"]: item["promised_on"] for item in record.body["items"]}}
    if record.type == "order.revised":
        new = [item for item in record.body["items"] if not after.get("made", {}).get(item["item"])]
        first = {**{item["item"]: item["promised_on"] for item in record.body["items"]}, **doc["first"]}
        return {**_promised(after, record, new), "first": first}
    if record.type == "promise.revised":
        revised = after.get("revised", {})
        times, cause = revised.get(record.item, [0, [record.body["cause_step"], record.body["cause_reason"]]])
        return {**_promised(after, record, [{**record.body, "item": record.item}]), "revised": {**revised, record.item: [times + 1, cause]}}
    if record.shape == "fell-out" and record.item:
        return {**after, "fell_out": {**after.get("fell_out", {}), record.item: [record.step, record.body["reason"], record.event_id]}}
    if record.shape in OF_ITEM and record.item not in after.get("over", {}):
        return {**after, "over": {**after.get("over", {}), record.item: [record.event_id, record.body.get("base", "")]}}
    return after


def _promised(doc: Doc, record: Seen, items: Sequence[Row]) -> Doc:
    """The promises of each item, in order, with when and by which event each was made, and whether its customer wished another day than the
    one before. The event that promises the day of the plan takes the plan's place."""
    made = dict(doc.get("made", {}))
    for item in items:
        one = {"promised_on": item["promised_on"], "made_at": record.at, "by_event": record.event_id}
        one |= {name: item.get(name, "") for name in ("cause_step", "cause_reason", "agreed_by")}
        # What he did, such as not to be at home, has a reason; what he wished has none.
        one["wished"] = bool(item.get("by_customer")) and not one["cause_reason"]
        before = made.get(item["item"], [])
        same = bool(before) and before[-1]["promised_on"] == item["promised_on"]
        made[item["item"]] = [*(before[:-1] if same else before), *([one] if item["promised_on"] else ())]
    return {**doc, "made": made}


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    for leaf in progress.leaf_items(doc) if "first" in doc and "captured_at" in doc else ():
        first = doc["first"].get(leaf.item)
        if first is None or leaf.promised_on is None:
            continue
        complete = leaf.ended_at if leaf.state == "completed" else None
        day = local_date(datetime.fromisoformat(complete), doc.get("zone", "UTC")).isoformat() if complete else None
        times, cause = doc.get("revised", {}).get(leaf.item, [0, ["", ""]])
        if not times and day is not None and day > first:
            cause = doc.get("fell_out", {}).get(leaf.item, ["", ""])
        ended = datetime.fromisoformat(leaf.ended_at) if leaf.ended_at else None
        over = _over(doc, leaf.item)
        yield {
            "order_id": order_id,
            "item": leaf.item,
            "channel": doc["channel"],
            "offering": leaf.offering,
            "state": leaf.state,
            "first_promised_on": first,
            "promised_on": leaf.promised_on,
            "revisions": times,
            "completed_on": day,
            "kept_first": None if day is None else day <= first,
            "kept_last": None if day is None else day <= leaf.promised_on,
            "cause_step": cause[0],
            "cause_reason": cause[1],
            "customer_id": doc.get("customer", ""),
            "zone": doc.get("zone", "UTC"),
            "ended_on": local_date(ended, doc.get("zone", "UTC")).isoformat() if ended else None,
            "ended_event": over[0],
            "given_up_by_us": over[1],
            "fell_out": doc.get("fell_out", {}).get(leaf.item, []),
            "made": doc.get("made", {}).get(leaf.item, []),
            "danger": doc.get("danger", {}).get(leaf.item, ""),
            "relies_on": doc["items"][leaf.item]["relies_on"],
        }


def _over(doc: Doc, item: str) -> tuple[str, bool]:
    """The event that ended an item before it was complete (empty: none), and whether that came of an item that we failed, and not of the
    customer's wish."""
    event, base = doc.get("over", {}).get(item, ("", ""))
    seen = {item}
    while base and base not in seen:
        seen.add(base)
        item, base = base, doc.get("over", {}).get(base, ("", ""))[1]
    return event, bool(doc["items"].get(item, {}).get("ended") == "failed")


PROMISES = Projection(
    name="promises",
    meaning="One row an item with a promise: the day promised first and last, the local day it was complete, whether each was kept, and the cause of the first revision; every promise made of it, the danger that was written down last, and the items that it relies on.",
    shape_version=6,
    columns={
        "order_id": "text", "item": "text", "channel": "text", "offering": "text", "state": "text", "first_promised_on": "date",
        "promised_on": "date", "revisions": "integer", "completed_on": "date", "kept_first": "boolean", "kept_last": "boolean",
        "cause_step": "text", "cause_reason": "text", "customer_id": "text", "zone": "text", "ended_on": "date", "ended_event": "text",
        "given_up_by_us": "boolean", "fell_out": "jsonb", "made": "jsonb", "danger": "text",
        "relies_on": "jsonb",
    },
    key=("order_id", "item"),
    indexes=("order_id",),
    types=_concerns,
    fields=progress.FIELDS | {"zone", "cause_step", "cause_reason", "reason", "base", "level", "agreed_by", "by_customer"},
    group=progress.order_of,
    found_by="order",
    initial=progress.INITIAL,
    evolve=_evolve,
    rows=_rows,
    views={"promise_keeping": KEEPING_VIEW},
)  # fmt: skip

_WISHED = f"NOT {APART.format(order_id='p.order_id')}"
KEEPING = _KEEPING.format(of=_WISHED)
"""The same, but for orders of programs and of tests of our own. No parameters."""

PROMISES_OF_ORDER = """SELECT item, first_promised_on, promised_on, revisions, completed_on, cause_step, cause_reason
FROM projection.promises WHERE order_id = %s ORDER BY item"""
"""The promises of an order's items. Parameter: the order's id."""

EVERY = f"""SELECT p.*, o.external_id FROM projection.promises p JOIN projection.orders o USING (order_id)
WHERE (cardinality(%(orders)s::text[]) = 0 OR p.order_id = ANY(%(orders)s)) AND (%(customer)s = '' OR o.customer_id = %(customer)s)
    AND (cardinality(%(orders)s::text[]) > 0 OR %(customer)s <> '' OR {_WISHED}) ORDER BY o.captured_at, p.order_id, p.item"""
"""Items with every promise that was made of them, by when their orders were captured. Parameters: `orders` (none: any), `customer` (empty
text: any). Where neither is named, without those of programs and of tests of our own."""

WITH_MILESTONES = """SELECT p.order_id, p.item, p.offering, p.state, p.first_promised_on, p.zone, p.danger, p.relies_on, p.customer_id, o.external_id, c.market, m.reached
FROM projection.promises p JOIN projection.orders o USING (order_id) JOIN projection.captures c USING (order_id) JOIN projection.milestones m ON m.order_id = p.order_id AND m.item = p.item
WHERE m.reached ? 'captured' AND c.apart = '' ORDER BY o.captured_at, p.order_id, p.item"""
"""Items with the first day promised and when each reached what, by when their orders were captured, but for orders of programs and of tests
of our own. No parameters."""

WITHOUT_A_PROMISE = f"""SELECT o.order_id, o.external_id, o.customer_id, o.state, o.captured_at, o.closed_at, k.tier, k.market, m.reached
FROM projection.orders o JOIN projection.milestones m ON m.order_id = o.order_id AND m.item = ''
    JOIN projection.care k ON k.order_id = o.order_id AND k.milestone = 'received'
WHERE CASE WHEN %(open)s THEN o.closed_at IS NULL AND NOT EXISTS (SELECT FROM projection.promises p
        WHERE p.order_id = o.order_id AND p.state NOT IN ('completed', 'failed', 'cancelled', 'rejected'))
    ELSE o.state IN ('completed', 'partial', 'failed') END AND NOT {APART.format(order_id="o.order_id")} ORDER BY o.captured_at, o.order_id"""
"""Orders with what they reached as a whole, by when they were captured: the open ones of which no open item has a promise, or else all that
were carried out; none of programs and of tests of our own. Parameter, by name: open."""

PROMISES_OF_ORDERS = "SELECT * FROM projection.promises WHERE order_id = ANY(%s) ORDER BY order_id, item"
"""The promises of the items of some orders. Parameter: the orders' ids."""
