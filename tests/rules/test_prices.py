"""A price list is read field by field: what a price says about how it applies is understood, or refused by its name."""

import copy
from datetime import date, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.rules import price_at, publish
from o2c.catalogue.state import CatalogueState, evolve
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.views.catalogue import validity

Document = dict[str, Any]
ON = date(2026, 1, 5)
NET = {"dutyFreeAmount": {"unit": "GBP", "value": "120.00"}}


def price(**changes: Any) -> Document:
    """A yearly price of 120.00 as TMF620 has it; a change to None takes a field away."""
    fields = {
        "id": "p-1", "name": "yearly", "priceType": "recurring", "recurringChargePeriod": "year", "recurringChargePeriodLength": 1, "price": NET,
    }  # fmt: skip
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def once(**changes: Any) -> Document:
    return price(**{"id": "p-2", "priceType": "oneTime", "recurringChargePeriod": None, "recurringChargePeriodLength": None, **changes})


def offering(*prices: Document, **changes: Any) -> Document:
    return {"id": "care", "name": "Care", "productSpecification": {"id": "spec-add-on"}, "productOfferingPrice": list(prices), **changes}


def published(document: Document, market: Market = GB) -> OfferingPublished:
    [event] = publish(CatalogueState(), document=document, market=market, on=ON, specifications={"spec-add-on"})
    return event


def refusal(document: Document, market: Market = GB) -> str:
    with pytest.raises(Refused) as refused:
        published(document, market)
    return str(refused.value)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *((word, "recurring") for word in ("recurring", "Recurring", "RECURRING", " recurring ")),
        *(
            (word, "one-time")
            for word in ("oneTime", "one time", "One time fee", "one-time", "nonRecurring", "non-recurring", "NON_RECURRING")
        ),
    ],
)
def test_the_usual_words_for_a_type_are_known(word: str, kind: str) -> None:
    """TMF620's priceType is free text: capitals, spaces and hyphens make no difference."""
    [known] = published(offering(price(priceType=word) if kind == "recurring" else once(priceType=word))).prices
    assert (known.kind, known.amount_minor) == (kind, 12_000)


@pytest.mark.parametrize(
    ("period", "length", "unit", "times"),
    [
        ("day", 30, "day", 30), ("week", 1, "week", 1), ("month", 1, "month", 1), ("month", 3, "month", 3), ("quarter", 1, "month", 3),
        ("quarter", 2, "month", 6), ("year", 1, "year", 1), ("Month", None, "month", 1), ("monthly", 1, "month", 1), ("annual", 1, "year", 1),
        ("yearly", None, "year", 1), ("quarterly", 1, "month", 3), ("weeks", "4", "week", 4), ("daily", 1, "day", 1), ("year", "2.0", "year", 2),
    ],
)  # fmt: skip
def test_a_period_is_a_unit_and_a_length(period: str, length: Any, unit: str, times: int) -> None:
    """The words of the trade, with the length that multiplies them; without a length it is one."""
    [known] = published(offering(price(recurringChargePeriod=period, recurringChargePeriodLength=length))).prices
    assert (known.period_unit, known.period_length) == (unit, times)


def test_the_resource_of_its_own_calls_the_period_otherwise() -> None:
    """ProductOfferingPrice says recurringChargePeriodType where a price within an offering says recurringChargePeriod."""
    [known] = published(offering(price(recurringChargePeriod=None, recurringChargePeriodType="week"))).prices
    assert known.period_unit == "week"


