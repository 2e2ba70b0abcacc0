"""Fallouts: steps that could not go on by themselves, since when, in whose queue they are, and the event that closed each."""

from __future__ import annotations

from collections.abc import Iterator

from o2c.kernel.event import Event
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.open_fallouts import ENDINGS, OF_ITEM, OF_STEP, closes

_FIELDS = {
    "reason": "reason", "class": "fault_class", "origin": "origin", "waiting_for": "waiting_for", "queue": "queue",
    "recoverability": "recoverability", "detail": "detail", "partner_code": "partner_code",
}  # fmt: skip
"""The column of each field that an event of the shape `fell-out` has for a fallout."""

SUMMARY_VIEW = """
SELECT reason, queue, count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'closed') AS closed,
    count(DISTINCT stream) AS streams, sum(attempts) AS attempts, min(opened_at) FILTER (WHERE state = 'open') AS oldest_open_at
FROM projection.fallout GROUP BY reason, queue ORDER BY reason, queue
"""
"""The view `projection.fallout_summary`: how many fallouts there are of each reason in each queue, and since when the oldest is open."""


def _concerns(event: type[Event]) -> bool:
    return event.shape in {"fell-out", "expected"} | OF_STEP | OF_ITEM or event.type_name in ENDINGS


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.shape == "fell-out":
        return {**doc, record.body["fallout"]: _opened(doc.get(record.body["fallout"], {}), record)}
    if record.shape == "expected":
        of = record.item, record.step
        told = {name: row for name, row in doc.items() if row["state"] == "open" and (row["item"], row["step"]) == of}
        return {**doc, **{name: {**row, "detail": record.body.get("detail", "")} for name, row in told.items()}}
    closed = {
        fallout: {**row, "state": "closed", "closed_at": record.at, "closed_by": record.type}
        for fallout, row in doc.items()
        if row["state"] == "open" and closes(record, row["item"], row["step"], fallout)
    }
    return {**doc, **closed} if closed else doc


def _opened(old: Row, record: Seen) -> Row:
    fields = {column: record.body.get(name, "") for column, name in _FIELDS.items()}
    first = {"order_id": record.order_id, "opened_at": record.at, "attempts": 0, "cause_event": str(record.position)}
    row = {**first, **old, **fields, "item": record.item, "step": record.step, "state": "open", "closed_at": None, "closed_by": None}
    return {**row, "attempts": row["attempts"] + 1}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    for fallout, row in doc.items():
        yield {"fallout": fallout, "stream": stream, **row}


FALLOUT = Projection(
    name="fallout",
    meaning="One row a fallout, which stays: where it stopped and why, whom it waits for, attempts, and the event that closed it.",
    shape_version=1,
    columns={
        "fallout": "text", "order_id": "text", "stream": "text", "item": "text", "step": "text", "reason": "text", "class": "text",
        "origin": "text", "waiting_for": "text", "queue": "text", "opened_at": "timestamptz", "attempts": "integer", "state": "text",
        "closed_at": "timestamptz", "closed_by": "text", "cause_event": "text", "recoverability": "text",
        "detail": "text", "partner_code": "text",
    },
    key=("fallout",),
    indexes=("fallout", "order_id", "state, queue, opened_at"),
    types=_concerns,
    fields=frozenset({"fallout", *_FIELDS.values()}),
    group=lambda record: record.stream,
    found_by="stream",
    evolve=_evolve,
    rows=_rows,
    views={"fallout_summary": SUMMARY_VIEW},
)  # fmt: skip

SHOWN = {
    "fallout": "fallout", "order": "order_id",
    **{name: name for name in ("item", "step", "reason", "class", "origin", "waiting_for", "queue", "opened_at", "attempts")},
}  # fmt: skip
"""The name under which each part of a fallout is shown, and the column it comes from."""

_SHOWN_COLUMNS = ", ".join(f'{column} AS "{name}"' for name, column in SHOWN.items())

