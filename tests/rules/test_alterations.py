"""A discount is read from the price list field by field: understood, or refused by its name; and is pinned with the price that it lowers."""

import json
from typing import Any

import pytest

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.rules import discounts_at, in_force, price_at
from o2c.catalogue.state import CatalogueState
from o2c.entrypoints.http.tmf.readable import _alteration
from o2c.kernel.discounts import Discount
from o2c.kernel.periods import parse_time
from o2c.orders.planning import order_price, plan_order
from o2c.orders.validation import flaw
from o2c.plan import PlanBook
from o2c.views.catalogue import charged_words
from tests.given import CATALOGUE, MARKET, MONDAY, captured, item, offering
from tests.rules.test_prices import offering as listed
from tests.rules.test_prices import once, price, published, refusal
from tests.rules.test_sent_prices import sent

Document = dict[str, Any]
THIRD = {"name": "WELCOME", "priceType": "recurring", "price": {"percentage": "20"}}


def discount(**changes: Any) -> Document:
    """A fifth off, as TMF620 has it; a change to None takes a field away."""
    return {name: value for name, value in {**THIRD, **changes}.items() if value is not None}


def read(*alterations: Document, of: Any = price) -> list[Discount]:
    [found] = published(listed(of(priceAlteration=list(alterations)))).prices
    return [each.discount for each in found.discounts]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "less WELCOME: 20 %"),
        ({"applicationStart": "nextBill", "applicationDuration": {"amount": 3, "units": "month"}}, "less WELCOME: 20 % for 3 months from the next bill on"),
        ({"applicationStart": "2026-03-01"}, "less WELCOME: 20 % from 2026-03-01 on"),
        ({"combination": "bestOf"}, "less WELCOME: 20 %, the best of such"),
        ({"combination": "exclusive"}, "less WELCOME: 20 %, instead of all others"),
    ],
)  # fmt: skip
def test_the_price_list_says_how_a_discount_counts(changes: Document, said: str) -> None:
    """From when, and what it does beside others."""
    [found] = published(listed(price(priceAlteration=[discount(**changes)]))).prices
    assert charged_words(found, "GBP").partition("; ")[2] == said