REFUSED = [
    *(pytest.param(price(priceType=word), "priceType", id=f"type-{word or 'empty'}") for word in ("penalty", "discount", "tiered", "")),
    pytest.param(price(priceType=None), "priceType", id="type-missing"),
    pytest.param(price(recurringChargePeriod=None), "recurringChargePeriod", id="no-period"),
    pytest.param(price(recurringChargePeriod="fortnight"), "recurringChargePeriod", id="period-unknown"),
    pytest.param(price(recurringChargePeriodType="month"), "recurringChargePeriodType", id="two-periods-that-differ"),
    pytest.param(price(recurringChargePeriodLength=0), "recurringChargePeriodLength", id="length-0"),
    pytest.param(price(recurringChargePeriodLength=-1), "recurringChargePeriodLength", id="length-below-0"),
    pytest.param(price(recurringChargePeriodLength="1.5"), "recurringChargePeriodLength", id="length-a-fraction"),
    pytest.param(price(recurringChargePeriodLength=1001), "recurringChargePeriodLength", id="length-beyond-all-contracts"),
    pytest.param(price(recurringChargePeriodLength=[1]), "recurringChargePeriodLength", id="length-a-list"),
    pytest.param(once(recurringChargePeriod="month"), "recurringChargePeriod", id="once-a-month"),
    pytest.param(once(recurringChargePeriodLength=1), "recurringChargePeriodLength", id="once-with-a-length"),
    pytest.param(price(validFor={"startDateTime": "2026-01-01"}), "validFor.startDateTime", id="validity-without-a-zone"),
    pytest.param(price(validFor="2026"), "validFor", id="validity-a-text"),
    pytest.param(
        price(validFor={"startDateTime": "2026-02-01T00:00:00Z", "endDateTime": "2026-01-01T00:00:00Z"}), "validFor", id="validity-backwards"
    ),
    pytest.param(price(priceAlteration=[{"priceType": "discount", "percentage": 10}]), "priceAlteration[0].percentage", id="discount"),
    pytest.param(price(unitOfMeasure={"amount": 1, "units": "GB"}), "unitOfMeasure", id="a-rate"),
    pytest.param(price(constraint=[{"id": "c"}]), "constraint", id="constraint"),
    pytest.param(price(pricingLogicAlgorithm=[{"id": "x"}]), "pricingLogicAlgorithm", id="algorithm"),
    pytest.param(price(popRelationship=[{"id": "x"}]), "popRelationship", id="relationship"),
    pytest.param(price(prodSpecCharValueUse=[{"name": "speed"}]), "prodSpecCharValueUse", id="price-by-characteristic"),
    pytest.param(price(tiers=[{"from": 0}]), "tiers", id="tiers-that-no-standard-knows"),
    pytest.param(price(percentage=10), "percentage", id="percentage"),
    pytest.param(price(isBundle=True), "isBundle", id="composite"),
    pytest.param(price(lifecycleStatus="Retired"), "lifecycleStatus", id="retired-price"),
    pytest.param(price(price=None), "price", id="no-amount"),
    pytest.param(price(price=[]), "price", id="amount-a-list"),
    pytest.param(price(price={"taxIncludedAmount": {"unit": "GBP", "value": 1}}), "price.dutyFreeAmount", id="gross-only"),
    pytest.param(price(price={**NET, "taxIncludedAmount": {"unit": "GBP", "value": "144.01"}}), "price.taxIncludedAmount", id="gross-that-differs"),
    pytest.param(price(price={**NET, "percentage": 5}), "price.percentage", id="value-percentage"),
    pytest.param(price(price={**NET, "surcharge": 5}), "price.surcharge", id="value-field-unknown"),
    pytest.param(price(price={"dutyFreeAmount": {"unit": "EUR", "value": 1}}), "price.dutyFreeAmount.unit", id="currency"),
    pytest.param(price(price={"dutyFreeAmount": {"value": 1}}), "price.dutyFreeAmount.unit", id="currency-missing"),
    pytest.param(price(price={"dutyFreeAmount": {"unit": "GBP", "value": "18.505"}}), "price.dutyFreeAmount.value", id="half-a-penny"),
    pytest.param(price(price={"dutyFreeAmount": {"unit": "GBP"}}), "price.dutyFreeAmount.value", id="value-missing"),
    pytest.param(price(price={"dutyFreeAmount": {"unit": "GBP", "value": True}}), "price.dutyFreeAmount.value", id="value-true"),
    pytest.param(price(price={"dutyFreeAmount": {"unit": "GBP", "value": "-1"}}), "price.dutyFreeAmount.value", id="below-zero"),
    pytest.param(price(price={**NET, "taxCategory": "luxury"}), "price.taxCategory", id="tax-category-unknown"),
    pytest.param(price(price={**NET, "taxRate": 21}), "price.taxRate", id="tax-rate-of-another-market"),
    pytest.param(price(price={**NET, "taxCategory": "VAT", "taxRate": 0}), "price.taxRate", id="tax-rate-nought"),
    pytest.param(price(price={**NET, "taxRate": "0.2"}), "price.taxRate", id="tax-rate-as-a-share"),
    pytest.param(price(tax=[{"taxCategory": "luxury"}]), "tax[0].taxCategory", id="tax-item-unknown"),
    pytest.param(price(tax=[{"taxAmount": {"unit": "GBP", "value": 1}}]), "tax[0].taxAmount", id="tax-amount"),
]  # fmt: skip


