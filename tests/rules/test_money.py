"""Money is whole minor units: exact on the way in and out, half away from zero where it must be rounded."""

from decimal import Decimal
from fractions import Fraction

import hypothesis
import pytest
from hypothesis import strategies

from o2c.kernel.money import from_minor, half_up, minor_units, part_of, tax_on, to_minor

amounts = strategies.integers(min_value=-(2**63 - 1), max_value=2**63 - 1)
currencies = strategies.sampled_from(["GBP", "JPY", "KWD", "CLF"])


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        pytest.param(Fraction(5, 2), 3, id="half-goes-up"),
        pytest.param(Fraction(-5, 2), -3, id="negative-half-goes-down"),
        pytest.param(Decimal("0.5"), 1, id="decimal-half"),
        pytest.param(Decimal("0.4999999999999999999999999999999999"), 0, id="just-below-half"),
        pytest.param(Decimal("-0.4"), 0, id="towards-zero"),
        pytest.param(Decimal("1E-999999"), 0, id="vanishing"),
        pytest.param(Decimal("0E+999999"), 0, id="zero-of-any-size"),
        pytest.param(Fraction(7), 7, id="whole"),
    ],
)
def test_a_half_is_rounded_away_from_zero(value: Fraction | Decimal, rounded: int) -> None:
    """Halves go away from zero on both sides, whatever the precision."""
    assert half_up(value) == rounded


@pytest.mark.parametrize(
    ("text", "why"),
    [*((text, "not a number to round") for text in ("NaN", "sNaN", "Infinity", "-Infinity")), ("1E+999999", "too large to be money")],
)
def test_what_is_no_number_is_not_rounded(text: str, why: str) -> None:
    """NaN, infinity and sizes beyond any money are refused by our own word rather than computed."""
    with pytest.raises(ValueError, match=why):
        half_up(Decimal(text))


@hypothesis.given(strategies.fractions())
def test_rounding_is_never_further_off_than_a_half(value: Fraction) -> None:
    """The rounded number is a nearest one, and rounding mirrors at zero."""
    assert abs(half_up(value) - value) <= Fraction(1, 2)
    assert half_up(-value) == -half_up(value)


@pytest.mark.parametrize(("currency", "places"), [("GBP", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_places_come_from_iso_4217(currency: str, places: int) -> None:
    """A currency has the decimal places the standard gives it."""
    assert minor_units(currency) == places


@pytest.mark.parametrize(
    ("currency", "why"),
    [("XAU", "has no minor unit"), *((text, "is not an ISO 4217 currency") for text in ("gbp", "GB", "", "GBP ", "ZZZ"))],
)
def test_a_currency_without_minor_unit_is_refused(currency: str, why: str) -> None:
    """Gold, unknown codes and codes in another spelling are no currency of a bill, and the refusal says which of these it is."""
    with pytest.raises(ValueError, match=rf"{currency}.*{why}"):
        minor_units(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        pytest.param("12.34", "GBP", 1234, id="pence"),
        pytest.param("12.3", "GBP", 1230, id="fewer-places"),
        pytest.param("-0.05", "GBP", -5, id="negative-below-one"),
        pytest.param("-0", "GBP", 0, id="negative-zero"),
        pytest.param("007", "GBP", 700, id="leading-zeros"),
        pytest.param("1.2e1", "GBP", 1200, id="exponent"),
        pytest.param("1200E-2", "GBP", 1200, id="negative-exponent"),
        pytest.param("500", "JPY", 500, id="no-places"),
        pytest.param("1.234", "KWD", 1234, id="three-places"),
        pytest.param("92233720368547758.07", "GBP", 2**63 - 1, id="largest"),
    ],
)
def test_decimal_text_becomes_minor_units_exactly(text: str, currency: str, minor: int) -> None:
    """The text's value is kept to the last place."""
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "why"),
    [
        pytest.param("1.234", "GBP", "more decimal places", id="too-many-places"),
        pytest.param("1.230", "GBP", "more decimal places", id="too-many-places-though-zero"),
        pytest.param("1.5", "JPY", "more decimal places", id="places-where-there-are-none"),
        pytest.param("5e-3", "GBP", "more decimal places", id="places-by-exponent"),
        pytest.param("NaN", "GBP", "not a decimal amount", id="nan"),
        pytest.param("Infinity", "GBP", "not a decimal amount", id="infinity"),
        pytest.param("1e400", "GBP", "too large an amount", id="absurd-exponent"),
        pytest.param("1e999999999", "GBP", "not a decimal amount", id="absurder-exponent"),
        pytest.param("92233720368547758.08", "GBP", "too large an amount", id="beyond-64-bits"),
        pytest.param("1" * 5000, "GBP", "not a decimal amount", id="endless"),
        pytest.param("0" * 100 + "1", "GBP", "not a decimal amount", id="endless-zeros"),
        pytest.param("", "GBP", "not a decimal amount", id="empty"),
        pytest.param("1,234.00", "GBP", "not a decimal amount", id="thousands-comma"),
        pytest.param("1_000", "GBP", "not a decimal amount", id="underscore"),
        pytest.param(" 1.00", "GBP", "not a decimal amount", id="leading-space"),
        pytest.param("1.00\n", "GBP", "not a decimal amount", id="trailing-newline"),
        pytest.param("£1.00", "GBP", "not a decimal amount", id="sign-of-currency"),
        pytest.param("\uff11.00", "GBP", "not a decimal amount", id="full-width-digit"),
        pytest.param("1.", "GBP", "not a decimal amount", id="point-without-places"),
        pytest.param("1.00", "XAU", "no minor unit", id="currency-without-minor-unit"),
    ],
)
def test_text_that_is_no_exact_amount_is_refused_in_one_line(text: str, currency: str, why: str) -> None:
    """What cannot be held exactly is refused for what is wrong with it, and the message stays one short line whatever the text."""
    with pytest.raises(ValueError, match=why) as refusal:
        to_minor(text, currency)
    assert len(str(refusal.value)) <= 160
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1234, "GBP", "12.34"), (5, "GBP", "0.05"), (-5, "GBP", "-0.05"), (0, "GBP", "0.00"), (-500, "JPY", "-500"), (7, "KWD", "0.007")],
)
def test_minor_units_are_written_with_all_places(minor: int, currency: str, text: str) -> None:
    """The text carries exactly the currency's places."""
    assert from_minor(minor, currency) == text


