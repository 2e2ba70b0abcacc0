"""When an order may be captured, how it goes on, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import stamp
from o2c.kernel.reasons import REASONS
from o2c.kernel.refusal import Refused
from o2c.orders import events
from o2c.orders.document import SOURCE, differing
from o2c.orders.ending import dependants, end_item, open_item, todo, unwind
from o2c.orders.planning import Book, plan_order
from o2c.orders.renewal import renew_lost
from o2c.orders.rollup import FINAL, GATES, item_state, order_state
from o2c.orders.state import OrderState
from o2c.orders.wish import Wish

Reception = Literal["captured", "duplicate", "resubmitted"]


def receive(
    state: OrderState, wish: Wish, *, intake: str, line: int, catalogue_version: int, market: str, now: datetime, original: str | None
) -> tuple[Reception, Decision]:
    """Take down an order, whatever it lacks, or recognise one that came before.

    The same content again is a duplicate and changes nothing; other content under the same external id is resubmitted, and waits for a
    person while the first stays in force. `market` is the pin of the rules that the order is under. `original` is the paper in force,
    needed only when the content differs. A repeat of the same line of the same intake (it was killed) gets the same reception and no
    events.

    Source: the table of imperfect orders (design, section 11).
    """
    if not state.external_id:
        return "captured", _capture(wish, intake=intake, line=line, catalogue_version=catalogue_version, market=market, now=now)
    if (state.intake, state.line) == (intake, line):
        return "captured", NOTHING
    if wish.fingerprint == state.fingerprint:
        return "duplicate", NOTHING
    for fingerprint, seen_intake, seen_line in state.resubmissions:
        if fingerprint == wish.fingerprint:
            return ("resubmitted" if (seen_intake, seen_line) == (intake, line) else "duplicate"), NOTHING
    paths = differing(*(json.loads(paper, parse_float=str) for paper in (original or "{}", wish.original)))
    resubmitted = events.OrderResubmitted(fingerprint=wish.fingerprint, intake=intake, line=line, differing=paths, original=wish.original)
    return "resubmitted", just(resubmitted, _suspected(state, wish))


def _capture(wish: Wish, *, intake: str, line: int, catalogue_version: int, market: str, now: datetime) -> Decision:
    captured = events.OrderCaptured(
        external_id=wish.external_id,
        source=SOURCE,
        order_date=stamp(wish.order_date),
        category=wish.category,
        priority=wish.priority,
        market=market,
        party=wish.party,
        account=wish.account,
        fingerprint=wish.fingerprint,
        intake=intake,
        line=line,
        catalogue_version=catalogue_version,
        lines=tuple(
            events.CapturedLine(item=x.item, parent=x.parent, action=x.action, quantity=x.quantity, offering=x.offering,
                                product=x.product, relies_on=x.relies_on, account=x.account, requested_start=x.requested_start,
                                requested_completion=x.requested_completion) for x in wish.lines
        ),
        details=tuple(events.LineDetail(characteristics=x.characteristics, place=x.place) for x in wish.lines),
        original=wish.original,
        owner=wish.owner,
        requested_start=wish.requested_start,
        requested_completion=wish.requested_completion,
    )  # fmt: skip
    return just(captured, events.ValidationRequested(due_at=max(wish.order_date, now)))


def _suspected(state: OrderState, wish: Wish) -> Event:
    reason = REASONS["DQ-DUP"]
    return events.DuplicateSuspected(
        fallout=derived_id("fallout", state.order_id, "duplicate", wish.fingerprint),
        attempt=len(state.resubmissions) + 1,
        reason=reason.code,
        fault_class=reason.fault_class,
        origin=reason.origin,
        recoverability=reason.recoverability,
        waiting_for=reason.waiting_for,
        queue=reason.queue,
    )


def advance(state: OrderState, touched: frozenset[str], at: datetime, book: Book) -> Decision:
    """Decide what is asked for next: the next gate, the plan once all gates have passed, then every step whose waits are over.

    `touched` are the items that just changed; an empty one stands for the whole order. Nothing for an order that is over.
    """
    if state.closed:
        return NOTHING
    if over := _let_go(state, at, book):
        return over
    if not state.planned:
        return _next_gate(state, at, book)
    decision = NOTHING
    for item in _near(state, touched):
        decision += _next_steps(state, item, at, book)
    return decision


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
    for gate in GATES:
        status = state.progress.gates.get(gate)
        if status is None:
            return book.steps[gate].request(todo(state, "", gate, book), at)
        if status != "done":
            return NOTHING
    return just(plan_order(state, book, at))


def _next_steps(state: OrderState, item: str, at: datetime, book: Book) -> Decision:
    progress = state.progress.items[item]
    decision = NOTHING
    if progress.ended:
        return unwind(state, item, at, book)
    if lost := renew_lost(state, item, at, book):
        return lost
    for step, waits in state.items[item].waits.items():
        if progress.steps[step] == "planned" and all(_over(state, item, wait) for wait in waits):
            attempt = state.record(item, step).attempt + 1 if step in state.records.get(item, {}) else 1
            decision += book.steps[step].request(todo(state, item, step, book), at, attempt=attempt)
    return decision


def _over(state: OrderState, item: str, wait: str) -> bool:
    base, _, step = wait.rpartition("/")
    return state.progress.items[base or item].steps.get(step) == "done"


_CLOSING: dict[str, type[Event]] = {
    "completed": events.OrderCompleted,
    "partial": events.OrderPartiallyCompleted,
    "failed": events.OrderFailed,
    "cancelled": events.OrderCancelled,
}


def close(state: OrderState) -> Decision:
    """Give the order's own end once its roll-up is final; nothing when that is recorded already."""
    how = order_state(state.progress)
    if state.closed or how not in FINAL:
        return NOTHING
    if how == "rejected":
        declined = next(gate for gate, status in state.progress.gates.items() if status == "declined")
        return just(events.OrderRejected(reason=state.record("", declined).reason))
    return just(_CLOSING[how]())


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
