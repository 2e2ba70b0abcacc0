"""The desk for numbers: keeping one for an order, giving it back, looking at one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.frozen import changed
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.numbers import rules
from o2c.numbers.state import NumberState
from o2c.numbers.step import STEP
from o2c.orders.planning import plan_order
from o2c.orders.state import OrderState
from o2c.views.numbers import stream_named
from o2c.views.orders import find_order


def reserve(
    app: Engine, context: Context, msisdn: str, order: str, *, item: str = "", until: datetime | None = None, note: str = ""
) -> Written:
    """Keep a number for an item of an order (the only one with a number where none is named) until a time.

    A line that waits for a number from stock goes on with it at once. A number that rests is kept for an order of its former customer only,
    where its market lets them claim it. Raises Refused: missing (no such number, order or item), conflict (the item has or brings a number,
    the number is not free, somebody was faster), usage (which item is not clear, a time that is over).
    """
    stream, _ = find_order(app, order)
    beside = app.load([stream_named(msisdn)])
    number = beside[stream_named(msisdn)].state

    def keep(state: OrderState, at: datetime) -> Decision:
        work = _work(app, state, order, stream, item, at)
        decision = rules.reserve(work, number, msisdn=msisdn, until=until, note=note, at=at)
        if decision.events and work.waiting_for:
            return decision + STEP.request(work, at, attempt=work.attempt + 1, due_at=at)
        return decision

    wish = ["reserve", msisdn, item, until and stamp(until), note]
    return act(app, context, "numbers.reserve", Deed(stream, (keep,), wish, beside=beside))


def _work(app: Engine, state: OrderState, order: str, stream: str, item: str, at: datetime) -> Work:
    """The number step of the item that is meant. An order still at its gates is looked at as it would be planned now. Raises Refused."""
    if state.closed:
        raise Refused(f"order {order} is closed; there is nothing to reserve a number for", kind="conflict")
    subjects: dict[str, Any] = {name: planned for name, planned in state.items.items() if STEP.name in planned.waits}
    if not state.planned:
        if state.progress.gates.get("validation") != "done":
            raise Refused(f"order {order} is not validated yet, so that its lines are not known; reserve once it is", kind="conflict")
        planned = plan_order(state, app.book, at).items
        subjects = {one.item: one for one in planned if any(step.step == STEP.name for step in one.steps)}
    chosen = item or (next(iter(subjects)) if len(subjects) == 1 else "")
    if not chosen:
        raise Refused(f"order {order} has {len(subjects)} items that take a number; say which with --item: {', '.join(subjects)}")
    if chosen not in subjects:
        raise Refused(f"order {order} has no item {chosen} that takes a number; there are {', '.join(subjects) or 'none'}", kind="missing")
    progress = state.progress.items.get(chosen)
    if progress and progress.ended:
        raise Refused(f"order {order}: item {chosen} is {progress.ended}; there is nothing to reserve a number for", kind="conflict")
    return changed(app.work(stream, state, chosen, STEP.name), subject=subjects[chosen])


def release(app: Engine, context: Context, msisdn: str) -> Written:
    """Give a reserved number back to where it was before. Nothing where it is free already.

    Raises Refused: missing (no such number), conflict (it is not reserved, or somebody was faster).
    """

    def give_back(state: NumberState, at: datetime) -> Decision:
        return rules.release_reservation(state, msisdn=msisdn, at=at)

    return act(app, context, "numbers.release", Deed(stream_named(msisdn), (give_back,), ["release", msisdn]))
