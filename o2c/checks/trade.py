"""What must hold in the trade whatever happened: declared transitions, no order forgotten, nothing held twice, every line accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from o2c.checks.log import Watch
from o2c.engine.derived import Folded, holder_after, piece_of
from o2c.intake.events import IntakeClosed, IntakeLineRefused
from o2c.kernel.event import Fact
from o2c.numbers.events import NumberChanged, NumberChangeRequested
from o2c.orders.events import OrderCaptured, OrderResubmitted
from o2c.orders.rollup import FINAL, ITEM_TRANSITIONS, ORDER_TRANSITIONS, item_state, order_state
from o2c.orders.state import OrderState
from o2c.store.connection import Connection

_GUARDS = "SELECT kind, key, holder FROM o2c.guard JOIN unnest(%s::text[], %s::text[]) AS x (kind, key) USING (kind, key)"
"""The holders of some guards. Parameters: arrays of kinds and keys."""

_OTHER_GUARDS = """SELECT count(*) AS n FROM o2c.guard WHERE kind IN ('sim', 'number', 'device')
    AND (key, holder) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[]))"""
"""How many guards of SIMs, numbers and devices there are besides some. Parameters: arrays of the keys and holders of those."""


class Transitions(Watch):
    """Orders and items move as their state machine declares, event by event."""

    name = "every transition of orders and items is declared"
    unit = "transitions"

    def __init__(self) -> None:
        super().__init__()
        self._order = ""

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        """Report a transition of the order or of an item that the state machine does not declare."""
        after = stream.state
        if not isinstance(after, OrderState):
            return
        if fact.version == 1:
            self._order = order_state(after.progress)
        if after.progress is before.progress:
            return
        moved = after.progress.gates is not before.progress.gates or not before.progress.items
        moved |= after.progress.cancellation != before.progress.cancellation
        for item, progress in after.progress.items.items():
            earlier = before.progress.items.get(item)
            if earlier is not None and earlier is not progress:
                moved |= self._moved(stream, fact, f"item {item}", item_state(earlier), item_state(progress), ITEM_TRANSITIONS)
        if moved:
            now = order_state(after.progress)
            self._moved(stream, fact, "order", self._order, now, ORDER_TRANSITIONS)
            self._order = now

    def _moved(self, stream: Folded, fact: Fact, what: str, old: str, new: str, declared: Mapping[str, frozenset[str]]) -> bool:
        if old == new:
            return False
        self.count += 1
        if new not in declared[old]:
            self.flaw(f"{stream.stream} version {fact.version} ({fact.event.type_name}): {what} went from {old} to {new}")
        return True


class Forgotten(Watch):
    """Every order that is not final waits for something: a row of the agenda, an open fallout, or an item that does."""

    name = "no order is forgotten"
    unit = "orders under way"

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Report the unfinished orders of the batch that nothing will ever move."""
        for stream in batch.values():
            if isinstance(stream.state, OrderState) and not stream.flaw and order_state(stream.state.progress) not in FINAL:
                self.count += 1
                left = _left_behind(stream.state, {item for item, _ in stream.agenda})
                if left:
                    self.flaw(f"{stream.stream} waits for nothing in {', '.join(sorted(left))}")


def _left_behind(state: OrderState, due: set[str]) -> set[str]:
    """The items of an unfinished order that nothing will ever move; "its gates" for an order that is not planned yet."""
    if not state.items:
        return set() if "" in due or "pending" in state.progress.gates.values() else {"its gates"}
    left = {item: of for item, of in state.progress.items.items() if item_state(of) not in FINAL}
    moving = {item for item, of in left.items() if item in due or {"held", "pending"} & {*of.steps.values(), *of.recalls.values()}}
    while moving:
        left = {item: of for item, of in left.items() if item not in moving}
        moving = {item for item, of in left.items() if any(_unfinished(state, base) and base not in left for base in of.relies_on)}
    return set(left)


def _unfinished(state: OrderState, item: str) -> bool:
    return item_state(state.progress.items[item]) not in FINAL


_PIECES = ("sim", "number", "device")
"""The kinds of stream that are about a piece of stock."""


