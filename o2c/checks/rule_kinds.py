"""The kinds of rule that a log is checked against, each a pure fold of the events of one case. Names and meaning follow Declare.

Source: Pesic, Schonenberg, van der Aalst: DECLARE, full support for loosely-structured processes (EDOC 2007), with time added.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from o2c.checks.machines import BEFORE, Machine
from o2c.kernel.event import Event, types_by_name
from o2c.kernel.shapes import OfStep
from projections.engine.seen import Seen

EVERY_KIND = "*"
"""The kind of stream that the events belong to which every kind that carries steps has."""

MACHINE = "state machine"
"""The kind of rules that say how things move from state to state."""

Case = tuple[str, str]
"""What a rule holds for: an order or stream, and the part of it that the rule is about (an item); empty for all of it."""


class Broken(NamedTuple):
    """How an event broke a rule, in words without identifiers, and by how many seconds a rule of time was missed."""

    what: str
    delay_s: float | None = None


class Step(NamedTuple):
    """What one event means for a case: what is remembered from now on, whether the rule had something to judge, how it was broken, and the
    states before and after, where a machine was moved."""

    memo: Any
    looked: bool = False
    broken: Broken | None = None
    move: tuple[str, str] | None = None


class Owed(NamedTuple):
    """What is owed by a time, since an event that asked for it."""

    until: datetime
    asked: Seen


@dataclass(frozen=True)
class Events:
    """A choice of events by all that is given: stored names (`order.*` too), the step, the shapes, the kind of stream that they belong to.

    `where` are values that fields of the body must have. `that` is asked of a class, once for each, and `meaning` says it in words.
    """

    names: tuple[str, ...] = ()
    step: str = ""
    shapes: tuple[str, ...] = ()
    of: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    that: Callable[[type[Event]], bool] | None = None
    meaning: str = ""

    @cached_property
    def types(self) -> frozenset[str]:
        """The stored names of all types that such an event may have."""
        return frozenset(name for name, cls in types_by_name().items() if self._may_be(name, cls))

    def _may_be(self, name: str, cls: type[Event]) -> bool:
        return (
            (not self.names or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.names))
            and (not self.step or cls.step_name == self.step or issubclass(cls, OfStep))
            and (not self.shapes or cls.shape in self.shapes)
            and (not self.of or cls.of_stream in (self.of, EVERY_KIND))
            and (self.that is None or self.that(cls))
        )

    def has(self, seen: Seen) -> bool:
        """Whether an event is one of them."""
        if seen.type not in self.types or (self.step and seen.step != self.step):
            return False
        if self.of and not seen.stream.startswith(f"{self.of}-"):
            return False
        return not self.where or all(seen.body.get(name) == value for name, value in self.where.items())

    @property
    def words(self) -> str:
        """The choice in words, for a list of rules."""
        told = self.meaning or " ".join(filter(None, (self.step, " or ".join(self.shapes)))) or f"anything of the {self.of}"
        chosen = " or ".join(self.names) or told
        return f"{chosen} ({', '.join(f'{name} {value}' for name, value in self.where.items())})" if self.where else chosen


def named(*names: str, **where: Any) -> Events:
    """Choose events by their stored names, and by values of their fields."""
    return Events(names=names, where=where)


def done(step: str) -> Events:
    """Choose the events by which a step is done, whatever it took."""
    return Events(step=step, shapes=("done",))


def by_order(seen: Seen) -> Iterable[Case]:
    """The order that an event belongs to or names."""
    order = _order(seen)
    return ((order, ""),) if order else ()


def by_item(seen: Seen) -> Iterable[Case]:
    """The item that an event is about; of an invoice, the items of its lines, of which those about late payment have none."""
    order = _order(seen)
    if order and not seen.stream.startswith("invoice-"):
        return ((order, seen.item or seen.body.get("item", "")),)
    return {(line["order"], line["item"]): None for line in seen.body.get("lines", ()) if line["order"]}


def by_stream(seen: Seen) -> Iterable[Case]:
    """The thing whose life the stream of an event tells."""
    return ((seen.stream, ""),)


def by_late_invoice(seen: Seen) -> Iterable[Case]:
    """The invoice that is late, by its own stream; of one that charges for paying others late, these."""
    if seen.type == "invoice.issued":
        return {(line["of_invoice"], ""): None for line in seen.body["lines"] if line.get("of_invoice")}
    return ((seen.stream.removeprefix("invoice-"), ""),)


def by_piece(name: str) -> Callable[[Seen], Iterable[Case]]:
    """Give the way to find the SIM or number that an event names in a field."""
    return lambda seen: ((seen.body[name], ""),) if name in seen.body else ()


def _order(seen: Seen) -> str:
    return seen.stream.removeprefix("order-") if seen.stream.startswith("order-") else str(seen.body.get("order", ""))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule: its name, what it says in plain English, where it comes from, and which case an event belongs to."""

    name: str
    says: str
    source: str
    by: Callable[[Seen], Iterable[Case]]
    kind: ClassVar[str] = ""

    @property
    def reads(self) -> tuple[Events, ...]:
        """The events that the rule reads, by role."""
        return ()

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Take one event of a case; the memo is None before the first."""
        raise NotImplementedError(f"{type(self).__name__} must say how it takes an event")

    def declared(self) -> Iterator[tuple[str, str, str]]:
        """The moves that the rule declares, if it is of states: the state before, the event (empty: any), and the state after."""
        return iter(())

    def left(self, memo: Any, now: datetime) -> tuple[Seen, Broken] | None:
        """How the rule is broken by what has not come until now, the time of the last event; with the event that asked for it."""
        return None


@dataclass(frozen=True, kw_only=True)
class Transitions(Rule):
    """Something moves from state to state as its machine declares."""

    machine: Machine
    kind: ClassVar[str] = MACHINE

    @cached_property
    def reads(self) -> tuple[Events, ...]:
        """The events that bring a state."""
        return (named(*self.machine.states),)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Compare the state that the event brings with what may follow the state before."""
        old, new = memo or BEFORE, self.machine.states[seen.type]
        broken = moved(old, new, self.machine.allowed)
        if broken is None and old != new and not self.machine.may(old, seen.type):
            broken = Broken(f"{seen.type} of one that is {old or 'nothing'}")
        return Step(new, True, broken, (old, new))

    def declared(self) -> Iterator[tuple[str, str, str]]:
        """Every move that is declared: the state before, the event, and the state that it brings."""
        return self.machine.transitions()


