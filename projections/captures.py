"""Captures: the event that took each order down, what was ordered where, and the event that ended it. Figures over orders count these."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.open_fallouts import ENDINGS
from projections.order_progress import channel_of, order_of

_NOT_ENDED: Doc = {"ended_event": None, "ended_at": None, "ended_by": ""}


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type in ENDINGS:
        return {**doc, "ended_event": record.event_id, "ended_at": record.at, "ended_by": record.type}
    told = {"channel": channel_of(record), "market": record.body.get("market", "")}
    offerings = sorted({line["offering"] for line in record.body["lines"] if line.get("offering")})
    return {**doc, **told, "captured_event": record.event_id, "captured_at": record.at, "offerings": offerings}


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    if "captured_event" in doc:
        yield {"order_id": order_id, **doc}


CAPTURES = Projection(
    name="captures",
    meaning="One row an order: the events that took it down and ended it, its channel, its market as pinned, and the offerings of its lines.",
    shape_version=1,
    columns={
        "order_id": "text", "channel": "text", "market": "text", "captured_event": "text", "captured_at": "timestamptz", "offerings": "jsonb",
        "ended_event": "text", "ended_at": "timestamptz", "ended_by": "text",
    },
    key=("order_id",),
    indexes=("order_id", "captured_at"),
    types=ENDINGS | {"order.captured"},
    fields=frozenset({"channel", "lines", "market"}),
    group=order_of,
    found_by="order",
    initial=_NOT_ENDED,
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

CAPTURED_BETWEEN = """SELECT * FROM projection.captures
WHERE (%(since)s::timestamptz IS NULL OR captured_at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR captured_at < %(until)s)
ORDER BY captured_at, order_id"""
"""The orders captured from a time on and before another. Parameters: `since`, `until` (NULL: any)."""
