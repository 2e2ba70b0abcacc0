"""Cancelling an order, or some of its lines: judged by hard points of no return, carried out in reverse order of dependence.

Source: TM Forum TMF622, cancelProductOrder; order life cycle, sections 1 (transitions) and 4 (points of no return).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from graphlib import TopologicalSorter
from typing import get_args

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.orders.ending import dependants, end_item, no_return, open_item
from o2c.orders.events import CancellationAccepted, CancellationRefused, CancellationRequested, CancelReason, ItemCancelled
from o2c.orders.planning import Book
from o2c.orders.rollup import FINAL, GATES, SUSPENSION, item_state, order_state
from o2c.orders.state import OrderState

REASONS: tuple[CancelReason, ...] = tuple(word for word in get_args(CancelReason) if word)
"""The words for why an order is cancelled."""


def reason_of(word: str) -> CancelReason:
    """Give the reason of that word, none for an empty one. Raises Refused (usage) for a word that is none."""
    if word and word not in REASONS:
        raise Refused(f"{word[:40]} is no reason for a cancellation; use one of {', '.join(REASONS)}")
    return next((each for each in REASONS if each == word), "")


def cancel(state: OrderState, items: Iterable[str] = (), *, note: str, at: datetime, book: Book, reason: CancelReason = "") -> Decision:
    """Cancel the whole order, or the named items (or lines, which stand for all their items) with the items that rely on them.

    When any of these is past its point of no return, nothing is cancelled and the events say so (`cancellation.refused`). Nothing when the
    order is cancelled, or being cancelled, already.

    Raises Refused: missing (no such item), conflict (the order ended otherwise, or items are named of an order that is not planned).
    """
    how = order_state(state.progress)
    if how in ("cancelled", "pendingCancellation"):
        return NOTHING
    if how in FINAL:
        instead = "order the end of its services instead" if how in ("completed", "partial") else "nothing of it is left to cancel"
        raise Refused(f"order {state.external_id} is {how} and cannot be cancelled; {instead}", kind="conflict")
    wishes = _named(state, items)
    if not state.planned:
        return just(CancellationRequested(items=(), note=note, reason=reason), CancellationAccepted(), *_open_gates(state))
    named = tuple(dict.fromkeys(item for meant in wishes.values() for item in meant)) or tuple(state.items)
    lost = dependants(state, named)
    going = [item for item in (*named, *lost) if open_item(state, item)]
    past = _past(state, (*named, *lost), at, book)
    if not going and not past:
        return NOTHING
    if not wishes or (not past and _all_cancelled_with(state, going)):
        wishes = {"": named}
    asked = [
        CancellationRequested(item=name, items=_concerned(state, meant, going), note=note, reason=reason) for name, meant in wishes.items()
    ]
    if past:
        free = tuple(cancellable(state, at, book))
        return just(*asked, *(CancellationRefused(item=name, past=past, cancellable=free) for name in wishes))
    decision = just(*asked, *(CancellationAccepted(item=name) for name in wishes), *(_open_gates(state) if "" in wishes else ()))
    for item in _dependants_first(state, going):
        decision += end_item(state, ItemCancelled(item=item, base=lost.get(item, "")), at, book)
    return decision


def _named(state: OrderState, items: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give the items that each name of an item or a line stands for."""
    names = tuple(dict.fromkeys(items))
    if names and not state.planned:
        raise Refused(f"order {state.external_id} is not planned yet; cancel it as a whole, or its lines when it is", kind="conflict")
    meant = {name: tuple(item for item, planned in state.items.items() if name in (item, planned.line)) for name in names}
    if missing := [name for name, stands_for in meant.items() if not stands_for]:
        raise Refused(f"order {state.external_id} has no item {missing[0]}; see `o2c orders plan`", kind="missing")
    return meant


def _concerned(state: OrderState, meant: Iterable[str], going: Iterable[str]) -> tuple[str, ...]:
    """Give the items that end because of these ones, among all that end."""
    ending = {*meant, *dependants(state, meant)}
    return tuple(item for item in going if item in ending)


def _open_gates(state: OrderState) -> Iterator[StepCancelled]:
    for gate in (*GATES, SUSPENSION):
        if state.progress.gates.get(gate) in ("requested", "pending"):
            yield StepCancelled(item="", step=gate)


def _past(state: OrderState, items: Iterable[str], at: datetime, book: Book) -> dict[str, str]:
    """The items past their point of no return, and why; items that failed or were cancelled are past nothing."""
    reasons: dict[str, str] = {}
    for item in items:
        if not state.progress.items[item].ended and (why := _no_return(state, item, at, book)):
            reasons[item] = why
    return reasons


def _no_return(state: OrderState, item: str, at: datetime, book: Book) -> str:
    progress = state.progress.items[item]
    return no_return(state, item, progress.steps, at, book) or ("it is completed" if item_state(progress) == "completed" else "")


def cancellable(state: OrderState, at: datetime, book: Book) -> Iterator[str]:
    """Give the items that can still be cancelled: neither they nor the items that rely on them are past their point of no return."""
    fast = list(_past(state, state.items, at, book))
    held = set(fast)
    for item in fast:
        fresh = [base for base in state.items[item].relies_on if base not in held]
        held.update(fresh)
        fast += fresh
    return (item for item in state.items if item not in held and open_item(state, item))


def _all_cancelled_with(state: OrderState, going: Iterable[str]) -> bool:
    """Whether cancelling the given items leaves an order of cancelled items only."""
    rest = state.progress.items.keys() - set(going)
    return all(state.progress.items[item].ended == "cancelled" for item in rest)


def _dependants_first(state: OrderState, items: Iterable[str]) -> tuple[str, ...]:
    chosen = dict.fromkeys(items)
    graph = {item: [base for base in state.items[item].relies_on if base in chosen] for item in chosen}
    return tuple(reversed(tuple(TopologicalSorter(graph).static_order())))
