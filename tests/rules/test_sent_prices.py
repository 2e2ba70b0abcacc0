"""A price that a channel sent is held against the catalogue's; where none was sent, nothing is checked."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.catalogue.state import CatalogueState
from o2c.orders.corrections import correctable
from o2c.orders.planning import order_price, plan_order
from o2c.orders.validation import flaw
from tests.given import BOOK, CATALOGUE, MARKET, MONDAY, Document, Story, captured, flaw_of, item, offering


def sent(kind: str = "recurring", net: Any = "19.99", period: str = "month", unit: str = "GBP", gross: Any = None) -> Document:
    """A price as TMF622 has it."""
    amounts = {
        name: {"unit": unit, "value": value} for name, value in (("dutyFreeAmount", net), ("taxIncludedAmount", gross)) if value is not None
    }
    return {"priceType": kind, "recurringChargePeriod": period, "price": amounts}


ONCE = sent("oneTime", "10.00", "")


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"items": [item(itemPrice=[sent(), ONCE])]}, id="both"),
        pytest.param({"items": [item(itemPrice=[sent()])]}, id="one of both"),
        pytest.param({"items": [item(itemPrice=[sent(net=19.99)])]}, id="a number"),
        pytest.param({"items": [item(itemPrice=[sent("RECURRING", period="monthly")])]}, id="words of the trade"),
        pytest.param({"items": [item(itemPrice=[sent(period="1 m")])]}, id="a period of no word, where one price recurs"),
        pytest.param({"items": [item(itemPrice=[sent(net=None, gross="23.99")])]}, id="with tax alone"),
        pytest.param({"items": [item(itemPrice=[sent(gross="23.99")])]}, id="with tax and without"),
        pytest.param({"items": [item(quantity=3, itemPrice=[sent()], itemTotalPrice=[sent(net="59.97")])]}, id="one piece and three"),
        pytest.param({"items": [item("1"), item("2", "roaming")], "orderTotalPrice": [sent(net="26.99"), ONCE]}, id="whole order"),
        pytest.param({"items": [item(sold="roaming", itemPrice=[sent("oneTime", "0", "")])]}, id="nothing where there is nothing"),
        pytest.param({"items": [item(sold="care-year", itemPrice=[sent(net="120", period="year")])]}, id="a year"),
        pytest.param({"items": [item(itemPrice=[{"priceType": "recurring", "name": "free text"}, "x", None])]}, id="no amounts"),
        pytest.param({"items": [item(itemPrice=[sent("usage", "0.10", "")])]}, id="of usage"),
        pytest.param({"items": [item(itemPrice="19.99")]}, id="no list"),
        pytest.param({"items": [item()], "orderTotalPrice": []}, id="none"),
        pytest.param(
            {"items": [item("9", "office", itemPrice=[sent(net="26.99")], productOrderItem=[item("1"), item("2", "roaming")])]},
            id="a bundle by its parts",
        ),
    ],
)  # fmt: skip
def test_our_own_price_is_no_flaw(order: Document) -> None:
    """In any of the shapes that channels send: per piece, per item, for the order; with tax or without."""
    assert flaw_of(captured(*order.pop("items"), **order)) == ""


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"items": [item(itemPrice=[sent(net="18.99")])]}, "itemPrice of item 1: the channel sent 18.99 GBP (recurring month), the catalogue has 10.00 GBP once, 19.99 GBP a month"),
        ({"items": [item(itemPrice=[sent(unit="EUR")])]}, "the channel sent 19.99 EUR"),
        ({"items": [item(itemPrice=[sent(period="year")])]}, "the channel sent 19.99 GBP (recurring year)"),
        ({"items": [item(itemPrice=[sent(net=None, gross="23.98")])]}, "the channel sent 23.98 GBP with tax"),
        ({"items": [item(itemPrice=[sent(gross="24.00")])]}, "the channel sent 19.99 GBP"),
        ({"items": [item(itemPrice=[sent(net="19.999")])]}, "the channel sent 19.999 GBP"),
        ({"items": [item(itemPrice=[sent(net="cheap")])]}, "the channel sent cheap GBP"),
        ({"items": [item(itemPrice=[sent("levy")])]}, "the channel sent 19.99 GBP (levy month)"),
        ({"items": [item(quantity=2, itemTotalPrice=[sent()])]}, "itemTotalPrice of item 1: the channel sent 19.99 GBP (recurring month), the catalogue has 20.00 GBP once, 39.98"),
        ({"items": [item()], "orderTotalPrice": [sent(net="20.00")]}, "orderTotalPrice: the channel sent 20.00 GBP"),
        ({"items": [item(sold="roaming", itemPrice=[ONCE])]}, "the channel sent 10.00 GBP (oneTime), the catalogue has 7.00 GBP a month"),
    ],
)  # fmt: skip
def test_another_price_is_told_with_both(order: Document, told: str) -> None:
    """The channel must answer; the fallout names where the price stood, what was sent and what we have."""
    items = order.pop("items")
    wrong = flaw_of(captured(*items, **order))
    assert wrong.startswith("DQ-PRICE: ")
    assert told in wrong
    story = Story(*items, **order)
    story.attend("validation")
    fell_out = story.last("validation.fell-out")
    assert (fell_out.reason, fell_out.waiting_for, f"DQ-PRICE: {fell_out.detail}") == ("DQ-PRICE", "channel", wrong)


def test_a_line_in_a_bundle_that_has_its_own_price_is_judged_with_it() -> None:
    """What the line costs alone is not what it costs there; the bundle's price is the one that counts."""
    sold = CatalogueState(
        {**CATALOGUE.offerings, "office": offering("office", "spec-bundle", bundle=True, recurring_minor=2500, one_time_minor=0)}
    )
    for net, wrong in (("25.00", False), ("26.99", True)):
        inside = item("1", itemPrice=[sent()])
        state = captured(item("9", "office", itemPrice=[sent(net=net)], productOrderItem=[inside, item("2", "roaming")]))
        assert bool(flaw(state, party_known=True, catalogue=sold, market=MARKET)) is wrong


def test_a_person_may_say_that_our_price_counts() -> None:
    """The channel was told: the correction `prices` to `ours` lets the order go on, and nothing else does."""
    story = Story(item(itemPrice=[sent(net="1.00")]))
    story.attend("validation")
    assert [correctable(story.state, "", {"prices": value}) for value in ("ours", "", "theirs")] == [True, False, False]


@hypothesis.given(st.integers(1, 9), st.integers(1, 9))
def test_an_order_says_what_it_costs(lines: int, roaming: int) -> None:
    """The sums of what its items are charged, by period: nothing is lost between the order's price and its charges."""
    state = captured(item("1", quantity=lines), item("2", "roaming", quantity=roaming), item("3", "care-year"))
    told = order_price(plan_order(state, BOOK, MONDAY))
    assert (told.one_time_minor, told.currency, told.catalogue_version) == (1000 * lines, "GBP", 1)
    assert {(each.period_unit, each.period_length): each.amount_minor for each in told.recurring} == {
        ("month", 1): 1999 * lines + 700 * roaming, ("year", 1): 12_000,
    }  # fmt: skip


def test_the_price_of_an_order_stands_beside_its_plan() -> None:
    """The event follows the plan in the same command."""
    names = Story(item()).run(until="number").names()
    assert names[names.index("order.planned") + 1] == "order.priced"
