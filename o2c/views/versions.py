"""Which streams a page is made of, and at which versions they stand: what a caller decided by, so that a decision on an old page is
refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from o2c.customers.agreements import STREAM as CARE
from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.fallout.record import stream_of as record_stream
from o2c.journeys.state import POLICY_STREAM
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.products.events import product_stream
from o2c.views.fallouts import row_of_fallout
from o2c.views.invoice_papers import invoice_name
from o2c.views.numbers import stream_named
from o2c.views.orders import load_order
from o2c.withdrawals.state import withdrawal_stream

Versions = dict[str, int]


def _of_fallout(app: Engine, name: str) -> Versions:
    row = row_of_fallout(app, name)
    return _of_streams(app, str(row["stream"]), record_stream(row["fallout"]))


def _of_order(app: Engine, name: str) -> Versions:
    order = load_order(app, name)
    return {order.stream: order.version}


def _of_streams(app: Engine, *streams: str) -> Versions:
    loaded = app.load(streams)
    return {stream: loaded[stream].version for stream in streams}


STREAMS: Mapping[str, Callable[[Engine, str], Versions]] = {
    "balance.show": lambda app, name: _of_streams(app, account_stream(name)),
    "care.agreements": lambda app, _: _of_streams(app, CARE),
    "customers.show": lambda app, name: _of_streams(app, customer_stream(name)),
    "fallout.show": _of_fallout,
    "invoices.show": lambda app, name: _of_streams(app, invoice_stream(invoice_name(app, name))),
    "journeys.policy": lambda app, _: _of_streams(app, POLICY_STREAM),
    "numbers.show": lambda app, name: _of_streams(app, stream_named(name)),
    "orders.show": _of_order,
    "payments.show": lambda app, name: _of_streams(app, invoice_stream(name)),
    "products.withdrawal": lambda app, name: _of_streams(app, product_stream(name), withdrawal_stream(name)),
    "returns.show": lambda app, name: _of_streams(app, withdrawal_stream(name)),
}
"""The streams that the page of one thing is made of, each with the version that it stands at, by the name of the view that shows it. Of
some there is one alone."""


def versions_of(app: Engine, view: str, name: str) -> Versions:
    """The versions of the streams that a page is made of, by their names, always in one order. Raises Refused (missing) where the view
    does."""
    return STREAMS[view](app, name)
