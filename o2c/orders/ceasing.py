"""The end of a service after its item was complete: what it used is given back, by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from o2c.kernel.charges import ChargeWithdrawn
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event, Fact
from o2c.kernel.reaction import DecideOn, Reaction
from o2c.orders.ending import todo
from o2c.orders.events import ItemCeased
from o2c.orders.planning import Book
from o2c.orders.state import OrderState


def cease(state: OrderState, item: str, *, ended_on: str, at: datetime, book: Book) -> Decision:
    """Give back what the service of a complete item used; nothing for one that ceased already, and for one that the order has not.

    Source: each step says what it gives back (`Ending.cease`); numbers rest by the market's rules.
    """
    progress = state.progress.items.get(item)
    if progress is None or progress.ended or item in state.ceased:
        return NOTHING
    decision = just(ItemCeased(item=item, ended_on=ended_on))
    for name, status in reversed(progress.steps.items()):
        if status == "done":
            decision += book.steps[name].ending.cease(todo(state, item, name, book), state.record(item, name).outcome, at)
    return decision


def _concerns(cls: type[Event]) -> bool:
    return issubclass(cls, ChargeWithdrawn)


def _effects(fact: Fact) -> tuple[DecideOn, ...]:
    ended = cast("ChargeWithdrawn", fact.event)
    if not ended.served:
        return ()

    def decide(state: OrderState, at: datetime, book: Any) -> Decision:
        return cease(state, ended.item, ended_on=ended.ended_on, at=at, book=book)

    return (DecideOn(f"order-{ended.order}", decide),)


CEASED = Reaction(name="give-back-what-a-service-used", concerns=_concerns, effects=_effects)
