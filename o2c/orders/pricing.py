"""What a line costs: the values it chose, the prices of its offering that held when it was ordered, its part of a bundle's, and the sum
that it commits to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from o2c.catalogue.events import OfferingPrice, OfferingPublished
from o2c.catalogue.rules import discounts_at, price_at
from o2c.catalogue.state import CatalogueState
from o2c.kernel.charges import PriceTerms
from o2c.kernel.discounts import Discount, off_a_period
from o2c.kernel.money import allocate
from o2c.kernel.recurrence import Recurrence
from o2c.orders.wish import Line, around, multiplicity, quantity_of

_MONTH = Recurrence("month")


@dataclass(frozen=True, slots=True)
class PinnedPrices:
    """The prices of a line, net of tax, in minor units, and how they apply; 0 where the offering has no price of that kind."""

    recurring_minor: int
    one_time_minor: int
    terms: PriceTerms


def chosen(line: Line, offering: OfferingPublished) -> dict[str, str]:
    """Give the characteristics of the offering as a line chose them, its defaults where it chose none; other names stay out."""
    given = {**offering.defaults, **line.characteristics}
    return {name: given[name] for name in offering.characteristics if name in given}


def pinned(offering: OfferingPublished, at: datetime) -> PinnedPrices:
    """Give the prices of an offering that hold for an order taken at a time, but for those of usage (see `metered`)."""
    recurring, once = (price_at(offering, kind, at) for kind in ("recurring", "one-time"))
    terms: dict[str, Any] = {}
    if recurring is not None:
        terms = {
            "period_unit": recurring.period_unit,
            "period_length": recurring.period_length,
            "recurring_tax_group": recurring.tax_group,
        }
    if once is not None:
        terms["one_time_tax_group"] = once.tax_group
    if discounts := tuple(one for price in (recurring, once) if price is not None for one in discounts_at(price, at)):
        terms["discounts"] = discounts
    return PinnedPrices(recurring.amount_minor if recurring else 0, once.amount_minor if once else 0, PriceTerms.model_validate(terms))


def metered(terms: PriceTerms, offering: OfferingPublished, catalogue_version: int) -> PriceTerms:
    """Give the terms with the version of the catalogue by which usage is priced, where the offering has such prices or includes units."""
    if not any(price.usage or price.allowance for price in offering.prices):
        return terms
    return terms.model_copy(update={"usage_version": catalogue_version})


def _of_line(line: Line, offering: OfferingPublished, at: datetime) -> PinnedPrices:
    """The prices of a line: what is not sold anew costs nothing more, and a product that has another offering now is set up already."""
    if not line.costs_anew:
        return PinnedPrices(0, 0, PriceTerms())
    return pinned(offering, at) if line.action != "modify" else replace(pinned(offering, at), one_time_minor=0)


Prices = dict[str, list[PinnedPrices]]
"""By leaf line, the prices of each of the items that it stands for."""


def priced(lines: Sequence[Line], catalogue: CatalogueState, at: datetime) -> Prices:
    """Give the prices of every item of an order taken at a time, by line; lines of unknown offerings have none.

    A price of a bundle takes the place of those of the same kind and period of its items, and is shared out by what they cost alone,
    largest remainder first. Where no item has one, those without a price of the kind share it equally. Of bundles within one another the
    outer one counts.
    """
    known = {line.item: catalogue.offerings[line.offering] for line in lines if line.offering in catalogue.offerings}
    counts = multiplicity(lines)
    by_id = {line.item: line for line in lines}
    prices = {item: [_of_line(by_id[item], known[item], at)] * count for item, count in counts.items() if item in known}
    of_price = [line for line in lines if line.item in known and line.item not in counts and known[line.item].prices]
    for bundle in sorted(of_price, key=lambda line: -sum(1 for _ in around(line, by_id))):
        for places in _copies(bundle, by_id, counts, prices):
            for kind in ("recurring", "one-time"):
                price = price_at(known[bundle.item], kind, at)
                if price is not None:
                    _share(price, places, prices, discounts_at(price, at))
    return prices


def _copies(bundle: Line, by_id: Mapping[str, Line], counts: Mapping[str, int], prices: Prices) -> Iterator[list[tuple[str, int]]]:
    """The items of each copy of a bundle, as (line, turn)."""
    within = [item for item in prices if any(upper is bundle for upper in around(by_id[item], by_id))]
    copies = 1
    for upper in around(bundle, by_id):
        copies *= quantity_of(upper) or 0
    for copy in range(copies if within else 0):
        yield [(item, copy * (counts[item] // copies) + turn) for item in within for turn in range(counts[item] // copies)]


def _share(price: OfferingPrice, places: Sequence[tuple[str, int]], prices: Prices, discounts: Sequence[Discount]) -> None:
    """Share a bundle's price out over the items of one copy of it, and with it its discounts, which take the place of theirs."""
    recurring = price.kind == "recurring"
    amount, group = ("recurring_minor", "recurring_tax_group") if recurring else ("one_time_minor", "one_time_tax_group")
    own = {place: prices[place[0]][place[1]] for place in places}
    alike = [place for place, each in own.items() if not recurring or each.terms.recurrence == price.recurrence]
    sharing = [place for place in alike if getattr(own[place], amount)]
    bare = [place for place in places if not getattr(own[place], amount)]
    terms: dict[str, Any] = {} if sharing else {group: price.tax_group}
    if recurring and not sharing:
        terms |= {"period_unit": price.period_unit, "period_length": price.period_length}
    chosen_places = sharing or bare or list(places)
    shares = allocate(price.amount_minor, [getattr(own[place], amount) for place in chosen_places])
    off = [allocate(one.amount_minor, shares) for one in discounts]
    for place, ((item, turn), share) in enumerate(zip(chosen_places, shares, strict=True)):
        before = prices[item][turn]
        shared = (one.model_copy(update={"amount_minor": parts[place]}) for one, parts in zip(discounts, off, strict=True))
        others = (one for one in before.terms.discounts if (one.of == "recurring") != recurring)
        both = tuple(one for one in (*others, *shared) if one.percent or one.amount_minor)
        prices[item][turn] = replace(before, terms=before.terms.model_copy(update={**terms, "discounts": both}), **{amount: share})