@pytest.mark.parametrize(
    ("changes", "means"),
    [
        ({}, {"percent": "20"}),
        ({"price": {"percentage": "12.50"}}, {"percent": "12.5"}),
        ({"price": {"percentage": 100}}, {"percent": "100"}),
        ({"price": {"dutyFreeAmount": {"unit": "GBP", "value": "5.00"}}}, {"percent": "", "amount_minor": 500}),
        ({"applicationDuration": {"amount": 3, "units": "month"}}, {"lasts_unit": "month", "lasts_length": 3}),
        ({"applicationDuration": {"amount": 1, "units": "quarter"}}, {"lasts_unit": "month", "lasts_length": 3}),
        ({"applicationDuration": 2}, {"lasts_unit": "year", "lasts_length": 2}),
        ({"applicationStart": "nextBill"}, {"starts": "bill"}),
        ({"applicationStart": "2026-03-01"}, {"starts": "day", "from_day": "2026-03-01"}),
        ({"applicationStart": "with charge"}, {"starts": "charge"}),
        ({"priority": 3, "combination": "exclusive"}, {"priority": 3, "combines": "exclusive"}),
        ({"combination": "bestOf"}, {"combines": "best-of"}),
        ({"recurringChargePeriod": "year", "description": "for friends", "@type": "POPAlteration"}, {}),
        ({"name": None, "id": "d-1"}, {"name": "d-1"}),
    ],
)  # fmt: skip
def test_what_an_alteration_says_is_what_is_taken_off(changes: Document, means: Document) -> None:
    """On a price of 120.00 a year."""
    [found] = read(discount(**changes))
    assert found == Discount.model_validate({"name": "WELCOME", "percent": "20", **means})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"name": None}, "name is missing"), ({"priceType": "usage"}, "priceType"), ({"priceType": "discount"}, "priceType"),
        ({"price": {"percentage": "0"}}, "percentage"), ({"price": {"percentage": "101"}}, "percentage"), ({"price": {"percentage": "-5"}}, "percentage"),
        ({"price": {"percentage": "5", "dutyFreeAmount": {"unit": "GBP", "value": "1"}}}, "one of them"),
        ({"price": {"taxIncludedAmount": {"unit": "GBP", "value": "1"}}}, "taxIncludedAmount"),
        ({"price": {"dutyFreeAmount": {"unit": "EUR", "value": "1"}}}, "unit"), ({"price": {"dutyFreeAmount": {"unit": "GBP", "value": "0"}}}, "nothing off"),
        ({"price": {}}, "dutyFreeAmount"), ({"applicationDuration": {"amount": 3, "units": "moon"}}, "applicationDuration"),
        ({"applicationDuration": 0}, "applicationDuration"), ({"applicationDuration": {"amount": 3, "units": "month", "from": "x"}}, "from"),
        ({"applicationStart": "someday"}, "applicationStart"), ({"combination": "sometimes"}, "combination"), ({"priority": -1}, "priority"),
        ({"recurringChargePeriod": "week"}, "recurringChargePeriod"), ({"unitOfMeasure": "GB"}, "unitOfMeasure"),
        ({"validFor": {"startDateTime": "soon"}}, "validFor"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_by_its_name(changes: Document, names: str) -> None:
    """Nothing that would change what is charged is left out in silence."""
    told = refusal(listed(price(priceAlteration=[discount(**changes)])))
    assert told.startswith("catalogue: offering care, price p-1: productOfferingPrice.priceAlteration[0]") or "priceAlteration[0]" in told
    assert names in told


def test_two_of_one_name_and_terms_of_time_on_a_fee_are_refused() -> None:
    """A bill names a discount; a price that is charged once has no periods."""
    assert "the name of two discounts" in refusal(listed(price(priceAlteration=[discount(), discount()])))
    for name, value in (("applicationDuration", 3), ("applicationStart", "nextBill")):
        assert name in refusal(listed(once(priceAlteration=[discount(priceType="oneTime", **{name: value})])))
    [found] = read(discount(priceType="oneTime"), of=once)
    assert found.of == "one-time"


def test_a_discount_holds_for_the_orders_of_its_validity() -> None:
    """Half-open; what an order has is pinned and stays."""
    january = {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-02-01T00:00:00Z"}
    event = published(listed(price(priceAlteration=[discount(validFor=january)])))
    for at, count in (("2025-12-31T23:59:59Z", 0), ("2026-01-01T00:00:00Z", 1), ("2026-02-01T00:00:00Z", 0)):
        recurring = price_at(event, "recurring", parse_time(at))
        assert recurring is not None
        assert len(discounts_at(recurring, parse_time(at))) == count
        assert [len(each.discounts) for each in in_force(event, parse_time(at)).prices] == [count]


def test_a_discount_is_shown_as_it_is_read() -> None:
    """What TMF620's resource says of it reads back as the same."""
    for changes in (
        {},
        {"price": {"dutyFreeAmount": {"unit": "GBP", "value": "5.00"}}, "priority": 2},
        {"applicationDuration": 2, "combination": "bestOf"},
    ):
        event = published(listed(price(priceAlteration=[discount(**changes)])))
        row = event.model_dump(mode="json")
        shown = _alteration(row["prices"][0]["discounts"][0], row["prices"][0], "GBP")
        assert read(json.loads(json.dumps(shown), parse_float=str)) == [event.prices[0].discounts[0].discount]


WELCOME = {"discount": {"name": "WELCOME", "percent": "20"}}
ONE = {"kind": "recurring", "amount_minor": 1999, "discounts": [WELCOME]}
SOLD: dict[str, OfferingPublished] = {
    **CATALOGUE.offerings,
    "line": offering(
        "line", prices=[ONE, {"kind": "one-time", "amount_minor": 1000}], characteristics=CATALOGUE.offerings["line"].characteristics
    ),
    "office": offering(
        "office",
        "spec-bundle",
        bundle=True,
        prices=[{"kind": "recurring", "amount_minor": 2500, "discounts": [{"discount": {"name": "BOTH", "amount_minor": 500}}]}],
    ),
}
LISTED = CatalogueState(SOLD)
BOOK = PlanBook(catalogue=lambda version: LISTED)


def test_an_order_pins_its_discounts_and_says_what_they_take_off() -> None:
    """Three lines at 19.99 less a fifth of each: 59.97 a month, 12.00 off."""
    planned = plan_order(captured(item(quantity=3)), BOOK, MONDAY)
    assert [[one.name for one in each.terms.discounts] for each in planned.items] == [["WELCOME"]] * 3
    told = order_price(planned)
    assert (told.one_time_minor, told.one_time_reduced_minor) == (3000, 0)
    assert [(each.amount_minor, each.reduced_minor) for each in told.recurring] == [(5997, 1200)]


def test_a_discount_of_a_bundle_is_shared_out_as_its_price_is() -> None:
    """25.00 and 5.00 off, over a line of 19.99 and roaming of 7.00: what the parts lose is what the bundle loses, and their own discounts do not count."""
    planned = plan_order(captured(item("9", "office", productOrderItem=[item("1"), item("2", "roaming")])), BOOK, MONDAY)
    parts = [[(one.name, one.amount_minor) for one in each.terms.discounts] for each in planned.items]
    assert [each.recurring_minor for each in planned.items] == [1852, 648]
    assert parts == [[("BOTH", 370)], [("BOTH", 130)]]


@pytest.mark.parametrize(
    ("net", "wrong"),
    [("19.99", ""), ("15.99", ""), ("15.98", "19.99 GBP (15.99 with its discounts) a month"), ("18.00", "the channel sent 18.00")],
)
def test_a_channel_may_send_the_price_with_its_discounts_or_without(net: str, wrong: str) -> None:
    """Any other is a flaw, told with both."""
    told = flaw(captured(item(itemPrice=[sent(net=net)])), party_known=True, catalogue=LISTED, market=MARKET)
    assert told == "" if not wrong else wrong in told