@pytest.mark.parametrize(("flawed", "field"), REFUSED)
def test_what_is_not_understood_is_refused_by_name(flawed: Document, field: str) -> None:
    """The one line names the offering, the price and the field."""
    told = refusal(offering(flawed))
    assert told.startswith(f"catalogue: offering care, price {flawed['id']}: productOfferingPrice")
    assert f".{field} " in told.replace("productOfferingPrice[0]", "productOfferingPrice")
    assert "\n" not in told


@pytest.mark.parametrize(
    "harmless",
    [
        {
            "description": "x",
            "href": "https://example.org/1",
            "@type": "ProductOfferingPrice",
            "version": "1",
            "lastUpdate": "2026-01-01T00:00:00Z",
        },
        {"priceAlteration": [], "unitOfMeasure": {}, "constraint": None, "tiers": ""},
        {"lifecycleStatus": "Launched", "isBundle": False},
        {"price": {**NET, "percentage": 0, "taxIncludedAmount": {"unit": "GBP", "value": "144.0"}}},
    ],
)
def test_what_says_nothing_of_money_is_no_obstacle(harmless: Document) -> None:
    """Names, references, empty fields, and a gross amount that agrees with the market's tax change nothing."""
    assert published(offering(price(**harmless))) == published(offering(price()))


@pytest.mark.parametrize(
    "stated", [{"taxCategory": "VAT"}, {"taxRate": 20}, {"taxCategory": "standard", "taxRate": "20.0"}, {"taxCategory": "s"}]
)
@pytest.mark.parametrize("place", ["in the price", "beside it"])
def test_a_tax_is_one_of_the_markets_groups(stated: Document, place: str) -> None:
    """A category by its name or the trade's word for it, a rate by the group that has it on the day."""
    told = price(price={**NET, **stated}) if place == "in the price" else price(tax=[stated])
    assert published(offering(told)).prices[0].tax_group == "standard"


def test_a_market_with_several_groups_tells_them_apart() -> None:
    """A rate names its group; two that differ on one price are refused."""
    assert published(offering(price(tax=[{"taxRate": 5}]))).prices[0].tax_group == "reduced"
    assert published(offering(price(price={**NET, "taxCategory": "Reduced"}))).prices[0].tax_group == "reduced"
    assert published(offering(price(tax=[{"taxRate": 0}]))).prices[0].tax_group == "zero"
    assert ".tax names several taxes (reduced, standard)" in refusal(offering(price(tax=[{"taxRate": 5}, {"taxRate": 20}])))


def test_each_market_has_its_own_words() -> None:
    """BTW is the Netherlands' word, at 21 %."""
    euros = price(price={"dutyFreeAmount": {"unit": "EUR", "value": 1}, "taxCategory": "BTW", "taxRate": 21})
    assert published(offering(euros), NL).prices[0].tax_group == "standard"


def test_a_price_by_reference_is_named() -> None:
    """The message says which field is not supported, not that the paper is wrong."""
    assert ".href refers to a price elsewhere, which is not supported" in refusal(
        offering({"id": "1747", "href": "https://example.org/1747"})
    )
    assert ".id refers to a price elsewhere, which is not supported" in refusal(offering({"id": "1747", "name": "Monthly"}))


def valid(start: str = "", end: str = "") -> Document:
    return {name: f"2026-{day}T00:00:00Z" for name, day in (("startDateTime", start), ("endDateTime", end)) if day}


