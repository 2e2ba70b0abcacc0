"""When the steps of an order would have been over under other plan data: the same steps with other waits, and due at other times."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from o2c.kernel.again import digests_of
from o2c.kernel.event import Fact
from o2c.kernel.shapes import Done, Requested, item_of, step_of
from o2c.kernel.step import Step
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Work
from o2c.orders.rollup import GATES
from o2c.views.reserved import Taken

if TYPE_CHECKING:
    from o2c.plan import PlanBook

Place = tuple[str, str]
_NOW = timedelta()


class Unknown(Exception):
    """What history cannot say about a step under the other plan, in words."""


@dataclass(frozen=True, slots=True)
class _Span:
    """How a step went: when it was asked for first, when it was done, and what was sent about it."""

    asked_at: datetime
    done_at: datetime
    facts: tuple[Fact, ...]


class Retiming:
    """Tells when the steps that history completed would have been done under another book, and from when on nobody knows (Unknown).

    A step is asked for as long after the last of its waits as it was (most are at once), is due by its own rule, and from then on takes as
    long as it took, less what `saved` says of it. Where it moves, its request must have been the same without what it no longer waits for:
    then the partner answers as it did. A piece of stock must have lain free by then.
    """

    def __init__(
        self,
        kind: StreamKind,
        stream: str,
        facts: Sequence[Fact],
        state: Any,
        *,
        now: PlanBook,
        other: PlanBook,
        saved: Mapping[Place, timedelta],
        taken: Mapping[Place, Taken],
    ) -> None:
        self.kind, self.stream, self.facts, self.state = kind, stream, facts, state
        self.now, self.other, self.saved, self.taken = now, other, saved, taken
        self._spans = _spans(facts)
        self._done: dict[Place, datetime] = {}
        self._revised = any(fact.event.type_name == "order.revised" for fact in facts)
        self._planned_at = next((fact.occurred_at for fact in facts if fact.event.type_name == "order.planned"), None)
        self.gates = sum((self._gate_saved(place) for place in self._spans if not place[0] and place[1] in GATES), _NOW)

    def sooner(self) -> dict[str, timedelta]:
        """How much earlier each item would have been over, and (empty name) its order's gates. Raises Unknown."""
        if self._revised:
            raise Unknown("the paper was changed in flight, and nobody knows what would have come of that at another time")
        found = {"": self.gates} if self.gates else {}
        if self._planned_at is None:
            return found
        for item in self.state.items:
            sides = [self._over(item, parts=parts) for parts in (False, True)]
            if most := max((side - self.gates for side in sides if side is not None), key=abs, default=_NOW):
                found[item] = most
        return found

    def _over(self, item: str, *, parts: bool) -> timedelta | None:
        """How much earlier the item as such, or the part of it that can be given up, would have been over."""
        steps = [step for step in self.state.items[item].waits if (item, step) in self._spans]
        own = [step for step in steps if bool(self.now.steps[step].part) is parts]
        if not own:
            return None
        return max(self._spans[item, step].done_at for step in own) - max(self.done_at((item, step)) for step in own)

    def _gate_saved(self, place: Place) -> timedelta:
        span, name = self._spans[place], place[1]
        work = self._work(place)
        moved = self._due(self.now.steps[name], work, span.asked_at) - self._due(self.other.steps[name], work, span.asked_at)
        return moved + self.saved.get(place, _NOW)

    def done_at(self, place: Place) -> datetime:
        """When a step that history completed would have been done."""
        if place not in self._done:
            self._done[place] = self._retimed(place)
        return self._done[place]

    def _retimed(self, place: Place) -> datetime:
        assert self._planned_at is not None
        name, span = place[1], self._spans[place]
        before = max([self._planned_at, *(self._was(wait) for wait in self._waits(self.now, place))])
        if span.asked_at < before:
            raise Unknown(f"{name} was done anew, and nobody knows what would have come of that")
        ready = max([self._planned_at - self.gates, *(self.done_at(wait) for wait in self._waits(self.other, place))])
        asked_at = ready + (span.asked_at - before)
        work = self._work_at(place)
        was_due, is_due = (self._due(book.steps[name], work, at) for book, at in ((self.now, span.asked_at), (self.other, asked_at)))
        if is_due != was_due:
            self._same(place, work, is_due)
        return is_due + (span.done_at - was_due) - self.saved.get(place, _NOW)

    def _waits(self, book: PlanBook, place: Place) -> Iterator[Place]:
        """What a step waits for under a book: as planned, but for the waits that the other book has otherwise; of other items always as
        planned."""
        item, name = place
        planned = self.state.items[item]
        under = [dict(each.steps_of(planned.specification, planned.characteristics)).get(name) for each in (self.now, book)]
        for wait in planned.waits[name]:
            base, _, step = wait.rpartition("/")
            if base or under[0] == under[1]:
                yield base or item, step
        if under[0] != under[1]:
            yield from ((item, wait) for wait in under[1] or ())

    def _was(self, place: Place) -> datetime:
        if place not in self._spans:
            raise Unknown(f"{place[1]} was never done, and what waits for it is")
        return self._spans[place].done_at

    def _work_at(self, place: Place) -> Work:
        """The work of a step when it is asked for under the other book: gates and plan passed, and what it then waits for done."""
        waited, left = set[Place](), [place]
        while left:
            fresh = [wait for wait in self._waits(self.other, left.pop()) if wait not in waited]
            for wait in fresh:
                self._was(wait)
            waited.update(fresh)
            left += fresh
        return self._work(place, waited)

    def _work(self, place: Place, waited: Collection[Place] = ()) -> Work:
        """The work of a step as the gates, the plan and the steps that it waited for left it."""
        state = self.kind.initial(self.stream)
        for fact in self.facts:
            if (of := _place(fact)) in waited or not of[1] or not of[0]:
                state = self.kind.evolve(state, fact.event)
        return self.kind.work(state, self.stream, *place, self.now)

    def _due(self, step: Step, work: Work, at: datetime) -> datetime:
        try:
            return step.open_from(work, step.due_at(work, at))
        except (KeyError, TypeError, ValueError):
            raise Unknown(f"{step.name} is due by what it waited for") from None

    def _same(self, place: Place, work: Work, at: datetime) -> None:
        """See that the step could have been asked for at another time as it was. Raises Unknown."""
        name = place[1]
        step = self.other.steps[name]
        if step.draw and place in self.taken and self.taken[place].free_from > at:
            raise Unknown(f"what was in stock for {name} then is not known")
        sent = next((fact for fact in self._spans[place].facts if fact.asked and fact.asked.digest), None)
        if sent is None or sent.asked is None:
            return
        try:
            digests = digests_of(step, work, at, sent.occurred_at)
        except (KeyError, TypeError, ValueError):
            digests = frozenset()
        if sent.asked.digest not in digests:
            raise Unknown(f"{step.partner} was never asked for {name} without what it waited for")


def _place(fact: Fact) -> Place:
    return item_of(fact.event), step_of(fact.event)


def _spans(facts: Sequence[Fact]) -> dict[Place, _Span]:
    """The steps that were done, by item and step."""
    asked: dict[Place, datetime] = {}
    of: dict[Place, list[Fact]] = {}
    done: dict[Place, datetime] = {}
    for fact in facts:
        place = _place(fact)
        if not place[1]:
            continue
        of.setdefault(place, []).append(fact)
        if isinstance(fact.event, Requested):
            asked.setdefault(place, fact.occurred_at)
        elif fact.event.shape == Done.shape:
            done[place] = fact.occurred_at
    return {place: _Span(asked[place], at, tuple(of[place])) for place, at in done.items() if place in asked}
