"""Everything that happened to an order, in the order of the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.charges import account_stream
from o2c.kernel.event import Fact, types_by_name
from o2c.views.invoices import invoice_streams
from o2c.views.orders import find_order
from o2c.views.reading import plain
from o2c.views.shown import TimelineEventShown

EVENTS_AROUND_ORDER = """
WITH near AS (
    SELECT *, split_part(stream, '-', 1) AS kind, coalesce(body ->> 'order', order_id::text) = %(order)s AS own FROM o2c.event
    WHERE stream = %(stream)s OR order_id = %(order)s::uuid OR stream = ANY(%(streams)s)
        OR (stream = %(customer)s AND type = 'customer.contacted' AND body ->> 'order' = %(order)s)
), placed AS (
    SELECT *, min(position) FILTER (WHERE own) OVER same AS first_own, max(position) FILTER (WHERE own) OVER same AS last_own,
        bool_or(type = 'invoice.issued' AND body -> 'lines' @> %(line)s::jsonb) OVER same AS billed
    FROM near WINDOW same AS (PARTITION BY stream)
)
SELECT position, event_id::text AS event, stream, version, type, recorded_at, occurred_at, actor, channel, command_id::text, causation::text, body FROM placed
WHERE CASE WHEN stream IN (%(stream)s, %(customer)s) THEN true
    WHEN %(whole)s THEN order_id IS NULL OR order_id = %(order)s::uuid OR kind IN ('account', 'invoice')
    WHEN kind = 'invoice' THEN billed
    WHEN kind = 'account' THEN position >= first_own AND (own OR NOT body ? 'order')
    ELSE own OR (order_id IS NULL AND position BETWEEN first_own AND last_own) END
ORDER BY position"""
"""The events of an order and of all that belongs to it, in the order of the log.

Of a SIM or number those between its first and its last event with this order; of its account those from its first charge on that are not
about another order; the invoices that bill it. `whole` takes all events of these streams that are no other order's.

Parameters: the order's `stream`, its id (`order`), the `streams` of its SIMs, numbers, devices, accounts and invoices, the `customer`'s
stream, a `line` of an invoice as JSON that names the order, and `whole`.
"""

MIRRORS = frozenset({"sim", "number", "device", "account"})
"""Streams that tell the order's story a second time, from the side of the stock or of the money."""
WAITING = frozenset({"requested", "silent", "retry", "unparked"})
"""Shapes by which nothing has happened yet: something is to be done."""


def order_timeline(app: Engine, name: str, *, whole: bool = False) -> Iterator[TimelineEventShown]:
    """What happened to an order and, while it concerned it, to its SIMs, numbers, devices, account and invoices, and contacts about it, in
    log order.

    `whole` takes in what happened to these before and after as well, as far as it names no other order.
    """
    from o2c.customers.state import stream_of as customer_stream

    stream, state = find_order(app, name)
    streams = set(_named_by(app, stream))
    for account in [other.removeprefix(account_stream("")) for other in streams if other.startswith(account_stream(""))]:
        streams.update(invoice_streams(app, account))
    line = f'[{{"order": "{state.order_id}"}}]'
    near = {"stream": stream, "order": state.order_id, "streams": sorted(streams), "customer": customer_stream(state.party), "line": line}
    for row in app.reads.rows(EVENTS_AROUND_ORDER, **near, whole=whole):
        body = row.pop("body")
        yield cast("TimelineEventShown", {**plain(row), "position": str(row["position"]), "data": body})


def matters(row: Mapping[str, Any]) -> bool:
    """Whether an event is one that a person who asks what happened wants to read: no request, no second telling."""
    kind = types_by_name().get(row["type"])
    return row["stream"].split("-", 1)[0] not in MIRRORS and not (kind and kind.shape in WAITING)


def _named_by(app: Engine, stream: str) -> Iterator[str]:
    """The streams that the events of a stream name: the order's SIMs, numbers, devices and accounts."""
    for fact in cast("Iterator[Fact]", app.events.get(stream)):
        for field, category in fact.event.named.items():
            if key := getattr(fact.event, field):
                yield f"{category}-{key}"
