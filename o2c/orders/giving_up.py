"""Giving up a part of an item on its own, such as the number that it was to bring: the item goes on, and is complete without it.

Source: order life cycle, section 4 (points of no return, per attribute: a port-in until the donor's cut-off); porting facts, section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled, StepGivenUp
from o2c.orders.ending import ask_back, no_return, to_recall, todo
from o2c.orders.events import CancellationAccepted, CancellationRefused, CancellationRequested
from o2c.orders.planning import Book
from o2c.orders.promise import promised_anew
from o2c.orders.rollup import FINAL, order_state
from o2c.orders.state import OrderState, evolve
from o2c.orders.wish import PORT_IN, brings_any


def cancel_port(state: OrderState, items: Iterable[str] = (), *, note: str, at: datetime, book: Book) -> Decision:
    """Cancel the port-in of the named items (or lines, which stand for all their items); of the only item that brings a number when none is
    named.

    Each line keeps the number that it has from us and goes on; the donor is told where it was asked; the days promised follow. When the
    port of any of these is past its point of no return, nothing is cancelled and the events say so (`cancellation.refused`). Nothing when
    all of them are cancelled already.

    Raises Refused: missing (no such item, or it brings no number), conflict (the order or the item is over), usage (which item is not
    clear).
    """
    if not state.planned:
        return _before_the_plan(state, tuple(dict.fromkeys(items)), note)
    parts = _meant(state, tuple(dict.fromkeys(items)), book)
    going = [item for item, steps in parts.items() if any(state.progress.items[item].steps[step] != "given-up" for step in steps)]
    if not going:
        return NOTHING
    _refuse_over(state, going)
    asked = [CancellationRequested(item=item, items=(), part=PORT_IN, note=note) for item in going]
    if past := {item: why for item in going if (why := no_return_of_port(state, item, at, book))}:
        free = tuple(item for item in going if item not in past)
        return just(*asked, *(CancellationRefused(item=item, part=PORT_IN, past=past, cancellable=free) for item in going))
    decision = just(*asked, *(CancellationAccepted(item=item, part=PORT_IN) for item in going))
    for item in going:
        decision += give_up(state, item, parts[item], at, book)
    after = state
    for event in decision.events:
        after = evolve(after, event)
    return decision + promised_anew(after, going, at, book, cause_step="porting-cancel")


def no_return_of_port(state: OrderState, item: str, at: datetime, book: Book) -> str:
    """Give the reason why the port-in of an item can no longer be cancelled; an empty text when it can."""
    return no_return(state, item, _steps_of_port(state, item, book), at, book)


def give_up(state: OrderState, item: str, steps: Sequence[str], at: datetime, book: Book) -> Decision:
    """Give up steps of an item that goes on without them: partners are asked to drop what they have of it, and what was claimed for it is
    freed.

    What a partner is to drop stays claimed until it has. A step that is held is cancelled first, because held never becomes completed at
    one stroke. Source: order life cycle, section 1 (allowed transitions).
    """
    recalled = to_recall(state, item, reversed(steps), at, book)
    decision = ask_back(state, item, recalled, at, book)
    for name in reversed(steps):
        step, status, work = book.steps[name], state.progress.items[item].steps[name], todo(state, item, name, book)
        if status == "held":
            decision += just(StepCancelled(item=item, step=name))
        decision += step.ending.give_up(work, at) or just(StepGivenUp(item=item, step=name))
        if status != "planned" and name not in recalled:
            decision += Decision(frees=step.guards(work))
    return decision


def _meant(state: OrderState, names: Sequence[str], book: Book) -> dict[str, list[str]]:
    """Give the items that are meant, each with the steps of its port-in. Raises Refused."""
    bringing = {item: steps for item in state.items if (steps := _steps_of_port(state, item, book))}
    if not names:
        return {item: bringing[item] for item in _only(state, tuple(bringing))}
    meant: dict[str, list[str]] = {}
    for name in names:
        of_name = {item: steps for item, steps in bringing.items() if name in (item, state.items[item].line)}
        if not of_name:
            raise _brings_none(state, name, tuple(bringing))
        meant |= of_name
    return meant


def _steps_of_port(state: OrderState, item: str, book: Book) -> list[str]:
    return [step for step in state.items[item].waits if book.steps[step].part == PORT_IN]


def _before_the_plan(state: OrderState, names: Sequence[str], note: str) -> Decision:
    """Cancel the port-in of lines that are not planned yet: nobody was asked, and they are planned without it."""
    bringing = tuple(line.item for line in state.lines if brings_any(line))
    chosen = names or _only(state, bringing)
    _refuse_over(state, ())
    for name in chosen:
        if name not in bringing:
            raise _brings_none(state, name, bringing)
    asked = (CancellationRequested(item=name, items=(), part=PORT_IN, note=note) for name in chosen)
    return just(*asked, *(CancellationAccepted(item=name, part=PORT_IN) for name in chosen))


def _only(state: OrderState, bringing: Sequence[str]) -> Sequence[str]:
    if not bringing:
        raise Refused(f"order {state.external_id} brings no number; there is no port to cancel", kind="missing")
    if len(bringing) > 1:
        raise Refused(f"order {state.external_id} brings {len(bringing)} numbers; say which with --item: {', '.join(bringing)}")
    return bringing


def _brings_none(state: OrderState, name: str, bringing: Sequence[str]) -> Refused:
    others = f"those that do are {', '.join(bringing)}" if bringing else "none of it does"
    return Refused(f"order {state.external_id} has no item {name} that brings a number; {others}", kind="missing")


def _refuse_over(state: OrderState, items: Iterable[str]) -> None:
    """Raises Refused (conflict) for an order that is over, or ends, and for items that ended or are complete: there is no port to cancel
    any more."""
    how = order_state(state.progress)
    if how in FINAL or how == "pendingCancellation":
        raise Refused(f"order {state.external_id} is {how}; there is no port of it to cancel any more", kind="conflict")
    for item in items:
        if ended := state.progress.items[item].ended:
            raise Refused(
                f"order {state.external_id}: item {item} is {ended}, and its port with it; nothing is left to cancel", kind="conflict"
            )
