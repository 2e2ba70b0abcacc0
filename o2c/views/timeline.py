"""Everything that happened to an order, in the order of the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.kernel.charges import account_stream
from o2c.kernel.event import Fact
from o2c.views.invoices import invoice_streams
from o2c.views.orders import find_order
from o2c.views.reading import plain

EVENTS_AROUND_ORDER = """
SELECT position, stream, version, type, recorded_at, occurred_at, actor, channel, command_id::text, causation::text, body
FROM o2c.event WHERE stream = %s OR order_id = %s OR (stream = ANY(%s) AND
    (order_id IS NULL OR order_id = %s OR split_part(stream, '-', 1) IN ('account', 'invoice')))
    OR (stream = %s AND type = 'customer.contacted' AND body ->> 'order' = %s) ORDER BY position"""
"""The events of an order and of all that belongs to it, in the order of the log.

Parameters: the order's stream, its id, the streams of its SIMs, numbers, accounts and invoices, its id, the customer's stream, its id.
"""


def order_timeline(app: Engine, name: str) -> Iterator[dict[str, Any]]:
    """Every event of an order, those of its SIMs, numbers, account and invoices, and contacts about it, in log order."""
    stream, state = find_order(app, name)
    streams = set(_named_by(app, stream))
    for account in [other.removeprefix(account_stream("")) for other in streams if other.startswith(account_stream(""))]:
        streams.update(invoice_streams(app, account))
    contacts = (customer_stream(state.party), state.order_id)
    for row in app.reads.rows(EVENTS_AROUND_ORDER, stream, state.order_id, sorted(streams), state.order_id, *contacts):
        body = row.pop("body")
        yield {**plain(row), "position": str(row["position"]), "data": body}


def _named_by(app: Engine, stream: str) -> Iterator[str]:
    """The streams that the events of a stream name: the order's SIMs, numbers and accounts."""
    for fact in cast("Iterator[Fact]", app.events.get(stream)):
        for field, category in fact.event.named.items():
            if key := getattr(fact.event, field):
                yield f"{category}-{key}"
