"""When a level of danger is written down: when it is another than stands, of an item that is open. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.orders.ending import open_item
from o2c.orders.jeopardy_events import JeopardyCleared, JeopardyRaised
from o2c.orders.state import OrderState

NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class Foretold:
    """What is foretold of an item: its level (normal, hazard, critical), the chance of being late, the day promised and the one projected
    (ISO, empty for none). Of an order of which nothing is promised `item` and `promised_on` are empty."""

    item: str
    level: str
    chance_percent: int
    promised_on: str
    projected_on: str
    open_steps: Sequence[str]
    violated: Sequence[str]


def note(state: OrderState, foretold: Foretold) -> Decision:
    """Write down the level of an item, or (empty) of the order; nothing where it stands so already, and of what is over."""
    before = state.danger.get(foretold.item, NORMAL)
    is_open = not foretold.item or (foretold.item in state.items and open_item(state, foretold.item))
    if foretold.level == before or state.closed or not is_open:
        return NOTHING
    told = {"item": foretold.item, "before": before, "chance_percent": foretold.chance_percent}
    if foretold.level == NORMAL:
        return just(JeopardyCleared.model_validate(told))
    more = {name: getattr(foretold, name) for name in ("level", "promised_on", "projected_on", "open_steps", "violated")}
    return just(JeopardyRaised.model_validate({**told, **more}))
