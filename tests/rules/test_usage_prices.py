"""What a price list says of usage is understood: kinds, zones, bands, units, models and what is included; or refused by name."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from o2c.catalogue.state import KIND
from o2c.rating.models import Graduated, PerUnit
from o2c.rating.tariff import UsagePrice, price_for
from o2c.views.catalogue import charged_words
from tests.rules.test_prices import offering, price, published, refusal

Document = dict[str, Any]
TIERS = [{"up_to": "100", "unit_amount": "0.10"}, {"unit_amount": "0.05", "flat_amount": "1"}]


def choice(name: str, *values: str) -> Document:
    return {"name": name, "productSpecCharacteristicValue": [{"value": value} for value in values]}


def usage(*choices: Document, **changes: Any) -> Document:
    """Calls at a tenth of a pound a minute; a change to None takes a field away."""
    fields = {
        "id": "calls", "name": "Calls", "priceType": "usage", "unitOfMeasure": {"amount": 1, "units": "minute"},
        "price": {"dutyFreeAmount": {"unit": "GBP", "value": "0.1"}}, "prodSpecCharValueUse": [choice("usageType", "voice"), *choices],
    }  # fmt: skip
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def included(**changes: Any) -> Document:
    return {
        "id": "minutes", "priceType": "allowance", "unitOfMeasure": {"amount": "500", "units": "minute"},
        "prodSpecCharValueUse": [choice("usageType", "voice")], **changes,
    }  # fmt: skip


def read(document: Document) -> UsagePrice:
    [found] = published(offering(document)).prices
    assert found.usage is not None
    return found.usage


def test_a_price_for_each_unit() -> None:
    """Without a model every unit costs the amount, which may be below the smallest coin."""
    found = read(usage(price={"dutyFreeAmount": {"unit": "GBP", "value": "0.0035"}}))
    assert (found.usage, found.unit, found.model) == ("voice", "minute", PerUnit(unit_amount=Decimal("0.0035")))


def test_a_model_stands_in_its_algorithm() -> None:
    """Its fields are those of the charge models; zones, bands and an increment are values that the price chooses."""
    found = read(
        usage(
            choice("zone", "national", "mobile"),
            choice("timeBand", "day"),
            choice("increment", "0.5"),
            price=None,
            pricingLogicAlgorithm=[{"name": "by tiers", "kind": "graduated", "tiers": TIERS}],
        )
    )
    assert isinstance(found.model, Graduated)
    assert (found.zones, found.bands, found.increment) == (("national", "mobile"), ("day",), Decimal("0.5"))
    assert found.counted(Fraction(61)) == Fraction(3, 2)


@pytest.mark.parametrize(
    "model",
    [
        {"kind": "per-unit", "unit_amount": "0.1"},
        {"kind": "graduated", "tiers": TIERS},
        {"kind": "volume", "tiers": TIERS},
        {"kind": "package", "package_amount": "2", "size": "5"},
        {"kind": "percentage", "percent": "10"},
    ],
    ids=lambda model: model["kind"],
)
def test_a_price_list_with_usage_comes_back_as_it_was_kept(model: Document) -> None:
    """A service that starts anew reads the list from where it is kept, without what has its default; the kind of each model is there."""
    event = published(offering(usage(price=None, pricingLogicAlgorithm=[{"name": "as said", **model}])))
    state = KIND.evolve(KIND.initial(""), event)

    assert KIND.restored(KIND.kept(state)) == state


def test_units_that_are_included() -> None:
    """How they are used stands in the algorithm's fields."""
    [found] = published(offering(included(pricingLogicAlgorithm=[{"priority": 1, "rollover_max": "50", "shared": True}]))).prices
    assert found.allowance is not None
    assert (found.allowance.quantity, found.allowance.priority, found.allowance.shared) == (500, 1, True)
    assert (found.allowance.rollover_max, found.allowance.rollover_min, found.allowance.periods) == (50, 0, 1)


