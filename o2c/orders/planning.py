"""A validated order made into a plan, and the sum that it commits to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.state import CatalogueState
from o2c.kernel.step import Step
from o2c.markets.base import Market
from o2c.orders.bringing import brought
from o2c.orders.dates import wished_days
from o2c.orders.events import OrderPlanned, PlannedItem, PlannedStep
from o2c.orders.pricing import PinnedPrices, chosen, committed_minor, pinned
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState
from o2c.orders.wish import Line, account_of, around, multiplicity, names_of


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

    def catalogue(self, version: int) -> CatalogueState:
        """Give the catalogue as it stood at a version of its stream."""


def plan_order(state: OrderState, book: Book, at: datetime) -> OrderPlanned:
    """Plan a validated order: pinned prices (net, minor units), steps and waits; a line of quantity n becomes n items.

    No day is promised yet: that takes the whole plan (`orders.promise`).
    """
    catalogue, market = book.catalogue(state.catalogue_version), book.market(state.market)
    names = names_of(multiplicity(state.lines))
    by_id = {line.item: line for line in state.lines}
    items = [
        _planned_item(line, by_id, name, turn, names, catalogue.offerings[line.offering], book, market, at, state)
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
    state: OrderState,
) -> PlannedItem:
    wanted = {**chosen(line, offering), **brought(line, turn)}
    relied = dict.fromkeys(base for upper in around(line, by_id) for base in upper.relies_on)
    bases = tuple(dict.fromkeys(base for item in relied for base in _bases(by_id, item, turn, names)))
    steps = [
        PlannedStep(step=step, waits=(*waits, *(f"{base}/activation" for base in bases)) if step == "activation" else waits)
        for step, waits in book.steps_of(offering.specification, wanted)
    ]
    start_on, wished_on = wished_days(line, by_id, state.requested_start, state.requested_completion, market.zone)
    assert state.captured_at is not None
    prices = pinned(offering, state.captured_at)
    return PlannedItem(
        item=name,
        line=line.item,
        offering=offering.offering,
        specification=offering.specification,
        characteristics=wanted,
        relies_on=bases,
        recurring_minor=prices.recurring_minor,
        one_time_minor=prices.one_time_minor,
        terms=prices.terms,
        commitment_months=int(wanted.get("commitmentMonths", "1")),
        steps=tuple(steps),
        promised_on="",
        start_on=start_on,
        wished_on=wished_on,
        account=account_of(line, by_id, state.account),
    )


def _bases(by_id: Mapping[str, Line], relied: str, turn: int, names: Mapping[str, list[str]]) -> list[str]:
    """Give the items that relying on an item means: the line of the same turn, or every line of a bundle."""
    if relied in names:
        return [names[relied][min(turn, len(names[relied]) - 1)]]
    return [base for line in by_id.values() if line.parent == relied for base in _bases(by_id, line.item, turn, names)]


def commitment_months(state: OrderState, catalogue: CatalogueState) -> int:
    """Give the number of months to which the longest commitment of the order runs, at least one."""
    sold = ((line, catalogue.offerings.get(line.offering)) for line in state.lines)
    return max((int(chosen(line, offering).get("commitmentMonths", "1")) for line, offering in sold if offering is not None), default=1)


def ended_minor(state: OrderState) -> int:
    """Give what the items that ended without being completed had committed to, in net minor units."""
    assert state.captured_at is not None
    on, total = state.captured_at.date(), 0
    for name, item in state.items.items():
        if item_state(state.progress.items[name]) != "completed":
            prices = PinnedPrices(item.recurring_minor, item.one_time_minor, item.terms)
            total += committed_minor(prices, int(item.characteristics.get("commitmentMonths", "1")), on)
    return total


def commitment_minor(state: OrderState, catalogue: CatalogueState) -> int:
    """Give the sum that the order commits to, in net minor units, over all of its lines (see `committed_minor`)."""
    assert state.captured_at is not None
    counts = multiplicity(state.lines)
    total = 0
    for line in state.lines:
        offering = catalogue.offerings.get(line.offering)
        if offering is not None and line.item in counts:
            months = int(chosen(line, offering).get("commitmentMonths", "1"))
            total += counts[line.item] * committed_minor(pinned(offering, state.captured_at), months, state.captured_at.date())
    return total
