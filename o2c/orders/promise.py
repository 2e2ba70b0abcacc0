"""The day by which each item is promised, and when a promise moves: arithmetic over the plan, the steps' own forecasts and the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import TopologicalSorter

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.work import Record, Work
from o2c.orders.ending import open_item, todo
from o2c.orders.event_parts import PromisedItem
from o2c.orders.events import OrderPlanned
from o2c.orders.planning import Book, order_price, plan_order
from o2c.orders.promise_events import PromiseMade, PromiseRevised
from o2c.orders.rollup import SUSPENSION
from o2c.orders.state import OrderState, evolve

Place = tuple[str, str]
"""A step of an item: (item, step)."""
AGREEMENT = "agreement"
"""What stands for the step from which a day follows that is agreed with the customer."""


@dataclass(frozen=True, slots=True)
class Expected:
    """When a step is normally done. `begins` is the open step from which that follows, `longest` the one on the way that takes longest."""

    by: datetime
    begins: Place
    longest: Place
    takes: timedelta


class Outlook:
    """When the open steps of an order are normally done, seen from a time; each is looked at once.

    A step that waits for a person or a partner without a date is taken to go on at once: nobody can promise less, and its promise is
    revised when it does go on. What has not begun of an order that is suspended begins when that is to end. Items are asked for after those
    that they rely on.
    """

    def __init__(self, state: OrderState, at: datetime, book: Book) -> None:
        self.state, self.at, self.book = state, at, book
        self.market = book.market(state.market)
        self.begins_from = max(at, state.suspended_until or at) if state.suspended else at
        self._steps: dict[Place, Expected | None] = {}
        self._works: dict[str, Work] = {}

    def item(self, item: str) -> Expected | None:
        """Give when the last open step of an item is normally done; None when no step is open."""
        latest: Expected | None = None
        for step in self.state.items[item].waits:
            found = self.step(item, step)
            if found and (latest is None or found.by > latest.by):
                latest = found
        return latest

    def step(self, item: str, step: str) -> Expected | None:
        """Give when a step is normally done; None when it is done, or was given up."""
        place = (item, step)
        if place not in self._steps:
            self._steps[place] = self._looked_at(item, step)
        return self._steps[place]

    def day(self, expected: Expected | None, item: str) -> str:
        """Give the day of an item (ISO, local to the market): that of its last open step, and none before the day wished."""
        by = expected.by if expected else self.at
        return max(local_date(by, self.market.zone).isoformat(), self.state.items[item].wished_on)

    def is_customers(self, reason: str) -> bool:
        """Whether what a reason code says has its origin with the customer, as the table of codes stands."""
        known = self.book.codes.at(self.at).reasons.get(reason) if reason else None
        return known is not None and known.origin == "customer"

    def _looked_at(self, item: str, step: str) -> Expected | None:
        back = step in self.state.taken_back.get(item, {})
        status = "planned" if back else self.state.progress.items[item].steps.get(step)
        if status in ("done", "given-up", None) or self.state.progress.items[item].ended:
            return None
        ready, before = self.at, None
        if status == "planned":
            before = self._last_wait(item, step)
            ready = max(self.begins_from, before.by) if before else self.begins_from
            by = self.book.steps[step].expected(self._work(item), ready)
        else:
            by = self._under_way(item, step, status)
        takes = by - ready
        if before is None:
            return Expected(by, (item, step), (item, step), takes)
        longest = (before.longest, before.takes) if before.takes >= takes else ((item, step), takes)
        return Expected(by, before.begins, *longest)

    def _last_wait(self, item: str, step: str) -> Expected | None:
        latest: Expected | None = None
        for wait in self.state.items[item].waits[step]:
            base, _, name = wait.rpartition("/")
            found = self.step(base or item, name)
            if found and (latest is None or found.by > latest.by):
                latest = found
        return latest

    def _under_way(self, item: str, step: str, status: str | None) -> datetime:
        """A partner that took the work on said when it will know more; what is asked for is due; what fell out is tried again, or its stock
        is due, or now."""
        declared, record = self.book.steps[step], self.state.record(item, step)
        if status == "requested" and (known := self.state.due.get(item, {}).get(step)):
            due_at, taken = known
            due_at = max(due_at, self.at if self._work(item).with_partner(step, self.at) else self.begins_from)
            return due_at if taken else declared.forecast(self._work(item), due_at)
        if record.retry_at:
            return declared.forecast(self._work(item), max(record.retry_at, self.begins_from))
        return declared.expected(self._work(item), self.begins_from)

    def _work(self, item: str) -> Work:
        if item not in self._works:
            self._works[item] = todo(self.state, item, "", self.book)
        return self._works[item]


def plan_and_promise(state: OrderState, book: Book, at: datetime) -> Decision:
    """Plan a validated order, and promise a day for each of its items: the latest of its own steps, of its bases' promises and of its wish.

    Where a day is agreed with the customer, it stands in place of what the steps of an item take that is delivered anew, sooner or later.
    """
    draft = plan_order(state, book, at)
    outlook = Outlook(evolve(state, draft), at, book)
    made: dict[str, PromisedItem] = {}
    validated = state.record("", "validation").outcome
    agreed_on, agreed_by = validated.get("agreed_on", ""), validated.get("agreed_by", "")
    for item in bases_first(outlook.state, outlook.state.items):
        expected = outlook.item(item)
        of, step = expected.longest if expected else (item, "")
        day, by = outlook.day(expected, item), ""
        if agreed_on and not (wish := outlook.state.items[item]).product:
            day, of, step, by = max(agreed_on, wish.wished_on, wish.start_on), item, AGREEMENT, agreed_by
        for base in outlook.state.items[item].relies_on:
            if made[base].promised_on > day:
                day, of, step, by = made[base].promised_on, made[base].of or base, made[base].step, made[base].agreed_by
        made[item] = PromisedItem(item=item, promised_on=day, step=step, of="" if of == item else of, agreed_by=by)
    planned = [each.model_copy(update={"promised_on": made[each.item].promised_on}) for each in draft.items]
    in_order = tuple(made[each.item] for each in planned)
    return just(_with_items(draft, planned), order_price(draft), PromiseMade(items=in_order, zone=outlook.market.zone))


def _with_items(draft: OrderPlanned, items: Iterable[object]) -> OrderPlanned:
    return draft.model_copy(update={"items": tuple(items)})


def revise(state: OrderState, items: Sequence[str], at: datetime, book: Book) -> Decision:
    """Move the promises that cannot be kept any more, of these items and of those that rely on them (`later_promises`).

    Most events cannot make an item late, which is seen without any forecast.
    """
    return later_promises(state, items, at, book) if any(_at_risk(state, item, at, book) for item in items) else NOTHING


def _at_risk(state: OrderState, item: str, at: datetime, book: Book) -> bool:
    """Whether an item is not surely in time: its day has come; a partner took work on and named a time, from which on all that follows
    takes its own; it fell out, nobody answered, or a step of it is to be done anew; it has a window."""
    day = state.items[item].promised_on
    if state.suspended:
        return True
    if at.date().isoformat() >= day:
        return True
    steps, records = state.progress.items[item].steps, state.records.get(item, {}).items()
    if any(record.reason or record.silences or (record.attempt and steps.get(step) == "planned") for step, record in records):
        return True
    times = state.due.get(item, {}).items()
    return any(taken or due_at.date().isoformat() >= day or book.steps[step].due is not None for step, (due_at, taken) in times)


def later_promises(state: OrderState, items: Iterable[str], at: datetime, book: Book) -> Decision:
    """Decide which promises move, of these items and of those that rely on them; nothing for all others.

    A promise moves to a later day only. The cause is the step from which the new day follows, with the reason of its fallout (empty when it
    takes longer without one), or that the order is suspended. Idempotent: the day that an item is revised to is the one that is expected of
    it then.
    """
    outlook = Outlook(state, at, book)
    moved: dict[str, PromiseRevised] = {}
    judged: set[str] = set()
    near = list(items)
    while near:
        judged.update(near)
        for item in bases_first(state, near):
            if event := _revised(outlook, item, moved):
                moved[item] = event
        near = [other for item in moved for other in state.relied_on_by.get(item, ()) if other not in judged]
    return just(*(moved[item] for item in state.items if item in moved)) if moved else NOTHING


def _revised(outlook: Outlook, item: str, moved: dict[str, PromiseRevised]) -> PromiseRevised | None:
    state, planned = outlook.state, outlook.state.items[item]
    expected = outlook.item(item)
    if expected is None or not planned.promised_on:
        return None
    day = outlook.day(expected, item)
    bases = [moved[base] for base in planned.relies_on if base in moved and moved[base].promised_on > day]
    if bases:
        last = max(bases, key=lambda base: base.promised_on)
        return _like(last, item, planned.promised_on) if last.promised_on > planned.promised_on else None
    if day <= planned.promised_on:
        return None
    of, step, reason = _cause(state, expected)
    return PromiseRevised(
        item=item,
        promised_before=planned.promised_on,
        promised_on=day,
        cause_item=of,
        cause_step=step,
        cause_reason=reason,
        by_customer=state.suspended_for == "customer" if step == SUSPENSION else outlook.is_customers(reason),
    )


def _like(base: PromiseRevised, item: str, before: str) -> PromiseRevised:
    return base.model_copy(update={"item": item, "promised_before": before})


def _cause(state: OrderState, expected: Expected) -> tuple[str, str, str]:
    """Where the new day begins: a step with its reason; one that was forced after a fallout; else the step on the way that takes
    longest."""
    item, step = expected.begins
    if reason := state.record(item, step).reason:
        return item, step, reason
    if state.suspended:
        return item, SUSPENSION, ""
    if item in state.forced:
        return item, *state.forced[item]
    return *expected.longest, ""


def promised_anew(
    state: OrderState, items: Iterable[str], at: datetime, book: Book, *, cause_step: str, by_customer: bool = True
) -> Decision:
    """Promise items of which a part was given up for the day that is expected without it, sooner or later; nothing where only partners are
    still to answer.

    What relied on such an item, and was promised for no other reason than that, is promised with it. `cause_step` is what the part was
    given up by, or what else moved the day, and `by_customer` whether that was his own wish.
    """
    outlook, changed_of = Outlook(state, at, book), set(items)
    moved: dict[str, PromiseRevised] = {}
    for item in bases_first(state, state.items):
        planned, expected = state.items[item], outlook.item(item)
        bound = [base for base in planned.relies_on if base in moved and moved[base].promised_before == planned.promised_on]
        if expected is None or not planned.promised_on or not (item in changed_of or bound):
            continue
        promises = (moved[base].promised_on if base in moved else state.items[base].promised_on for base in planned.relies_on)
        day, of = max(outlook.day(expected, item), *promises, ""), item if item in changed_of else moved[bound[0]].cause_item
        if day != planned.promised_on:
            moved[item] = PromiseRevised(
                item=item,
                promised_before=planned.promised_on,
                promised_on=day,
                cause_item=of,
                cause_step=cause_step,
                by_customer=by_customer,
            )
    return just(*(moved[item] for item in state.items if item in moved))


def forecasts(state: OrderState, at: datetime, book: Book) -> dict[Place, datetime]:
    """Give when each step that is not begun is normally done, by item and step; none that follows from one that waits without a date."""
    outlook = Outlook(state, at, book)
    found: dict[Place, datetime] = {}
    for item in bases_first(state, state.items):
        for step in state.items[item].waits:
            expected = outlook.step(item, step)
            if expected and expected.begins != (item, step) and _dated(state.record(*expected.begins)):
                found[item, step] = expected.by
    return found


def _dated(record: Record) -> bool:
    """Whether a step is under way, or will go on by itself at a known time."""
    return not record.waiting_for or record.retry_at is not None


def bases_first(state: OrderState, items: Iterable[str]) -> Iterable[str]:
    """Give the open ones of these items, and the open items that they rely on, each after its bases."""
    bases: dict[str, list[str]] = {}
    near = [item for item in items if open_item(state, item)]
    while near:
        item = near.pop()
        if item not in bases:
            bases[item] = [base for base in state.items[item].relies_on if open_item(state, base)]
            near += bases[item]
    return TopologicalSorter(bases).static_order() if any(bases.values()) else tuple(bases)