def test_prices_one_after_another_hold_in_turn() -> None:
    """Half-open: the second holds from the instant at which the first ends; between and beyond them there is none."""
    found = published(
        offering(
            price(id="spring", validFor=valid("01-01", "04-01")),
            price(id="summer", validFor=valid("04-01", "07-01"), recurringChargePeriod="month"),
            once(validFor=valid("06-01")),
        )
    )

    def held(day: str) -> list[str]:
        at = parse_time(f"{day}Z")
        return [f"{known.kind} {known.recurrence.words}" for kind in ("recurring", "one-time") if (known := price_at(found, kind, at))]

    assert held("2025-12-31T23:59:59") == []
    assert held("2026-03-31T23:59:59") == ["recurring a year"]
    assert held("2026-04-01T00:00:00") == ["recurring a month"]
    assert held("2026-06-15T00:00:00") == ["recurring a month", "one-time a month"]
    assert held("2026-07-01T00:00:00") == ["one-time a month"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(valid(), valid(), id="both-open"),
        pytest.param(valid("01-01", "04-02"), valid("04-01"), id="a-day-in-common"),
        pytest.param(valid("04-01"), valid(), id="within-an-open-one"),
        pytest.param(valid("02-01", "03-01"), valid("01-01", "12-01"), id="one-inside-the-other"),
    ],
)
def test_two_prices_of_a_type_at_one_time_are_refused(first: Document, second: Document) -> None:
    """Which of them to charge cannot be known; the message names both."""
    told = refusal(offering(price(id="one", validFor=first), once(), price(id="two", validFor=second)))
    assert told.startswith(
        "catalogue: offering care, prices one and two: productOfferingPrice.validFor lets two recurring prices hold at one time"
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"prodSpecCharValueUse": [{"name": "speed", "productSpecCharacteristicValue": [{"valueFrom": 10, "valueTo": 20}]}]},
                     "prodSpecCharValueUse[0].productSpecCharacteristicValue[0].valueFrom is not supported", id="range"),
        pytest.param({"prodSpecCharValueUse": [{"name": "speed", "productSpecCharacteristicValue": [{"value": "1", "regex": ".*"}]}]},
                     "productSpecCharacteristicValue[0].regex is not supported", id="pattern"),
        pytest.param({"prodSpecCharValueUse": [{"name": "speed", "productSpecCharacteristicValue": [{}]}]}, "[0].value is missing", id="no-value"),
        pytest.param({"prodSpecCharValueUse": [{"productSpecCharacteristicValue": []}]}, "prodSpecCharValueUse[0].name is missing", id="no-name"),
        pytest.param({"prodSpecCharValueUse": ["speed"]}, "prodSpecCharValueUse[0] is not of the standard's shape", id="text-for-an-object"),
        pytest.param({"productOfferingPrice": {"id": "x"}}, "productOfferingPrice is not of the standard's shape: it must be a list", id="no-list"),
        pytest.param({"productSpecification": "spec-add-on"}, "productSpecification is not of the standard's shape", id="specification-a-text"),
        pytest.param({"isSellable": "no"}, "isSellable is not of the standard's shape: it must be true or false", id="flag-a-text"),
        pytest.param({"lifecycleStatus": ["Active"]}, "lifecycleStatus is not of the standard's shape", id="status-a-list"),
    ],
)  # fmt: skip
def test_another_shape_is_told_by_its_field(changes: Document, field: str) -> None:
    """Whoever wrote the paper finds the place."""
    told = refusal(offering(price(), **changes))
    assert told.startswith("catalogue: offering care")
    assert field in told


def test_unknown_fields_of_an_offering_are_not_ours_to_judge() -> None:
    """Categories, channels, attachments: money does not hang on them."""
    assert published(offering(price(), category=[{"id": "c"}], marketSegment="x", bespoke=1)) == published(offering(price()))


@pytest.mark.parametrize("months", ["x", "1.5", "-1", "1001", "9" * 30])
def test_a_commitment_is_a_number_of_months(months: str) -> None:
    """What a customer commits to is summed up over them, so they must be a number of this world."""
    uses = [{"name": "commitmentMonths", "productSpecCharacteristicValue": [{"value": "12"}, {"value": months}]}]
    assert "commitmentMonths that is no number of months" in refusal(offering(price(), prodSpecCharValueUse=uses))


