"""Changing an order in flight: the work that a changed paper touches is taken back in reverse order of dependence and done anew, the rest
goes on.

Source: order life cycle, section 4 (rules a to h): redo is undo, then do; an order is not frozen; what a partner has it is asked back
first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.frozen import changed
from o2c.kernel.shapes import StepCancelled, StepGivenUp, StepRenewed
from o2c.orders.assessing import Assessed, Work
from o2c.orders.changing import products_of
from o2c.orders.ending import ask_back, end_item, open_item, to_recall, todo, undo_step
from o2c.orders.event_parts import CapturedLine, LineDetail, PlannedItem, PromisedItem
from o2c.orders.events import ItemCancelled
from o2c.orders.named_products import claimed_otherwise
from o2c.orders.penalties import charged
from o2c.orders.planned import Planned, planned_of
from o2c.orders.planning import Book
from o2c.orders.promise import AGREEMENT, bases_first
from o2c.orders.promise_events import PromiseMade, PromiseRevised
from o2c.orders.revision_events import OrderRevised, RevisedAttribute, RevisedPenalty, RevisedStep, RevisionRefused
from o2c.orders.state import OrderState, evolve
from o2c.orders.voucher_events import EXPIRY
from o2c.orders.voucher_expiry import ask_for_expiry
from o2c.orders.vouchers import held_by, held_otherwise
from o2c.orders.wish import Line

BY_REVISION = "revision"
"""What a promise was moved by where the paper was changed, in place of a step."""


@dataclass(frozen=True, slots=True)
class ChangedPaper:
    """The paper that an order is changed to, and who wished it: `original` to the letter, its `fingerprint`, the `channel`, and the version
    of the order's stream that it was decided by."""

    original: str
    fingerprint: str
    channel: str
    base_version: int


def revise_order(
    state: OrderState,
    wished: OrderState,
    found: Assessed,
    paper: ChangedPaper,
    committed_minor: int,
    at: datetime,
    book: Book,
    *,
    payers: Mapping[str, str] | None = None,
) -> Decision:
    """Make an order the one of a changed paper, as it was assessed. Nothing where nothing differs; where a line is past its point of no
    return nothing is changed, and the event says so (`order.revision-refused`).

    What has begun of what changes is taken back first: our own at once, what a partner has when it has dropped it, and only then it is done
    anew. Items that the paper has no more are cancelled, and count in the order's state no more. Days promised move both ways. What it
    costs to take work back that partners have is charged. Vouchers that it names no more are given back, and the others reserved for what
    they can come to now. Products in service are told what the order changes of them from now on. `payers` are the accounts that pay for
    those that the paper names and the order did not.
    """
    if not found.differences:
        return NOTHING
    if past := {line: why for line, (verdict, _, why) in found.verdicts.items() if verdict == "hard"}:
        return just(
            RevisionRefused(
                channel=paper.channel, base_version=paper.base_version, fingerprint=paper.fingerprint, changed=_changed(found), past=past
            )
        )
    going = _Going(state, at, book)
    anew = _planned_anew(state, wished, found)
    gone = tuple(item for item in state.items if item not in {each.item for each in found.plan.items})
    ends = tuple(item for item in gone if open_item(state, item))
    over = {item for item, progress in state.progress.items.items() if progress.ended} - set(state.progress.removed)
    removed = tuple(item for item in gone if item in ends or item in over)
    going.add(just(*_held(state, found.work, ends)))
    steps = tuple(going.back([one for one in found.work if one.action != "do" and one.item not in ends]))
    steps += tuple(_still_waiting(state, anew, {(one.item, one.step) for one in steps}))
    going.add(
        just(_revised(state, wished, found, paper, committed_minor, anew, removed, steps).model_copy(update={"payers": dict(payers or {})}))
    )
    going.add(just(found.after))
    for item in reversed(list(bases_first(going.state, ends))):
        if item in ends:
            going.add(end_item(going.state, ItemCancelled(item=item), at, book))
    for one in (one for one in steps if not one.waiting):
        going.add(_anew(going.state, one.item, one.step, one.action, at, book))
    going.add(_never_begun(going.state, [each.item for each in anew], at, book))
    going.add(_vouchers(state, wished))
    going.add(claimed_otherwise(state, wished))
    penalties = tuple(charged(going.state, found.penalties, len(going.state.revisions), at, book))
    return going.decision + just(*_promises(state, going.state, found, book)) + Decision(elsewhere=penalties)


