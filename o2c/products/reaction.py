"""The notices of terms that began before there were any: their products ask for them when a runner or worker begins.

Source: Directive (EU) 2018/1972, art. 105(3): every contract with a fixed term, whenever it was made.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, Fact
from o2c.kernel.reaction import DecideOn, Reaction
from o2c.products.events import ProductStarted
from o2c.products.state import ProductState, advance


def _started(cls: type[Event]) -> bool:
    return issubclass(cls, ProductStarted)


def _effects(fact: Fact) -> tuple[DecideOn, ...]:
    if cast("ProductStarted", fact.event).notices:
        return ()

    def ask(state: ProductState, at: datetime, book: Any) -> Decision:
        return advance(state, frozenset(), at, book)

    return (DecideOn(fact.stream, ask),)


NOTICED = Reaction(name="ask-for-the-notices-of-products-of-before", concerns=_started, effects=_effects, of_before=True)
"""The notices of products that an older program began; those of today ask by themselves, after each of their events."""
