"""Contacts with customers: when, by which medium and about which topic. The text of a contact is personal and stays in the log."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen


def _evolve(doc: Doc, record: Seen) -> Doc:
    body = record.body
    topic = {name: body[name] for name in ("medium", "topic", "direction")}
    about = {"customer_id": body["customer"], "order_id": body["order"] or None}
    return {"contact": record.event_id, "position": record.position, **about, **topic, "contacted_at": record.at}


def _rows(contact: str, doc: Doc) -> Iterator[Row]:
    yield doc


CONTACTS = Projection(
    name="contacts",
    meaning="One row a contact with a customer, by the id of its event: medium, topic, direction, and the order it was about, if any.",
    shape_version=1,
    columns={
        "contact": "text", "position": "bigint", "customer_id": "text", "order_id": "text", "medium": "text", "topic": "text", "direction": "text",
        "contacted_at": "timestamptz",
    },
    key=("contact",),
    indexes=("customer_id, position", "order_id", "topic, contacted_at"),
    types=frozenset({"customer.contacted"}),
    fields=frozenset({"customer", "order", "medium", "topic", "direction"}),
    group=lambda record: record.event_id,
    found_by="event",
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

ABOUT_ORDERS = """SELECT order_id, contacted_at, medium, direction FROM projection.contacts
WHERE order_id IS NOT NULL AND (cardinality(%(orders)s::text[]) = 0 OR order_id = ANY(%(orders)s)) ORDER BY contacted_at, position"""
"""The contacts about orders, the first first. Parameter: `orders` (none: any)."""
