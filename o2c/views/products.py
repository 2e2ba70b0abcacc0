"""What customers have and had in service."""

from __future__ import annotations

from collections.abc import Sequence

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.following import show_stream
from o2c.views.reading import Page, part_of, plain
from o2c.views.shown import ProductEventShown, ProductShown
from projections import products

STATUSES = ("active", "suspended", "pendingTerminate", "terminated")
"""The statuses of a product. Source: TM Forum TMF637 v4.0.0, ProductStatusType; created, pendingActive and cancelled are of an item in its order."""


def list_products(
    app: Engine,
    *,
    orders: Sequence[str] = (),
    items_named: Sequence[str] = (),
    customers: Sequence[str] = (),
    offerings: Sequence[str] = (),
    statuses: Sequence[str] = (),
    captured_by: str = "",
    offset: int = 0,
    limit: int = 100,
) -> Page[ProductShown]:
    """Products, the oldest first: those in service, or those of some `statuses`; the page says how many more there are.

    There are as many in service as items were completed that brought one, without those that ended. The projections must be caught up. Raises Refused
    (usage), for a status that is none as well.
    """
    if unknown := sorted(set(statuses) - set(STATUSES)):
        raise Refused(f"{unknown[0]} is no status of a product; use some of {', '.join(STATUSES)}")
    picked = {"orders": list(orders), "items": list(items_named), "customers": list(customers), "offerings": list(offerings)}
    return part_of(app, products.LISTED, products.COUNT, {**picked, "statuses": list(statuses), "captured_by": captured_by}, offset, limit)


def product_history(app: Engine, product: str) -> list[ProductEventShown]:
    """What happened to a product, oldest first: each event with its time, who did it, and the order that it came from. Raises Refused (missing)."""
    events = show_stream(app, f"product-{product}")
    if not events:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    return [
        ProductEventShown(
            at=plain(event.occurred_at), event=event.type, what=_what(event.data), order=str(event.data.get("order", "")), actor=event.actor
        )
        for event in events
    ]


def _what(body: dict[str, object]) -> str:
    """In a word what changed."""
    attributes = body.get("attributes")
    if isinstance(attributes, list | tuple):
        return ", ".join(str(name) for name in attributes)
    return str(body.get("reason") or body.get("cause") or "")
