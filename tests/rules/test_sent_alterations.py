"""A discount that a channel sent with a price is held against ours: none is given, and none is dropped, in silence.

Source: TMF622 v4.0.0 and v5.0.0, PriceAlteration.
"""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.catalogue.state import CatalogueState
from o2c.kernel.discounts import off_a_period
from o2c.orders.events import OrderCaptured
from o2c.orders.validation import flaw
from tests.given import CATALOGUE, MARKET, Document, Story, captured, flaw_of, item, offering
from tests.rules.test_sent_prices import sent
from tests.rules.test_vouchers import campaign, vouched

WELCOME = {"name": "WELCOME", "percent": "20", "lasts_length": 3}
LOYAL = {"name": "LOYAL", "amount_minor": 150, "priority": 2}
NO_FEE = {"name": "NO FEE", "of": "one-time", "percent": "100"}
YEARLY = {"name": "HALF", "percent": "50", "lasts_unit": "year", "lasts_length": 1}


def of(minor: int, *discounts: Document, **more: Any) -> Document:
    """A price of the catalogue with its discounts."""
    return {"kind": "recurring", "amount_minor": minor, "discounts": [{"discount": one} for one in discounts], **more}


FEE = {"kind": "one-time", "amount_minor": 1000, "discounts": [{"discount": NO_FEE}]}
SOLD = CatalogueState(
    {
        **CATALOGUE.offerings,
        "line": offering("line", prices=[of(1999, WELCOME), FEE], characteristics=CATALOGUE.offerings["line"].characteristics),
        "loyal": offering("loyal", "spec-add-on", prices=[of(1000, WELCOME, LOYAL)]),
        "yearly": offering("yearly", "spec-add-on", prices=[of(12_000, YEARLY, period_unit="year")]),
        "quarter": offering("quarter", "spec-add-on", prices=[of(3000, WELCOME, period_length=3)]),
        "half": offering("half", "spec-add-on", prices=[of(1000, {"name": "HALF", "percent": "50"}), of(1000, kind="one-time")]),
        "pack": offering("pack", "spec-bundle", bundle=True, prices=[of(2500, WELCOME)]),
    }
)


def off(percent: Any = None, net: Any = None, gross: Any = None, kind: str = "recurring", unit: str = "GBP", **more: Any) -> Document:
    """A discount as TMF622 has it."""
    amounts = {
        name: {"unit": unit, "value": value} for name, value in (("dutyFreeAmount", net), ("taxIncludedAmount", gross)) if value is not None
    }
    return {
        "name": "Spring sale for friends",
        "priceType": kind,
        "price": {**amounts, **({} if percent is None else {"percentage": percent})},
        **more,
    }


def altered(*alterations: Document, price: Document | None = None) -> list[Document]:
    return [{**(sent() if price is None else price), "priceAlteration": list(alterations)}]


BARE = {"priceType": "recurring", "recurringChargePeriod": "month"}
"""A price that says its discounts alone."""


