"""Stock: the state of each SIM, number and device, and the order it is with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen, stamp

Body = Mapping[str, Any]

_STATES: Mapping[str, Callable[[str], str]] = {
    "sim.received": lambda kind: "available",
    "sim.taken": lambda kind: "assigned",
    "sim.returned": lambda kind: "returned",
    "sim.scrapped": lambda kind: "scrapped",
    "sim.restocked": lambda kind: "available",
    "device.received": lambda kind: "available",
    "device.taken": lambda kind: "assigned",
    "device.returned": lambda kind: "returned",
    "device.restocked": lambda kind: "available",
    "device.blocked": lambda kind: "blocked",
    "device.given-up": lambda kind: "blocked",
    "number.received": lambda kind: "golden" if kind == "golden" else "available",
    "number.taken": lambda kind: "assigned",
    "number.quarantined": lambda kind: "quarantined",
    "number.claim-dropped": lambda kind: "quarantined",
    "number.rested": lambda kind: "golden" if kind == "golden" else "available",
    "number.reserved": lambda kind: "reserved",
    "number.reservation-released": lambda kind: "golden" if kind == "golden" else "available",
    "number.reservation-lapsed": lambda kind: "golden" if kind == "golden" else "available",
    "number.brought-in": lambda kind: "ported_in",
    "number.returned": lambda kind: "returned",
    "number.ported-out": lambda kind: "ported_out",
}
"""The state that a piece of stock has after each event, by its class. A number that is returned is with the holder of its range again, one
that is ported out with another operator.

A free golden number is `golden` and not `available`: the program never picks one by itself.
"""


def _group(record: Seen) -> str | None:
    return record.stream if record.stream.startswith(("sim-", "number-", "device-")) else None


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type == "device.unblocked":
        return {**doc, "state": "assigned" if doc.get("order_id") else "returned", "since": record.at}
    body = record.body
    kind = body.get("kind") or body.get("number_class") or body.get("sku") or doc.get("class", "")
    free_from = body.get("due_at")
    return {
        "kind": record.stream.partition("-")[0],
        "key": body.get("iccid") or body.get("msisdn") or body.get("imei"),
        "class": kind,
        "state": _STATES[record.type](kind),
        # What is blocked stays with whoever has it.
        "order_id": doc.get("order_id") if record.type == "device.blocked" else body.get("order"),
        "since": record.at,
        "available_from": stamp(datetime.fromisoformat(free_from)) if free_from else None,
    }


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    yield doc


STOCK = Projection(
    name="stock",
    meaning="One row a SIM (key: ICCID), number (key: MSISDN, E.164) or device (key: IMEI; its class is the SKU). available_from: when a returned, quarantined or reserved one can be assigned again.",
    shape_version=4,
    columns={
        "kind": "text", "key": "text", "class": "text", "state": "text", "order_id": "text", "since": "timestamptz",
        "available_from": "timestamptz",
    },
    key=("kind", "key"),
    indexes=("kind, key", "kind, class, state", "order_id"),
    types=frozenset({*_STATES, "device.unblocked"}),
    fields=frozenset({"iccid", "imei", "msisdn", "sku", "kind", "number_class", "order", "due_at"}),
    group=_group,
    found_by="stream",
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

HELD_BY_CUSTOMER = """SELECT key, class, state, since, order_id AS "order" FROM projection.stock
WHERE order_id IN (SELECT order_id FROM projection.orders WHERE customer_id = %s) AND kind = %s ORDER BY since, key"""
"""The pieces of stock that are with a customer's orders, the oldest first. Parameters: the customer's id, and `sim`, `number` or
`device`."""

HELD_BY_ORDERS = """SELECT s.order_id AS "order", taken.item, s.kind, s.key, s.class FROM projection.stock s, LATERAL (
    SELECT e.body ->> 'item' AS item FROM o2c.event e WHERE e.stream = s.kind || '-' || s.key AND e.type IN ('sim.taken', 'number.taken', 'number.brought-in', 'device.taken')
    ORDER BY e.version DESC LIMIT 1) taken
WHERE s.order_id = ANY(%s) AND s.state IN ('assigned', 'ported_in') ORDER BY s.since, s.key"""
"""The SIMs, numbers and devices that items of some orders have, the oldest first. Parameter: the orders' ids."""

WITH_ORDER = "SELECT order_id, state, since FROM projection.stock WHERE kind = %s AND key = %s AND order_id IS NOT NULL"
"""The order that a piece of stock is with, and since when; no row while it is with none. Parameters: `sim`, `number` or `device`, its
key."""

COUNT_BY_STATE = "SELECT state AS key, count(*) AS n FROM projection.stock WHERE kind = %s GROUP BY 1 ORDER BY 1"
"""How many pieces of one kind are in each state. Parameter: `sim`, `number` or `device`."""

LEVELS = (
    """SELECT kind, class, state, count(*) AS count FROM projection.stock WHERE %s = '' OR kind = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
)
"""How many pieces there are by kind, class and state. Parameter, twice: `sim`, `number` or `device`, or empty for all."""
