"""Cancellations: one row a wish to cancel an order or a part of it, and what the answer was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.order_progress import order_of

REQUESTED, ACCEPTED, REFUSED = "cancellation.requested", "cancellation.accepted", "cancellation.refused"
_ANSWERS = {ACCEPTED: "accepted", REFUSED: "refused"}


def _evolve(doc: Doc, record: Seen) -> Doc:
    asked: list[dict[str, Any]] = doc["asked"]
    about = {"item": record.item, "part": record.body.get("part", "")}
    if record.type == REQUESTED:
        made = {
            "cancellation": record.event_id,
            **about,
            "requested_at": record.at,
            "actor": record.actor,
            "items": list(record.body["items"]),
            "reason": record.body.get("reason", ""),
        }
        return {**doc, "asked": [*asked, {**made, "answer": "", "answered_at": None, "past": {}}]}
    # Several are wished for and answered in one go; each answer is that of the last wish for the same that has none.
    place = next((n for n in reversed(range(len(asked))) if not asked[n]["answer"] and about.items() <= asked[n].items()), None)
    if place is None:
        return doc
    answered = {**asked[place], "answer": _ANSWERS[record.type], "answered_at": record.at, "past": record.body.get("past", {})}
    return {**doc, "asked": [*asked[:place], answered, *asked[place + 1 :]]}


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    for asked in doc["asked"]:
        yield {"order_id": order_id, **asked}


CANCELLATIONS = Projection(
    name="cancellations",
    meaning="One row a wish to cancel an order (item and part empty), an item of it, or a part of that; for which reason, whether it was accepted, or what is past its point of no return.",
    shape_version=2,
    columns={
        "order_id": "text", "cancellation": "text", "item": "text", "part": "text", "requested_at": "timestamptz", "actor": "text",
        "items": "jsonb", "answer": "text", "answered_at": "timestamptz", "past": "jsonb", "reason": "text",
    },
    key=("cancellation",),
    indexes=("order_id", "requested_at"),
    types=frozenset({REQUESTED, ACCEPTED, REFUSED}),
    fields=frozenset({"items", "part", "past", "reason"}),
    group=order_of,
    found_by="order",
    initial={"asked": []},
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

OF_ORDERS = """SELECT * FROM projection.cancellations WHERE order_id = ANY(%s) ORDER BY requested_at, cancellation"""
"""The cancellations of some orders, the first first. Parameter: the orders' ids."""

LISTED = """SELECT c.*, o.external_id, o.customer_id AS customer, o.state, o.closed_at, count(*) OVER () AS n
FROM projection.cancellations c JOIN projection.orders o ON o.order_id = c.order_id
WHERE c.item = '' AND c.part = '' AND (cardinality(%(ids)s::text[]) = 0 OR c.cancellation = ANY(%(ids)s))
AND (cardinality(%(orders)s::text[]) = 0 OR c.order_id = ANY(%(orders)s))
AND (%(captured_by)s = '' OR EXISTS (SELECT FROM o2c.event e WHERE e.stream = 'order-' || c.order_id AND e.version = 1 AND e.actor = %(captured_by)s))
ORDER BY c.requested_at, c.cancellation OFFSET %(offset)s LIMIT %(limit)s"""
"""Cancellations of whole orders, the first first, each with its order's state, and how many there are in all (`n`). Parameters: `ids` and
`orders` (empty: any), `captured_by`, who captured the order (empty text: anybody), `offset`, `limit`."""

LISTED_COUNT = """SELECT count(*) AS n FROM projection.cancellations c
WHERE c.item = '' AND c.part = '' AND (cardinality(%(ids)s::text[]) = 0 OR c.cancellation = ANY(%(ids)s))
AND (cardinality(%(orders)s::text[]) = 0 OR c.order_id = ANY(%(orders)s))
AND (%(captured_by)s = '' OR EXISTS (SELECT FROM o2c.event e WHERE e.stream = 'order-' || c.order_id AND e.version = 1 AND e.actor = %(captured_by)s))"""
"""How many cancellations of whole orders there are. Parameters: those of LISTED that pick."""

FOR_FIGURES = """SELECT DISTINCT ON (c.order_id) c.order_id, c.reason, EXISTS (SELECT FROM projection.promises p WHERE p.order_id = c.order_id
    AND (p.promised_on > p.first_promised_on OR p.promised_on < (c.requested_at AT TIME ZONE p.zone)::date)) AS late
FROM projection.cancellations c WHERE c.answer = 'accepted' AND c.part = '' ORDER BY c.order_id, c.requested_at DESC, c.cancellation"""
"""The last cancellation of each order that was accepted: for which reason, and whether a day promised had moved, or passed, by then. No
parameters."""
