"""What customers have in service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from o2c.engine.app import Engine
from o2c.views.reading import Page, part_of
from o2c.views.shown import ProductShown
from projections import items, stock

_OWN: Mapping[str, Callable[[Mapping[str, str]], dict[str, str]]] = {
    "number": lambda row: {"msisdn": row["key"]},
    "sim": lambda row: {"iccid": row["key"], "sim_kind": row["class"]},
    "device": lambda row: {"imei": row["key"]},
}
"""What a piece of stock adds to the product that has it, by its kind."""
_COLUMNS = ("msisdn", "iccid", "sim_kind", "imei")


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
    """What is in service, the oldest first: the item of the order that it came with, its offering and customer, and the number, SIM or device that it has; the
    page says how much more there is.

    The projections must be caught up. Raises Refused (usage).
    """
    picked = {"orders": list(orders), "items": list(items_named), "customers": list(customers), "offerings": list(offerings)}
    page = part_of(app, items.PRODUCTS, items.PRODUCTS_COUNT, {**picked, "captured_by": captured_by}, offset, limit)
    held: dict[tuple[str, str], dict[str, str]] = {}
    for row in app.reads.rows(stock.HELD_BY_ORDERS, sorted({product["order"] for product in page})) if page else ():
        # The newest of each: it took the place of the others.
        own = _OWN[row["kind"]](row)
        held[row["order"], row["item"]] = {**held.get((row["order"], row["item"]), {}), **own}
    for product in page:
        product.update({**dict.fromkeys(_COLUMNS), **held.get((product["order"], product["item"]), {})})
    return page
