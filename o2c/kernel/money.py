"""Money as whole minor units of an ISO 4217 currency, rounded half away from zero and never held in a float."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from iso4217 import Currency

_DECIMAL_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_TEXT_CHARACTERS_MAX = 64
_SHOWN_CHARACTERS = 40
_EXPONENT_MAX = 64
# What a signed 64-bit column holds; an amount beyond it is a slip of the keyboard, not money.
_MINOR_MAX = 2**63 - 1


def half_up(value: Fraction | Decimal) -> int:
    """The nearest whole number, a half going away from zero (2.5 -> 3, -2.5 -> -3). ValueError for NaN and infinity."""
    exact = _fraction(value)
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return magnitude if exact >= 0 else -magnitude


def minor_units(currency: str) -> int:
    """How many decimal places the currency has (ISO 4217: GBP 2, JPY 0, KWD 3). ValueError if it has none or is unknown."""
    try:
        exponent: int | None = Currency(currency).exponent
    except ValueError:
        raise ValueError(f"{currency[:_SHOWN_CHARACTERS]!r} is not an ISO 4217 currency") from None
    if exponent is None:
        raise ValueError(f"{currency} has no minor unit")
    return exponent


def to_minor(amount_text: str, currency: str) -> int:
    """Minor units of a decimal text such as `12.34`, exactly.

    ValueError for anything that is no plain ASCII decimal number (exponents allowed), for more decimal places than the currency has, zeros
    included, and for amounts beyond 64 bits.
    """
    units = minor_units(currency)
    if len(amount_text) > _TEXT_CHARACTERS_MAX or _DECIMAL_TEXT.fullmatch(amount_text) is None:
        raise ValueError(f"{amount_text[:_SHOWN_CHARACTERS]!r} is not a decimal amount")
    sign, digits, exponent = Decimal(amount_text).as_tuple()
    # The pattern admits neither NaN nor infinity, whose exponents are letters.
    places = int(exponent) + units
    if places < 0:
        raise ValueError(f"{amount_text[:_SHOWN_CHARACTERS]!r} has more decimal places than {currency}, which has {units}")
    magnitude = int("".join(map(str, digits)) + "0" * places)
    if magnitude > _MINOR_MAX:
        raise ValueError(f"{amount_text[:_SHOWN_CHARACTERS]!r} {currency} is too large an amount")
    return -magnitude if sign else magnitude


def from_minor(amount_minor: int, currency: str) -> str:
    """The amount as decimal text with all places of the currency (-5 GBP -> `-0.05`). ValueError for an unknown currency."""
    units = minor_units(currency)
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(units + 1, "0")
    return f"{sign}{digits[:-units]}.{digits[-units:]}" if units else f"{sign}{digits}"


def part_of(amount_minor: int, days: int, days_of_period: int) -> int:
    """The share of a period's amount that falls on some of its days, half-up. ValueError unless 0 <= days <= days_of_period."""
    if days_of_period < 1 or not 0 <= days <= days_of_period:
        raise ValueError(f"{days} of {days_of_period} days is no part of a period")
    return half_up(Fraction(amount_minor * days, days_of_period))


def allocate(total_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share a whole out by weights so that the parts sum to it: by the largest remainder, and of equal remainders the first. Equal weights
    where all are zero.

    A total below zero is shared out like its opposite. ValueError for no weights, or one below zero. Source: billing facts, section 6.4
    (allocate remainders by largest remainder); IFRS 15, par. 76 (a bundle by relative stand-alone prices).
    """
    if not weights or min(weights) < 0:
        raise ValueError(f"nothing can be shared out by the weights {list(weights)}")
    counted = weights if any(weights) else [1] * len(weights)
    whole, sign = sum(counted), -1 if total_minor < 0 else 1
    shares = [divmod(abs(total_minor) * weight, whole) for weight in counted]
    left = abs(total_minor) - sum(share for share, _ in shares)
    first = sorted(range(len(shares)), key=lambda at: (-shares[at][1], at))[:left]
    return tuple(sign * (share + (at in first)) for at, (share, _) in enumerate(shares))


def tax_on(net_minor: int, rate_percent: Decimal) -> int:
    """The tax on a net amount, half-up. ValueError for a rate that is negative or no number."""
    rate = _fraction(rate_percent)
    if rate < 0:
        raise ValueError(f"a tax rate of {rate_percent} % is below zero")
    return half_up(net_minor * rate / 100)


def _fraction(value: Fraction | Decimal) -> Fraction:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number to round")
        # The exact fraction of 1E+999999999 would fill the memory, and so would that of its inverse, which rounds to nothing.
        if not value or value.adjusted() < -_EXPONENT_MAX:
            return Fraction(0)
        if value.adjusted() > _EXPONENT_MAX:
            raise ValueError(f"{value:.3E} is too large to be money")
        return Fraction(value)
    return value
