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
    told["apart"] = record.body.get("apart", "")
    return {**doc, **told, "captured_event": record.event_id, "captured_at": record.at, "offerings": offerings}


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    if "captured_event" in doc:
        yield {"order_id": order_id, **doc}


CAPTURES = Projection(
    name="captures",
    meaning="One row an order: the events that took it down and ended it, its channel, its market as pinned, the offerings of its lines, and whether it is a program's (bot) or a test of our own.",
    shape_version=2,
    columns={
        "order_id": "text", "channel": "text", "market": "text", "captured_event": "text", "captured_at": "timestamptz", "offerings": "jsonb",
        "ended_event": "text", "ended_at": "timestamptz", "ended_by": "text", "apart": "text",
    },
    key=("order_id",),
    indexes=("order_id", "captured_at"),
    types=ENDINGS | {"order.captured"},
    fields=frozenset({"channel", "lines", "market", "apart"}),
    group=order_of,
    found_by="order",
    initial=_NOT_ENDED,
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

APART = "EXISTS (SELECT FROM projection.captures nobodys WHERE nobodys.order_id = {order_id} AND nobodys.apart <> '')"
"""Whether nobody wished an order: it is a program's, or a test of our own. Part: the order's id."""

ALL_APART = "SELECT order_id FROM projection.captures WHERE apart <> ''"
"""The orders that nobody wished, by their ids. No parameters."""

CAPTURED_BETWEEN = """SELECT * FROM projection.captures
WHERE (%(since)s::timestamptz IS NULL OR captured_at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR captured_at < %(until)s)
    AND apart = '' ORDER BY captured_at, order_id"""
"""The orders captured from a time on and before another, without those of programs and of tests of our own. Parameters: `since`, `until`
(NULL: any)."""

FLOW = """WITH fell AS (SELECT f.opened_at, f.closed_at FROM projection.fallout f LEFT JOIN projection.captures c USING (order_id) WHERE coalesce(c.apart, '') = ''
), happened (at, captured, ended, opened, closed) AS (
    SELECT captured_at, 1, 0, 0, 0 FROM projection.captures WHERE apart = '' UNION ALL SELECT ended_at, 0, 1, 0, 0 FROM projection.captures WHERE apart = ''
    UNION ALL SELECT opened_at, 0, 0, 1, 0 FROM fell UNION ALL SELECT closed_at, 0, 0, 0, 1 FROM fell
)
SELECT (at AT TIME ZONE 'UTC')::date AS day, sum(captured) AS captured, sum(ended) AS ended, sum(opened) AS opened, sum(closed) AS closed
FROM happened WHERE at IS NOT NULL AND (%(since)s::timestamptz IS NULL OR at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
GROUP BY 1 ORDER BY 1"""
"""How many orders were captured and ended and fallouts opened and closed, by day (UTC), but for the orders of programs and of tests of our
own. Parameters: `since`, `until` (NULL: any)."""

DURATIONS = """SELECT c.order_id AS "order", o.external_id, c.channel, c.captured_at, c.ended_at,
    round(extract(epoch FROM c.ended_at - c.captured_at)::numeric, 3) AS seconds
FROM projection.captures c JOIN projection.orders o USING (order_id)
WHERE c.ended_by IN ('order.completed', 'order.partially-completed') AND c.apart = ''
    AND (%(since)s::timestamptz IS NULL OR c.captured_at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR c.captured_at < %(until)s)
ORDER BY seconds DESC, c.order_id"""
"""How long the orders took that completed, whole or in part, the slowest first. Parameters: `since`, `until` of their capture (NULL:
any)."""
