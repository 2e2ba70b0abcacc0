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
            "category": doc.get("category", ""),
            "closed_at": doc.get("closed_at"),
        }


ORDERS = Projection(
    name="orders",
    meaning="One row an order: state by the roll-up, leaf items, open fallouts; captured_at and closed_at are business time.",
    shape_version=5,
    columns={
        "order_id": "text", "external_id": "text", "customer_id": "text", "state": "text", "channel": "text", "captured_at": "timestamptz",
        "items": "integer", "open_fallouts": "integer", "priority": "integer", "category": "text", "closed_at": "timestamptz",
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

_FILTERED = """(cardinality(%(orders)s::text[]) = 0 OR o.order_id = ANY(%(orders)s))
AND (cardinality(%(external_ids)s::text[]) = 0 OR o.external_id = ANY(%(external_ids)s))
AND (cardinality(%(states)s::text[]) = 0 OR o.state = ANY(%(states)s))
AND (cardinality(%(customers)s::text[]) = 0 OR o.customer_id = ANY(%(customers)s))
AND (cardinality(%(channels)s::text[]) = 0 OR o.channel = ANY(%(channels)s))
AND (cardinality(%(categories)s::text[]) = 0 OR o.category = ANY(%(categories)s))
AND (cardinality(%(mentioning)s::text[]) = 0 OR EXISTS (SELECT FROM o2c.event e, unnest(%(mentioning)s::text[]) AS word
    WHERE e.stream = 'order-' || o.order_id AND e.version = 1 AND position(word IN e.personal ->> 'original') > 0))
AND (cardinality(%(priorities)s::integer[]) = 0 OR o.priority = ANY(%(priorities)s))
AND (cardinality(%(captured_at)s::timestamptz[]) = 0 OR date_trunc('milliseconds', o.captured_at) = ANY(%(captured_at)s))
AND (%(captured_since)s::timestamptz IS NULL OR o.captured_at >= %(captured_since)s)
AND (%(captured_until)s::timestamptz IS NULL OR o.captured_at < %(captured_until)s)
AND (%(closed_since)s::timestamptz IS NULL OR o.closed_at >= %(closed_since)s)
AND (%(closed_until)s::timestamptz IS NULL OR o.closed_at < %(closed_until)s)
AND (%(captured_by)s = '' OR EXISTS (SELECT FROM o2c.event e WHERE e.stream = 'order-' || o.order_id AND e.version = 1 AND e.actor = %(captured_by)s))"""
"""Orders `o` as a caller picks them. Parameters: `orders`, `external_ids`, `states`, `customers`, `channels`, `categories`, `mentioning` (words of the paper), `priorities`, `captured_at` (to the
millisecond; each empty: any); `captured_since`, `closed_since` and, not included, `captured_until`, `closed_until` (NULL: any); `captured_by` (empty
text: anybody)."""

DOCUMENTED = f"""SELECT o.*, count(*) OVER () AS n FROM projection.orders o WHERE {_FILTERED}
ORDER BY CASE %(sort)s WHEN 'state' THEN o.state WHEN 'external_id' THEN o.external_id WHEN 'order' THEN o.order_id END,
    CASE %(sort)s WHEN '-state' THEN o.state WHEN '-external_id' THEN o.external_id WHEN '-order' THEN o.order_id END DESC,
    CASE %(sort)s WHEN 'priority' THEN o.priority END, CASE %(sort)s WHEN '-priority' THEN o.priority END DESC,
    CASE %(sort)s WHEN 'closed_at' THEN o.closed_at END, CASE %(sort)s WHEN '-closed_at' THEN o.closed_at END DESC NULLS LAST,
    CASE %(sort)s WHEN '-captured_at' THEN o.captured_at END DESC, o.captured_at, o.order_id OFFSET %(offset)s LIMIT %(limit)s"""
"""A page of orders, by capture time unless `sort` says otherwise, and how many there are in all (`n`). Parameters: those of the filter, `sort` (a
column, with a minus before it downwards), `offset`, `limit`."""

DOCUMENTED_COUNT = f"SELECT count(*) AS n FROM projection.orders o WHERE {_FILTERED}"
"""How many orders there are of those that a caller picks. Parameters: those of the filter."""
