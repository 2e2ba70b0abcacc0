"""When a fallout is over: the one rule, for the fallout queue and for the count on the order."""

from __future__ import annotations

from o2c.orders.rollup import GATES
from projections.engine.seen import Seen

ENDINGS = frozenset({"order.rejected", "order.completed", "order.partially-completed", "order.failed", "order.cancelled"})
"""The events that close an order for good."""

OF_STEP = frozenset({"done", "declined", "cancelled", "undone"})
OF_ITEM = frozenset({"item-failed", "item-cancelled"})


def closes(seen: Seen, item: str, step: str, fallout: str = "") -> bool:
    """Whether an event ends the fallout open on the given item and step.

    Success, a final no or the end of the step, item or (for a gate) order does; a correction or decision alone does not: its success will. Of several
    suspected duplicates of one order each is settled by its own id.
    """
    if seen.shape in OF_STEP:
        named = seen.body.get("fallout", fallout)
        return seen.item == item and seen.step == step and named == fallout
    if seen.shape in OF_ITEM:
        return seen.item == item
    return seen.type in ENDINGS and not item and step in GATES