def moved(old: str, new: str, allowed: Mapping[str, frozenset[str]], what: str = "") -> Broken | None:
    """Give what is wrong with going from one state to another; None where that is declared, or no move at all."""
    if old == new or new in allowed.get(old, ()):
        return None
    return Broken(f"{what or 'it'} went from {old or 'nothing'} to {new}")


@dataclass(frozen=True, kw_only=True)
class Precedence(Rule):
    """No `then` without a `first` before it, or one of `others`."""

    first: Events
    then: Events
    others: tuple[Events, ...] = ()
    kind: ClassVar[str] = "precedence"

    @property
    def reads(self) -> tuple[Events, ...]:
        """First, what may take its place, and then."""
        return (self.first, *self.others, self.then)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Remember that the first came; without it the other breaks the rule."""
        if any(one.has(seen) for one in (self.first, *self.others)):
            return Step(True)
        if not self.then.has(seen):
            return Step(memo)
        return Step(memo, True, None if memo else Broken(f"{seen.type} with no {self.first.words} before it"))


@dataclass(frozen=True, kw_only=True)
class NotSuccession(Rule):
    """After `first` never again a `never`, except `but`."""

    first: Events
    never: Events
    but: tuple[Events, ...] = ()
    kind: ClassVar[str] = "not-succession"

    @property
    def reads(self) -> tuple[Events, ...]:
        """First and never."""
        return (self.first, self.never)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Remember the type of the first; from then on the other breaks the rule."""
        if memo and self.never.has(seen) and not any(one.has(seen) for one in self.but):
            return Step(memo, True, Broken(f"{seen.type} after {memo}"))
        return Step(seen.type, True) if self.first.has(seen) else Step(memo)


