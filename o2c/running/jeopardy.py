"""Writing down which promises came into danger, or out of it, since it was looked last: once, or again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from o2c.desk.act import Context, Deed, taken_down
from o2c.engine.app import Engine, Written
from o2c.kernel.decision import Decision
from o2c.orders.jeopardy import NORMAL, Foretold, note
from o2c.orders.state import OrderState
from o2c.running.looking import Looker
from o2c.running.session import Session
from o2c.store.turns import turn
from o2c.views.jeopardy import open_items
from o2c.views.jeopardy_learnt import Item, Learnt, damped
from o2c.views.reading import caught_up

BY = Context("jeopardy")
"""Who it is that foretells."""
AT_ONCE = 200
"""So many orders are written to in one append."""
EVERY_S = 900.0
"""A level counts once it held for six hours, so that a look each quarter of an hour misses none."""
NAME = "foretell"


class Foreteller(Looker):
    """Writes danger down as it comes and goes. One process at a time does; another waits for its turn. `noted` counts what was written
    down, `begun` is called as `run` begins."""

    waits = "jeopardy_waits_for_the_server"

    def __init__(self, session: Session, *, every_s: float = EVERY_S, begun: Callable[[], None] = lambda: None) -> None:
        super().__init__(session.app, every_s, begun)
        self.noted = 0

    def look(self) -> None:
        """Catch the projections up and write down what changed since the last look; nothing while another process has the turn."""
        with turn(self.app.log_recorder.datastore, NAME) as ours:
            if ours:
                caught_up(self.app)
                self.noted += note_jeopardy(self.app)


def note_jeopardy(app: Engine) -> int:
    """Write the level of each open item down that is another than was written last: hazard, critical, or normal again. Gives how many items
    that were.

    What is foretold is what `jeopardy list` shows, dampened. Looked at twice at the same time, or by two at once, it is written once: the
    order's own stream says how it stands. The projections must be caught up.
    """
    now = app.clock().now
    by_order: dict[str, list[Foretold]] = {}
    found = list(open_items(app))
    whole = app.load(f"order-{item.order}" for item, _ in found if not item.item)
    for item, learnt in found:
        foretold = _foretold(item, learnt, now)
        before = item.facts["danger"] if item.item else whole[f"order-{item.order}"].state.danger.get("", "")
        if foretold.level != (before or NORMAL):
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
        promised_on=item.promised_on.isoformat() if item.item else "",
        projected_on=projected.date().isoformat() if projected else "",
        open_steps=tuple(dict.fromkeys(step for step, _ in item.open_steps(now))),
        violated=tuple(dict.fromkeys(learnt.violated(item, now))),
    )


def _deed(order: str, foretold: list[Foretold]) -> Deed:
    rules = tuple(partial(_noted, each) for each in foretold)
    return Deed(f"order-{order}", rules, ["jeopardy", *((each.item, each.level) for each in foretold)])


def _noted(foretold: Foretold, state: OrderState, at: datetime) -> Decision:
    return note(state, foretold)