@pytest.mark.parametrize("count", ["twelve", "0", "1.5", "-3", "1001", "9" * 30])
def test_instalments_are_a_number(count: str) -> None:
    """A price is shared out over them when the goods are delivered: then it is too late to ask what the word meant."""
    uses = [{"name": "instalments", "productSpecCharacteristicValue": [{"value": "1"}, {"value": count}]}]
    told = refusal(offering(price(), prodSpecCharValueUse=uses))
    assert told == "catalogue: offering care has an instalments that is no number from 1 to 1000; correct it"


def test_instalments_that_can_be_shared_out_are_published() -> None:
    """The control: the first and the last number that can be are taken as they are."""
    uses = [{"name": "instalments", "productSpecCharacteristicValue": [{"value": "1"}, {"value": "24"}, {"value": "1000"}]}]
    assert published(offering(price(), prodSpecCharValueUse=uses)).characteristics == {"instalments": ("1", "24", "1000")}


def test_a_choice_may_be_left_out_when_the_offering_says_so() -> None:
    """minCardinality 0 makes it optional, isDefault says what holds without it."""
    values = [{"value": "red"}, {"value": "blue", "isDefault": True}]
    found = published(
        offering(
            prodSpecCharValueUse=[
                {"name": "colour", "minCardinality": 1, "productSpecCharacteristicValue": values},
                {"name": "engraving", "minCardinality": 0, "productSpecCharacteristicValue": [{"value": True}]},
            ]
        )
    )
    assert (found.characteristics, found.defaults) == ({"colour": ("red", "blue"), "engraving": ("true",)}, {"colour": "blue"})
    assert found.optional == ("engraving",)


def test_what_was_published_before_prices_had_terms_is_the_same_offering() -> None:
    """An old event meant a month at the standard rate: the same paper again is nothing new."""
    paper = offering(price(recurringChargePeriod="month"), once())
    told = published(paper).model_dump(exclude={"prices", "sellable", "optional", "defaults"})
    old = OfferingPublished.model_validate({**told, "recurring_minor": 12_000, "one_time_minor": 12_000})
    assert publish(evolve(CatalogueState(), old), document=paper, market=GB, on=ON, specifications={"spec-add-on"}) == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3000) | st.sampled_from(["", "x", "month", "1.5"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "value", "unit", "name"]), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


FULL = offering(
    price(
        validFor=valid("01-01"),
        tax=[{"taxCategory": "VAT", "taxRate": 20}],
        price={**NET, "taxIncludedAmount": {"unit": "GBP", "value": 144}},
    ),
    once(),
    validFor=valid("01-01", "12-01"),
    prodSpecCharValueUse=[{"name": "colour", "minCardinality": 1, "productSpecCharacteristicValue": [{"value": "red", "isDefault": True}]}],
)


@hypothesis.given(st.sampled_from([place for place in places(FULL) if place]), anything)
def test_any_value_anywhere_is_understood_or_refused(place: tuple[Any, ...], value: Any) -> None:
    """No paper that is JSON makes the reader stumble: it publishes, or says in one line what is wrong with which offering."""
    document = copy.deepcopy(FULL)
    holder: Any = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    told = answer(document)
    assert told == "published" or told.startswith("catalogue: ")
    assert "\n" not in told


def answer(document: Document) -> str:
    try:
        published(document)
    except Refused as refused:
        return str(refused)
    return "published"


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "words"),
    [
        ("", "", "always"),
        ("2026-01-01T00:00:00Z", "", "from 2026-01-01"),
        ("", "2026-07-01T09:30:00Z", "until 2026-07-01T09:30:00Z"),
        ("2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z", "from 2026-01-01 until 2026-07-01"),
    ],
)
def test_a_validity_has_words(valid_from: str, valid_to: str, words: str) -> None:
    """Midnight is said as its day; any other time is told whole."""
    assert validity(valid_from, valid_to) == words


def test_the_reader_of_times_is_the_orders_own() -> None:
    """A validity is kept as it was written, and is an instant."""
    [known] = published(offering(price(validFor={"startDateTime": "2026-01-01T01:00:00+01:00"}))).prices
    assert parse_time(known.valid_from) == datetime.fromisoformat("2026-01-01T00:00:00+00:00")
