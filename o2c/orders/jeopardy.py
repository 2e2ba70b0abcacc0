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
    """What is foretold of an item: its level (normal, hazard, critical), the chance of being late, the day promised and the one projected (ISO, empty for none)."""

    item: str
    level: str
    chance_percent: int
    promised_on: str
    projected_on: str
    open_steps: Sequence[str]
    violated: Sequence[str]


def note(state: OrderState, foretold: Foretold) -> Decision:
    """Write down the level of an item; nothing where it stands so already, and for an item that is over."""
    before = state.danger.get(foretold.item, NORMAL)
    if foretold.level == before or state.closed or foretold.item not in state.items or not open_item(state, foretold.item):
        return NOTHING
    told = {"item": foretold.item, "before": before, "chance_percent": foretold.chance_percent}
    if foretold.level == NORMAL:
        return just(JeopardyCleared.model_validate(told))
    more = {name: getattr(foretold, name) for name in ("level", "promised_on", "projected_on", "open_steps", "violated")}
    return just(JeopardyRaised.model_validate({**told, **more}))