def test_the_closest_price_holds() -> None:
    """One that names the zone goes before one that names the band, and both before one for any."""
    listed = [
        read(usage(id="any", name="any")),
        read(usage(choice("zone", "mobile"), name="zone")),
        read(usage(choice("timeBand", "day"), name="band")),
        read(usage(choice("zone", "mobile"), choice("timeBand", "day"), name="both")),
    ]
    must = {("mobile", "day"): "both", ("mobile", "evening"): "zone", ("world", "day"): "band", ("world", "evening"): "any"}
    assert {place: found.name for place in must if (found := price_for(listed, "voice", *place))} == must
    assert price_for(listed, "sms", "mobile", "day") is None


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (usage(unitOfMeasure=None), "unitOfMeasure.units is missing"),
        (usage(unitOfMeasure={"amount": 100, "units": "MB"}), "unitOfMeasure.amount is not 1"),
        (usage(prodSpecCharValueUse=[]), "names no usageType"),
        (usage(choice("usageType", "data")), "names no usageType"),
        (usage(choice("zone", "the moon")), "names 'the moon', which is none of europe, mobile"),
        (usage(choice("timeBand", "tea time")), "names 'tea time', which is none of day, evening"),
        (usage(choice("colour", "red")), "names 'colour'"),
        (usage(prodSpecCharValueUse=[choice("usageType", "pigeon")]), "names 'pigeon'"),
        (usage(choice("increment", "0")), "pricingLogicAlgorithm cannot be read: increment"),
        (usage(pricingLogicAlgorithm=[{"kind": "graduated", "tiers": [{"up_to": "5"}]}]), "the last tier is open"),
        (usage(pricingLogicAlgorithm=[{"kind": "stairs"}]), "pricingLogicAlgorithm cannot be read"),
        (usage(pricingLogicAlgorithm=[{"kind": "per-unit", "unit_amount": "1", "colour": "red"}]), "Extra inputs are not permitted"),
        (usage(pricingLogicAlgorithm=[{}, {}]), "has several entries"),
        (usage(price={"dutyFreeAmount": {"unit": "EUR", "value": "1"}}), "the market's currency is GBP"),
        (usage(price={"dutyFreeAmount": {"unit": "GBP", "value": "-1"}}), "is not a decimal amount"),
        (usage(recurringChargePeriod="month"), "is on a price that is charged once"),
        (usage(priceAlteration=[{"name": "half"}]), "priceAlteration is not supported"),
        (included(prodSpecCharValueUse=[]), "of included units names usageType"),
        (included(pricingLogicAlgorithm=[{"rollover_max": "-1"}]), "pricingLogicAlgorithm cannot be read: rollover_max"),
        (price(unitOfMeasure={"amount": 1, "units": "MB"}), "unitOfMeasure is not supported"),
    ],
)
def test_what_is_not_understood_is_refused(document: Document, why: str) -> None:
    """With the offering, the price and the field."""
    assert why in refusal(offering(document))


@pytest.mark.parametrize("sold", [usage(), included()])
def test_a_bundle_has_no_price_of_usage(sold: Document) -> None:
    """Its children do, whose numbers are used."""
    assert "bundle care has a price of usage or includes units; price its children" in refusal(offering(sold, isBundle=True))


def test_two_prices_that_fit_the_same_are_refused() -> None:
    """Nobody could say which holds; prices of different zones stand beside each other."""
    zones = (usage(choice("zone", "mobile"), id="one"), usage(choice("zone", "national"), id="two"), usage(id="three"))
    assert len(published(offering(*zones, included(), included())).prices) == 5
    told = refusal(offering(zones[0], usage(choice("zone", "mobile", "world"), id="other")))
    assert "prices one and other: productOfferingPrice.validFor lets two usage prices hold at one time" in told


@pytest.mark.parametrize(
    ("logic", "said"),
    [
        ({}, "500 minute of voice included"),
        ({"shared": True, "line_max": "200"}, "500 minute of voice included, shared by all lines of the account, each up to 200"),
        ({"periods": 2, "rollover_max": "50"}, "500 minute of voice included, to be used for 2 bill periods, up to 50 carried over"),
    ],
)
def test_the_price_list_says_whose_included_units_are(logic: Document, said: str) -> None:
    """And what becomes of those that are left."""
    [found] = published(offering(included(pricingLogicAlgorithm=[logic]))).prices
    assert charged_words(found, "GBP") == said