def judged(*items: Document, **changes: Any) -> str:
    return flaw(captured(*items, **changes), party_known=True, catalogue=SOLD, market=MARKET)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"items": [item(itemPrice=altered(off(20)))]}, id="a percentage"),
        pytest.param({"items": [item(itemPrice=altered(off("20.00")))]}, id="as text, with noughts"),
        pytest.param({"items": [item(itemPrice=altered(off(20, applicationDuration=3, recurringChargePeriod="month")))]}, id="for three months"),
        pytest.param({"items": [item(itemPrice=altered(off(20, applicationDuration={"amount": 3, "units": "months"})))]}, id="for a duration"),
        pytest.param({"items": [item(itemPrice=altered(off(net="4.00")))]}, id="an amount"),
        pytest.param({"items": [item(itemPrice=altered(off(net=-4)))]}, id="an amount with its sign"),
        pytest.param({"items": [item(itemPrice=altered(off(gross="4.80")))]}, id="an amount with tax"),
        pytest.param({"items": [item(itemPrice=altered(off(20, net="4.00", gross="4.80")))]}, id="all three"),
        pytest.param({"items": [item(itemPrice=altered(off(20), price=sent(net="15.99")))]}, id="with the price that is left"),
        pytest.param({"items": [item(itemPrice=altered(off(20), price=BARE))]}, id="without a price"),
        pytest.param({"items": [item(itemPrice=altered(off(20, kind="discount")))]}, id="of a type of the price's"),
        pytest.param({"items": [item(itemPrice=altered(off(100, kind="oneTime"), price=sent("oneTime", "10.00", "")))]}, id="once"),
        pytest.param({"items": [item(itemPrice=altered(off(100, kind="oneTime")))]}, id="on the other price"),
        pytest.param({"items": [item(itemPrice=altered(off(0), off(net="0.00")))]}, id="nothing"),
        pytest.param({"items": [item(itemPrice=[{**sent(), "priceAlteration": [{"name": "x"}, "x", {"price": 5}]}])]}, id="no amounts"),
        pytest.param({"items": [item(itemPrice=[{**sent(), "priceAlteration": {"price": {"percentage": 50}}}])]}, id="no list"),
        pytest.param({"items": [item(quantity=3, itemTotalPrice=altered(off(net="12.00"), price=sent(net="59.97")))]}, id="three pieces"),
        pytest.param({"items": [item(quantity=3, itemPrice=altered(off(net="4.00")))]}, id="one piece of three"),
        pytest.param({"items": [item()], "orderTotalPrice": altered(off(20))}, id="whole order"),
        pytest.param({"items": [item("1"), item("2", "roaming")], "orderTotalPrice": altered(off(net="4.00"), price=BARE)}, id="by what it comes to"),
        pytest.param({"items": [item(sold="loyal", itemPrice=altered(off(net="1.50"), off(20), price=BARE))]}, id="two in any order"),
        pytest.param({"items": [item(sold="yearly", itemPrice=altered(off(50, applicationDuration=1), price=sent(net="120", period="year")))]}, id="a year"),
        pytest.param({"items": [item(sold="yearly", itemPrice=altered(off(50, applicationDuration=12, recurringChargePeriod="month"), price=BARE | {"recurringChargePeriod": ""}))]}, id="twelve months"),
        pytest.param({"items": [item(sold="quarter", itemPrice=altered(off(20, applicationDuration=3, recurringChargePeriod="month"), price=sent(net="30", period="quarter")))]}, id="months of a quarter"),
        pytest.param({"items": [item("9", "pack", itemPrice=altered(off(20), price=sent(net="25")), productOrderItem=[item("1"), item("2", "roaming")])]}, id="a bundle"),
        pytest.param({"items": [item("9", "pack", productOrderItem=[item("1", itemPrice=altered(off(20))), item("2", "roaming")])]}, id="a part of a bundle"),
    ],
)  # fmt: skip
def test_our_own_discount_is_no_flaw(order: Document) -> None:
    """In any of the shapes that channels send: a percentage or what it comes to, for how long where they say so, under whatever name."""
    assert judged(*order.pop("items"), **order) == ""


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"items": [item(itemPrice=altered(off(30)))]}, "itemPrice of item 1: the channel sent a discount of 30 % (recurring month), ours are NO FEE 100 % (10.00 GBP) once, WELCOME 20 % (4.00 GBP) for 3 months"),
        ({"items": [item(itemPrice=altered(off(net="5.00")))]}, "a discount of 5.00 GBP (recurring month)"),
        ({"items": [item(itemPrice=altered(off(gross="4.00")))]}, "a discount of 4.00 GBP with tax"),
        ({"items": [item(itemPrice=altered(off(20, net="5.00")))]}, "a discount of 20 % and 5.00 GBP"),
        ({"items": [item(itemPrice=altered(off(net="4.00", unit="EUR")))]}, "a discount of 4.00 EUR"),
        ({"items": [item(itemPrice=altered(off(20, applicationDuration=12)))]}, "a discount of 20 % (recurring month) 12 times"),
        ({"items": [item(itemPrice=altered(off(20, applicationDuration="long")))]}, "20 % (recurring month) long times"),
        ({"items": [item(itemPrice=altered(off(20), off(20)))]}, "a discount of 20 %"),
        ({"items": [item(itemPrice=altered(off(20, kind="oneTime")))]}, "a discount of 20 % (oneTime month)"),
        ({"items": [item(itemPrice=altered(off(50, kind="usage"), price=sent("usage", "0.10", "")))]}, "a discount of 50 % (usage)"),
        ({"items": [item(itemPrice=altered(off("half")))]}, "a discount of half %"),
        ({"items": [item(itemPrice=altered(off("9" * 400)))]}, "a discount of 999999999999999999999999 %"),
        ({"items": [item(itemPrice=altered(off(30), price=BARE))]}, "a discount of 30 %"),
        ({"items": [item(sold="roaming", itemPrice=altered(off(20), price=sent(net="7")))]}, "ours are none"),
        ({"items": [item(sold="half", itemPrice=altered(off(50, applicationDuration=3), price=sent(net="10")))]}, "ours are HALF 50 % (5.00 GBP)"),
        ({"items": [item("1"), item("2", "roaming")], "orderTotalPrice": altered(off(20), price=BARE)}, "orderTotalPrice: the channel sent a discount of 20 %"),
        ({"items": [item("1"), item("2", "loyal")], "orderTotalPrice": altered(off(net="4.00"), price=BARE)}, "ours are NO FEE 100 % (10.00 GBP) once, WELCOME 20 % (6.00 GBP) for 3 months, LOYAL 1.50 GBP"),
        ({"items": [item(quantity=3, itemTotalPrice=altered(off(net="4.00"), price=BARE))]}, "itemTotalPrice of item 1: the channel sent a discount of 4.00 GBP"),
        ({"items": [item("9", "pack", productOrderItem=[item("1", itemPrice=altered(off(50))), item("2", "roaming")])]}, "itemPrice of item 1: the channel sent a discount of 50 %"),
    ],
)  # fmt: skip
def test_another_discount_is_told_with_both(order: Document, told: str) -> None:
    """One that we do not know, of another amount or for another time; the names that channels give are free text, and are not told."""
    wrong = judged(*order.pop("items"), **order)
    assert wrong.startswith("DQ-PRICE: ")
    assert told in wrong
    assert "friends" not in wrong


