"""The end of an item before it is complete: our own work is taken back in reverse order, and partners are asked to drop theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.shapes import OfItem, StepCancelled
from o2c.kernel.work import Work, next_attempt
from o2c.orders.changing import CHANGE, dropped
from o2c.orders.planning import Book
from o2c.orders.readings import work
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState

_OVER = frozenset({"planned", "held", "done", "cancelled", "undone", "given-up"})
"""Statuses of a step that leave nothing to cancel: not begun, dropped before the end, taken back, given up, or about to be."""
_NOTHING_OF = frozenset({"planned", "given-up"})
"""Statuses of a step that holds nothing: not begun, or given up with all that it held."""


def todo(state: OrderState, item: str, step: str, book: Book) -> Work:
    """Give the work of a step of this order."""
    return work(state, f"order-{state.order_id}", item, step, book)


def open_item(state: OrderState, item: str) -> bool:
    """Whether an item has neither ended nor is complete."""
    progress = state.progress.items[item]
    return not progress.ended and item_state(progress) != "completed"


def dependants(state: OrderState, items: Iterable[str]) -> dict[str, str]:
    """Give the items that rely on these ones, through others too, nearest first: each with the base that it loses."""
    named = list(dict.fromkeys(items))
    lost_base: dict[str, str] = {}
    waiting = list(named)
    for base in waiting:
        relying = [other for other in state.relied_on_by.get(base, ()) if base in state.items[other].relies_on]
        fresh = [other for other in relying if other not in lost_base and other not in named]
        lost_base |= dict.fromkeys(fresh, base)
        waiting += fresh
    return lost_base


def end_item(state: OrderState, ending: OfItem, at: datetime, book: Book) -> Decision:
    """End an item, and deal with its work.

    Steps that are held are cancelled first, because held never becomes failed at one stroke. Partners are asked to drop the work that they
    have, or may have, before the end, which waits for them; they are asked all at once, because no two of these recalls rely on each other.
    A product that the network may have changed is free for another order only when that is taken back.

    Source: order life cycle, sections 1 (allowed transitions) and 4 (compensations, rule c: undo in reverse order of dependence).
    """
    item = ending.item
    held = (StepCancelled(item=item, step=name) for name, status in state.progress.items[item].steps.items() if status == "held")
    recalled = to_recall(state, item, reversed(state.progress.items[item].steps), at, book)
    decision = just(*held) + ask_back(state, item, recalled, at, book)
    claim = NOTHING if CHANGE in recalled else dropped(state, (item,))
    return decision + just(ending) + _take_back(state, item, recalled, at, book) + claim


def no_return(state: OrderState, item: str, steps: Iterable[str], at: datetime, book: Book) -> str:
    """Give the reason why one of these steps can no longer be taken back, that of the last of them; an empty text when all can."""
    statuses = state.progress.items[item].steps
    begun = [name for name in steps if statuses[name] not in ("planned", "undone", "given-up")]
    return next((why for name in reversed(begun) if (why := book.steps[name].ending.no_return(todo(state, item, name, book), at))), "")


def to_recall(state: OrderState, item: str, steps: Iterable[str], at: datetime, book: Book) -> list[str]:
    """Give those of these steps of which a partner has, or may have, work that it can still be asked to drop."""
    return [name for name in steps if _to_recall(state, item, name, at, book)]


def ask_back(state: OrderState, item: str, steps: Iterable[str], at: datetime, book: Book) -> Decision:
    """Ask the partners of these steps to drop the work; anew, where one was asked before and kept it."""
    decision = NOTHING
    for name in steps:
        recall = book.steps[book.steps[name].ending.recall]
        attempt = next_attempt(state.records.get(item, {}), recall.name)
        decision += recall.request(todo(state, item, recall.name, book), at, attempt=attempt)
    return decision


def _to_recall(state: OrderState, item: str, name: str, at: datetime, book: Book) -> bool:
    step, status = book.steps[name], state.progress.items[item].steps[name]
    if not step.ending.recall or status == "given-up" or _dropped_already(state, item, name):
        return False
    if status == "done":
        return not step.ending.done_for_good(todo(state, item, name, book))
    return todo(state, item, name, book).with_partner(name, at)


def _dropped_already(state: OrderState, item: str, name: str) -> bool:
    """Whether the partner dropped a step for a changed paper, which is not done anew yet as what builds on it is still to be dropped."""
    taken = state.taken_back.get(item, {}).get(name)
    return taken is not None and bool(taken.recall) and state.progress.items[item].recalls.get(taken.recall) == "done"


def _take_back(state: OrderState, item: str, recalled: list[str], at: datetime, book: Book) -> Decision:
    """Undo and cancel steps in reverse order. The guards of a recalled step, and our own part of it, are kept until its partner has dropped
    the work; so are those of what stays done: a number that was brought in is held as long as the line may be on with it."""
    kept = _kept(state, item, recalled)
    decision = NOTHING
    for name, status in reversed(state.progress.items[item].steps.items()):
        undone = undo_step(state, item, name, at, book) if status == "done" and name not in kept else NOTHING
        decision += undone
        if status not in _OVER:
            decision += just(StepCancelled(item=item, step=name))
        stands = name in recalled or (recalled and status == "done" and not undone)
        if status not in _NOTHING_OF and not stands:
            decision += Decision(frees=book.steps[name].guards(todo(state, item, name, book)))
    return decision


def unwind(state: OrderState, item: str, at: datetime, book: Book) -> Decision:
    """Undo the steps of an ended item that can be undone since a partner dropped its work.

    A step whose `undo` decides nothing stays done; what it holds is free once no partner is asked any more.
    """
    progress = state.progress.items[item]
    asked = [name for name in progress.steps if progress.recalls.get(book.steps[name].ending.recall, "done") != "done"]
    kept = _kept(state, item, asked)
    decision = NOTHING
    for name, status in reversed(progress.steps.items()):
        if status == "done" and name not in kept:
            undone = undo_step(state, item, name, at, book)
            decision += undone
            if not (undone or asked):
                decision += Decision(frees=book.steps[name].guards(todo(state, item, name, book)))
    return decision


def _kept(state: OrderState, item: str, recalled: Collection[str]) -> set[str]:
    """Give the steps that are still being recalled, and those that they build on."""
    return {*recalled, *(wait for name in recalled for wait in state.items[item].waits_of(name))}


def undo_step(state: OrderState, item: str, name: str, at: datetime, book: Book) -> Decision:
    """Take back our own part of a step that is done; nothing where that has none."""
    return book.steps[name].ending.undo(todo(state, item, name, book), state.record(item, name).outcome, at)
