"""The end of a service, or of a part of it, after its item was complete: what it used is given back, by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

from o2c.kernel.charges import ChargeWithdrawn, RestEnded
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event, Fact
from o2c.kernel.frozen import changed
from o2c.kernel.reaction import DecideOn, Reaction
from o2c.orders.ending import todo
from o2c.orders.events import ItemCeased
from o2c.orders.planning import Book
from o2c.orders.state import OrderState
from o2c.products.bases import end_with_base
from o2c.products.events import ProductChanged, ProductTerminated, product_of, product_stream
from o2c.products.rules import terminate
from o2c.products.state import ProductState


def cease(
    state: OrderState, item: str, *, ended_on: str, at: datetime, book: Book, steps: Collection[str] = (), whose: str = ""
) -> Decision:
    """Give back what the service of a complete item used, or what some of its steps obtained; nothing that was given back already, and
    nothing of an item that the order has not. It served the customer `whose` last, where another than the order's took it over.

    Source: each step says what it gives back (`Ending.cease`); numbers rest by the market's rules.
    """
    progress = state.progress.items.get(item)
    if progress is None or progress.ended or item in state.ceased:
        return NOTHING
    over = {step for step in steps if f"{item}/{step}" not in state.ceased}
    if steps and not over:
        return NOTHING
    decision = just(ItemCeased(item=item, ended_on=ended_on, steps=tuple(step for step in progress.steps if step in over)))
    served = changed(state, party=whose) if whose and whose != state.party else state
    for name, status in reversed(progress.steps.items()):
        if status == "done" and (name in over or not steps) and f"{item}/{name}" not in state.ceased:
            decision += book.steps[name].ending.cease(todo(served, item, name, book), state.record(item, name).outcome, at)
    return decision


def _withdrawn(cls: type[Event]) -> bool:
    return issubclass(cls, ChargeWithdrawn | RestEnded)


def _of_account(fact: Fact) -> tuple[DecideOn, ...]:
    """An account whose services were ended ends the product; an item of before there were products gives back what it used itself."""
    ended = cast("ChargeWithdrawn | RestEnded", fact.event)
    if ended.by_product or (isinstance(ended, ChargeWithdrawn) and not ended.served):
        return ()

    def end(state: ProductState, at: datetime, book: Any) -> Decision:
        return terminate(state, cause="account-terminated", ended_on=ended.ended_on)

    if isinstance(ended, RestEnded):
        return (DecideOn(product_stream(ended.product), end),)

    def give_back(state: OrderState, at: datetime, book: Any) -> Decision:
        return NOTHING if ended.item in state.in_service else cease(state, ended.item, ended_on=ended.ended_on, at=at, book=book)

    product = ended.product or product_of(ended.order, ended.item)
    return DecideOn(product_stream(product), end), DecideOn(f"order-{ended.order}", give_back)


CEASED = Reaction(name="give-back-what-a-service-used", concerns=_withdrawn, effects=_of_account)


def _of_product(cls: type[Event]) -> bool:
    return issubclass(cls, ProductChanged | ProductTerminated)


def _pieces(fact: Fact) -> tuple[DecideOn, ...]:
    """The items whose pieces serve the product no more, each with its steps, and the products that are to end with it."""
    event = cast("ProductChanged | ProductTerminated", fact.event)
    ended_on = event.changed_on if isinstance(event, ProductChanged) else event.ended_on
    steps: dict[str, list[str]] = defaultdict(list)
    for step, place in event.gives_back.items():
        steps[place].append(step)
    ends = event.ends if isinstance(event, ProductTerminated) else ()
    back = (_given_back(place, over, ended_on, fact.customer_id or "") for place, over in steps.items())
    return (*back, *(_ended_with_it(product, ended_on) for product in ends))


def _ended_with_it(product: str, ended_on: str) -> DecideOn:
    def decide(state: ProductState, at: datetime, book: Any) -> Decision:
        return end_with_base(state, ended_on, at)

    return DecideOn(product_stream(product), decide)


def _given_back(place: str, steps: Collection[str], ended_on: str, whose: str) -> DecideOn:
    order, _, item = place.partition("/")

    def decide(state: OrderState, at: datetime, book: Any) -> Decision:
        return cease(state, item, ended_on=ended_on, at=at, book=book, steps=steps, whose=whose)

    return DecideOn(f"order-{order}", decide)


PIECES = Reaction(name="give-back-the-pieces-of-a-product", concerns=_of_product, effects=_pieces)
