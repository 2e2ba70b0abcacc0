"""Proof before repair: what a fix would make of open fallouts, decided with the real rules over what partners answered. Nothing is
written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, cast

from o2c.engine.app import Engine
from o2c.fallout import codes
from o2c.fallout.actions import ACTIONS
from o2c.fallout.fix import Fix, fix_of
from o2c.fallout.rules import Correct, Retry, resolve
from o2c.kernel.again import Exchanges, exchanges_of
from o2c.kernel.agenda import Entry
from o2c.kernel.attend import Ask, Reply, attend, settle
from o2c.kernel.carry import Carried
from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, Fact
from o2c.kernel.frozen import changed
from o2c.kernel.reasons import DEFECT, STREAM, CodeBook
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import FellOut, item_of, step_of
from o2c.kernel.step import Step
from o2c.kernel.work import Work
from o2c.store.reads import Clock
from o2c.views.reading import Rows
from projections import fallout

if TYPE_CHECKING:
    from o2c.plan import PlanBook

Verdict = Literal["resolves", "fails_again", "unknown"]
LOOKS_MAX = 10
"""How often a step is looked at again before its proof is given up as unknown: one that is put off comes up again."""
_GOES_ON = frozenset({"retry", "accepted", "silent", "parked", "renewed"})
"""Shapes of events after which the step depends on what a partner will say."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a fix would make of one fallout.

    `then` is the event that would close it, or the reason code under which it would fall out again; `why` says it in words. `version` is
    that of its stream as it was decided.
    """

    fallout: str
    order: str | None
    external_id: str | None
    stream: str
    item: str
    step: str
    reason: str
    verdict: Verdict
    then: str
    why: str
    version: int

    def row(self) -> dict[str, Any]:
        """The proof of one fallout as a row."""
        names = ("fallout", "order", "external_id", "item", "step", "reason", "verdict", "then", "why")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a fix would make of the open fallouts of a group, or with a reason code; `events_read` events of their streams were read for
    it."""

    group: str
    reason: str
    fix: Fix
    items: tuple[Proven, ...]
    events_read: int

    def count(self, verdict: Verdict) -> int:
        """How many come out so."""
        return sum(item.verdict == verdict for item in self.items)

    def row(self) -> dict[str, Any]:
        """The proof in numbers: those that resolve, fail again and are unknown sum to all."""
        counts = {verdict: self.count(verdict) for verdict in ("resolves", "fails_again", "unknown")}
        said = {"group": self.group or None, "reason": self.reason or None, "fix": self.fix.fingerprint[:12]}
        return {**said, "fallouts": len(self.items), **counts, "events_read": self.events_read}

    def rows(self) -> Rows:
        """A row for each fallout."""
        return [item.row() for item in self.items]


def prove(app: Engine, fix: str, *, group: str = "", reason: str = "") -> Proof:
    """Decide the open fallouts of a group, or with a reason code, again under a fix (the text of its file), and write nothing.

    Each is corrected or tried again as a person would, by the same rules, on its stream as it stands. What those rules settle by themselves
    is decided. Where they ask a partner, its last recorded answer to the very same request counts (`Exchanges.last_with`); without one
    nobody knows, and so where the partner would be waited for, or asked once more after a technical failure. The projections must be caught
    up. Raises Refused: usage (neither group nor reason, or a fix that cannot be), missing (no such group).
    """
    if bool(group) == bool(reason):
        raise Refused("say which fallouts the fix is for: a group (see `o2c fallout list`) or a reason code, one of them")
    wanted, clock = fix_of(fix), app.clock()
    prover = _Prover(app, wanted, _book(app, wanted, clock.now), clock)
    if reason and reason not in app.codes().newest.reasons:
        raise Refused(f"there is no reason {reason}; see `o2c fallout codes`")
    rows = app.reads.rows(fallout.OPEN_LIKE, group=group, reason=reason)
    if group and not rows and not app.reads.rows(fallout.COUNT_OF_GROUP, group)[0]["n"]:
        raise Refused(f"no fallout is of a group {group}; see `o2c fallout list`", kind="missing")
    items = tuple(item for stream, mine in groupby(rows, lambda row: str(row["stream"])) for item in prover.of_stream(stream, list(mine)))
    return Proof(group, reason, wanted, items, prover.events_read)


def _book(app: Engine, fix: Fix, at: datetime) -> PlanBook:
    """The plan with the reason codes of a fix over those in force. Raises Refused for codes that cannot be loaded, or not yet."""
    now = app.codes()
    if not fix.codes or any(fix.codes == document for document in app.load_one(STREAM).state.documents):
        return app.book
    made = codes.checked(now, fix.codes, frozenset(ACTIONS))
    tried = CodeBook((*now.versions, made))
    if tried.at(at) is not made:
        raise Refused(f"the codes of the fix are in force from {made.valid_from} only; prove it then, or say an earlier day")
    return replace(app.book, loaded_codes=lambda: tried)