@dataclass(frozen=True, kw_only=True)
class Response(Rule):
    """Whenever `asked`, then an `answered` no later than `until`. What is still open breaks the rule when its time is over."""

    asked: Events
    answered: Events
    until: Callable[[Seen], datetime]
    kind: ClassVar[str] = "response in time"

    @property
    def reads(self) -> tuple[Events, ...]:
        """Asked and answered."""
        return (self.asked, self.answered)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Remember what is owed; an answer settles it, too late or not."""
        if self.asked.has(seen):
            return Step(memo or Owed(self.until(seen), seen), True)
        if memo is None or not self.answered.has(seen):
            return Step(memo)
        late_s = (seen.occurred_at - memo.until).total_seconds()
        return Step(None, True, Broken(f"{seen.type} too late", late_s) if late_s > 0 else None)

    def left(self, memo: Any, now: datetime) -> tuple[Seen, Broken] | None:
        """What was owed by a time that is over, and has not come."""
        if memo is None or now <= memo.until:
            return None
        return memo.asked, Broken(f"{memo.asked.type} and no {self.answered.words} in time", (now - memo.until).total_seconds())


class Notice(NamedTuple):
    """What is known of a case that may not go on before a time: that time (None: not under notice), and what the rule notes beside it."""

    until: datetime | None = None
    noted: str = ""


@dataclass(frozen=True, kw_only=True)
class NotBefore(Rule):
    """No `then` before the time that `told` reckons from the events of `starts`."""

    starts: Events
    then: tuple[Events, ...]
    told: Callable[[Notice, Seen], Notice]
    kind: ClassVar[str] = "not before a time"

    @property
    def reads(self) -> tuple[Events, ...]:
        """Starts and then."""
        return (self.starts, *self.then)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Reckon the time anew at a start; before it the other breaks the rule."""
        notice: Notice = memo or Notice()
        if self.starts.has(seen):
            return Step(self.told(notice, seen))
        if notice.until is None or not any(one.has(seen) for one in self.then):
            return Step(memo)
        early_s = (notice.until - seen.occurred_at).total_seconds()
        return Step(notice, True, Broken(f"{seen.type} too early", early_s) if early_s > 0 else None)


class Window(NamedTuple):
    """The window that stands (None: none does), as stamps, and the time at which the work in it was first begun."""

    opens_at: datetime | None = None
    closes_at: datetime | None = None
    begun_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Within(Rule):
    """No `then` outside the window that an event of `opens` agreed (fields `from_` and `to`) and none of `ends` gave up.

    What was `begun` in the window may be told of after it.
    """

    opens: Events
    from_: str
    to: str
    ends: Events
    begun: Events
    then: Events
    kind: ClassVar[str] = "within a window"

    @property
    def reads(self) -> tuple[Events, ...]:
        """Opens, ends, begun and then."""
        return (self.opens, self.ends, self.begun, self.then)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Keep the window that stands and when work began in it; outside of it the other breaks the rule."""
        window: Window = memo or Window()
        if self.opens.has(seen):
            return Step(Window(_time(seen, self.from_), _time(seen, self.to)))
        if self.ends.has(seen):
            return Step(Window())
        if self.begun.has(seen):
            return Step(window._replace(begun_at=window.begun_at or seen.occurred_at))
        return Step(window, True, self._outside(window, seen)) if self.then.has(seen) else Step(memo)

    def _outside(self, window: Window, seen: Seen) -> Broken | None:
        if window.opens_at is None:
            return Broken(f"{seen.type} with no window agreed")
        at = window.begun_at if window.begun_at and window.begun_at >= window.opens_at else seen.occurred_at
        if at < window.opens_at:
            return Broken(f"{seen.type} before its window", (window.opens_at - at).total_seconds())
        if window.closes_at and at >= window.closes_at:
            return Broken(f"{seen.type} after its window", (at - window.closes_at).total_seconds())
        return None


def _time(seen: Seen, name: str) -> datetime | None:
    text = seen.body.get(name)
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, kw_only=True)
class OneHolder(Rule):
    """Nobody gets what somebody else holds, until it is `freed`. Whoever gets it is the item that the event of `taken` is about or
    names."""

    taken: Events
    freed: Events
    kind: ClassVar[str] = "one holder at a time"

    @property
    def reads(self) -> tuple[Events, ...]:
        """Taken and freed."""
        return (self.taken, self.freed)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Keep the holder; another one before it was freed breaks the rule."""
        if not self.taken.has(seen):
            return Step(None if self.freed.has(seen) else memo)
        holder = f"{_order(seen)}/{seen.item or seen.body.get('item', '')}"
        return Step(holder, True, Broken(f"{seen.type} by {holder} while {memo} holds it") if memo not in (None, holder) else None)


def in_(**duration: float) -> Callable[[Seen], datetime]:
    """Give the way to reckon a time from that of an event, by the arguments of a timedelta."""
    return lambda seen: seen.occurred_at + timedelta(**duration)


def after_day(name: str) -> Callable[[Seen], datetime]:
    """Give the way to read the end of a day from a field of an event that has no zone: where on earth that day ends last (UTC-12)."""
    return lambda seen: datetime.fromisoformat(seen.body[name]).replace(tzinfo=UTC) + timedelta(days=1, hours=12)


def at_field(name: str) -> Callable[[Seen], datetime]:
    """Give the way to read a time from a field of an event."""
    return lambda seen: datetime.fromisoformat(seen.body[name])
