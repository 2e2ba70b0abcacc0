"""Items: one row a leaf item of an order, with its own state."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.order_progress import FIELDS, INITIAL, concerns, evolve, leaf_items, order_of


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    if "captured_at" in doc:
        for leaf in leaf_items(doc):
            ordered = {"customer_id": doc["customer"], "channel": doc["channel"], "captured_at": doc["captured_at"]}
            yield {"order_id": order_id, **leaf._asdict(), **ordered}


def _evolve(doc: Doc, record: Seen) -> Doc:
    """The document after one event of an order. Which number an item brings, the clearing house knows best: what the paper says may have
    been corrected since."""
    doc = evolve(doc, record)
    item, number = doc["items"].get(record.item), record.body.get("msisdn") if record.step == "porting" else None
    if item is None or number in (None, item.get("brings")):
        return doc
    return {**doc, "items": {**doc["items"], record.item: {**item, "brings": number}}}


ITEMS = Projection(
    name="items",
    meaning="One row a leaf item: as captured until the order is planned, then as planned, with the day promised (as last revised) and the number it brings, which is the one of its port once that is agreed; ended_at is when it reached a final state.",
    shape_version=4,
    columns={
        "order_id": "text", "item": "text", "offering": "text", "specification": "text", "state": "text", "customer_id": "text",
        "channel": "text", "captured_at": "timestamptz", "promised_on": "date", "brings": "text", "ended_at": "timestamptz",
    },
    key=("order_id", "item"),
    indexes=("order_id", "customer_id", "state, captured_at", "brings"),
    types=concerns,
    fields=FIELDS | {"msisdn"},
    group=order_of,
    found_by="order",
    initial=INITIAL,
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

PROMISED_TO_CUSTOMER = """SELECT order_id AS "order", item, offering, state, promised_on FROM projection.items
WHERE customer_id = %s AND state <> ALL(%s) ORDER BY promised_on, order_id, item"""
"""What a customer still waits for, by the day promised. Parameters: the customer's id, and the final states, whose items are left out."""

ORDERS_BRINGING_NUMBER = "SELECT order_id FROM projection.items WHERE brings = %s"
"""The ids of the orders that were planned to bring a number in. Parameter: the number (E.164)."""

COUNT_BY_STATE = "SELECT state AS key, count(*) AS n FROM projection.items GROUP BY 1 ORDER BY 1"
"""How many items are in each state. No parameters."""

ROWS_OF_ORDERS = "SELECT * FROM projection.items WHERE order_id = ANY(%s) ORDER BY order_id, item"
"""The rows of the items of some orders. Parameter: the orders' ids."""
