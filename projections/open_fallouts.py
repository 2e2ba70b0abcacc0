"""The one rule for when a fallout is closed, used by the fallout queue and by the count on the order."""

from __future__ import annotations

from o2c.orders.rollup import GATES, SUSPENSION
from projections.engine.seen import Seen

ENDINGS = frozenset({"order.rejected", "order.completed", "order.partially-completed", "order.failed", "order.cancelled"})
"""The events that close an order for good."""

OF_STEP = frozenset({"done", "declined", "cancelled", "undone", "given-up"})
OF_ITEM = frozenset({"item-failed", "item-cancelled"})


def closes(record: Seen, item: str, step: str, fallout: str = "") -> bool:
    """Whether an event closes the fallout that is open on the given item and step.

    The success, decline or end of the step closes it, and so does the end of its item or, for a gate, of its order. A correction or a
    decision alone does not: the step must succeed after it. An order may be suspected to be a duplicate of several others, and has a
    fallout for each, so an event that names a fallout closes that one only.
    """
    if record.shape in OF_STEP:
        named = record.body.get("fallout", fallout)
        return record.item == item and record.step == step and named == fallout
    if record.shape in OF_ITEM:
        return record.item == item
    return record.type in ENDINGS and not item and step in (*GATES, SUSPENSION)
