"""Promises: what each item was promised first and last, when it was complete, and why a promise could not be kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from projections import order_progress as progress
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

KEEPING_VIEW = """
SELECT CASE GROUPING(offering) WHEN 0 THEN offering ELSE '*' END COLLATE "C" AS offering,
    CASE GROUPING(cause_step) WHEN 0 THEN cause_step ELSE '*' END COLLATE "C" AS step,
    CASE GROUPING(cause_reason) WHEN 0 THEN cause_reason ELSE '*' END COLLATE "C" AS reason,
    count(*) AS promised, count(completed_on) AS completed,
    count(*) FILTER (WHERE kept_first) AS kept_first, count(*) FILTER (WHERE NOT kept_first) AS broken_first,
    count(*) FILTER (WHERE kept_last) AS kept_last, count(*) FILTER (WHERE NOT kept_last) AS broken_last,
    count(*) FILTER (WHERE state NOT IN ('completed', 'failed', 'cancelled')) AS open
FROM projection.promises GROUP BY GROUPING SETS ((), (offering), (cause_step, cause_reason), (offering, cause_step, cause_reason))
HAVING NOT (GROUPING(cause_step) = 0 AND cause_step = '')
ORDER BY 1, 2, 3
"""
"""The view `projection.promise_keeping`: promises kept and broken, by offering and by cause (`*`: all together)."""


def _concerns(event: type[Event]) -> bool:
    return progress.concerns(event) or event.type_name == "promise.made"


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type == "promise.made":
        return {**doc, "zone": record.body["zone"]}
    after = progress.evolve(doc, record)
    if record.type == "order.planned":
        return {**after, "first": {item["item"]: item["promised_on"] for item in record.body["items"]}}
    if record.type == "order.revised":
        return {**after, "first": {**{item["item"]: item["promised_on"] for item in record.body["items"]}, **doc["first"]}}
    if record.type == "promise.revised":
        revised = after.get("revised", {})
        times, cause = revised.get(record.item, [0, [record.body["cause_step"], record.body["cause_reason"]]])
        return {**after, "revised": {**revised, record.item: [times + 1, cause]}}
    if record.shape == "fell-out" and record.item:
        return {**after, "fell_out": {**after.get("fell_out", {}), record.item: [record.step, record.body["reason"]]}}
    return after


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    for leaf in progress.leaf_items(doc) if "first" in doc and "captured_at" in doc else ():
        first = doc["first"].get(leaf.item)
        if first is None or leaf.promised_on is None:
            continue
        over = leaf.ended_at if leaf.state == "completed" else None
        day = local_date(datetime.fromisoformat(over), doc.get("zone", "UTC")).isoformat() if over else None
        times, cause = doc.get("revised", {}).get(leaf.item, [0, ["", ""]])
        if not times and day is not None and day > first:
            cause = doc.get("fell_out", {}).get(leaf.item, ["", ""])
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
        }


PROMISES = Projection(
    name="promises",
    meaning="One row an item with a promise: the day promised first and last, the local day it was complete, whether each was kept, and the cause of the first revision.",
    shape_version=1,
    columns={
        "order_id": "text", "item": "text", "channel": "text", "offering": "text", "state": "text", "first_promised_on": "date",
        "promised_on": "date", "revisions": "integer", "completed_on": "date", "kept_first": "boolean", "kept_last": "boolean",
        "cause_step": "text", "cause_reason": "text",
    },
    key=("order_id", "item"),
    indexes=("order_id",),
    types=_concerns,
    fields=progress.FIELDS | {"zone", "cause_step", "cause_reason", "reason"},
    group=progress.order_of,
    found_by="order",
    initial=progress.INITIAL,
    evolve=_evolve,
    rows=_rows,
    views={"promise_keeping": KEEPING_VIEW},
)  # fmt: skip

KEEPING = "SELECT * FROM projection.promise_keeping"
"""Promises kept and broken, by offering and by cause. No parameters."""

PROMISES_OF_ORDER = """SELECT item, first_promised_on, promised_on, revisions, completed_on, cause_step, cause_reason
FROM projection.promises WHERE order_id = %s ORDER BY item"""
"""The promises of an order's items. Parameter: the order's id."""

PROMISES_OF_ORDERS = "SELECT * FROM projection.promises WHERE order_id = ANY(%s) ORDER BY order_id, item"
"""The promises of the items of some orders. Parameter: the orders' ids."""