_OF_WHOM = """LEFT JOIN projection.orders o ON o.order_id = f.order_id
LEFT JOIN projection.invoices i ON f.stream = 'invoice-' || i.invoice"""
"""The order and the invoice of a fallout `f`."""

LISTED = f"""SELECT {", ".join(f'f.{column} AS "{name}"' for name, column in SHOWN.items())}, f.state, f.closed_at, f.stream, f.detail,
o.external_id, coalesce(o.customer_id, i.customer_id) AS customer, i.invoice, count(*) OVER () AS n
FROM projection.fallout f {_OF_WHOM}
WHERE (%(everything)s OR f.state = 'open') AND (%(queue)s = '' OR f.queue = %(queue)s) AND (%(reason)s = '' OR f.reason = %(reason)s)
AND (%(order)s = '' OR f.order_id = %(order)s) AND (%(customer)s = '' OR coalesce(o.customer_id, i.customer_id) = %(customer)s)
ORDER BY CASE %(sort)s WHEN 'queue' THEN f.queue WHEN 'reason' THEN f.reason WHEN 'order' THEN o.external_id
    WHEN 'customer' THEN coalesce(o.customer_id, i.customer_id) END,
    CASE %(sort)s WHEN 'newest' THEN f.opened_at END DESC, CASE %(sort)s WHEN 'attempts' THEN f.attempts END DESC, f.opened_at, f.fallout
LIMIT %(limit)s"""
"""Fallouts with the order, customer and invoice of each, and how many there are in all (`n`); the oldest first unless `sort` says otherwise.

Parameters: `everything` (closed ones too), `queue`, `reason`, `order` (its id), `customer` (empty text: any), `sort`, `limit` (NULL: all).
"""

OPEN_OF_ORDER = f"""SELECT {_SHOWN_COLUMNS} FROM projection.fallout WHERE state = 'open' AND order_id = %s ORDER BY opened_at, fallout"""
"""The open fallouts of an order, the oldest first. Parameter: the order's id."""

ROW_OF_FALLOUT = f"""SELECT f.*, o.external_id, coalesce(o.customer_id, i.customer_id) AS customer, i.invoice
FROM projection.fallout f {_OF_WHOM} WHERE f.fallout = %s OR (length(%s) BETWEEN 8 AND 35 AND f.fallout LIKE %s)"""
"""The row of a fallout with its order, customer and invoice. Parameters: its id, or the first letters of it, and those again with `%`."""

OPEN_OF_CUSTOMER = f"""SELECT {", ".join(f'f.{column} AS "{name}"' for name, column in SHOWN.items())} FROM projection.fallout f {_OF_WHOM}
WHERE f.state = 'open' AND coalesce(o.customer_id, i.customer_id) = %s ORDER BY f.opened_at, f.fallout"""
"""The open fallouts of a customer's orders and invoices, the oldest first. Parameter: the customer's id."""

COUNT_BY_STATE = "SELECT state AS key, count(*) AS n FROM projection.fallout GROUP BY 1"
"""How many fallouts are open and how many closed. No parameters."""

COUNT_BY_REASON = "SELECT reason AS key, count(*) AS n FROM projection.fallout GROUP BY 1 ORDER BY 1"
"""How many fallouts there ever were for each reason. No parameters."""

OPEN_BY_REASON = "SELECT reason AS key, count(*) AS n FROM projection.fallout WHERE state = 'open' GROUP BY 1 ORDER BY 1"
"""How many fallouts are open for each reason. No parameters."""

COUNT_BY_REASON_AND_QUEUE = """SELECT reason, queue, count(*) AS n, count(*) FILTER (WHERE state = 'open') AS open
FROM projection.fallout GROUP BY 1, 2 ORDER BY 3 DESC, 1"""
"""How many fallouts there ever were for each reason in each queue, and how many are open; the most frequent first. No parameters."""