def with_discounts(prices: Prices, discounts: Sequence[tuple[Discount, Sequence[str]]]) -> Prices:
    """Give the prices of an order's items with discounts more, each for the items of some lines."""
    if not discounts:
        return prices
    off = {line: tuple(one for one, lines in discounts if line in lines) for line in prices}
    return {line: [_less(each, off[line]) for each in of] for line, of in prices.items()}


def _less(prices: PinnedPrices, discounts: tuple[Discount, ...]) -> PinnedPrices:
    return replace(prices, terms=prices.terms.model_copy(update={"discounts": (*prices.terms.discounts, *discounts)}))


def committed_minor(prices: PinnedPrices, months: int, on: date) -> int:
    """Give the sum that a line ordered on a day commits to, in net minor units: the one-time price, and the recurring price for each of its
    periods that begins within the committed months. A year's price is owed whole by who commits to a month."""
    last_day = _MONTH.begins(on, months) - timedelta(days=1)
    return prices.recurring_minor * prices.terms.recurrence.begun(on, last_day) + prices.one_time_minor


@dataclass(frozen=True, slots=True)
class Total:
    """What is charged together: once, or every `length` times `unit`. `nets` are net minor units by tax group, and `reduced` what is left
    of them while all discounts hold."""

    unit: str
    length: int
    nets: Mapping[str, int]
    reduced: Mapping[str, int]

    @property
    def net_minor(self) -> int:
        """Net of tax, in minor units."""
        return sum(self.nets.values())


def totals(prices: Prices) -> dict[str, Total]:
    """Give the sums over items by how often they are charged: `once`, `a month`, `every 3 months`. What costs nothing has none."""
    sums: dict[tuple[str, int], tuple[dict[str, int], dict[str, int]]] = {}
    for each in (each for of_line in prices.values() for each in of_line):
        terms = each.terms
        for key, group, minor in (
            (("", 0), terms.one_time_tax_group, each.one_time_minor),
            ((terms.period_unit, terms.period_length), terms.recurring_tax_group, each.recurring_minor),
        ):
            if minor:
                nets, reduced = sums.setdefault(key, ({}, {}))
                nets[group] = nets.get(group, 0) + minor
                off_minor = off_a_period(terms.discounts, of="recurring" if key[0] else "one-time", price_minor=minor)
                reduced[group] = reduced.get(group, 0) + minor - off_minor
    return {Recurrence(unit, length).words if unit else "once": Total(unit, length, *told) for (unit, length), told in sorted(sums.items())}
