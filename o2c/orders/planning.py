"""A validated order made into a plan, and the sum that it commits to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.state import CatalogueState
from o2c.kernel.charges import MONTHLY
from o2c.kernel.discounts import off_a_period
from o2c.kernel.reasons import CodeBook
from o2c.kernel.step import Step
from o2c.markets.base import Market
from o2c.orders.bringing import brought
from o2c.orders.changing import ASKING, EFFECTIVE, ON_BILL_DATE, bases_in_service, products_of
from o2c.orders.dates import wished_days
from o2c.orders.event_parts import HeldProduct
from o2c.orders.events import OrderPlanned, OrderPriced, PlannedItem, PlannedStep, RecurringTotal
from o2c.orders.needs import bound
from o2c.orders.pricing import PinnedPrices, Prices, chosen, committed_minor, metered, priced, with_discounts
from o2c.orders.releasing import SWITCHED_ON, before_release, released_with
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState, Planned
from o2c.orders.vouchers import held_by
from o2c.orders.wish import SAID, Line, account_of, around, multiplicity, names_of
from o2c.products.state import OWNER
from o2c.products.transfer_events import Commitment

_NO_PRICES = PinnedPrices(0, 0, MONTHLY)
IN_SERVICE = ("esim-download", "activation")
"""The steps after which the customer has the service, the later one first: a profile that nobody downloaded serves nobody."""

CHANGED = "inventory"
"""The step by which a product in service becomes what an order changes it to."""
HANDED_OVER = "delivery"
"""The step after which the customer has goods, which nobody switches on."""


class Book(Protocol):
    """The part of the plan that orders need: the registered steps, the plan data, the market and catalogue versions."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Every step of the plan by name."""

    @property
    def codes(self) -> CodeBook:
        """The reason codes in all their versions."""

    def market(self, pin: str) -> Market:
        """Give the market that an order pinned."""

    @property
    def plan_version(self) -> str:
        """The version of the plan data, stored with every planned order."""

    def steps_of(self, specification: str, characteristics: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Give the steps of a product specification in order, each as (step, the steps of the same item it waits for)."""

    def steps_of_change(
        self, specification: str, attributes: Collection[str], characteristics: Mapping[str, str]
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Give the steps that change these attributes of a product of a specification, as `steps_of` does."""

    def catalogue(self, version: int) -> CatalogueState:
        """Give the catalogue as it stood at a version of its stream."""


def plan_order(state: OrderState, book: Book, at: datetime) -> OrderPlanned:
    """Plan a validated order: pinned prices (net, minor units), steps and waits; a line of quantity n becomes n items.

    A line relies on what it names, or on the one line that its offering needs (`needs.bound`). No day is promised yet: that takes the
    whole plan (`orders.promise`).
    """
    catalogue, market = book.catalogue(state.catalogue_version), book.market(state.market)
    lines = bound(state.lines, catalogue).lines
    names, by_id = names_of(multiplicity(lines)), {line.item: line for line in lines}
    assert state.captured_at is not None
    prices = with_discounts(priced(lines, catalogue, state.captured_at), [(one.discount, one.lines) for one in held_by(state)])
    planner = _Planner(state, book, catalogue, market, by_id, names, prices, products_of(state))
    items = [planner.item(line, name, turn) for line in lines if line.item in names for turn, name in enumerate(names[line.item])]
    return OrderPlanned(
        account=state.account,
        currency=market.currency,
        catalogue_version=state.catalogue_version,
        plan_version=book.plan_version,
        items=tuple(items),
    )


def order_price(planned: OrderPlanned) -> OrderPriced:
    """Give the sums of the pinned prices of a planned order, net, in minor units: once, and of what recurs by period; each with what
    discounts take off."""
    return _sums(planned.items, planned.currency, planned.catalogue_version)


def priced_anew(state: OrderState) -> OrderPriced:
    """Give the same sums of an order whose items lost a discount."""
    items = tuple(state.items.values())
    return _sums(items, items[0].currency, state.catalogue_version)


def _sums(items: Sequence[PlannedItem | Planned], currency: str, catalogue_version: int) -> OrderPriced:
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for item in items:
        if item.recurring_minor:
            period = (item.terms.period_unit, item.terms.period_length)
            amount_minor, reduced_minor = sums.get(period, (0, 0))
            off_minor = off_a_period(item.terms.discounts, of="recurring", price_minor=item.recurring_minor)
            sums[period] = (amount_minor + item.recurring_minor, reduced_minor + off_minor)
    return OrderPriced(
        currency=currency,
        catalogue_version=catalogue_version,
        one_time_minor=sum(item.one_time_minor for item in items),
        one_time_reduced_minor=sum(off_a_period(item.terms.discounts, of="one-time", price_minor=item.one_time_minor) for item in items),
        recurring=tuple(
            RecurringTotal(period_unit=unit, period_length=n, amount_minor=minor, reduced_minor=off_minor)
            for (unit, n), (minor, off_minor) in sorted(sums.items())
        ),
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    """Plans the items of one order; `by_id` are its lines by item, `names` the items that each leaf line stands for, `prices` what these
    cost."""

    state: OrderState
    book: Book
    catalogue: CatalogueState
    market: Market
    by_id: Mapping[str, Line]
    names: Mapping[str, list[str]]
    prices: Prices
    products: Mapping[str, HeldProduct]

    def item(self, line: Line, name: str, turn: int) -> PlannedItem:
        if line.item in self.products:
            return self._change(line, name, self.products[line.item])
        offering, wanted = self.catalogue.offerings[line.offering], self._wanted(line, turn)
        bases = self._bases(line, turn)
        start_on, wished_on = wished_days(line, self.by_id, self.state.requested_start, self.state.requested_completion, self.market.zone)
        prices = self.prices[line.item][turn]
        return PlannedItem(
            item=name,
            line=line.item,
            offering=offering.offering,
            specification=offering.specification,
            characteristics=wanted,
            relies_on=tuple(bases),
            recurring_minor=prices.recurring_minor,
            one_time_minor=prices.one_time_minor,
            terms=metered(prices.terms, offering, self.state.catalogue_version),
            commitment_months=int(wanted.get("commitmentMonths", "1")),
            steps=tuple(self._steps(offering, wanted, bases, self._beside(line, turn))),
            promised_on="",
            start_on=start_on,
            wished_on=wished_on,
            account=self._account(line),
            on_products=tuple(bases_in_service(line, self.by_id, self.products)),
        )

    def _change(self, line: Line, name: str, product: HeldProduct) -> PlannedItem:
        """An item that changes a product in service: of the offering that it is to have, at the price of what is sold anew."""
        stands, offering = product.standing, self.catalogue.offerings.get(line.offering)
        anew = offering if line.costs_anew else None
        wanted = {**stands.characteristics, **(chosen(line, offering) if offering else {}), **_asked(line)}
        prices = self.prices.get(line.item, [_NO_PRICES])[0]
        start_on, wished_on = wished_days(line, self.by_id, self.state.requested_start, self.state.requested_completion, self.market.zone)
        if "offering" in product.attributes and line.characteristics.get(EFFECTIVE) == ON_BILL_DATE:
            wished_on = max(wished_on, product.next_bill_on)
        specification = anew.specification if anew else stands.specification
        steps = self.book.steps_of_change(specification, product.attributes, wanted)
        return PlannedItem(
            item=name,
            line=line.item,
            offering=line.offering,
            specification=specification,
            characteristics=wanted,
            relies_on=tuple(self._bases(line, 0)),
            recurring_minor=prices.recurring_minor,
            one_time_minor=prices.one_time_minor,
            terms=metered(prices.terms, anew, self.state.catalogue_version) if anew else prices.terms,
            commitment_months=int(wanted.get("commitmentMonths", "1")) if anew else 1,
            steps=tuple(PlannedStep(step=step, waits=waits) for step, waits in steps),
            promised_on="",
            start_on=start_on,
            wished_on=wished_on,
            account=account_of(line, self.by_id, self.state.account) if OWNER in product.attributes else line.account or stands.account,
            product=product.product,
            attributes=product.attributes,
        )

    def _account(self, line: Line) -> str:
        """The account of a line; where the order names none (it goes by its customer's id then), the one to which the product in service is
        charged that the line is added to."""
        bases = (self.products[base] for upper in around(line, self.by_id) for base in upper.relies_on if base in self.products)
        usual = self.state.account if self.state.account != self.state.party else ""
        return account_of(line, self.by_id, usual or next((base.standing.account for base in bases), self.state.account))

    def _wanted(self, line: Line, turn: int) -> dict[str, str]:
        asked = {name: line.characteristics[name] for name in SAID if line.characteristics.get(name)}
        return {**chosen(line, self.catalogue.offerings[line.offering]), **brought(line, turn), **asked}

    def _steps(
        self, offering: OfferingPublished, wanted: Mapping[str, str], bases: Mapping[str, Line], beside: Iterable[str]
    ) -> Iterator[PlannedStep]:
        for step, waits in self.book.steps_of(offering.specification, wanted):
            of_bases = (f"{base}/{self._in_service(line)}" for base, line in bases.items())
            yield PlannedStep(step=step, waits=tuple(dict.fromkeys((*waits, *of_bases, *beside))) if step == SWITCHED_ON else waits)

    def _beside(self, line: Line, turn: int) -> Iterator[str]:
        """What has to be done of the items that are released together with one before it is switched on."""
        for other, place, name in released_with(line, turn, self.by_id, self.names, self.catalogue):
            if other.item not in self.products:
                sold = self.catalogue.offerings[other.offering]
                steps = dict(self.book.steps_of(sold.specification, self._wanted(other, place)))
                own = (other.item, place) == (line.item, turn)
                yield from (step if own else f"{name}/{step}" for step in before_release(steps))

    def _in_service(self, line: Line) -> str:
        """The step after which the customer has what a line stands for: what relies on it is neither on nor charged before. What is changed
        is there when the inventory has it."""
        if line.item in self.products:
            return CHANGED
        steps = {step for step, _ in self.book.steps_of(self.catalogue.offerings[line.offering].specification, self._wanted(line, 0))}
        return next(step for step in (*IN_SERVICE, HANDED_OVER) if step in steps)

    def _bases(self, line: Line, turn: int) -> dict[str, Line]:
        """The items that a line relies on, each with its own line."""
        relied = dict.fromkeys(base for upper in around(line, self.by_id) for base in upper.relies_on)
        return {base: self.by_id[of] for item in relied for of, base in self._meant(item, turn)}

    def _meant(self, relied: str, turn: int) -> Iterator[tuple[str, str]]:
        """The items that relying on an item means, as (line, item): the line of the same turn, or every line of a bundle."""
        if relied in self.names:
            yield relied, self.names[relied][min(turn, len(self.names[relied]) - 1)]
            return
        for line in self.by_id.values():
            if line.parent == relied:
                yield from self._meant(line.item, turn)


def _asked(line: Line) -> dict[str, str]:
    """What a line asks of a product beside the characteristics of its offering."""
    return {name: line.characteristics[name] for name in ASKING if name in line.characteristics}


def commitment_months(state: OrderState, catalogue: CatalogueState) -> int:
    """Give the number of months to which the longest commitment of the order runs, at least one."""
    sold = ((line, catalogue.offerings.get(line.offering)) for line in state.lines)
    return max((int(chosen(line, offering).get("commitmentMonths", "1")) for line, offering in sold if offering is not None), default=1)


def ended_minor(state: OrderState) -> int:
    """Give what the items that ended without being completed had committed to, in net minor units: what a changed paper took out counted no
    more."""
    over = state.progress.removed
    ended = (name for name, progress in state.progress.items.items() if name not in over and item_state(progress) != "completed")
    return planned_minor(state, [state.items[name] for name in ended])


def planned_minor(state: OrderState, items: Iterable[Planned | PlannedItem]) -> int:
    """Give what planned items of an order commit to, in net minor units (see `committed_minor`); those that take a product over, to what is
    left of its term."""
    assert state.captured_at is not None
    on, total, named = state.captured_at.date(), 0, products_of(state)
    for item in items:
        prices = PinnedPrices(item.recurring_minor, item.one_time_minor, item.terms)
        total += committed_minor(prices, int(item.characteristics.get("commitmentMonths", "1")), on)
        total += _taken_over_minor(named[item.line], on) if OWNER in item.attributes else 0
    return total


def commitment_minor(state: OrderState, catalogue: CatalogueState) -> int:
    """Give the sum that the order commits to, in net minor units, over all of its lines (see `committed_minor`)."""
    assert state.captured_at is not None
    prices = priced(state.lines, catalogue, state.captured_at)
    total = 0
    for line in state.lines:
        if line.item in prices:
            months = int(chosen(line, catalogue.offerings[line.offering]).get("commitmentMonths", "1"))
            each = Counter(prices[line.item])
            total += sum(count * committed_minor(price, months, state.captured_at.date()) for price, count in each.items())
    return total + sum(_taken_over_minor(one, state.captured_at.date()) for one in products_of(state).values() if OWNER in one.attributes)


def _taken_over_minor(product: HeldProduct, on: date) -> int:
    """What a product commits its new owner to: the periods that begin before its term is over, and one where it has none."""
    stands, ends = product.standing, date.fromisoformat(product.standing.commitment_ends_on or on.isoformat())
    taken_over: Commitment = "taken-over"
    last_day = max(ends - timedelta(days=1), on) if product.commitment == taken_over else on
    return stands.recurring_minor * stands.terms.recurrence.begun(on, last_day)
