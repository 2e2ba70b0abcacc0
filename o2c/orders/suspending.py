"""Suspending an order while it is carried out, and resuming it: nothing new begins meanwhile, what partners have of it goes on.

Source: order life cycle, section 1 (`pending`: it waits for somebody, and has a time-out); a fulfilment order that is suspended keeps its
plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Requested, StepCancelled
from o2c.kernel.step import Referral, Step
from o2c.kernel.work import Work, next_attempt
from o2c.orders.ending import open_item, todo
from o2c.orders.planning import Book
from o2c.orders.promise import promised_anew
from o2c.orders.readings import waits_while_suspended
from o2c.orders.rollup import FINAL, SUSPENSION, order_state
from o2c.orders.state import OrderState, evolve
from o2c.orders.suspension_events import OrderResumed, OrderSuspended, SuspensionFellOut
from o2c.orders.wish import PORT_IN

OVERRAN = "ORD-SUSP"
"""Our code for an order that is suspended longer than it was to be."""
WAITERS = ("customer", "us", "partner", "regulator", "channel")
"""For whom an order may wait that is suspended."""


def suspend(state: OrderState, *, until: datetime, waits_for: str, note: str, at: datetime, book: Book) -> Decision:
    """Suspend an order until a time, or suspend it for longer or shorter than it is; nothing where it is suspended so already.

    Its promises move to what is expected of it then. Raises Refused: conflict (an order that is over or is being cancelled; a number of it
    is on its way to us, which would arrive on a line that is not on), usage (a time that is past, or is beyond the market's horizon of
    orders; nobody of that name is waited for).
    """
    how, name = order_state(state.progress), f"order {state.external_id}"
    if how in FINAL or how == "pendingCancellation":
        raise Refused(f"{name} is {how}; there is nothing to suspend", kind="conflict")
    last = at + timedelta(days=book.market(state.market).order_horizon_days)
    if not at < until <= last:
        raise Refused(f"{name} can be suspended until a time to come, {last:%Y-%m-%d} at the latest")
    if waits_for not in WAITERS:
        raise Refused(f"{name}: say for whom it waits: {', '.join(WAITERS)}")
    if coming := [item for item in state.items if _number_comes(state, item, at, book)]:
        raise Refused(f"{name}: the number of item {coming[0]} is on its way; cancel that first (`o2c ports cancel`)", kind="conflict")
    record = state.record("", SUSPENSION)
    if state.suspended and (state.suspended_until, state.suspended_for, record.waiting_for) == (until, waits_for, ""):
        return NOTHING
    attempt = next_attempt(state.records.get("", {}), SUSPENSION)
    event = OrderSuspended.model_validate({"attempt": attempt, "due_at": until, "waits_for": waits_for, "note": note})
    return just(event) + (_promised(evolve(state, event), at, book) if state.planned else NOTHING)


def _number_comes(state: OrderState, item: str, at: datetime, book: Book) -> bool:
    """Whether a number is being ported to an item: a partner has its port, and the line does not have it yet."""
    steps = {name: status for name, status in state.progress.items[item].steps.items() if book.steps[name].part == PORT_IN}
    with_partner = any(status == "done" or todo(state, item, name, book).with_partner(name, at) for name, status in steps.items())
    return open_item(state, item) and with_partner and not set(steps.values()) <= {"done", "given-up"}


def resume(state: OrderState, *, note: str, at: datetime, book: Book) -> Decision:
    """Let a suspended order go on: what was put off is asked for anew, and its promises move to what is expected of it now. Nothing for one
    that is not suspended."""
    if not state.suspended:
        return NOTHING
    event = OrderResumed(attempt=state.record("", SUSPENSION).attempt, note=note)
    decision, after = just(event), evolve(state, event)
    for item, step in _put_off(state, at, book):
        work = todo(after, item, step, book)
        again = book.steps[step].request(work, at, attempt=work.attempt)
        [asked] = again.events
        if isinstance(asked, Requested) and asked.due_at < work.sent[step]:
            decision, after = decision + again, evolve(after, asked)
    return decision + (_promised(after, at, book) if state.planned else NOTHING)


def _promised(state: OrderState, at: datetime, book: Book) -> Decision:
    still_open, own = [item for item in state.items if open_item(state, item)], state.suspended_for == "customer"
    return promised_anew(state, still_open, at, book, cause_step=SUSPENSION, by_customer=own)


def _put_off(state: OrderState, at: datetime, book: Book) -> Iterator[tuple[str, str]]:
    """What is asked for and has not begun: nobody has it yet."""
    gates = [("", gate) for gate, status in state.progress.gates.items() if status == "requested"]
    steps = [(item, step) for item, of in state.progress.items.items() for step, status in of.steps.items() if status == "requested"]
    for item, step in (*gates, *steps):
        work = todo(state, item, step, book)
        if waits_while_suspended(state, item, step) and step in work.sent and not work.with_partner(step, at):
            yield item, step


def nothing_left(state: OrderState) -> Decision:
    """End the suspension of an order of which nothing is left to begin: every item is over."""
    over = state.suspended and state.planned and not any(open_item(state, item) for item in state.items)
    return just(StepCancelled(item="", step=SUSPENSION)) if over else NOTHING


def _overran(work: Work, at: datetime) -> str:
    return f"{OVERRAN}: it was to be until {work.state.suspended_until:%Y-%m-%d}"


def _resumed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(OrderResumed(attempt=work.attempt))


def _decide(work: Work, approve: bool, at: datetime) -> Decision:
    """A person who approves lets the order go on. There is no other decision: who wants it no more cancels the order."""
    return _resumed(work, {}, at) if approve else NOTHING


def _same_again(work: Work) -> Mapping[str, Any]:
    return {"waits_for": work.state.suspended_for or "us"}


STEP = Step(
    name=SUSPENSION,
    requested=OrderSuspended,
    fell_out=SuspensionFellOut,
    complete=_resumed,
    check=_overran,
    facts=_same_again,
    referral=Referral(decide=_decide),
)
