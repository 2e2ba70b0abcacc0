"""How an order goes on, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from o2c.customers.events import CreditReleased
from o2c.customers.state import stream_of
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused
from o2c.kernel.work import next_attempt
from o2c.orders import events
from o2c.orders.changing import dropped, stayed, taken_back_by_hand
from o2c.orders.ending import dependants, end_item, open_item, todo, unwind
from o2c.orders.in_life import in_service
from o2c.orders.planning import Book, ended_minor
from o2c.orders.promise import plan_and_promise, revise
from o2c.orders.renewal import renew_lost
from o2c.orders.revising import taken_back
from o2c.orders.rollup import FINAL, GATES, item_state, order_state
from o2c.orders.state import OrderState
from o2c.orders.suspending import nothing_left
from o2c.orders.vouchers import settled


def advance(state: OrderState, touched: frozenset[str], at: datetime, book: Book) -> Decision:
    """Decide what is asked for next: the next gate, the plan once all gates have passed, then every step whose waits are over, and last
    whether the days promised can still be kept.

    `touched` are the items that just changed; an empty one stands for the whole order. Nothing for an order that is over.
    """
    if state.closed:
        return NOTHING
    if over := _let_go(state, at, book):
        return over
    if not state.planned:
        return _next_gate(state, at, book)
    if settled_by_itself := nothing_left(state):
        return settled_by_itself
    decision = NOTHING
    near = _near(state, touched)
    for item in near:
        decision += _next_steps(state, item, at, book) or in_service(state, item, at, book)
    return decision or revise(state, near, at, book)


def _near(state: OrderState, touched: frozenset[str]) -> Sequence[str]:
    """Give the items that may go on, in the order of the plan: those touched and those that rely on them, or all."""
    if "" in touched:
        return list(state.items)
    near = {item for item in touched if item in state.items}
    near.update(*(state.relied_on_by.get(item, ()) for item in touched))
    return list(near) if len(near) < 2 else [item for item in state.items if item in near]


def _let_go(state: OrderState, at: datetime, book: Book) -> Decision:
    """Let go of things set aside for steps that will not run: of items that ended, and of an order that ended at its gates."""
    decision = NOTHING
    for item, steps in state.set_aside.items():
        progress = state.progress.items.get(item)
        if progress.ended if progress else order_state(state.progress) in FINAL | {"pendingCancellation"}:
            for step in steps:
                decision += book.steps[step].ending.let_go(todo(state, item, step, book), at)
    return decision


def _next_gate(state: OrderState, at: datetime, book: Book) -> Decision:
    if state.suspended or state.progress.cancellation:  # one that was suspended between two gates has none that its cancellation could end
        return NOTHING
    for gate in GATES:
        status = state.progress.gates.get(gate)
        if status is None:
            return book.steps[gate].request(todo(state, "", gate, book), at)
        if status != "done":
            return NOTHING
    return plan_and_promise(state, book, at)


def _next_steps(state: OrderState, item: str, at: datetime, book: Book) -> Decision:
    progress = state.progress.items[item]
    decision = NOTHING
    if progress.ended:
        return unwind(state, item, at, book)
    if lost := taken_back(state, item, at, book) or renew_lost(state, item, at, book):
        return lost
    if state.suspended:
        return NOTHING
    going_back = state.taken_back.get(item, {})
    for step, waits in state.items[item].waits.items():
        # What its partner is still asked to drop is asked for anew only when that is answered.
        if progress.steps[step] == "planned" and step not in going_back and all(_over(state, item, wait) for wait in waits):
            attempt = next_attempt(state.records.get(item, {}), step)
            decision += book.steps[step].request(todo(state, item, step, book), at, attempt=attempt)
    return decision


def _over(state: OrderState, item: str, wait: str) -> bool:
    base, _, step = wait.rpartition("/")
    goes_back, of_base = step in state.taken_back.get(base or item, {}), state.progress.items[base or item]
    if base and base not in state.items[item].relies_on and (of_base.ended or step not in of_base.steps):
        return True  # it was to be released together with this one, and is not to come any more
    return of_base.steps.get(step) in ("done", "given-up") and not goes_back


_CLOSING: dict[str, type[Event]] = {
    "completed": events.OrderCompleted,
    "partial": events.OrderPartiallyCompleted,
    "failed": events.OrderFailed,
    "cancelled": events.OrderCancelled,
}


def close(state: OrderState) -> Decision:
    """Give the order's own end once its roll-up is final; nothing when that is recorded already.

    What did not come to be takes nothing of the customer's credit limit any more.
    """
    how = order_state(state.progress)
    if state.closed or how not in FINAL:
        return NOTHING
    follows = settled(state, how) + dropped(state, _unplanned(state)) + taken_back_by_hand(state) + stayed(state)
    if how == "rejected":
        declined = next(gate for gate, status in state.progress.gates.items() if status == "declined")
        return just(events.OrderRejected(reason=state.record("", declined).reason)) + follows
    return just(_CLOSING[how]()) + _credit_released(state, how) + follows


def _unplanned(state: OrderState) -> tuple[str, ...]:
    """The lines of an order that was never planned; what is planned ends item by item."""
    return () if state.planned else tuple(line.item for line in state.lines)


def _credit_released(state: OrderState, how: str) -> Decision:
    committed_minor = int(state.record("", "credit").outcome.get("committed_minor", 0))
    released_minor = {"completed": 0, "partial": min(ended_minor(state), committed_minor)}.get(how, committed_minor)
    if not released_minor:
        return NOTHING
    return Decision(elsewhere=((stream_of(state.party), CreditReleased(order=state.order_id, released_minor=released_minor)),))


def fail_item(state: OrderState, item: str, *, reason: str, note: str, at: datetime, book: Book) -> Decision:
    """End an item for good: its results are taken back in reverse order, and the items that rely on it are cancelled.

    Nothing when the item ended already. Raises Refused: missing (the order has no such item), conflict (the item is completed). Source:
    order life cycle, section 1 (an item fails by an explicit decision).
    """
    if item not in state.items:
        raise Refused(f"order {state.external_id} has no item {item}; see its plan", kind="missing")
    if state.progress.items[item].ended:
        return NOTHING
    if item_state(state.progress.items[item]) == "completed":
        raise Refused(f"order {state.external_id}: item {item} is completed and cannot fail; order its end instead", kind="conflict")
    decision = end_item(state, events.ItemFailed(item=item, reason=reason, note=note), at, book)
    for dependant, base in dependants(state, (item,)).items():
        if open_item(state, dependant):
            decision += end_item(state, events.ItemCancelled(item=dependant, base=base), at, book)
    return decision
