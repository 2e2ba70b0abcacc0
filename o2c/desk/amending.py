"""Amending an order: a channel's or a person's wish to change what it says beside what is fulfilled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.merging import merged
from o2c.orders.amending import TEXTS, Amendment, amend
from o2c.orders.state import OrderState
from o2c.views.documents import texts_of
from o2c.views.orders import find_order

__all__ = ["TEXTS", "Amendment", "AmendmentAsSent", "annotate_order", "merged"]


@dataclass(frozen=True, slots=True)
class AmendmentAsSent(Amendment):
    """An amendment that is told as a change of what the order says, and follows only from how the order stands when it is made.

    `sent` is what was asked for, to the letter: that tells a repeat from another wish, for by then the order stands differently. `found`
    works the amendment out; it is called only for what is not a repeat, and may raise Refused.
    """

    sent: str = field(default="", repr=False)
    found: Callable[[], Amendment] = field(default=Amendment, repr=False)


def annotate_order(app: Engine, context: Context, name: str, amendment: Amendment) -> Written:
    """Change an order's priority, category, description or contact, or add a note, by our id or its external id.

    What is so already is no change, except for a note. What is asked for from then on goes by the new priority. Raises Refused: missing,
    usage (a priority that is none, a text that is too long), conflict (the priority or category of an order that is over), and as `found`
    does.
    """
    stream, _ = find_order(app, name)

    def rule(state: OrderState, at: datetime) -> Decision:
        # Read after the order's state was: what is written in between is seen, or makes this stale.
        wished = amendment.found() if isinstance(amendment, AmendmentAsSent) else amendment
        return amend(state, wished, texts_of(app, stream))

    wish = ["amend", "as sent", amendment.sent] if isinstance(amendment, AmendmentAsSent) else ["amend", asdict(amendment)]
    return act(app, context, "orders.annotate", Deed(stream, (rule,), wish))