class Holdings(Watch):
    """No SIM, number or device has two holders at a time, and the guard rows say the same as the log."""

    name = "no SIM, number or device is held twice, guards agree"
    unit = "SIMs, numbers and devices held"

    def __init__(self) -> None:
        super().__init__()
        self._holder = ""
        self._held: dict[tuple[str, str], str] = {}
        self._claims: set[tuple[str, str]] = set()
        self._unheld: set[tuple[str, str]] = set()

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        """Report a SIM, number or device that is taken while somebody else holds it."""
        if fact.version == 1:
            self._holder = ""
        holder = holder_after(fact.event) if piece_of(stream.stream)[0] in _PIECES else None
        if holder:
            self._taken(stream, holder)
        elif holder is not None:
            self._held.pop(piece_of(stream.stream), None)
            self._holder = ""
        match fact.event:
            case NumberChangeRequested():
                msisdn = stream.state.record(fact.event.item, "cutover").outcome.get("msisdn", "")
                self._claims.add((msisdn, f"{stream.stream}/{fact.event.item}"))
            case NumberChanged():
                self._claims.discard((fact.event.msisdn, f"{stream.stream}/{fact.event.item}"))

    def _taken(self, stream: Folded, holder: str) -> None:
        if self._holder and self._holder != holder:
            self.flaw(f"{stream.stream} was taken by {holder} while {self._holder} held it")
        self._holder = holder
        self._held[piece_of(stream.stream)] = holder

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Compare the pieces that the batch leaves held with their guards, and forget them."""
        pieces = [piece for piece in map(piece_of, batch) if piece[0] in _PIECES]
        rows = conn.execute(_GUARDS, ([kind for kind, _ in pieces], [key for _, key in pieces])).fetchall()
        guards = {(row["kind"], row["key"]): row["holder"] for row in rows}
        for piece in pieces:
            if piece in guards and piece not in self._held:
                self._unheld.add((piece[1], guards[piece]))
            elif self._held.get(piece) != guards.get(piece):
                self.flaw(f"{' '.join(piece)} is held by {self._held[piece]}, its guard by {guards.get(piece, 'nobody')}")
        self.count += len(self._held)
        self._held = {}

    def end(self, conn: Connection) -> None:
        """Note guards without a holder in the log, unless they are claims on numbers about to be brought in."""
        for key, holder in sorted(self._unheld - self._claims):
            self.flaw(f"the guard of {key} is held by {holder}, which did not take it")
        claimed = [list(column) for column in zip(*self._claims, strict=True)] or [[], []]
        row = conn.execute(_OTHER_GUARDS, claimed).fetchone()
        actual, expected = (row["n"] if row else 0), self.count + len(self._unheld - self._claims)
        if actual > expected:
            self.flaw(f"{actual - expected} guards hold a SIM, number or device that is not in the log")


class Intakes(Watch):
    """Every line of a finished intake is captured, a duplicate, resubmitted or refused; every order was captured once.

    A changed paper that a person approved later became an order of its own: that order is counted apart, its line stays a resubmitted one.
    """

    name = "every line of every intake is accounted for"
    unit = "orders captured"

    def __init__(self) -> None:
        super().__init__()
        self._captured: Counter[str] = Counter()
        self._approved = 0
        self._resubmitted: Counter[str] = Counter()
        self._closed: dict[str, IntakeClosed] = {}
        self._refused: Counter[str] = Counter()

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        """Count captured, resubmitted and refused lines, and report an order that was captured twice."""
        match fact.event:
            case OrderCaptured():
                if fact.event.after:
                    self._approved += 1
                else:
                    self._captured[fact.event.intake] += 1
                if fact.version != 1:
                    self.flaw(f"{stream.stream} was captured twice")
            case OrderResubmitted():
                self._resubmitted[fact.event.intake] += 1
            case IntakeLineRefused():
                self._refused[stream.stream] += 1
            case IntakeClosed():
                self._closed[fact.event.intake] = fact.event

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Count the orders of the batch."""
        self.count += sum(name.startswith("order-") for name in batch)

    def end(self, conn: Connection) -> None:
        """Report intakes whose closing record disagrees with the log."""
        for name, closed in self._closed.items():
            reported = {"captured": closed.captured, "resubmitted": closed.resubmitted}
            actual = {"captured": self._captured[name], "resubmitted": self._resubmitted[name]}
            if closed.lines != closed.captured + closed.duplicates + closed.resubmitted + closed.refused:
                self.flaw(f"{name}: {closed.lines} lines are not the sum of what became of them")
            for what in reported:
                if reported[what] != actual[what]:
                    self.flaw(f"{name} says {reported[what]} {what}, the log has {actual[what]}")
            # A later pass over the same file refuses lines that an earlier pass reported.
            if closed.refused > self._refused[name.rpartition("/")[0]]:
                self.flaw(f"{name} refused {closed.refused} lines, the log tells of {self._refused[name.rpartition('/')[0]]}")
        captured = self._captured.total() + self._approved
        if self.count != captured:
            self.flaw(f"{self.count} orders, {captured} of them captured")

    @property
    def detail(self) -> str:
        """The count, with the closed intakes and their lines, and the intakes that are still open."""
        # A backend service hands its papers over one by one: there is nothing to close.
        open_ = [name for name in self._captured.keys() - self._closed.keys() if name.startswith("intake-")]
        lines = sum(closed.lines for closed in self._closed.values())
        rest = f", {len(open_)} intakes still open" if open_ else ""
        return super().detail if self.flaw_count else f"{super().detail}, {lines:,} lines in {len(self._closed)} closed intakes{rest}"
