"""Conformance: the log against the rules that are declared (`trade_rules.py`), in one pass in the order of the log.

A rule remembers of each case what its kind needs and no more. So that this stays bounded whatever the log, a large log is read several
times, each time for a part of the cases.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, TypeAlias
from zlib import crc32

from o2c.checks.rule_kinds import MACHINE, Broken, Case, Rule
from o2c.checks.trade_rules import RULES
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from projections.engine.fold import pages
from projections.engine.seen import START, Reader, Seen, last_mark
from projections.engine.tables import session

RULE_NAMES = tuple(rule.name for rule in RULES)
MACHINE_NAMES = tuple(rule.name for rule in RULES if rule.kind == MACHINE)
SHARE_EVENTS = 2_000_000
"""How many events the log has for each time that it is read."""

ABOUT_SO_LONG = "SELECT greatest(reltuples, 0)::bigint AS n FROM pg_class WHERE oid = 'o2c.event'::regclass"
"""About how many events the log has, as the server reckons. No parameters."""

_BROKEN = object()
"""Stands for what is remembered of a case that broke its rule: it is told once, by the event that first did it."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A case that breaks a rule: the event that first did, of which order or stream, in words, and by how many seconds a rule of time was
    missed."""

    rule: str
    order: str
    event: str
    position: int
    at: str
    what: str
    delay_s: float | None

    def row(self) -> dict[str, Any]:
        """The violation for a face; the position as text, for it passes 2^53 one day."""
        values = {name: getattr(self, name) for name in Violation.__slots__}
        return {**values, "position": str(self.position)}


Moves: TypeAlias = "Counter[tuple[str, str, str, str]]"
"""How often something moved, by machine, the state before, the event, and the state after."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A move of a state machine: the state before (empty: the log told nothing of the thing), the event that brings the next (empty:
    declared from state to state, and never seen), and how often the log has it."""

    machine: str
    state: str
    event: str
    to: str
    seen: int

    def row(self) -> dict[str, Any]:
        """The move for a face."""
        return {name: getattr(self, name) for name in Transition.__slots__}


@dataclass(slots=True)
class Kept:
    """How a rule is kept: at how many orders or streams it looked, and how it is broken, in the order of the log."""

    rule: str
    orders: int = 0
    broken: list[Violation] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """The rule, orders, violations, the first event that broke it, and the sum of seconds by which a rule of time was missed."""
        delays = [one.delay_s for one in self.broken if one.delay_s is not None]
        return {
            "rule": self.rule,
            "orders": self.orders,
            "violations": len(self.broken),
            "first_event": self.broken[0].event if self.broken else None,
            "delay_s": sum(delays) if delays else None,
        }


def check_conformance(app: Engine, *, rule: str = "") -> list[Kept]:
    """Hold the log, as far as readers see it, against every declared rule, or the one named. Writes nothing.

    Raises Refused (missing) for a rule that is none.
    """
    return _held(app, _wanted(rule))


def list_transitions(app: Engine, *, machine: str = "") -> list[Transition]:
    """How things move: every move that the state machines declare, or the one named, and how often the log has it; one that is not
    declared, too.

    Of a case that broke a rule what comes after is not counted. Raises Refused (missing) for a machine that is none.
    """
    rules = [rule for rule in _wanted(machine) if rule.kind == MACHINE]
    if not rules:
        raise Refused(f"rule {machine} has no states; see `o2c conformance states`", kind="missing")
    moves: Moves = Counter()
    _held(app, rules, moves)
    return counted(rules, moves)


def counted(rules: Sequence[Rule], moves: Moves) -> list[Transition]:
    """The moves that some machines declare, each with how often it was seen; where any event may bring a state, a row for each that did."""
    rows: list[Transition] = []
    for rule in rules:
        seen = {move[1:]: count for move, count in moves.items() if move[0] == rule.name}
        by_any = {(state, after) for state, _, after in seen}
        unseen = [move for move in rule.declared() if move not in seen and (move[1] or (move[0], move[2]) not in by_any)]
        rows += [Transition(rule.name, *move, seen.get(move, 0)) for move in sorted({*seen, *unseen})]
    return rows


def _held(app: Engine, rules: Sequence[Rule], moves: Moves | None = None) -> list[Kept]:
    with session(app.dsn) as conn:
        [size] = conn.execute(ABOUT_SO_LONG).fetchall()
        bound = last_mark(conn)

        def read(types: frozenset[str]) -> Iterator[Seen]:
            for page, _ in pages(conn, Reader([types]), START.position, bound):
                yield from page

        return held_against(rules, read, shares=1 + size["n"] // SHARE_EVENTS, moves=moves)


def held_against(
    rules: Sequence[Rule], read: Callable[[frozenset[str]], Iterable[Seen]], *, shares: int = 1, moves: Moves | None = None
) -> list[Kept]:
    """Hold events against rules: `read` gives those of some types in the order of the log, once for each of the `shares` of the cases.

    How things moved is counted in `moves`, if it is given.
    """
    kept = {rule.name: Kept(rule.name) for rule in rules}
    for share in range(shares):
        watch = _Watch(rules, kept, mine=_share(share, shares), moves=moves)
        for seen in read(watch.types):
            watch.take(seen)
        watch.end()
    for one in kept.values():
        one.broken.sort(key=lambda violation: violation.position)
    return list(kept.values())


def rules_listed() -> list[dict[str, str]]:
    """The rules themselves: name, kind, sentence, the events they read, and source."""
    return [
        {
            "rule": rule.name,
            "kind": rule.kind,
            "says": rule.says,
            "events": "; ".join(events.words for events in rule.reads),
            "source": rule.source,
        }
        for rule in RULES
    ]


def _wanted(name: str) -> Sequence[Rule]:
    found = [rule for rule in RULES if name in ("", rule.name)]
    if not found:
        near = get_close_matches(name, RULE_NAMES, 1)
        hint = f"did you mean {near[0]}?" if near else "see `o2c conformance --rules`"
        raise Refused(f"no rule is called {name}; {hint}", kind="missing")
    return found


def _share(share: int, shares: int) -> Callable[[Case], bool]:
    """Whether a case belongs to a share; all cases of an order or stream do together."""
    return lambda case: shares == 1 or crc32(case[0].encode()) % shares == share


class _Watch:
    """The rules at work on a share of the cases: what each remembers by case, and the orders and streams it looked at."""

    def __init__(self, rules: Sequence[Rule], kept: dict[str, Kept], mine: Callable[[Case], bool], moves: Moves | None) -> None:
        self.rules, self.kept, self.mine, self.moves = rules, kept, mine, moves
        self.memos: dict[str, dict[Case, Any]] = {rule.name: {} for rule in rules}
        self.looked: dict[str, set[str]] = {rule.name: set() for rule in rules}
        self.now = datetime.min.replace(tzinfo=UTC)
        self.reading = _by_type(rules)
        self.types = frozenset(self.reading)
        self._names: dict[str, str] = {}

    def take(self, seen: Seen) -> None:
        """Show an event to the rules that read its type."""
        self.now = max(self.now, seen.occurred_at)
        for rule in self.reading[seen.type]:
            for case in rule.by(seen):
                if self.mine(case):
                    self._follow(rule, case, seen)

    def _follow(self, rule: Rule, case: Case, seen: Seen) -> None:
        memos = self.memos[rule.name]
        memo = memos.get(case)
        if memo is _BROKEN:
            return
        memo, looked, broken, move = rule.follow(memo, seen)
        if move and self.moves is not None and move[0] != move[1]:
            self.moves[rule.name, move[0], seen.type, move[1]] += 1
        # One text for a name, however many rules remember it.
        case = (self._names.setdefault(case[0], case[0]), case[1])
        if looked:
            self.looked[rule.name].add(case[0])
        if broken:
            self._note(rule, case, seen, broken)
            memo = _BROKEN
        if memo is not None:
            memos[case] = memo
        else:
            memos.pop(case, None)

    def end(self) -> None:
        """Look at what is still owed, and count what was looked at."""
        for rule in self.rules:
            for case, memo in self.memos[rule.name].items():
                if memo is not _BROKEN and (left := rule.left(memo, self.now)):
                    self._note(rule, case, *left)
            self.kept[rule.name].orders += len(self.looked[rule.name])

    def _note(self, rule: Rule, case: Case, seen: Seen, broken: Broken) -> None:
        order = seen.order_id or seen.body.get("order") or case[0]
        violation = Violation(rule.name, order, seen.event_id, seen.position, seen.at, broken.what, broken.delay_s)
        self.kept[rule.name].broken.append(violation)


def _by_type(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """The rules that read each type of event."""
    reading: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        for name in frozenset[str]().union(*(events.types for events in rule.reads)):
            reading[name].append(rule)
    return dict(reading)