def _vouchers(state: OrderState, wished: OrderState) -> Decision:
    """What becomes of the order's vouchers. One that comes is held for so many days as others are: the row that ends them is asked for
    anew."""
    had, held = {one.code for one in held_by(state)}, held_by(wished)
    ends = any(one.held_until for one in held if one.code not in had)
    expiry = ask_for_expiry(held, None, attempt=state.record("", EXPIRY).attempt + 1) if ends else NOTHING
    return expiry + held_otherwise(state, held)


def taken_back(state: OrderState, item: str, at: datetime, book: Book) -> Decision:
    """Go on with what a change of the paper takes back of an item, where the partners that were asked have answered: our own part is
    undone, and the step is planned anew or given up."""
    taken, progress = state.taken_back.get(item, {}), state.progress.items[item]
    asked = [name for name, one in taken.items() if one.recall and progress.recalls.get(one.recall, "done") != "done"]
    needed = {wait for name in asked for wait in taken[name].planned.waits_of(name)}
    going = _Going(state, at, book)
    for name in [name for name in reversed(progress.steps) if name in taken and name not in asked and name not in needed]:
        going.add(_own_part(going.state, item, name, at, book))
        going.add(_anew(going.state, item, name, taken[name].action, at, book))
    return going.decision


class _Going:
    """What is decided so far, and how the order stands by it."""

    def __init__(self, state: OrderState, at: datetime, book: Book) -> None:
        self.state, self.at, self.book, self.decision = state, at, book, NOTHING

    def add(self, decision: Decision) -> None:
        for event in decision.events:
            self.state = evolve(self.state, event)
        self.decision += decision

    def back(self, work: Sequence[Work]) -> Iterator[RevisedStep]:
        """Take steps back, the last first: our own part at once, what a partner has, and what that builds on, when it has answered."""
        of_item: dict[str, list[str]] = {}
        for one in work:
            of_item.setdefault(one.item, []).append(one.step)
        recalled = {item: to_recall(self.state, item, steps, self.at, self.book) for item, steps in of_item.items()}
        needed = {item: {wait for name in names for wait in self.state.items[item].waits_of(name)} for item, names in recalled.items()}
        for one in work:
            before, status = self.state.taken_back.get(one.item, {}), self.state.progress.items[one.item].steps[one.step]
            asked = one.step in recalled[one.item]
            if asked and one.step not in before:
                self.add(ask_back(self.state, one.item, [one.step], self.at, self.book))
            waiting = asked or one.step in before or one.step in needed[one.item]
            if waiting and status in ("requested", "pending"):  # nobody is to go on with it meanwhile, nor to resolve its fallout
                self.add(just(StepCancelled(item=one.item, step=one.step)))
            if not waiting:
                self.add(_own_part(self.state, one.item, one.step, self.at, self.book))
            action: Literal["redo", "undo"] = "redo" if one.action == "redo" else "undo"
            recall = self.book.steps[one.step].ending.recall if asked else ""
            yield RevisedStep(item=one.item, step=one.step, action=action, waiting=waiting, recall=recall)


def _own_part(state: OrderState, item: str, name: str, at: datetime, book: Book) -> Decision:
    """Undo what is done of a step, or let its request go; and free what was claimed for it."""
    status = state.progress.items[item].steps[name]
    freed = Decision(frees=book.steps[name].guards(todo(state, item, name, book)))
    if status == "done":
        return undo_step(state, item, name, at, book) + freed
    return just(StepCancelled(item=item, step=name)) + freed if status in ("requested", "pending", "held") else freed


def _anew(state: OrderState, item: str, name: str, action: str, at: datetime, book: Book) -> Decision:
    """Plan a step anew, or give it up where the item is to go on without it."""
    if action == "redo":
        return just(StepRenewed(item=item, step=name))
    return book.steps[name].ending.give_up(todo(state, item, name, book), at) or just(StepGivenUp(item=item, step=name))


def _still_waiting(state: OrderState, anew: Iterable[PlannedItem], known: Collection[tuple[str, str]]) -> Iterator[RevisedStep]:
    """What an earlier change is still taking back, as this one wants it: done anew then, or given up."""
    for each in anew:
        wanted = {step.step for step in each.steps}
        for name, one in state.taken_back.get(each.item, {}).items():
            if (each.item, name) not in known:
                action: Literal["redo", "undo"] = "redo" if name in wanted else "undo"
                yield RevisedStep(item=each.item, step=name, action=action, waiting=True, recall=one.recall)


