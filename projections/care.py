"""Milestones of orders at which customers of some tiers are spoken to: when each was reached first, and the tier of the order's
customer."""

from __future__ import annotations

from collections.abc import Iterator

from projections.captures import APART
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.order_progress import order_of

_OF = {
    "order.captured": "received", "service.activated": "active", "order.cancelled": "cancelled", "order.rejected": "declined",
    "order.failed": "declined",
}  # fmt: skip


def _evolve(doc: Doc, record: Seen) -> Doc:
    body = record.body
    if record.type == "order.captured":
        doc = {**doc, "customer": body["party"], "tier": body["tier"], "market": body["market"]}
    elif record.type == "order.validated":
        return {**doc, "tier": body["tier"] or doc.get("tier", ""), "customer": record.customer_id or doc.get("customer", "")}
    elif record.type == "promise.revised":
        later = body["promised_on"] > body["promised_before"]
        return _reached(doc, "delay", body["promised_on"], record.at) if later else doc
    return _reached(doc, _OF[record.type], "", record.at)


def _reached(doc: Doc, milestone: str, about: str, at: str) -> Doc:
    """The first time counts: an order of many lines is spoken of once. Every later day that it is put off to is spoken of by itself."""
    stones = doc.get("stones", [])
    if any(stone[:2] == [milestone, about] for stone in stones):
        return doc
    return {**doc, "stones": [*stones, [milestone, about, at]]}


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    for milestone, about, at in doc.get("stones", []) if "market" in doc else []:
        shared = {"order_id": order_id, "customer_id": doc["customer"], "tier": doc["tier"], "market": doc["market"]}
        yield {**shared, "milestone": milestone, "about": about, "reached_at": at}


CARE = Projection(
    name="care",
    meaning="One row a milestone of an order that may call for a courtesy contact: when it was first reached, and the tier of the order's customer.",
    shape_version=1,
    columns={
        "order_id": "text", "milestone": "text", "about": "text", "customer_id": "text", "tier": "text", "market": "text",
        "reached_at": "timestamptz",
    },
    key=("order_id", "milestone", "about"),
    indexes=("order_id", "tier, reached_at", "customer_id"),
    types=frozenset({*_OF, "order.validated", "promise.revised"}),
    fields=frozenset({"party", "tier", "market", "promised_on", "promised_before"}),
    group=order_of,
    found_by="order",
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

REACHED = f"""SELECT k.customer_id AS customer, k.tier, k.order_id AS "order", o.external_id, k.milestone, k.reached_at, k.market
FROM projection.care k JOIN projection.orders o USING (order_id)
WHERE (k.tier = ANY(%(tiers)s) OR k.customer_id = ANY(%(customers)s)) AND (%(tier)s = '' OR k.tier = %(tier)s) AND (%(customer)s = '' OR k.customer_id = %(customer)s)
    AND (%(customer)s <> '' OR NOT {APART.format(order_id="k.order_id")}) AND (%(since)s::timestamptz IS NULL OR k.reached_at >= %(since)s) ORDER BY k.reached_at, k.order_id, k.milestone, k.about"""
"""The milestones of orders of customers of some tiers, and of some customers, the first reached first. Parameters, by name: tiers,
customers; of these one tier and one customer (empty: any, but for orders of programs and of tests of our own), since (NULL: ever)."""

SPOKEN = """SELECT c.customer_id AS customer, coalesce(c.order_id, '') AS "order", c.contacted_at AS at, e.actor AS by
FROM projection.contacts c JOIN o2c.event e ON e.position = c.position
WHERE c.direction = 'outbound' AND c.customer_id = ANY(%s) ORDER BY c.contacted_at"""
"""The contacts that we made with some customers, each with who of us did. Parameter: the customers."""
