"""Judging a captured order against its pinned catalogue, and turning it into a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from math import prod
from typing import Protocol

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.rules import orderable
from o2c.catalogue.state import CatalogueState
from o2c.kernel.step import Step
from o2c.markets.base import Market
from o2c.orders.events import OrderPlanned, PlannedItem, PlannedStep
from o2c.orders.state import Line, OrderState

QUANTITY_MAX = 1_000
LINES_MAX = 5_000
POLICY = "validation/2026-01"
"""The version of the validation rules, stored with every validated order."""


class Book(Protocol):
    """The part of the plan that orders need: the registered steps, the plan data, the market and catalogue versions."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Every step of the plan by name."""

    def market(self, pin: str) -> Market:
        """Give the market that an order pinned."""

    @property
    def plan_version(self) -> str:
        """The version of the plan data, stored with every planned order."""

    def steps_of(self, specification: str, characteristics: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Give the steps of a product specification in order, each as (step, the steps of the same item it waits for)."""

    def promised_on(self, specification: str, characteristics: Mapping[str, str], at: datetime, market: Market) -> str:
        """Give the promised date of an item: an ISO date, local to the market."""

    def catalogue(self, version: int) -> CatalogueState:
        """Give the catalogue as it stood at a version of its stream."""


def flaw(state: OrderState, *, party_known: bool, catalogue: CatalogueState) -> str:
    """Give the first reason why an order cannot be planned (`CODE: detail`); empty when there is none.

    In this order: DQ-PARTY, DQ-ITEM, DQ-ACTION, DQ-OFFER. Values are judged as text and never repaired. Source: the table of imperfect
    orders (design, section 11).
    """
    if not state.party or not party_known:
        return "DQ-PARTY: no related party" if not state.party else "DQ-PARTY: the party is not registered"
    return _item_flaw(state.lines) or _action_flaw(state.lines) or _offer_flaw(state, catalogue)


def _item_flaw(lines: Sequence[Line]) -> str:
    doubles = [item for item, count in Counter(line.item for line in lines).items() if count > 1 or not item]
    if doubles:
        return f"DQ-ITEM: item id {doubles[0] or '(empty)'} is not unique"
    counts = _multiplicity(lines)
    if not counts:
        return "DQ-ITEM: no items"
    wrong = next((line.item for line in lines if quantity_of(line) is None), None)
    if wrong is not None:
        return f"DQ-ITEM: quantity of item {wrong} is not between 1 and {QUANTITY_MAX}"
    if sum(counts.values()) > LINES_MAX:
        return f"DQ-ITEM: more than {LINES_MAX} lines in all"
    names = Counter(name for of_item in _names(counts).values() for name in of_item)
    if len(names) < names.total():
        return f"DQ-ITEM: item id {max(names, key=lambda name: names[name])} is also the name of a line of another item"
    return _relation_flaw(lines)


def _relation_flaw(lines: Sequence[Line]) -> str:
    """Give the first flaw of `reliesOn`. To rely on a bundle is to rely on all of its lines, so bundles are part of a circle too."""
    by_id = {line.item: line for line in lines}
    for line in lines:
        if unknown := [base for base in line.relies_on if base not in by_id]:
            return f"DQ-ITEM: item {line.item} relies on {unknown[0]}, which is not in the order"
    graph = {line.item: {base for upper in _chain(line, by_id) for base in upper.relies_on} for line in lines}
    for line in lines:
        if line.parent in graph:
            graph[line.parent].add(line.item)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return f"DQ-ITEM: reliesOn of item {min(error.args[1])} is cyclic"
    return ""


def _chain(line: Line, by_id: Mapping[str, Line]) -> Iterator[Line]:
    """Give a line and the bundles around it, from the inside out. A correction may have made them a circle, which is followed once."""
    seen: set[str] = set()
    upper: Line | None = line
    while upper is not None and upper.item not in seen:
        seen.add(upper.item)
        yield upper
        upper = by_id.get(upper.parent)


def _action_flaw(lines: Sequence[Line]) -> str:
    for line in lines:
        if line.action not in ("add", "modify", "delete", "noChange"):
            return f"DQ-ACTION: item {line.item} has an unknown action"
        if line.action in ("modify", "delete"):
            missing = "names no product" if not line.product else "names a product that is not in the inventory"
            return f"DQ-ACTION: item {line.item} ({line.action}) {missing}"
    return ""


def _offer_flaw(state: OrderState, catalogue: CatalogueState) -> str:
    assert state.captured_at is not None
    parents = {line.parent for line in state.lines}
    for line in state.lines:
        offering = orderable(catalogue, offering=line.offering, at=state.captured_at)
        if offering is None:
            return f"DQ-OFFER: the offering of item {line.item} is unknown, retired or not yet valid"
        if offering.market != state.market.partition("@")[0]:
            return f"DQ-OFFER: the offering of item {line.item} is not sold in the order's market"
        if offering.bundle != (line.item in parents):
            return f"DQ-OFFER: item {line.item} is a bundle without children or has children without being one"
        for name, values in offering.characteristics.items():
            if line.characteristics.get(name) not in values:
                return f"DQ-OFFER: {name} of item {line.item} is not among the offering's values"
    return ""


def quantity_of(line: Line) -> int | None:
    """Give the quantity of a line if its text is a whole number from 1 to QUANTITY_MAX, else None."""
    text = line.quantity
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    return number if 1 <= number <= QUANTITY_MAX else None


def _multiplicity(lines: Sequence[Line]) -> dict[str, int]:
    """How many lines each leaf item stands for: its quantity times those of the bundles around it."""
    by_id = {line.item: line for line in lines}
    parents = {line.parent for line in lines}
    leaves = (line for line in lines if line.item not in parents and line.action != "noChange")
    return {leaf.item: prod(quantity_of(line) or 0 for line in _chain(leaf, by_id)) for leaf in leaves}


def _names(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """The names of the lines that each leaf item stands for."""
    return {item: [item] if count == 1 else [f"{item}#{n}" for n in range(1, count + 1)] for item, count in counts.items()}


def plan_order(state: OrderState, book: Book, at: datetime) -> OrderPlanned:
    """Plan a validated order: pinned prices (net, minor units), steps and waits; a line of quantity n becomes n items."""
    catalogue, market = book.catalogue(state.catalogue_version), book.market(state.market)
    names = _names(_multiplicity(state.lines))
    by_id = {line.item: line for line in state.lines}
    items = [
        _planned_item(line, by_id, name, turn, names, catalogue.offerings[line.offering], book, market, at)
        for line in state.lines
        if line.item in names
        for turn, name in enumerate(names[line.item])
    ]
    return OrderPlanned(
        account=state.account,
        currency=market.currency,
        catalogue_version=state.catalogue_version,
        plan_version=book.plan_version,
        items=tuple(items),
    )


def _planned_item(
    line: Line,
    by_id: Mapping[str, Line],
    name: str,
    turn: int,
    names: Mapping[str, list[str]],
    offering: OfferingPublished,
    book: Book,
    market: Market,
    at: datetime,
) -> PlannedItem:
    wanted = {**{key: line.characteristics[key] for key in offering.characteristics}, **_porting(line, turn)}
    relied = dict.fromkeys(base for upper in _chain(line, by_id) for base in upper.relies_on)
    bases = tuple(dict.fromkeys(base for item in relied for base in _bases(by_id, item, turn, names)))
    steps = [
        PlannedStep(step=step, waits=(*waits, *(f"{base}/activation" for base in bases)) if step == "activation" else waits)
        for step, waits in book.steps_of(offering.specification, wanted)
    ]
    return PlannedItem(
        item=name,
        line=line.item,
        offering=offering.offering,
        specification=offering.specification,
        characteristics=wanted,
        relies_on=bases,
        recurring_minor=offering.recurring_minor,
        one_time_minor=offering.one_time_minor,
        commitment_months=int(wanted.get("commitmentMonths", "1")),
        steps=tuple(steps),
        promised_on=book.promised_on(offering.specification, wanted, at, market),
    )


def _porting(line: Line, turn: int) -> dict[str, str]:
    """The number to bring, for the first of several lines only: one number cannot be brought twice."""
    brought = {key: value for key, value in line.characteristics.items() if key in ("portInNumber", "portInCode")}
    return brought if turn == 0 and "portInNumber" in brought else {}


def _bases(by_id: Mapping[str, Line], relied: str, turn: int, names: Mapping[str, list[str]]) -> list[str]:
    """Give the items that relying on an item means: the line of the same turn, or every line of a bundle."""
    if relied in names:
        return [names[relied][min(turn, len(names[relied]) - 1)]]
    return [base for line in by_id.values() if line.parent == relied for base in _bases(by_id, line.item, turn, names)]


def commitment_minor(state: OrderState, catalogue: CatalogueState) -> int:
    """Give the sum that the order commits to, in net minor units: monthly price times committed months, plus one-time prices."""
    counts = _multiplicity(state.lines)
    total = 0
    for line in state.lines:
        offering = catalogue.offerings.get(line.offering)
        if offering is not None and line.item in counts:
            months = int(line.characteristics["commitmentMonths"]) if "commitmentMonths" in offering.characteristics else 1
            total += counts[line.item] * (offering.recurring_minor * months + offering.one_time_minor)
    return total
