"""Amending an order: a channel's or a person's wish to change what it says beside what is fulfilled."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.orders.amending import TEXTS, Amendment, amend
from o2c.orders.state import OrderState
from o2c.views.documents import texts_of
from o2c.views.orders import find_order

__all__ = ["TEXTS", "Amendment", "amend_order"]


def amend_order(app: Engine, context: Context, name: str, amendment: Amendment) -> Written:
    """Change an order's priority, category, description or contact, or add a note, by our id or its external id.

    What is so already is no change, except for a note. What is asked for from then on goes by the new priority. Raises Refused: missing, usage
    (a priority that is none, a text that is too long), conflict (the priority or category of an order that is over).
    """
    stream, _ = find_order(app, name)
    standing = texts_of(app, stream)

    def rule(state: OrderState, at: datetime) -> Decision:
        return amend(state, amendment, standing)

    return act(app, context, "orders.amend", Deed(stream, (rule,), ["amend", asdict(amendment)]))
