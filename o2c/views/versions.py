"""Which streams a page is made of, and at which versions they stand: what a caller decided by, so that a decision on an old page is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.fallout.record import stream_of as record_stream
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.views.fallouts import row_of_fallout
from o2c.views.invoice_papers import invoice_name
from o2c.views.numbers import stream_named
from o2c.views.orders import find_order


def _of_fallout(app: Engine, name: str) -> tuple[str, ...]:
    row = row_of_fallout(app, name)
    return str(row["stream"]), record_stream(row["fallout"])


STREAMS: Mapping[str, Callable[[Engine, str], tuple[str, ...]]] = {
    "balance.show": lambda app, name: (account_stream(name),),
    "customers.show": lambda app, name: (customer_stream(name),),
    "fallout.show": _of_fallout,
    "invoices.show": lambda app, name: (invoice_stream(invoice_name(app, name)),),
    "numbers.show": lambda app, name: (stream_named(name),),
    "orders.show": lambda app, name: (find_order(app, name)[0],),
    "payments.show": lambda app, name: (invoice_stream(name),),
}
"""The streams that the page of one thing is made of, by the name of the view that shows it."""


def versions_of(app: Engine, view: str, name: str) -> dict[str, int]:
    """The versions of the streams that a page is made of, by their names, always in one order. Raises Refused (missing) where the view does."""
    streams = STREAMS[view](app, name)
    loaded = app.load(streams)
    return {stream: loaded[stream].version for stream in streams}
