"""One order told again under other data: its history step by step, and from where the data decides otherwise, over what partners
answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from o2c.engine.app import PINNED, Engine
from o2c.kernel import flow
from o2c.kernel.again import answer_of, digests_of
from o2c.kernel.agenda import Entry
from o2c.kernel.attend import Ask, Reply, attend, settle
from o2c.kernel.carry import Carried
from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, Fact
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted, Answer, RefusedBy, Unknown
from o2c.kernel.shapes import Declined, Done, FellOut, PartnerSilent, RetryScheduled, StepStopped, item_of, step_of
from o2c.kernel.step import Step
from o2c.kernel.work import Work

if TYPE_CHECKING:
    from o2c.plan import PlanBook

LOOKS_MAX = 60
"""How often a step is looked at again: five attempts, each with a dozen queries."""
_FELL_OUT_FIELDS = frozenset({*FellOut.model_fields, "step"})
_CAME_TO_BE = frozenset({"order.completed", "order.partially-completed"})
Place = tuple[str, str]
End = Literal["done", "ended", "person", "unknown"]


@dataclass(frozen=True, slots=True)
class Retold:
    """An order told again. `before` and `after` count how often a step stopped for somebody; `saved` gives, by item (empty: the gates) and
    step, how much earlier it was over; `spared` are the fallouts that nobody would have had to work on; `ended` says that the order would
    have ended where the data parts, and `lost` that history had it come to be; `elsewhere` are other streams that would stand otherwise;
    `unknown` says from where on nobody knows (empty: it is known to the end)."""

    before: int
    after: int
    saved: Mapping[Place, timedelta] = field(default_factory=dict)
    spared: frozenset[str] = frozenset()
    ended: bool = False
    lost: bool = False
    elsewhere: frozenset[str] = frozenset()
    unknown: str = ""

    @property
    def otherwise(self) -> bool:
        """Whether anything came out otherwise than in history, or nobody knows."""
        return bool(self.unknown or self.saved or self.lost or self.before != self.after)


@dataclass(frozen=True, slots=True)
class _Course:
    """How a step goes on: how often it stops for somebody, and how and when it ends."""

    stops: int
    end: End
    at: datetime
    type_name: str = ""
    why: str = ""


class Retelling:
    """Tells an order again under `other`, a book with other data; `now` is the book that history was decided under.

    Where both decide alike, history is followed; a decision that reads no reason code is history's, because it has the same inputs. Where
    they part, the step goes on by itself over the answers that its partner gave to the same requests, until it ends as it did in history:
    from there the order goes on as it did, by so much earlier or later.
    """

    def __init__(
        self,
        app: Engine,
        stream: str,
        facts: Sequence[Fact],
        *,
        now: PlanBook,
        other: PlanBook,
        seed: int,
        doubted: Collection[str] = (),
    ) -> None:
        self.app, self.stream, self.facts, self.now, self.other, self.seed = app, stream, facts, now, other, seed
        self.doubted = doubted
        """Streams that would stand otherwise because of another order: what is decided by them is not known."""
        self.parted = frozenset(name for name, step in other.steps.items() if step is not now.steps[name])
        """The steps that other data declares otherwise: all that was decided about their partners' answers is decided again."""
        self.kind = app.kind(stream)
        self.state = self.kind.initial(stream)
        self._position = 0
        self._until: dict[Place, int] = {}
        """By step that went otherwise, the place in history from which it goes on as it did."""
        self._elsewhere: set[str] = set()

    def told(self) -> Retold:
        """Tell the order to its end, or as far as anybody knows; from there it counts as it was, on both sides."""
        before = sum(self._stops(index) for index in range(len(self.facts)))
        after, saved, spared = 0, dict[Place, timedelta](), set[str]()
        for index, fact in enumerate(self.facts):
            place = _place(fact.event)
            if index >= self._until.get(place, 0):
                course = self._look(index) if self._is_decided(index) else None
                if course is None:
                    after += self._stops(index)
                elif course.end in ("unknown", "person"):
                    return Retold(before, before, elsewhere=self._others(), unknown=course.why)
                else:
                    after += course.stops
                    done = self._done_after(index, course.type_name) if course.end == "done" else None
                    spared |= self._fallouts(place if course.end == "done" else None, index, done)
                    if course.end == "ended":
                        lost = any(each.event.type_name in _CAME_TO_BE for each in self.facts)
                        return Retold(before, after, saved, frozenset(spared), ended=True, lost=lost, elsewhere=self._others())
                    if done is None:
                        return Retold(before, before, elsewhere=self._others(), unknown=f"history never saw {course.type_name}")
                    self._until[place] = done
                    saved[place] = saved.get(place, timedelta()) + (self.facts[done].occurred_at - course.at)
            self.state = self.kind.evolve(self.state, fact.event)
        return Retold(before, after, saved, frozenset(spared), elsewhere=self._others())

    def _others(self) -> frozenset[str]:
        return frozenset(self._elsewhere)

    def _fallouts(self, place: Place | None, start: int, end: int | None) -> set[str]:
        """The fallouts that history has from a place on, up to another: of a step, or (None) of the whole order."""
        events = (fact.event for fact in self.facts[start:end])
        return {event.fallout for event in events if isinstance(event, FellOut) and place in (None, _place(event))}

    def _stops(self, index: int) -> int:
        """1 where a step stops for somebody: not where it is tried again by itself, or waits for stock."""
        event = self.facts[index].event
        if not isinstance(event, FellOut) or event.awaits:
            return 0
        after = self.facts[index + 1].event if index + 1 < len(self.facts) else None
        return int(not (isinstance(after, RetryScheduled) and _place(after) == _place(event)))

    def _is_decided(self, index: int) -> bool:
        """Whether what the other data changes was read to decide this event: the table of reason codes, or the declaration of its step."""
        event, asked = self.facts[index].event, self.facts[index].asked
        step = self.now.steps.get(step_of(event))
        if step is None or step.requested is None or isinstance(event, StepStopped):
            return False
        if isinstance(event, FellOut):
            return True
        if step.name in self.parted and isinstance(event, Done | Declined | PartnerSilent):
            return asked is not None or isinstance(event, Done)
        return isinstance(event, Declined) and asked is not None and asked.answer in ("refused", "failed")

    def _done_after(self, index: int, type_name: str) -> int | None:
        place = _place(self.facts[index].event)
        later = (at for at in range(index, len(self.facts)) if _place(self.facts[at].event) == place)
        return next((at for at in later if self.facts[at].event.type_name == type_name), None)

    def _look(self, index: int) -> _Course | None:
        """How the step goes on under the other data; None where that is as in history."""
        fact = self.facts[index]
        self._position = fact.position or 0
        step = self.now.steps[step_of(fact.event)]
        by_person = isinstance(fact.event, Done) and fact.asked is None
        if by_person and not self._had(fact, step):
            return None
        if step.name in self.parted and (doubted := self._doubted(fact, step)):
            return _Course(0, "unknown", fact.occurred_at, why=f"{step.name} reads {doubted}, which would stand otherwise by then")
        told = self._carried(index, self.now)
        if not self._is_history(index, [each.event for each in told.happened if each.stream == self.stream]):
            if by_person:
                return None
            return _Course(
                0, "unknown", fact.occurred_at, why=f"the rules of today do not decide {fact.event.type_name} again as it was decided"
            )
        other = self._carried(index, self.other)
        if _gist(told) == _gist(other):
            return None
        sides = [{each.stream for each in carried.happened if each.stream != self.stream} for carried in (told, other)]
        self._elsewhere |= sides[0] | sides[1]
        return self._course(index, other)

    def _had(self, fact: Fact, step: Step) -> Answer | None:
        """The answer that a step had already, so that nobody was asked."""
        item, name = _place(fact.event)
        work = self._work(self.state, item, name, self.now, attempt=getattr(fact.event, "attempt", 1))
        return step.ask.had(work, fact.occurred_at) if step.ask else None

    def _doubted(self, fact: Fact, step: Step) -> str:
        """The first stream read by a step that would stand otherwise because of another order; empty for none."""
        if not self.doubted:
            return ""
        item, name = _place(fact.event)
        reads = step.read_from(self.kind.work(self.state, self.stream, item, name, self.now), self._as_it_stood)
        return next((stream for stream in reads if stream in self.doubted), "")

    def _is_history(self, index: int, events: Sequence[Event]) -> bool:
        """Whether these are the events that history has from a place on, and no others of the step in the same command."""
        fact, place = self.facts[index], _place(self.facts[index].event)
        recorded = [each.event.type_name for each in self.facts[index : index + len(events)]]
        written = [each.event for each in self.facts[index:] if each.command_id == fact.command_id]
        own = [[event.type_name for event in some if _place(event) == place] for some in (written, events)]
        return recorded == [event.type_name for event in events] and own[0] == own[1]

    def _carried(self, index: int, book: PlanBook) -> Carried:
        """The decision of a fact made again under a book, with all that follows of it."""
        fact = self.facts[index]
        carried = Carried(self.kind, self.stream, self.state)
        carried.carry(self._decision(fact, book), fact.occurred_at, book, None)
        return carried

    def _decision(self, fact: Fact, book: PlanBook) -> Decision:
        event, at = fact.event, fact.occurred_at
        item, name = _place(event)
        step = book.steps[name]
        work = self._work(self.state, item, name, book, attempt=getattr(event, "attempt", 1))
        if answer := self._answer(fact, step, work):
            return flow.settle(step, work, answer, at, seed=self.seed)
        assert isinstance(event, FellOut)
        further = event.model_dump(exclude=set(_FELL_OUT_FIELDS))
        code = f"{event.reason}: {event.detail}" if event.detail else event.reason
        return flow.fall_out(step, work, code, at, seed=self.seed, partner_code=event.partner_code, awaits=event.awaits, fields=further)

    def _answer(self, fact: Fact, step: Step, work: Work) -> Answer | None:
        """The answer that an event came of; None where a check of our own, or a lack of stock, made a fallout."""
        code = getattr(fact.event, "partner_code", "")
        if fact.asked is None and isinstance(fact.event, Done):
            return self._had(fact, step)
        if fact.asked is None:
            had = step.ask.had(work, fact.occurred_at) if step.ask and code else None
            return had or (RefusedBy(code) if step.ask and code else None)
        if fact.asked.answer == "done" and not isinstance(fact.event, Done) and step.name not in self.parted:
            # The partner approved, and our own reading made it a refusal: under the code that the fallout keeps.
            return RefusedBy(code, fact.asked.data)
        return answer_of(fact.asked, fact.event, fact.occurred_at)

    def _work(self, state: Any, item: str, step: str, book: PlanBook, *, attempt: int) -> Work:
        work = self.kind.work(state, self.stream, item, step, book)
        return changed(work, attempt=attempt, read=book.steps[step].read_from(work, self._as_it_stood))

    def _as_it_stood(self, stream: str) -> Any:
        """Another stream that a step reads, as it stood when history decided: a number that was ported in since was not yet; None before it
        began."""
        if PINNED.fullmatch(stream):
            return self.app.load_one(stream).state
        kind, state = self.app.kind(stream), None
        for fact in cast("Iterator[Fact]", self.app.events.get(stream)):
            if (fact.position or 0) >= self._position:
                break
            state = kind.evolve(kind.initial(stream) if state is None else state, fact.event)
        return state

    def _course(self, index: int, carried: Carried) -> _Course:
        """Let a step go on from where the data parts, in its own time, over the answers that history has for its requests."""
        place, at, stops, looked = _place(self.facts[index].event), self.facts[index].occurred_at, 0, 0
        step = self.other.steps[place[1]]
        answers = self._answers_after(index)
        for _ in range(LOOKS_MAX):
            own = [each.event for each in carried.happened[looked:] if each.stream == self.stream and _place(each.event) == place]
            stops += any(isinstance(event, FellOut) and not event.awaits for event in own) and not any(
                isinstance(e, RetryScheduled) for e in own
            )
            looked = len(carried.happened)
            if done := next((event for event in own if isinstance(event, Done)), None):
                return _Course(stops, "done", at, done.type_name)
            entry = _entry(carried, place)
            if entry is None:
                break
            if entry.kind == "stock" or step.draw:
                return _Course(stops, "unknown", at, why="what was in stock then is not known")
            at = max(at, entry.due_at)
            outcome = self._attended(step, carried, entry, at, answers)
            if outcome is None:
                return _Course(stops, "unknown", at, why=f"{step.partner} was never asked this as attempt {entry.attempt} of {step.name}")
            carried.carry(outcome, at, self.other, None)
        carried.close()
        work = self._work(carried.state, *place, self.other, attempt=1)
        if work.waiting_for and work.fallout:
            return _Course(stops, "person", at, why=f"{step.name} waits for {work.waiting_for}, and nobody knows what they would have done")
        return _Course(stops, "ended", at)

    def _attended(self, step: Step, carried: Carried, entry: Entry, at: datetime, answers: Mapping[int, deque[Fact]]) -> Decision | None:
        """What is decided about a row of the step; None where history has no answer to its request."""
        work = self._work(carried.state, entry.item, entry.step, self.other, attempt=entry.attempt)
        outcome = attend(step, work, entry, None, at, seed=self.seed)
        if not isinstance(outcome, Ask):
            return outcome
        made = answers.get(entry.attempt)
        if not made:
            return None
        fact = made.popleft()
        if fact.asked is None or fact.asked.digest not in digests_of(step, work, at, fact.occurred_at):
            return None
        answer = _moved(answer_of(fact.asked, fact.event, fact.occurred_at), at - fact.occurred_at)
        return settle(step, work, outcome, Reply(answer), at, seed=self.seed)

    def _answers_after(self, index: int) -> dict[int, deque[Fact]]:
        """The exchanges of a step after a place in history, by attempt, in their order."""
        place, found = _place(self.facts[index].event), dict[int, deque[Fact]]()
        for fact in self.facts[index + 1 :]:
            if fact.asked and _place(fact.event) == place:
                found.setdefault(getattr(fact.event, "attempt", 1), deque()).append(fact)
        return found


