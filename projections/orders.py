"""Orders: what was ordered by whom, and how it stands."""

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
    shape_version=2,
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
