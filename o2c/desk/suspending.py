"""Suspending orders in flight and resuming them: a person's wish carried through as one command."""

from __future__ import annotations

from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.periods import stamp
from o2c.orders.state import OrderState
from o2c.orders.suspending import WAITERS as WAITERS
from o2c.orders.suspending import resume, suspend
from o2c.views.orders import find_order


def suspend_order(app: Engine, context: Context, name: str, *, until: datetime, waits_for: str = "customer", note: str) -> Written:
    """Suspend an order in flight, by our id or its external id, until a time, or until it is resumed before.

    No gate, no step and no call to a partner begins meanwhile; what partners have is let finish, what a change or a cancellation takes back
    is taken back, and the days promised move. The order is `pending`, and what it waits is counted to whom it `waits_for` (customer, us,
    partner, regulator, channel). At that time it comes to a queue (ORD-SUSP). Suspended already, it has the new end. It can be changed and
    cancelled as before. Raises Refused: missing (no such order), conflict (it is over or is being cancelled; a number of it is on its way
    to us; somebody else was faster), usage (a time that is past or too far ahead; nobody of that name is waited for).
    """
    stream, _ = find_order(app, name)

    def rule(state: OrderState, at: datetime) -> Decision:
        return suspend(state, until=until, waits_for=waits_for, note=note, at=app.clock().latest(at), book=app.book)

    return act(app, context, "orders.suspend", Deed(stream, (rule,), ["suspend", stamp(until), waits_for, note]))


def resume_order(app: Engine, context: Context, name: str, *, note: str = "") -> Written:
    """Let a suspended order go on; its promises move to what is expected of it now. Nothing for one that is not suspended.

    Raises Refused: missing (no such order), conflict (somebody else was faster).
    """
    stream, _ = find_order(app, name)

    def rule(state: OrderState, at: datetime) -> Decision:
        return resume(state, note=note, at=app.clock().latest(at), book=app.book)

    return act(app, context, "orders.resume", Deed(stream, (rule,), ["resume", note]))