def _place(event: Event) -> Place:
    return item_of(event), step_of(event)


def _gist(carried: Carried) -> list[tuple[Any, ...]]:
    """What of a decision moves an order on: the types of its events, when something is tried again, and what a fallout asks somebody
    for."""
    return [(each.stream, each.event.type_name, getattr(each.event, "due_at", None), _asked_for(each.event)) for each in carried.happened]


def _asked_for(event: Event) -> dict[str, Any]:
    """The further fields of a fallout, such as the amount of a deposit: whoever is asked for something else may answer otherwise."""
    return event.model_dump(exclude=set(_FELL_OUT_FIELDS)) if isinstance(event, FellOut) and not isinstance(event, StepStopped) else {}


def _entry(carried: Carried, place: Place) -> Entry | None:
    """The row of a step on the agenda, as what happened leaves it."""
    entry = None
    for each in carried.happened:
        if each.stream == carried.stream:
            for change in carried.kind.agenda(each.after, each.event, carried.stream):
                if (change.item, change.step) == place:
                    entry = change if isinstance(change, Entry) else None
    return entry


def _moved(answer: Answer, by: timedelta) -> Answer:
    """An answer as it is at another time: the partner takes as long as it took."""
    return replace(answer, ask_again_at=answer.ask_again_at + by) if isinstance(answer, Accepted | Unknown) else answer
