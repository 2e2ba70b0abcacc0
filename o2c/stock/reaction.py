"""What stock does to the orders that wait for it.

It wakes them when it arrives: a delivery, or a range of numbers that is approved, as many as it brought, a piece that is free again one.
What is announced, moved or given up tells them when theirs is due.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from o2c.kernel.event import Event, Fact
from o2c.kernel.reaction import Expect, Reaction, Wake
from o2c.kernel.shapes import Done, Offered, OutOfStock, Requested, StepCancelled, StepStopped, Supply, Withdrawn, step_of


def _brings_stock(cls: type[Event]) -> bool:
    return issubclass(cls, Supply) or (issubclass(cls, Offered) and cls.shape == Done.shape)


def supply_of(event: Event) -> tuple[Wake, ...]:
    """Give how many pieces an event of stock brings, as a Wake for each pool."""
    if isinstance(event, Supply):
        return tuple(Wake(pool, count) for pool, count in sorted(event.brings().items()))
    return (Wake(cast("Offered", event).offer()[0], 1),)


def _wakes(fact: Fact) -> tuple[Wake, ...]:
    return supply_of(fact.event)


STOCK_CAME = Reaction(name="wake-waiting-orders", concerns=_brings_stock, effects=_wakes)


def stock_expected(*, drawing: Collection[str], sources: Collection[str]) -> Reaction:
    """Make the reaction that tells those who wait when their pieces are due, of the steps that draw on stock and those by which it comes.

    That changes when stock is announced, moved, taken in or stopped, when a piece is given back or is kept for somebody, and when another
    begins or ceases to wait. It is `from_now`: what an older store knew, it told.
    """
    generic = (StepCancelled, StepStopped)

    def concerns(cls: type[Event]) -> bool:
        kept = issubclass(cls, Withdrawn) and issubclass(cls, Requested)
        return kept or cls.step_name in sources or issubclass(cls, (OutOfStock, *generic))

    def effects(fact: Fact) -> tuple[Expect, ...]:
        event = fact.event
        beside = isinstance(event, generic) and step_of(event) not in {*drawing, *sources}
        return () if beside or (isinstance(event, OutOfStock) and not event.awaits) else (Expect(),)

    return Reaction(name="expect-stock", concerns=concerns, effects=effects, from_now=True)
