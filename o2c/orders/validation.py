"""When a captured order can be planned: its party, items, actions and offerings, judged against its pinned catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter

from o2c.catalogue.rules import unorderable
from o2c.catalogue.state import CatalogueState
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_date
from o2c.markets.base import Market
from o2c.orders.bringing import flaw_of_numbers
from o2c.orders.changing import Products, flaw_of_changes, held
from o2c.orders.dates import flaw_of_dates
from o2c.orders.event_parts import HeldProduct, HeldVoucher
from o2c.orders.needs import bound
from o2c.orders.pricing import chosen, priced, with_discounts
from o2c.orders.releasing import flaw_of_release
from o2c.orders.sent_prices import flaw_of_prices
from o2c.orders.state import OrderState
from o2c.orders.vouchers import Campaigns, flaw_of_vouchers, held_by, streams_named, wanted
from o2c.orders.wish import QUANTITY_MAX, Line, around, multiplicity, names_of, quantity_of, resolved

LINES_MAX = 5_000
POLICY = "validation/2026-12"
"""The version of the validation rules, stored with every validated order."""


def flaw(
    state: OrderState,
    *,
    party_known: bool,
    catalogue: CatalogueState,
    market: Market,
    campaigns: Campaigns | None = None,
    tier: str = "",
    products: Products | None = None,
    known: Mapping[str, HeldProduct] | None = None,
) -> str:
    """Give the first reason why an order cannot be planned (`CODE: detail`); empty when there is none.

    In this order: DQ-PARTY, DQ-ITEM, DQ-ACTION, DQ-DATE, DQ-OFFER, DQ-ITEM for what an offering needs beside it, DQ-VOUCHER, DQ-PRICE, and
    last DQ-TWICE. `campaigns` are those of the vouchers that it names, and `tier` its customer's; without campaigns nothing is said of
    vouchers. `products` are those in service that its lines name; the lines of those that are `known` were judged before, and stand. Values
    are judged as text and never repaired. Source: the table of imperfect orders (design, section 11).
    """
    if not state.party or not party_known:
        return "DQ-PARTY: no related party has the role customer" if not state.party else "DQ-PARTY: the party is not registered"
    if wrong := _item_flaw(state.lines, market) or _change_flaw(state, products or {}, market, known or {}):
        return wrong
    named = {one.line: one for one in held(state.lines, products or {}, {}, state.party, known)}
    read = changed(state, lines=tuple(resolved(state.lines, named)))
    wrong = _date_flaw(read, market) or _sale_flaw(read, catalogue) or _money_flaw(read, catalogue, market, campaigns, tier)
    return wrong or (f"DQ-TWICE: its customer wishes the same by order {state.same_wish}" if state.same_wish else "")


def flaw_by(state: OrderState, *, catalogue: CatalogueState, market: Market) -> str:
    """Give the first reason why an order that was validated could not be planned by another catalogue, as it names products and holds
    vouchers; empty when there is none. What these are now, and who may have them, is not asked again."""
    return _date_flaw(state, market) or _sale_flaw(state, catalogue) or _money_flaw(state, catalogue, market, None, "", held_by(state))


def _item_flaw(lines: Sequence[Line], market: Market) -> str:
    doubles = [item for item, count in Counter(line.item for line in lines).items() if count > 1 or not item]
    if doubles:
        return f"DQ-ITEM: item id {doubles[0] or '(empty)'} is not unique"
    counts = multiplicity(lines)
    if not counts:
        return "DQ-ITEM: no items"
    wrong = next((line.item for line in lines if quantity_of(line) is None), None)
    if wrong is not None:
        return f"DQ-ITEM: quantity of item {wrong} is not between 1 and {QUANTITY_MAX}"
    if sum(counts.values()) > LINES_MAX:
        return f"DQ-ITEM: more than {LINES_MAX} lines in all"
    names = Counter(name for of_item in names_of(counts).values() for name in of_item)
    if len(names) < names.total():
        return f"DQ-ITEM: item id {max(names, key=lambda name: names[name])} is also the name of a line of another item"
    return _relation_flaw(lines) or flaw_of_numbers(lines, counts, market)


def _relation_flaw(lines: Sequence[Line]) -> str:
    """Give the first flaw of `reliesOn`. To rely on a bundle is to rely on all of its lines, so bundles are part of a circle too."""
    by_id = {line.item: line for line in lines}
    for line in lines:
        if unknown := [base for base in line.relies_on if base not in by_id]:
            return f"DQ-ITEM: item {line.item} relies on {unknown[0]}, which is not in the order"
    graph = {line.item: {base for upper in around(line, by_id) for base in upper.relies_on} for line in lines}
    for line in lines:
        if line.parent in graph:
            graph[line.parent].add(line.item)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return f"DQ-ITEM: reliesOn of item {min(error.args[1])} is cyclic"
    return ""


def _change_flaw(state: OrderState, products: Products, market: Market, known: Collection[str]) -> str:
    assert state.captured_at is not None
    return flaw_of_changes(state.lines, products, state.party, market, state.order_id, state.captured_at, known)


def _date_flaw(state: OrderState, market: Market) -> str:
    assert state.captured_at is not None
    return flaw_of_dates(state.requested_start, state.requested_completion, state.lines, state.captured_at, market)


def _sale_flaw(state: OrderState, catalogue: CatalogueState) -> str:
    if wrong := _offer_flaw(state, catalogue):
        return wrong
    if wrong := flaw_of_release(state.lines, catalogue):
        return wrong
    held = bound(state.lines, catalogue)
    return held.flaw or ("" if held.lines is state.lines else _relation_flaw(held.lines))


def _money_flaw(
    state: OrderState, catalogue: CatalogueState, market: Market, campaigns: Campaigns | None, tier: str, holds: Sequence[HeldVoucher] = ()
) -> str:
    at = state.captured_at
    assert at is not None
    listed = cache(lambda: priced(state.lines, catalogue, at))
    vouched = campaigns is not None and streams_named(state.lines)
    if vouched and (
        wrong := flaw_of_vouchers(state, campaigns or {}, listed(), market=market.code, tier=tier, at=at, on=local_date(at, market.zone))
    ):
        return wrong
    if holds:
        return flaw_of_prices(
            state.prices, state.lines, catalogue, lambda: with_discounts(listed(), [(one.discount, one.lines) for one in holds]), market, at
        )
    off = cache(
        lambda: with_discounts(
            listed(), [(each.discount, each.lines) for each in wanted(state.lines, campaigns or {}, listed(), local_date(at, market.zone))]
        )
    )
    return flaw_of_prices(state.prices, state.lines, catalogue, off if vouched else listed, market, at)


def _offer_flaw(state: OrderState, catalogue: CatalogueState) -> str:
    assert state.captured_at is not None
    parents = {line.parent for line in state.lines}
    for line in state.lines:
        if not line.costs_anew:
            # What a product has stands as it was sold: a choice that is wanted since then keeps nobody from leaving, or from what changes
            # no offer.
            if line.action == "modify" and line.offering in catalogue.offerings and (wrong := _choice_flaw(line, catalogue, had=True)):
                return wrong
            continue
        if not line.offering:
            return f"DQ-OFFER: item {line.item} names no offering"
        if not catalogue.offerings:
            return f"DQ-OFFER: the offering of item {line.item} is unknown: there was no catalogue when the order came; load one, and name its version"
        if why := unorderable(catalogue, offering=line.offering, at=state.captured_at, alone=not line.parent):
            return f"DQ-OFFER: the offering of item {line.item} {why}"
        offering = catalogue.offerings[line.offering]
        if offering.market != state.market.partition("@")[0]:
            return f"DQ-OFFER: the offering of item {line.item} is not sold in the order's market"
        if offering.bundle != (line.item in parents):
            return f"DQ-OFFER: item {line.item} is a bundle without children or has children without being one"
        if wrong := _choice_flaw(line, catalogue):
            return wrong
    return ""


def _choice_flaw(line: Line, catalogue: CatalogueState, *, had: bool = False) -> str:
    offering = catalogue.offerings[line.offering]
    wanted = chosen(line, offering)
    for name, values in offering.characteristics.items():
        if wanted.get(name) not in values and not ((had or name in offering.optional) and name not in wanted):
            return f"DQ-OFFER: {name} of item {line.item} is not among the offering's values"
    return ""
