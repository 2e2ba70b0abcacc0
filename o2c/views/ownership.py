"""Whose own a thing is: who began its stream. An order is its captor's, a customer is whose papers were registered first, a hook its
subscriber's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from o2c.engine.app import Engine
from o2c.hooks.state import stream_of as hook_stream
from o2c.kernel.refusal import Refused
from o2c.views.orders import find_order

BEGUN_BY = "SELECT stream FROM o2c.event WHERE stream = ANY(%s) AND version = 1 AND actor = %s"
"""Which of some streams somebody began. Parameters: the streams, who."""

OF_EXTERNAL_ID = """SELECT stream FROM o2c.event
WHERE type = 'order.captured' AND body ->> 'external_id' = %s AND version = 1 AND actor = %s ORDER BY position LIMIT 1"""
"""The first order under an external id that somebody captured. Parameters: the external id, who."""


def begun_by(app: Engine, actor: str, streams: Iterable[str]) -> set[str]:
    """Those of some streams that somebody began."""
    return {row["stream"] for row in app.reads.rows(BEGUN_BY, list(streams), actor)}


def own_order(app: Engine, actor: str, name: str) -> str:
    """The id of an order that somebody captured, by its id or external id; empty where it is another's, or none: the answer is the same."""
    try:
        streams = [find_order(app, name)[0]]
    except Refused:  # none, or several of which one may be his
        streams = [row["stream"] for row in app.reads.rows(OF_EXTERNAL_ID, name, actor)]
    return next((stream.removeprefix("order-") for stream in streams if _is_own(app, actor, stream)), "")


def own_customer(app: Engine, actor: str, name: str) -> str:
    """The id of a customer that somebody registered; empty where it is another's, or none."""
    return name if _is_own(app, actor, f"customer-{name}") else ""


def own_invoice(app: Engine, actor: str, name: str) -> str:
    """The number of an invoice of a customer that somebody registered; empty where it is another's, or none."""
    from o2c.views.invoices import show_invoice

    try:
        customer = str(show_invoice(app, name)["customer"])
    except Refused:
        return ""
    return name if own_customer(app, actor, customer) else ""


def own_hook(app: Engine, actor: str, name: str) -> str:
    """The id of a hook that somebody subscribed; empty where it is another's, or none."""
    return name.removeprefix("hook-") if _is_own(app, actor, hook_stream(name)) else ""


def _is_own(app: Engine, actor: str, stream: str) -> bool:
    return stream in begun_by(app, actor, [stream])


OWN = {"order": own_order, "customer": own_customer, "invoice": own_invoice, "hook": own_hook}
"""By kind of thing, how its name is found among what is somebody's own."""


def customers_of(app: Engine, orders: Collection[str]) -> dict[str, str]:
    """The customers of some orders, by order id, as their streams have them."""
    loaded = app.load([f"order-{order}" for order in orders])
    return {order: str(loaded[f"order-{order}"].state.party) for order in orders}
