"""Writing down which promises came into danger, or out of it, since it was looked last."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from o2c.desk.act import Context, Deed, taken_down
from o2c.engine.app import Engine, Written
from o2c.kernel.decision import Decision
from o2c.orders.jeopardy import NORMAL, Foretold, note
from o2c.orders.state import OrderState
from o2c.views.jeopardy import Item, Learnt, damped, open_items

BY = Context("jeopardy")
"""Who it is that foretells."""
AT_ONCE = 200
"""So many orders are written to in one append."""


def note_jeopardy(app: Engine) -> int:
    """Write the level of each open item down that is another than was written last: hazard, critical, or normal again. Gives how many items that were.

    What is foretold is what `jeopardy list` shows, dampened. Looked at twice at the same time, or by two at once, it is written once: the order's own stream says how
    it stands. The projections must be caught up.
    """
    now = app.clock().now
    by_order: dict[str, list[Foretold]] = {}
    for item, learnt in open_items(app):
        foretold = _foretold(item, learnt, now)
        if foretold.level != (item.facts["danger"] or NORMAL):
            by_order.setdefault(item.order, []).append(foretold)
    deeds = [_deed(order, foretold) for order, foretold in by_order.items()]
    done = (each for first in range(0, len(deeds), AT_ONCE) for each in taken_down(app, BY, deeds[first : first + AT_ONCE]))
    written = sum(isinstance(each, Written) for each in done)
    return sum(map(len, by_order.values())) if written == len(deeds) else written


def _foretold(item: Item, learnt: Learnt, now: datetime) -> Foretold:
    level, chance = damped(learnt, item, now)
    projected = learnt.projected(item, now)
    return Foretold(
        item=item.item,
        level=level,
        chance_percent=round(chance * 100),
        promised_on=item.promised_on.isoformat(),
        projected_on=projected.date().isoformat() if projected else "",
        open_steps=tuple(dict.fromkeys(step for step, _ in item.open_steps(now))),
        violated=tuple(dict.fromkeys(learnt.violated(item, now))),
    )


def _deed(order: str, foretold: list[Foretold]) -> Deed:
    rules = tuple(partial(_noted, each) for each in foretold)
    return Deed(f"order-{order}", rules, ["jeopardy", *((each.item, each.level) for each in foretold)])


def _noted(foretold: Foretold, state: OrderState, at: datetime) -> Decision:
    return note(state, foretold)
