"""Offerings are versioned: a draft takes nothing off sale, and a bundle's price is shared out by what its parts cost alone."""

from dataclasses import replace
from datetime import date
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.catalogue.rules import publish, unorderable
from o2c.catalogue.state import CatalogueState, evolve
from o2c.kernel.money import allocate
from o2c.markets.gb import GB
from o2c.orders.planning import commitment_minor
from o2c.orders.pricing import priced, totals
from o2c.orders.state import OrderState
from tests.given import CATALOGUE, MONDAY, item, offering, wish

NEW: dict[str, Any] = {"id": "care", "productSpecification": {"id": "spec-add-on"}}


def loaded(state: CatalogueState, *versions: tuple[str, str]) -> CatalogueState:
    """A catalogue after these (version, status) of one offering were loaded one after the other."""
    for version, status in versions:
        for event in publish(
            state, document={**NEW, "version": version, "lifecycleStatus": status}, market=GB, on=date(2026, 1, 5), specifications={"spec-add-on"}
        ):  # fmt: skip
            state = evolve(state, event)
    return state


@pytest.mark.parametrize(
    ("versions", "counts", "draft", "why"),
    [
        ([("1", "Draft")], "1", "", "is not on sale: its state is Draft"),
        ([("1", "Draft"), ("1", "Active")], "1", "", ""),
        ([("1", "Active"), ("2", "Draft")], "1", "2", ""),
        ([("1", "Active"), ("2", "In design"), ("2", "Launched")], "2", "", ""),
        ([("1", "Active"), ("2", "Draft"), ("1", "Retired")], "1", "2", "is retired"),
        ([("1", "Active"), ("2", "Active"), ("1", "Retired")], "2", "", ""),
        ([("1", "Active"), ("2", "Draft"), ("2", "Retired")], "1", "", ""),
        ([("1", "Retired"), ("2", "Active")], "2", "", ""),
        ([("1", "Active"), ("1.1", "Retired")], "1.1", "", "is retired"),
        ([("1", "Active"), ("2", "Active"), ("1", "Active"), ("1", "Retired")], "1", "", "is retired"),
        ([("1", "Active"), ("1", "In test")], "1", "1", ""),
    ],
)  # fmt: skip
def test_a_draft_takes_nothing_off_sale(versions: list[tuple[str, str]], counts: str, draft: str, why: str) -> None:
    """TMF620's life cycle: a version not on sale yet stands beside the one that is; a replaced version that retires changes nothing."""
    state = loaded(CatalogueState(), *versions)
    assert (state.offerings["care"].version, getattr(state.drafts.get("care"), "version", "")) == (counts, draft)
    assert unorderable(state, offering="care", at=MONDAY, alone=True) == why


@hypothesis.given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["Draft", "Active", "Retired"])), max_size=8))
def test_loading_again_publishes_nothing(versions: list[tuple[str, str]]) -> None:
    """Whatever was loaded, the last document loaded again is what stands already."""
    state = loaded(CatalogueState(), *versions)
    assert all(loaded(state, last) == state for last in versions[-1:])


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], (34, 33, 33)), (100, [3, 3, 1], (43, 43, 14)), (5, [0, 0], (3, 2)), (0, [7], (0,)), (-100, [1, 1, 1], (-34, -33, -33)),
        (2500, [1999, 700], (1852, 648)),
    ],
)  # fmt: skip
def test_a_whole_is_shared_out_by_the_largest_remainder(total: int, weights: list[int], parts: tuple[int, ...]) -> None:
    """Of equal remainders the first gets the unit that is left. Source: billing facts, section 6.4."""
    assert allocate(total, weights) == parts


@hypothesis.given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_parts_sum_to_the_whole(total: int, weights: list[int]) -> None:
    """Exactly, and none is more than a minor unit from its exact share."""
    parts = allocate(total, weights)
    counted = weights if any(weights) else [1] * len(weights)
    assert sum(parts) == total
    assert all(abs(part * sum(counted) - total * weight) < sum(counted) for part, weight in zip(parts, counted, strict=True))


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_nothing_is_shared_out_by_no_weights(weights: list[int]) -> None:
    """No parts, or one below zero, is a defect of the caller's."""
    with pytest.raises(ValueError, match="nothing can be shared out"):
        allocate(1, weights)


BUNDLE = offering("home", "spec-bundle", bundle=True, recurring_minor=5000, one_time_minor=0)
SOLD = CatalogueState({**CATALOGUE.offerings, "home": BUNDLE})


def home(quantity: int = 1, roaming: int = 1) -> Any:
    """A bundle of a line (19.99 a month, 10.00 once) and roaming (7.00 a month)."""
    return item("9", "home", quantity=quantity, productOrderItem=[item("1"), item("2", "roaming", quantity=roaming, characteristics={})])


def test_a_bundle_costs_its_own_price_shared_out_by_what_the_parts_cost_alone() -> None:
    """50.00 over 19.99 and 7.00; what the bundle has no price for, the line's 10.00 once, stays. Source: IFRS 15, par. 76."""
    prices = priced(wish(home()).lines, SOLD, MONDAY)
    assert {name: [each.recurring_minor for each in of] for name, of in prices.items()} == {"1": [3703], "2": [1297]}
    assert [each.one_time_minor for each in prices["1"]] == [1000]


@hypothesis.given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3))
def test_the_parts_of_each_bundle_sum_to_its_price(minor: int, quantity: int, roaming: int) -> None:
    """However many bundles, and however many of a part in one."""
    sold = CatalogueState({**SOLD.offerings, "home": offering("home", "spec-bundle", bundle=True, recurring_minor=minor, one_time_minor=0)})
    total = totals(priced(wish(home(quantity, roaming)).lines, sold, MONDAY)).get("a month")
    whole = minor or 1999 + 700 * roaming  # an amount of 0 is no price, as `offering` makes them
    assert (total.net_minor if total else 0) == quantity * whole


def test_what_no_part_has_a_price_for_is_shared_equally() -> None:
    """A fee for a bundle whose parts are charged by the month alone."""
    fee = offering("home", "spec-bundle", bundle=True, recurring_minor=0, one_time_minor=501)
    lines = wish(item("9", "home", productOrderItem=[item(name, "roaming", characteristics={}) for name in ("1", "2")])).lines
    prices = priced(lines, CatalogueState({**SOLD.offerings, "home": fee}), MONDAY)
    assert [of[0].one_time_minor for of in prices.values()] == [251, 250]


def test_a_customer_commits_to_the_price_of_the_bundle() -> None:
    """Credit is asked for what will be charged: twelve months of the line's share and a month of roaming's, and the fee."""
    state = replace(OrderState(), lines=wish(home()).lines, captured_at=MONDAY)
    assert commitment_minor(state, SOLD) == 3703 * 12 + 1000 + 1297