class _Prover:
    """Decides fallouts again under a book, at a time; remembers which pieces of stock it has given out."""

    def __init__(self, app: Engine, fix: Fix, book: PlanBook, clock: Clock) -> None:
        self.app, self.fix, self.book, self.clock, self.at = app, fix, book, clock, clock.now
        self.events_read = 0
        self._given: dict[str, int] = {}

    def of_stream(self, stream: str, rows: Rows) -> Iterator[Proven]:
        """The proofs of the fallouts of one stream, whose events are read once."""
        facts = cast("list[Fact]", list(self.app.events.get(stream)))
        self.events_read += len(facts)
        loaded, now = self.app.load_one(stream), self.clock.now
        self.at = max(now, self.app.kind(stream).not_before(loaded.state) or now)
        for row in rows:
            verdict, then, why = self._decided(row, loaded.state, exchanges_of(facts, row["item"], row["step"]))
            yield Proven(**row, verdict=verdict, then=then, why=why, version=loaded.version)

    def _decided(self, row: dict[str, Any], state: Any, exchanges: Exchanges) -> tuple[Verdict, str, str]:
        kind, step = self.app.kind(row["stream"]), self.book.steps[row["step"]]
        carried = Carried(kind, row["stream"], state)
        work = self._work(carried, row, step)
        if not work.waiting_for and work.step != "duplicate":
            return "unknown", "", "it is under way again already"
        changes = self.fix.changes(*(name for name in (row["order"], row["external_id"]) if name))
        try:
            decision = resolve(Correct(changes) if changes else Retry(), step, work, kind, self.book, note="", at=self.at)
            carried.carry(decision, self.at, self.book, None)
            return self._course(row, step, carried, exchanges)
        except Refused as refused:
            return "fails_again", row["reason"], str(refused)
        except Exception as error:  # noqa: BLE001 - what the engine would make of it, too; the values may be personal
            return "fails_again", DEFECT, type(error).__name__

    def _course(self, row: dict[str, Any], step: Step, carried: Carried, exchanges: Exchanges) -> tuple[Verdict, str, str]:
        """Attend to the step until it is over, has fallen out again, or depends on what nobody knows."""
        begun = 0
        for _ in range(LOOKS_MAX):
            entry = _entry(carried, row)
            if entry is None:
                break
            begun = len(carried.happened)
            at = max(self.at, entry.due_at)
            work = changed(self._work(carried, row, step), attempt=entry.attempt)
            outcome = attend(step, work, entry, self._piece(step, work, entry), at, seed=self.clock.seed)
            if isinstance(outcome, Ask):
                found = exchanges.last_with(step, work, at)
                if found is None:
                    return "unknown", "", f"{step.partner} was never asked this"
                outcome = settle(step, work, outcome, Reply(found[1]), at, seed=self.clock.seed)
                if (over := self._open_end(outcome, row, failed=found[0].answer == "failed")) is not None:
                    return over
            carried.carry(outcome, at, self.book, None)
            if any(isinstance(event, FellOut) for event in _own(carried, row, begun)):
                break
        return self._end(row, step, carried, begun)

    def _open_end(self, decision: Decision, row: dict[str, Any], *, failed: bool) -> tuple[Verdict, str, str] | None:
        """What stays unknown although the partner's answer is on record: it was none yet, or it was a failure that need not come again."""
        own = [event for event in decision.events if (item_of(event), step_of(event)) == (row["item"], row["step"])]
        if any(event.shape in _GOES_ON for event in own):
            return "unknown", "", "the partner is asked again, and nobody knows what it will say"
        if failed and any(isinstance(event, FellOut) and event.recoverability == "transient" for event in own):
            return "unknown", "", "the partner failed, and nobody knows whether it will again"
        return None

    def _end(self, row: dict[str, Any], step: Step, carried: Carried, begun: int) -> tuple[Verdict, str, str]:
        carried.close()
        events = _own(carried, row, begun)
        fell = next((event for event in reversed(events) if isinstance(event, FellOut)), None)
        work = self._work(carried, row, step)
        if any(event.shape in _GOES_ON for event in events):
            return "unknown", "", "the step is done anew, and nobody knows what comes of it"
        if fell is not None and work.waiting_for:
            return (
                "fails_again",
                fell.reason,
                f"it falls out again: {fell.reason}" if fell.reason == row["reason"] else f"{fell.reason} stops it",
            )
        if not carried.kind.on_record(work, row["fallout"]):
            closing = next((event.type_name for event in reversed(events)), carried.happened[-1].event.type_name)
            return "resolves", closing, f"{closing} closes it"
        return "unknown", "", "the step goes on, and what comes of it is not known"

    def _work(self, carried: Carried, row: dict[str, Any], step: Step) -> Work:
        work = carried.kind.work(carried.state, row["stream"], row["item"], step.name, self.book)
        if work.step == "duplicate":
            work = changed(work, fallout=row["fallout"])
        work = self.app.reading(work)
        guards = step.guards(work)
        holders = self.app.reads.holders(guards)
        return changed(work, guards={guard: holders[guard.kind, guard.key] for guard in guards if (guard.kind, guard.key) in holders})

    def _piece(self, step: Step, work: Work, entry: Entry) -> dict[str, Any] | None:
        """A free piece of the pool that the step draws on, another one for each fallout."""
        if entry.kind != "submit" or not (pool := step.pool(work)):
            return None
        taken = self._given.get(pool, 0)
        pieces = self.app.reads.candidates(pool, self.at, self.clock.round, taken + 1)
        self._given[pool] = taken + 1
        return pieces[taken] if len(pieces) > taken else None


def _own(carried: Carried, row: dict[str, Any], begun: int) -> list[Event]:
    """The events of the step of a fallout, after a place."""
    of = (row["item"], row["step"])
    return [
        each.event for each in carried.happened[begun:] if each.stream == row["stream"] and (item_of(each.event), step_of(each.event)) == of
    ]


def _entry(carried: Carried, row: dict[str, Any]) -> Entry | None:
    """The row of the step on the agenda, as what happened leaves it."""
    entry = None
    for each in carried.happened:
        if each.stream == row["stream"]:
            for change in carried.kind.agenda(each.after, each.event, row["stream"]):
                if (change.item, change.step) == (row["item"], row["step"]):
                    entry = change if isinstance(change, Entry) else None
    return entry
