"""What a customer or a channel says when it is asked what is right: the values with which an invented order can go on, or a slip of the
keyboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.catalogue.rules import unorderable
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.catalogue.state import CatalogueState
from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.kernel.chance import draw
from o2c.kernel.partner import RefusedBy, Request
from o2c.kernel.work import Work
from o2c.orders.pricing import chosen
from o2c.orders.state import OrderState
from o2c.orders.wish import CODE, NUMBER, Line, quantity_of
from o2c.partners.clearing_house import SimulatedClearingHouse
from o2c.simulation.office_table import Desk

CODES_TRIED = 60
BY_BANK = "invoice"


@dataclass(frozen=True, slots=True)
class Values:
    """Finds values for one fallout. `seed` and `turn`, which counts the deeds on it, decide which; `wrong` ones will be refused."""

    app: Engine
    seed: int
    fallout: str
    turn: int
    desk: Desk
    wrong: bool

    def of_item(self, names: tuple[str, ...], work: Work, at: datetime) -> dict[str, str]:
        """Values for the step of an item; none where it has nothing by these names."""
        found: dict[str, str] = {}
        known = work.subject.characteristics
        if "place" in names:
            found["place"] = self._filled(self.desk.wrong_place if self.wrong else self.desk.place, "place")
        if NUMBER in names and NUMBER in known and self.desk.number:
            found[NUMBER] = self._filled(self.desk.number, NUMBER)
        if CODE in names and NUMBER in known and self.desk.code:
            found[CODE] = self._code(work, found.get(NUMBER, known[NUMBER]), at)
        # Nobody chooses a day that is not on offer: of these the customer names one.
        for name, offered in self.app.book.steps[work.step].choices(work, at).items():
            if name in names:
                found[name] = offered[int(draw(self.seed, f"{self.fallout}/{name}", self.turn, "choice") * len(offered))]
        return found

    def of_invoice(self, names: tuple[str, ...]) -> dict[str, str]:
        """Another way to pay, which needs no partner's consent."""
        return {name: BY_BANK for name in names if name == "method"}

    def of_order(self, state: OrderState) -> dict[str, str]:
        """Values for an order that waits for validation, one flaw at a time in the order in which it judges them; none where nobody can
        say."""
        catalogue: CatalogueState = self.app.load([name := f"{CATALOGUE}@{state.catalogue_version}"])[name].state
        for values in (self._party(state), _lines(state.lines), _actions(state.lines), _offers(state, catalogue)):
            if values:
                return values
        dates = ("requested_start", "requested_completion")
        return {name: "" for name in dates if getattr(state, name)} | {
            f"line.{n}.{name}": "" for n, line in enumerate(state.lines, 1) for name in dates if getattr(line, name)
        }

    def _party(self, state: OrderState) -> dict[str, str]:
        own = state.account.removeprefix("BA-")
        tried = [name for name in (state.party, own, f"C-{state.party.removeprefix('LEGACY-')}") if name]
        loaded = self.app.load(map(customer_stream, tried))
        right = next((name for name in tried if loaded[customer_stream(name)].version), "")
        return {"party": right} if right and right != state.party else {}

    def _code(self, work: Work, number: str, at: datetime) -> str:
        """A code that the donor takes or, when it is to be wrong, does not."""
        house = SimulatedClearingHouse(self.seed)
        code = ""
        for n in range(CODES_TRIED):
            code = self._filled(self.desk.code, f"{CODE} {n}")
            body = {"msisdn": number, "code": code, "market": work.market.code}
            answer = house.submit(Request(work.key, work.stream, work.item, work.step, work.attempt, at, body))
            if isinstance(answer, RefusedBy) == self.wrong:
                break
        return code

    def _filled(self, pattern: str, what: str) -> str:
        def drawn(place: int, below: int) -> int:
            return int(draw(self.seed, f"{self.fallout}/{what}", self.turn, str(place)) * below)

        kinds = {"#": lambda n: str(drawn(n, 10)), "A": lambda n: chr(ord("A") + drawn(n, 26))}
        free = set(kinds) if self.desk.code == pattern else {"#"}
        return "".join(kinds[letter](n) if letter in free else letter for n, letter in enumerate(pattern))


def _lines(lines: tuple[Line, ...]) -> dict[str, str]:
    """Without lines that came twice, with quantities and relations that can be."""
    known = [line.item for line in lines]
    doubled = [n for n, line in enumerate(lines) if line.item in known[:n]]
    if doubled:
        # A line that is dropped moves those behind it up.
        return {f"line.{n + 1}.drop": "1" for n in reversed(doubled)}
    counted = {f"line.{n}.quantity": "1" for n, line in enumerate(lines, 1) if quantity_of(line) is None}
    lost = {
        f"line.{n}.relies_on": ",".join(kept)
        for n, line in enumerate(lines, 1)
        if (kept := [base for base in line.relies_on if base in known and base != line.item]) != list(line.relies_on)
    }
    return counted | lost


def _actions(lines: tuple[Line, ...]) -> dict[str, str]:
    """A change of a product that nobody knows was meant as an order of it."""
    return {f"line.{n}.action": "add" for n, line in enumerate(lines, 1) if line.offering and line.action not in ("add", "noChange")}


def _offers(state: OrderState, catalogue: CatalogueState) -> dict[str, str]:
    """The successor of what is sold no more, and values that an offering has."""
    found: dict[str, str] = {}
    for n, line in enumerate(state.lines, 1):
        name = line.offering
        if state.captured_at and unorderable(catalogue, offering=name, at=state.captured_at, alone=not line.parent):
            name = next(_successors(catalogue, name, state.captured_at), name)
            if name != line.offering:
                found[f"line.{n}.offering"] = name
        offering = catalogue.offerings.get(name)
        wanted: Mapping[str, Any] = chosen(line, offering) if offering else {}
        for trait, values in (offering.characteristics if offering else {}).items():
            if wanted.get(trait) not in values and values and trait not in (offering.optional if offering else ()):
                found[f"line.{n}.{trait}"] = str(next(iter(values)))
    return found


def _successors(catalogue: CatalogueState, name: str, at: datetime) -> Iterator[str]:
    old = catalogue.offerings.get(name)
    for other, offering in sorted(catalogue.offerings.items()):
        like = old is not None and (offering.specification, offering.bundle) == (old.specification, old.bundle)
        if like and not unorderable(catalogue, offering=other, at=at, alone=True):
            yield other
