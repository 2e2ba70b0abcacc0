"""What customers have in service."""

from __future__ import annotations

from collections.abc import Sequence

from o2c.engine.app import Engine
from o2c.views.reading import Page, part_of
from o2c.views.shown import ProductShown
from projections import items


def list_products(
    app: Engine,
    *,
    orders: Sequence[str] = (),
    items_named: Sequence[str] = (),
    customers: Sequence[str] = (),
    offerings: Sequence[str] = (),
    captured_by: str = "",
    offset: int = 0,
    limit: int = 100,
) -> Page[ProductShown]:
    """What is in service, the oldest first: the item of the order that it came with, its offering and customer; the page says how much more there is.

    The projections must be caught up. Raises Refused (usage).
    """
    picked = {"orders": list(orders), "items": list(items_named), "customers": list(customers), "offerings": list(offerings)}
    return part_of(app, items.PRODUCTS, items.PRODUCTS_COUNT, {**picked, "captured_by": captured_by}, offset, limit)
