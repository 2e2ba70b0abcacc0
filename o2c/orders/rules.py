"""When an order may be captured, how it goes on, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from o2c.customers.events import CreditReleased
from o2c.customers.state import stream_of
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.flow import fields_of
from o2c.kernel.identifiers import order_id
from o2c.kernel.periods import stamp
from o2c.kernel.reasons import Codes
from o2c.kernel.refusal import Refused
from o2c.orders import events
from o2c.orders.changing import dropped, stayed
from o2c.orders.document import SOURCE, differing
from o2c.orders.ending import dependants, end_item, open_item, todo, unwind
from o2c.orders.in_life import in_service
from o2c.orders.planning import Book, ended_minor
from o2c.orders.promise import plan_and_promise, revise
from o2c.orders.purchase_order_events import PurchaseOrderGiven
from o2c.orders.renewal import renew_lost
from o2c.orders.revising import captured, taken_back
from o2c.orders.rollup import FINAL, GATES, item_state, order_state
from o2c.orders.state import OrderState, Resubmission, suspicion
from o2c.orders.suspending import nothing_left
from o2c.orders.vouchers import settled
from o2c.orders.wish import Wish

Reception = Literal["captured", "duplicate", "resubmitted"]
DIFFERENCES_SHOWN = 8
"""How many differing fields the fallout of a resubmission names; the event has them all."""


@dataclass(frozen=True, slots=True)
class SetApart:
    """Whether a paper is a program's (bot) or a test of our own, and by what; false for somebody's who may want to buy."""

    apart: Literal["", "bot", "test"] = ""
    by: str = ""

    def __bool__(self) -> bool:
        return bool(self.apart)


NOT_APART = SetApart()


def receive(
    state: OrderState,
    wish: Wish,
    *,
    intake: str,
    line: int,
    catalogue_version: int,
    market: str,
    now: datetime,
    original: str | None,
    codes: Codes,
    first_channel: str = "",
    tier: str = "",
    same_wish: str = "",
    apart: SetApart = NOT_APART,
) -> tuple[Reception, Decision]:
    """Take down an order, whatever it lacks, or recognise one that came before.

    The same content again is a duplicate and changes nothing; other content under the same external id of the same owner is resubmitted, and
    waits for a person while the first stays in force. `market` is the pin of the rules that the order is under, `codes` the reason
    codes in force. `original` is the paper in
    force and `first_channel` the one that sent it, needed only when the content differs. `tier` is that of the customer, empty for one who is not
    known, and `same_wish` the order by which the customer may have wished the same; `apart` says whether it is nobody's who wants to buy. A repeat of the same line of the same intake (it was
    killed) gets the same reception and no events.

    Source: the table of imperfect orders (design, section 11).
    """
    if not state.external_id:
        place: dict[str, Any] = {"intake": intake, "line": line, "catalogue_version": catalogue_version, "market": market, "now": now}
        return "captured", _capture(wish, **place, tier=tier, same_wish=same_wish, apart=apart)
    if (state.intake, state.line) == (intake, line):
        return "captured", NOTHING
    if wish.fingerprint in (state.fingerprint, *state.revisions):
        return "duplicate", NOTHING
    for seen in state.resubmissions:
        if seen.fingerprint == wish.fingerprint:
            return ("resubmitted" if (seen.intake, seen.line) == (intake, line) else "duplicate"), NOTHING
    resubmitted = events.OrderResubmitted(
        fingerprint=wish.fingerprint,
        intake=intake,
        line=line,
        differing=differing(*(json.loads(paper, parse_float=str) for paper in (original or "{}", wish.original))),
        original=wish.original,
        order_date=stamp(wish.order_date),
        channel=wish.channel,
    )
    return "resubmitted", just(resubmitted, _suspected(state, resubmitted, first_channel, codes))


def came_at(state: OrderState, wish: Wish, now: datetime) -> datetime:
    """Give the time at which what a paper is to an order happened.

    A sale happened when its channel says so. Anything else happened when it came: now, or at the date that it bears where that is still to come
    on a simulated clock, and never before the order itself.
    """
    return max(now, wish.order_date, state.captured_at) if state.captured_at else wish.order_date


def same_order(state: OrderState, wish: Wish) -> bool:
    """Whether a paper is of an order that was taken down under the same external id, before owners of ids were told apart.

    It is when its content came before, or when its customer is that order's. Of papers without a customer the channel was not kept.
    """
    known = {state.fingerprint, *(seen.fingerprint for seen in state.resubmissions)}
    return bool(state.external_id) and (wish.fingerprint in known or (not state.owner and state.party == wish.party))


def follow_up(
    state: OrderState, wish: Wish, came: Resubmission, *, catalogue_version: int, market: str, now: datetime, tier: str = ""
) -> Decision:
    """Take a resubmitted paper down as an order of its own (`follower`), which names the order it came after."""
    came_anew = _capture(
        wish,
        intake=came.intake,
        line=came.line,
        catalogue_version=catalogue_version,
        market=market,
        now=now,
        after=state.order_id,
        tier=tier,
    )
    stream = f"order-{follower(state, came.fingerprint)}"
    return Decision(elsewhere=tuple((stream, event) for event in came_anew.events))


def follower(state: OrderState, fingerprint: str) -> str:
    """Give the id of the order that a changed paper of an order's external id becomes when a person approves it."""
    return order_id(SOURCE, state.owner, state.external_id, fingerprint)


def _capture(
    wish: Wish,
    *,
    intake: str,
    line: int,
    catalogue_version: int,
    market: str,
    now: datetime,
    tier: str,
    after: str = "",
    same_wish: str = "",
    apart: SetApart = NOT_APART,
) -> Decision:
    event = events.OrderCaptured(
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
        lines=tuple(captured(line) for line in wish.lines),
        details=tuple(events.LineDetail(characteristics=x.characteristics, place=x.place) for x in wish.lines),
        original=wish.original,
        owner=wish.owner,
        channel=wish.channel,
        after=after,
        dated_by_us=wish.dated_by_us,
        named_by_us=wish.named_by_us,
        requested_start=wish.requested_start,
        requested_completion=wish.requested_completion,
        agent=wish.agent,
        tier=tier,
        prices=wish.prices,
        same_wish=same_wish,
        apart=apart.apart,
        apart_by=apart.by,
    )  # fmt: skip
    bought = (PurchaseOrderGiven(purchase_order=wish.purchase_order),) if wish.purchase_order else ()
    return just(event, *bought, events.ValidationRequested(due_at=max(wish.order_date, now)))


def _suspected(state: OrderState, came: events.OrderResubmitted, first_channel: str, codes: Codes) -> Event:
    shown = ", ".join(came.differing[:DIFFERENCES_SHOWN])
    more = f" and {len(came.differing) - DIFFERENCES_SHOWN} more" if len(came.differing) > DIFFERENCES_SHOWN else ""
    first = state.channel or first_channel or "unknown"
    return events.DuplicateSuspected(
        fallout=suspicion(state.order_id, came.fingerprint),
        attempt=len(state.resubmissions) + 1,
        detail=f"came from {came.channel}, first from {first}; differs in {shown or 'order of parts'}{more}",
        **fields_of(codes.reasons["DQ-DUP"]),
    )


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
            attempt = state.record(item, step).attempt + 1 if step in state.records.get(item, {}) else 1
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
    follows = settled(state, how) + dropped(state, _unplanned(state)) + stayed(state)
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
