"""Doing steps of an item anew, because what they were done with was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.shapes import StepRenewed
from o2c.kernel.step import never
from o2c.kernel.work import next_attempt
from o2c.orders.ending import todo
from o2c.orders.planning import Book
from o2c.orders.state import OrderState, evolve


def renew_lost(state: OrderState, item: str, at: datetime, book: Book) -> Decision:
    """Do anew what the open fallouts of an item have lost, and what is outdated; nothing for those that lost nothing, or too often, which
    wait for a person. What a suspended order has lost is done anew when it goes on."""
    decision = NOTHING
    for name, status in state.progress.items[item].steps.items():
        record, renewal = state.record(item, name), book.steps[name].renewal
        if status == "done" and renewal.outdated is not never and renewal.outdated(todo(state, item, name, book)):
            decision += just(StepRenewed(item=item, step=name))
        again = record.reason in renewal.of and record.attempt < renewal.attempts_max
        if status in ("held", "pending") and again and not state.suspended:
            decision += renew(state, item, name, at, book)
    return decision


def replace(state: OrderState, item: str, name: str, piece: str, at: datetime, book: Book) -> Decision:
    """Plan a step anew after the step that took its piece of stock, which gives up that piece and takes another, and after what was done
    with that piece between the two.

    Nothing when the piece is not taken, nothing says how it is lost, or a partner has what was done with it, or may have: it would keep
    that, for the piece that is lost.
    """
    waits, steps = state.items[item].waits, state.progress.items[item].steps
    outcome, lose = state.record(item, piece).outcome, book.steps[piece].renewal.lose
    between = [one for one, status in steps.items() if status == "done" and works_with(waits, one, piece) and works_with(waits, name, one)]
    may_have = (*between, *((name,) if todo(state, item, name, book).unknown else ()))
    if not works_with(waits, name, piece) or steps.get(piece) != "done" or any(book.steps[one].ending.recall for one in may_have):
        return NOTHING
    lost = lose(todo(state, item, piece, book), outcome, at)
    return lost + just(*(StepRenewed(item=item, step=one) for one in (*between, name))) if lost else NOTHING


def works_with(waits: Mapping[str, Iterable[str]], name: str, piece: str) -> bool:
    """Whether a step works with what another one took: it waits for that one, be it through others. `waits` are the item's, by step."""
    return any(step == piece or works_with(waits, step, piece) for step in waits.get(name, ()))


def renew(state: OrderState, item: str, name: str, at: datetime, book: Book) -> Decision:
    """Plan a step anew, after the earlier steps whose results it has lost. Nothing when its fallout has lost none."""
    lost = book.steps[name].renewal.of.get(state.record(item, name).reason, ())
    decision = NOTHING
    for earlier in lost:
        if state.progress.items[item].steps.get(earlier) == "done":
            decision += _lost(state, item, earlier, at, book)
    return decision + just(StepRenewed(item=item, step=name)) if lost else NOTHING


def _lost(state: OrderState, item: str, name: str, at: datetime, book: Book) -> Decision:
    """The result of a step is lost, and it is asked for again at once: an item of which nothing else is done, such as a device, would look
    as if nothing had begun when the step that lost it is put back."""
    own = book.steps[name].renewal.lose(todo(state, item, name, book), state.record(item, name).outcome, at)
    decision = own or just(StepRenewed(item=item, step=name))
    after = reduce(evolve, decision.events, state)
    attempt = next_attempt(after.records.get(item, {}), name)
    return decision + book.steps[name].request(todo(after, item, name, book), at, attempt=attempt)
