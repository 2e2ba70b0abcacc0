"""What usage costs under each charge model: the public cases by their names, bounds and fractions, and laws that hold for every price."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from o2c.rating.models import (
    ChargeModel,
    Graduated,
    Package,
    Percentage,
    PerUnit,
    Tier,
    Volume,
    charge,
    charge_events,
    line_minor,
    parts,
    tiers_of_sizes,
)

MODEL: TypeAdapter[Any] = TypeAdapter(ChargeModel)


def tier(up_to: str | None, unit: str = "0", flat: str = "0", block: str | None = None) -> Tier:
    return Tier(
        up_to=None if up_to is None else Decimal(up_to),
        unit_amount=Decimal(unit),
        flat_amount=Decimal(flat),
        block=None if block is None else Decimal(block),
    )


TIERS_K16 = tiers_of_sizes([("10", "1.5"), ("100", "1.0"), (None, "0.5")])
TIERS_K17 = tiers_of_sizes([("10", "1"), (None, "1")], blocks=["100", "1000"])
L1 = Graduated(tiers=(tier("10", "10", "2"), tier("20", "5", "3"), tier(None, "5", "3")))
L2 = Volume(tiers=(tier("100", "2", "10"), tier("200", "1"), tier(None, "0.5", "50")))
L3 = Package(package_amount=Decimal(100), size=Decimal(10))
O1 = Graduated(tiers=(tier("5", flat="100"), tier("10", flat="50"), tier("15", "5"), tier(None, "1")))


@pytest.mark.parametrize(
    ("model", "quantity", "amount"),
    [
        pytest.param(Graduated(tiers=TIERS_K16), "111", "115.5", id="K16-all-tiers"),
        pytest.param(Volume(tiers=TIERS_K16), "111", "55.5", id="K16-top-tier"),
        pytest.param(Graduated(tiers=TIERS_K17), "5325", "15", id="K17-ten-blocks-of-100-and-five-of-1000"),
        *(
            pytest.param(L1, units, amount, id=f"L1-{units}-units")
            for units, amount in [("0", "2"), ("1", "12"), ("10", "102"), ("11", "110"), ("12", "115")]
        ),
        *(
            pytest.param(L2, units, amount, id=f"L2-{units}-units")
            for units, amount in [
                *(("0", "10"), ("1", "12"), ("100", "210"), ("100.5", "100.5"), ("101", "101"), ("200", "200"), ("300", "200")),
            ]
        ),
        pytest.param(L3, "121", "1300", id="L3-a-started-package-is-whole"),
        pytest.param(L3.model_copy(update={"free_units": Decimal(10)}), "121", "1200", id="L3-ten-free"),
        pytest.param(L3.model_copy(update={"free_units": Decimal(200)}), "121", "0", id="L3-all-free"),
        pytest.param(O1, "22", "182", id="O1-flat-and-unit-tiers"),
        pytest.param(Graduated(tiers=TIERS_K16), "10", "15", id="exactly-at-the-first-bound"),
        pytest.param(Graduated(tiers=TIERS_K16), "110", "115", id="exactly-at-the-second-bound"),
        pytest.param(Volume(tiers=TIERS_K16), "10", "15", id="top-tier-exactly-at-a-bound"),
        pytest.param(Volume(tiers=TIERS_K16), "10.01", "10.01", id="top-tier-just-above-a-bound"),
        pytest.param(Graduated(tiers=TIERS_K17), "1000", "10", id="blocks-exactly-full"),
        pytest.param(Graduated(tiers=TIERS_K17), "1000.5", "11", id="a-block-begun-by-half-a-unit"),
        pytest.param(Volume(tiers=TIERS_K17), "5325", "6", id="top-tier-of-blocks"),
        pytest.param(Graduated(tiers=TIERS_K17), "0", "0", id="no-block-begun"),
        pytest.param(L1, "10.5", "107.5", id="between-10-and-11-is-the-second-tier"),
        pytest.param(L1, "20", "155", id="the-second-bound-of-L1"),
        pytest.param(L1, "21", "163", id="the-third-tier-of-L1"),
        pytest.param(O1, "0", "100", id="the-first-flat-amount-for-nothing"),
        pytest.param(O1, "5", "100", id="O1-at-a-flat-bound"),
        pytest.param(O1, "5.1", "150", id="O1-just-above-a-flat-bound"),
        pytest.param(O1, "15", "175", id="O1-at-the-last-bound"),
        pytest.param(Graduated(tiers=(tier(None, "3", "1"),)), "2", "7", id="one-open-tier"),
        pytest.param(L3, "0", "0", id="no-package"),
        pytest.param(L3, "0.5", "100", id="half-a-unit-is-a-package"),
        pytest.param(L3, "10", "100", id="one-package-exactly"),
        pytest.param(PerUnit(unit_amount=Decimal("0.0035")), "1000", "3.5", id="a-price-below-a-penny"),
        pytest.param(PerUnit(unit_amount=Decimal("0.1")), "0", "0", id="nothing-used"),
    ],
)
def test_what_a_quantity_costs(model: ChargeModel, quantity: str, amount: str) -> None:
    """Exactly, in units of the currency (billing facts, section 6.3)."""
    assert charge(model, Decimal(quantity)) == Fraction(amount)


def percentage(**fields: Any) -> Percentage:
    return Percentage(
        percent=Decimal("1.3"), **{name: value if isinstance(value, int) else Decimal(value) for name, value in fields.items()}
    )


@pytest.mark.parametrize(
    ("model", "amounts", "amount"),
    [
        pytest.param(
            percentage(fixed_amount="2.0", free_amount="250", free_events=2),
            ["50", "100", "250", "400"],
            "11.15",
            id="L4-four-events-of-800",
        ),
        pytest.param(percentage(fixed_amount="2.0"), ["50", "100", "250", "400"], "18.4", id="nothing-free"),
        pytest.param(percentage(fixed_amount="2.0", free_events=2), ["50", "100", "250", "400"], "14.4", id="two-fees-free"),
        pytest.param(percentage(fixed_amount="2.0", free_events=9), ["50"], "0.65", id="more-fees-free-than-events"),
        pytest.param(percentage(free_amount="250"), ["800"], "7.15", id="an-amount-free"),
        pytest.param(percentage(free_amount="250"), ["200"], "0", id="all-within-the-free-amount"),
        pytest.param(percentage(fixed_amount="2.0"), [], "0", id="no-event"),
        pytest.param(percentage(event_minimum="1.75"), ["100", "200"], "4.35", id="a-minimum-for-each-event"),
        pytest.param(percentage(event_maximum="2"), ["100", "200"], "3.3", id="a-maximum-for-each-event"),
        pytest.param(percentage(event_minimum="1", free_events=1, free_amount="50"), ["50", "10"], "1", id="a-free-event-has-no-minimum"),
        pytest.param(percentage(fixed_amount="1", event_minimum="1", event_maximum="2"), ["500"], "2", id="the-fee-is-within-the-maximum"),
    ],
)
def test_what_a_percentage_costs(model: Percentage, amounts: list[str], amount: str) -> None:
    """Rate and fee of each event, and what is free of either (billing facts, section 6.3, L4)."""
    assert charge_events(model, [Decimal(one) for one in amounts]) == Fraction(amount)


def test_events_cost_their_sum_under_every_other_model() -> None:
    """Only a percentage looks at single events."""
    assert charge_events(L1, [Decimal(5), Decimal(6)]) == charge(L1, 11)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("0.005", "GBP", 1),
        ("0.0049", "GBP", 0),
        ("12.5", "JPY", 13),
        ("0.4999", "CLP", 0),
        ("1.0005", "KWD", 1001),
        ("115.5", "GBP", 11550),
    ],
)
def test_a_line_is_rounded_once(amount: str, currency: str, minor: int) -> None:
    """Half-up at the places that the currency has: none of yen and pesos, three of dinars."""
    assert line_minor(Fraction(amount), currency) == minor


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"kind": "graduated", "tiers": []}, "the last tier is open"),
        ({"kind": "graduated", "tiers": [{"up_to": "10"}]}, "the last tier is open"),
        ({"kind": "volume", "tiers": [{"up_to": "10"}, {"up_to": "10"}, {}]}, "above that of the tier before"),
        ({"kind": "volume", "tiers": [{}, {}]}, "above that of the tier before"),
        ({"kind": "per-unit", "unit_amount": 0.1}, "a float is not exact"),
        ({"kind": "per-unit", "unit_amount": "-1"}, "greater than or equal to 0"),
        ({"kind": "per-unit", "unit_amount": "NaN"}, "finite"),
        ({"kind": "per-unit", "unit_amount": True}, "a float is not exact"),
        ({"kind": "package", "package_amount": "1", "size": "0"}, "greater than 0"),
        ({"kind": "percentage", "percent": "1", "event_minimum": "2", "event_maximum": "1"}, "below event_minimum"),
        ({"kind": "stairs"}, "does not match any of the expected tags"),
    ],
)
def test_what_is_no_price_is_refused(document: dict[str, Any], why: str) -> None:
    """Before anything is charged by it."""
    with pytest.raises(ValidationError, match=why):
        MODEL.validate_python(document)


@pytest.mark.parametrize("quantity", [Decimal(-1), 1.5, Decimal("NaN")])
def test_what_is_no_quantity_is_refused(quantity: Any) -> None:
    """Nothing below zero, no float."""
    with pytest.raises(ValueError, match="quantity"):
        charge(L1, quantity)


amounts = st.decimals(0, 1000, places=4)
quantities = st.fractions(0, 5000, max_denominator=1000)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.integers(1, 2000), max_size=4)))
    blocks = st.none() | st.integers(1, 50).map(Decimal)
    return tuple(
        Tier(up_to=bound and Decimal(bound), unit_amount=draw(amounts), flat_amount=draw(amounts), block=draw(blocks))
        for bound in (*bounds, None)
    )


graduated = st.builds(Graduated, tiers=tiers())
models = st.one_of(
    graduated,
    st.builds(Volume, tiers=tiers()),
    st.builds(PerUnit, unit_amount=amounts),
    st.builds(Package, package_amount=amounts, size=st.integers(1, 100).map(Decimal), free_units=amounts),
    st.builds(Percentage, percent=amounts, fixed_amount=amounts, free_amount=amounts, free_events=st.integers(0, 3)),
)


@hypothesis.given(
    st.one_of(graduated, st.builds(PerUnit, unit_amount=amounts), st.builds(Package, package_amount=amounts, size=st.just(Decimal(7)))),
    quantities,
    quantities,
)
def test_more_never_costs_less(model: ChargeModel, one: Fraction, other: Fraction) -> None:
    """Under every model but volume, whose later tiers may be cheaper for all units."""
    less, more = sorted((one, other))
    assert charge(model, less) <= charge(model, more)


@hypothesis.given(models, quantities)
def test_parts_sum_to_the_whole(model: ChargeModel, quantity: Fraction) -> None:
    """The amounts of the parts are the charge; their quantities what was used, but for free units."""
    found = parts(model, quantity)
    assert sum((part.amount for part in found), Fraction(0)) == charge(model, quantity)
    if not isinstance(model, Package):
        assert sum((part.quantity for part in found), Fraction(0)) == quantity


@hypothesis.given(tiers(), quantities)
def test_within_the_first_tier_graduated_is_volume(first: tuple[Tier, ...], quantity: Fraction) -> None:
    """Both models read one price list the same until the second tier is reached."""
    if first[0].up_to is None or quantity <= Fraction(first[0].up_to):
        assert charge(Graduated(tiers=first), quantity) == charge(Volume(tiers=first), quantity)


@hypothesis.given(graduated, quantities, quantities)
def test_going_on_costs_the_difference(model: Graduated, before: Fraction, more: Fraction) -> None:
    """Units above a point cost in their own tiers whatever came before them, wherever the price of one has no blocks."""
    unblocked = Graduated(tiers=tuple(each.model_copy(update={"block": None}) for each in model.tiers))
    reached = unblocked.reached(before)
    upper = unblocked.tiers[reached:]
    moved = [
        each.model_copy(update={"up_to": None if each.up_to is None else each.up_to - Decimal(before.numerator) / before.denominator})
        for each in upper
    ]
    if before.denominator == 1 and (moved[0].up_to is None or moved[0].up_to > 0):
        rest = charge(Graduated(tiers=tuple(moved)), more) - Fraction(upper[0].flat_amount)
        assert charge(unblocked, before + more) == charge(unblocked, before) + rest


@hypothesis.given(models)
def test_a_price_is_read_back_as_it_was_stored(model: ChargeModel) -> None:
    """As JSON, with decimal text."""
    assert MODEL.validate_json(MODEL.dump_json(model)) == model


@pytest.mark.parametrize(
    ("model", "unit", "told"),
    [
        ({"kind": "per-unit", "unit_amount": "0.0035"}, "MB", "0.0035 GBP a MB"),
        ({"kind": "graduated", "tiers": [{"up_to": "100", "unit_amount": "0.10"}, {"unit_amount": "0.05", "flat_amount": "1"}]}, "minute",
         "graduated: 0.10 GBP a minute up to 100, 1 GBP flat and 0.05 GBP a minute beyond"),
        ({"kind": "volume", "tiers": [{"up_to": "1E+2", "flat_amount": "3"}, {"unit_amount": "1", "block": "10"}]}, "message",
         "volume: 3 GBP flat up to 100, 1 GBP a started 10 message beyond"),
        ({"kind": "package", "package_amount": "100", "size": "10", "free_units": "5"}, "message", "100 GBP a started 10 message, 5 free"),
        ({"kind": "package", "package_amount": "100", "size": "10"}, "message", "100 GBP a started 10 message"),
        ({"kind": "percentage", "percent": "1.3", "fixed_amount": "2", "free_amount": "250", "free_events": 2, "event_maximum": "0"}, "GBP",
         "1.3 % and 2 GBP each, 250 GBP free, 2 times free, at most 0 GBP"),
        ({"kind": "percentage", "percent": "1.3", "event_minimum": "1"}, "GBP", "1.3 %, at least 1 GBP"),
    ],
)  # fmt: skip
def test_what_is_charged_is_told_in_words(model: dict[str, Any], unit: str, told: str) -> None:
    """A price list shows what a unit costs, which may be below the smallest coin."""
    assert MODEL.validate_python(model).words(unit, "GBP") == told