@hypothesis.given(amounts, currencies)
def test_text_and_minor_units_say_the_same(minor: int, currency: str) -> None:
    """Writing an amount and reading it back changes nothing."""
    assert to_minor(from_minor(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("amount_minor", "days", "days_of_period", "part"),
    [
        pytest.param(3000, 10, 30, 1000, id="even"),
        pytest.param(1000, 10, 31, 323, id="rounds-up"),
        pytest.param(1000, 11, 31, 355, id="rounds-down"),
        pytest.param(1, 15, 30, 1, id="half-penny"),
        pytest.param(-1, 15, 30, -1, id="half-penny-credited"),
        pytest.param(1999, 31, 31, 1999, id="whole-period"),
        pytest.param(1999, 0, 31, 0, id="no-day"),
    ],
)
def test_some_days_bear_their_share_of_a_periods_amount(amount_minor: int, days: int, days_of_period: int, part: int) -> None:
    """A share is by days, rounded half-up."""
    assert part_of(amount_minor, days, days_of_period) == part


@pytest.mark.parametrize(("days", "days_of_period"), [(-1, 30), (31, 30), (0, 0), (1, -1)])
def test_days_outside_the_period_have_no_share(days: int, days_of_period: int) -> None:
    """A part is never negative, larger than the whole, or of nothing."""
    with pytest.raises(ValueError, match="no part of a period"):
        part_of(1000, days, days_of_period)


@hypothesis.given(strategies.integers(min_value=0, max_value=10**9), strategies.integers(1, 31), strategies.data())
def test_two_parts_of_a_period_differ_from_the_whole_by_a_penny_at_most(amount: int, whole: int, data: strategies.DataObject) -> None:
    """Rounding both sides of a split never loses or invents more than one minor unit."""
    days = data.draw(strategies.integers(0, whole))
    assert abs(part_of(amount, days, whole) + part_of(amount, whole - days, whole) - amount) <= 1


@pytest.mark.parametrize(
    ("net_minor", "rate", "tax_minor"),
    [
        pytest.param(1000, "20", 200, id="even"),
        pytest.param(2, "20", 0, id="below-half-a-penny"),
        pytest.param(3, "20", 1, id="above-half-a-penny"),
        pytest.param(10, "5", 1, id="half-a-penny"),
        pytest.param(-10, "5", -1, id="half-a-penny-credited"),
        pytest.param(1000, "17.5", 175, id="broken-rate"),
        pytest.param(1000, "0", 0, id="zero-rate"),
    ],
)
def test_tax_is_a_percentage_rounded_half_up(net_minor: int, rate: str, tax_minor: int) -> None:
    """Tax is whole minor units; credits mirror charges."""
    assert tax_on(net_minor, Decimal(rate)) == tax_minor


@pytest.mark.parametrize(("rate", "why"), [("-1", "below zero"), ("NaN", "not a number"), ("Infinity", "not a number")])
def test_a_rate_that_is_no_rate_is_refused(rate: str, why: str) -> None:
    """Negative rates, NaN and infinity tax nothing."""
    with pytest.raises(ValueError, match=why):
        tax_on(1000, Decimal(rate))
