"""Orders: one row an order, with its customer and its state."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.order_progress import FIELDS, INITIAL, concerns, evolve, order_of, state_of


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    if "captured_at" in doc:
        yield {
            "order_id": order_id,
            "external_id": doc["external_id"],
            "customer_id": doc["customer"],
            "state": state_of(doc),
            "channel": doc["channel"],
            "captured_at": doc["captured_at"],
            "items": len(doc["items"].keys() | doc["leaves"].keys()),
            "open_fallouts": len(doc["open"]),
            "priority": doc["priority"],
            "closed_at": doc.get("closed_at"),
        }


ORDERS = Projection(
    name="orders",
    meaning="One row an order: state by the roll-up, leaf items, open fallouts; captured_at and closed_at are business time.",
    shape_version=3,
    columns={
        "order_id": "text", "external_id": "text", "customer_id": "text", "state": "text", "channel": "text", "captured_at": "timestamptz",
        "items": "integer", "open_fallouts": "integer", "priority": "integer", "closed_at": "timestamptz",
    },
    key=("order_id",),
    indexes=("order_id", "external_id", "customer_id", "state, captured_at"),
    types=concerns,
    fields=FIELDS,
    group=order_of,
    found_by="order",
    initial=INITIAL,
    evolve=evolve,
    rows=_rows,
)  # fmt: skip

LISTED = """SELECT order_id AS "order", external_id, customer_id AS customer, state, channel, captured_at, items, open_fallouts,
count(*) OVER () AS n FROM projection.orders WHERE (%s = '' OR state = %s) AND (%s = '' OR customer_id = %s) ORDER BY captured_at, order_id LIMIT %s"""
"""Orders by capture time, and how many there are in all (`n`). Parameters: the state twice and the customer twice (empty text: any), and how many at most (NULL: all)."""

LISTED_OF_ACTOR = """SELECT o.order_id AS "order", o.external_id, o.customer_id AS customer, o.state, o.channel, o.captured_at, o.items,
    o.open_fallouts, count(*) OVER () AS n
FROM projection.orders o JOIN o2c.event e ON e.stream = 'order-' || o.order_id AND e.version = 1
WHERE (%s = '' OR o.state = %s) AND (%s = '' OR o.customer_id = %s) AND e.actor = %s ORDER BY o.captured_at, o.order_id LIMIT %s"""
"""The orders that somebody captured, by capture time, and how many there are in all (`n`). Parameters: the state twice and the customer twice
(empty text: any), who, and how many at most (NULL: all)."""

LISTED_BY_ID = """SELECT order_id AS "order", external_id, customer_id AS customer, state, channel, captured_at
FROM projection.orders WHERE order_id = ANY(%s) ORDER BY captured_at, order_id"""
"""Some orders by capture time. Parameter: their ids."""

ROW_OF_ORDER = "SELECT * FROM projection.orders WHERE order_id = %s"
"""The row of an order. Parameter: its id."""

ID_OF_ORDER = "SELECT order_id FROM projection.orders WHERE order_id = %s"
"""The id of an order if there is such an order. Parameter: the id."""

IDS_OF_EXTERNAL_ID = "SELECT order_id FROM projection.orders WHERE external_id = %s"
"""The ids of the orders with an external id. Parameter: the external id."""

IDS_OF_CUSTOMERS = "SELECT order_id FROM projection.orders WHERE customer_id = ANY(%s)"
"""The ids of all orders of some customers. Parameter: the customers' ids."""

CAPTURED_FROM = """SELECT order_id AS "order", external_id, captured_at,
    state = 'rejected' OR EXISTS (SELECT FROM projection.fallout f WHERE f.order_id = o.order_id) AS touched
FROM projection.orders o WHERE (captured_at, order_id) > (%s, %s) ORDER BY captured_at, order_id LIMIT %s"""
"""Orders by capture, with whether a step of theirs ever fell out or they were rejected (`touched`). Parameters: a time and an id, after which they
come; how many."""

COUNT_BY_STATE = "SELECT state AS key, count(*) AS n FROM projection.orders GROUP BY 1 ORDER BY 1"
"""How many orders are in each state. No parameters."""
