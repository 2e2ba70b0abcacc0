"""Arriving stock wakes the orders that wait for it: a delivery as many as it brought, a piece that is free again one."""

from __future__ import annotations

from typing import cast

from o2c.kernel.event import Event, Fact
from o2c.kernel.reaction import Reaction, Wake
from o2c.kernel.shapes import Done, Offered
from o2c.stock.events import StockArrived


def _brings_stock(cls: type[Event]) -> bool:
    return issubclass(cls, StockArrived) or (issubclass(cls, Offered) and cls.shape == Done.shape)


def supply_of(event: Event) -> tuple[Wake, ...]:
    """Give how many pieces an event of stock brings, as a Wake for each pool."""
    if isinstance(event, StockArrived):
        return tuple(Wake(pool, count) for pool, count in sorted(event.pools.items()))
    return (Wake(cast("Offered", event).offer()[0], 1),)


def _wakes(fact: Fact) -> tuple[Wake, ...]:
    return supply_of(fact.event)


STOCK_CAME = Reaction(name="wake-waiting-orders", concerns=_brings_stock, effects=_wakes)
