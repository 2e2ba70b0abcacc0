"""Units in which usage is counted, each as a multiple of the one that its kind is counted in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

UNITS: dict[str, tuple[str, int]] = {
    "second": ("second", 1),
    "minute": ("second", 60),
    "hour": ("second", 3600),
    "B": ("B", 1),
    "kB": ("B", 10**3),
    "MB": ("B", 10**6),
    "GB": ("B", 10**9),
    "TB": ("B", 10**12),
    "KiB": ("B", 2**10),
    "MiB": ("B", 2**20),
    "GiB": ("B", 2**30),
    "message": ("message", 1),
    "event": ("event", 1),
}
"""Units as (base unit, how many of it). Any other unit, such as a currency's code for percentages, is its own base."""


_PLACES = 6


def base_of(unit: str) -> str:
    """Give the unit in which quantities of a unit are added up."""
    return UNITS.get(unit, (unit, 1))[0]


def in_base(quantity: Decimal | Fraction | int, unit: str) -> Fraction:
    """Give a quantity in its base unit, exact."""
    return Fraction(quantity) * UNITS.get(unit, (unit, 1))[1]


def decimal_of(number: Fraction) -> str:
    """Give a number with at most six places, rounded to the nearest, as a person reads it."""
    whole, rest = divmod(round(number * 10**_PLACES), 10**_PLACES)
    return f"{whole}.{rest:0{_PLACES}d}".rstrip("0").rstrip(".") if rest else str(whole)


def in_unit(base: Fraction, unit: str) -> Fraction:
    """Give a quantity of a base unit in another unit of its kind, exact."""
    return base / UNITS.get(unit, (unit, 1))[1]
