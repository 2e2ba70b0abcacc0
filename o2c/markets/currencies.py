"""Amounts that a law gives in one currency, for an account in another: reference rates as dated data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor

from o2c.kernel.money import minor_units


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """How much of a currency one euro is, from a day on."""

    currency: str
    per_euro: Decimal
    valid_from: date
    source: str


RATES: tuple[ReferenceRate, ...] = (
    ReferenceRate("EUR", Decimal(1), date.min, "the euro itself"),
    ReferenceRate(
        "GBP",
        Decimal("0.85"),
        date.min,
        "amounts in other currencies follow the reference rates that the European Central Bank publishes: Regulation (EU) 2022/612, art. 1(5) and (6) [M]; the rate "
        "itself, rounded, as of a published 0.849553 for July 2022 (OJ C 379, 3.10.2022): the operator's own practice",
    ),
)
"""A rate more, from its day on, is a line more: earlier days keep theirs."""


def converted_minor(amount_minor: int, currency: str, into: str, on: date) -> int:
    """Give an amount in another currency at the rates of a day, rounded down: what must not exceed a limit does not. Minor units. KeyError
    for a currency without a rate."""
    if currency == into:
        return amount_minor
    euros = Fraction(amount_minor, 10 ** minor_units(currency)) / _per_euro(currency, on)
    return floor(euros * _per_euro(into, on) * Fraction(10 ** minor_units(into)))


def _per_euro(currency: str, on: date) -> Fraction:
    known = [rate for rate in RATES if rate.currency == currency and rate.valid_from <= on]
    if not known:
        raise KeyError(f"no reference rate of {currency} on {on}")
    return Fraction(max(known, key=lambda rate: rate.valid_from).per_euro)