def test_a_voucher_is_one_of_our_discounts() -> None:
    """19.99 with a fifth off by the voucher that the item names; its code is not repeated."""
    for percent, good in ((20, True), (25, False)):
        state = captured(vouched(itemPrice=altered(off(percent, applicationDuration=3))))
        wrong = flaw(state, party_known=True, catalogue=CATALOGUE, market=MARKET, campaigns={"voucher-SPRING": campaign()}, tier="")
        assert (wrong == "") is good
        assert good or "ours are a voucher 20 % (4.00 GBP) for 3 months" in wrong


def test_the_channel_must_answer_and_a_person_may_say_that_ours_counts() -> None:
    """As of another price; with `prices=ours` the order goes on without the channel's discount."""
    story = Story(item(itemPrice=altered(off(30))))
    story.attend("validation")
    fell_out = story.last("validation.fell-out")
    assert (fell_out.reason, fell_out.waiting_for) == ("DQ-PRICE", "channel")
    assert "a discount of 30 % (recurring month), ours are none" in fell_out.detail
    story.correct("validation", "", {"prices": "ours"})
    story.run()
    assert story.names()[-1] == "order.completed"


def test_v5_says_it_with_the_same_words() -> None:
    """The example of TMF622 v5.0.0 (`CreateProductOrder1_request.json`): WelcomeDiscount, 20 % for the first 3 months."""
    alteration = {
        "applicationDuration": 3, "description": "20% for first 3 months", "name": "WelcomeDiscount", "priceType": "recurring", "priority": 1,
        "recurringChargePeriod": "month", "@type": "PriceAlteration", "price": {"percentage": 20, "taxRate": 0, "@type": "Price"},
    }  # fmt: skip
    v5 = {
        "externalId": [{"owner": "C-1001", "id": "WEB-5"}],
        "orderTotalPrice": altered(alteration, price={"@type": "OrderPrice", **sent()}),
    }
    assert judged(item(), **v5) == ""
    assert "a discount of 20 % (recurring month) 3 times, ours are none" in flaw_of(captured(item(), **v5))


def test_what_was_stored_before_has_no_discounts_of_the_channel() -> None:
    """Prices of older events load, and nothing is said of what was never read; the name that the channel gave stands in the original alone."""
    stored = OrderCaptured.model_validate(
        {**OrderCaptured.example, "prices": [{"field": "orderTotalPrice", "kind": "oneTime", "net": "10.00", "unit": "GBP"}]}
    )
    assert stored.prices[0].alterations == ()
    story = Story(item(itemPrice=altered(off(30))))
    event = story.last("order.captured")
    assert event.lines[0].prices[0].alterations[0].percent == "30"
    assert "friends" not in event.model_dump_json(exclude={"original"})


@hypothesis.given(st.integers(1, 5000), st.integers(1, 100), st.integers(0, 3000), st.integers(1, 5), st.booleans())
def test_every_price_with_its_own_discounts_is_ours(price: int, percent: int, amount: int, pieces: int, by_amount: bool) -> None:
    """Whatever we take off, a channel that repeats it, as percentages or as what they come to, agrees with us; with a penny more it does not."""
    loyal = [{**LOYAL, "amount_minor": amount}] if amount else []
    found = offering("drawn", "spec-add-on", prices=[of(price, {**WELCOME, "percent": str(percent)}, *loyal)])
    own = CatalogueState({"drawn": found})
    discounts = [each.discount for each in found.prices[0].discounts]
    first = off_a_period(discounts[:1], of="recurring", price_minor=price)
    second = off_a_period(discounts, of="recurring", price_minor=price) - first

    def wrong(more: int) -> str:
        told = [
            off(net=f"{(first * pieces + more) / 100:.2f}") if by_amount or more else off(percent),
            *([off(net=f"{second * pieces / 100:.2f}")] if second else []),
        ]
        state = captured(item(sold="drawn", quantity=pieces, itemTotalPrice=altered(*told, price=BARE)))
        return flaw(state, party_known=True, catalogue=own, market=MARKET)

    hypothesis.assume(first and first != second)
    assert wrong(0) == ""
    hypothesis.assume((first * pieces + 1) != second * pieces)
    assert wrong(1)