def _never_begun(state: OrderState, items: Iterable[str], at: datetime, book: Book) -> Decision:
    """Give up the steps that had not begun and are wanted no more; what a partner is asked to drop of one goes first."""
    decision = NOTHING
    for item in items:
        steps, back = state.progress.items[item].steps, state.taken_back.get(item, {})
        for name in (name for name, of in steps.items() if of == "planned" and name in state.items[item].left and name not in back):
            decision += _anew(state, item, name, "undo", at, book)
    return decision


def _held(state: OrderState, work: Iterable[Work], removed: Iterable[str]) -> Iterator[StepCancelled]:
    """What stands still of what changes is let go first: held never becomes completed at one stroke."""
    places = {(one.item, one.step) for one in work if one.action != "do"}
    places |= {(item, step) for item in removed for step in state.progress.items[item].steps}
    for item, step in [(item, step) for item, progress in state.progress.items.items() for step in progress.steps]:
        if (item, step) in places and state.progress.items[item].steps[step] == "held":
            yield StepCancelled(item=item, step=step)


def _planned_anew(state: OrderState, wished: OrderState, found: Assessed) -> tuple[PlannedItem, ...]:
    """The items that come, and those that differ from how they are planned: in what their line says, or in what they cost beside others."""
    places = {line.item: line.place for line in wished.lines}
    return tuple(
        each.model_copy(
            update={"promised_on": state.items[each.item].promised_on if each.item in state.items else found.promised[each.item]}
        )
        for each in found.plan.items
        if each.item not in state.items
        or (open_item(state, each.item) and _differs(state.items[each.item], each, places[each.line], each.line in found.verdicts))
    )


def _differs(stands: Planned, each: PlannedItem, place: str, said_otherwise: bool) -> bool:
    anew = planned_of(each, place=place, account=stands.account, currency=stands.currency)
    if not said_otherwise:
        return (anew.recurring_minor, anew.one_time_minor, anew.terms) != (stands.recurring_minor, stands.one_time_minor, stands.terms)
    return changed(anew, promised_on="", code_given_at=None) != changed(stands, promised_on="", code_given_at=None, left={})


def _revised(
    state: OrderState,
    wished: OrderState,
    found: Assessed,
    paper: ChangedPaper,
    committed_minor: int,
    anew: tuple[PlannedItem, ...],
    removed: tuple[str, ...],
    steps: tuple[RevisedStep, ...],
) -> OrderRevised:
    return OrderRevised(
        revision=len(state.revisions) + 1,
        channel=paper.channel,
        base_version=paper.base_version,
        original=paper.original,
        fingerprint=paper.fingerprint,
        account=wished.account,
        currency=found.plan.currency,
        requested_start=wished.requested_start,
        requested_completion=wished.requested_completion,
        lines=tuple(captured(line) for line in wished.lines),
        details=tuple(LineDetail(characteristics=line.characteristics, place=line.place) for line in wished.lines),
        changed=_changed(found),
        plan_version=found.plan.plan_version,
        committed_minor=committed_minor,
        items=anew,
        removed=removed,
        steps=steps,
        penalties=tuple(RevisedPenalty(**one._asdict()) for one in found.penalties),
        vouchers=held if (held := held_by(wished)) != held_by(state) else None,
        products=tuple(named.values()) if (named := products_of(wished)) != products_of(state) else None,
    )


def _changed(found: Assessed) -> tuple[RevisedAttribute, ...]:
    return tuple(RevisedAttribute(line=one.line, attribute=one.attribute) for one in found.differences)


def captured(line: Line) -> CapturedLine:
    """Give the part of a line that is not personal, as events keep it."""
    names = CapturedLine.model_fields.keys()
    return CapturedLine(**{name: getattr(line, name) for name in names})


def _promises(before: OrderState, after: OrderState, found: Assessed, book: Book) -> Iterator[PromiseMade | PromiseRevised]:
    """A day for each item that comes, and another for those that are done sooner or later than they were promised."""
    fresh = [item for item in after.items if item not in before.items]
    if fresh:
        by = found.agreed
        made = tuple(
            PromisedItem(item=item, promised_on=found.promised[item], step=AGREEMENT if item in by else "", agreed_by=by.get(item, ""))
            for item in fresh
        )
        yield PromiseMade(items=made, zone=book.market(before.market).zone)
    for item, planned in before.items.items():
        day = found.promised.get(item, planned.promised_on)
        if open_item(after, item) and day != planned.promised_on:
            yield PromiseRevised(
                item=item,
                promised_before=planned.promised_on,
                promised_on=day,
                cause_item=item,
                cause_step=BY_REVISION,
                by_customer=True,
                agreed_by=found.agreed.get(item, ""),
            )
