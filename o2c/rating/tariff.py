"""What a service's usage costs: its usage prices by kind, zone and time band, and the units that are included."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from o2c.rating.models import NONE, Amount, ChargeModel, Size
from o2c.rating.units import in_unit

UsageKind = Literal["voice", "sms", "data", "roaming", "premium", "transfer"]
"""Kinds of usage: calls, messages, data, what is used abroad, content of others, and transfers of money."""
USUAL_UNITS = {"voice": "second", "roaming": "B", "data": "B", "sms": "message", "premium": "event", "transfer": "event"}
"""In what usage of a kind is counted where nobody says a unit."""
KINDS: frozenset[str] = frozenset(("voice", "sms", "data", "roaming", "premium", "transfer"))


class UsagePrice(BaseModel):
    """The price of a kind of usage, in `unit`, for some zones and time bands (none named: for any).

    The quantity of each record is rounded up to a multiple of `increment` units first, where there is one. What a `prepaid` price comes to
    is paid from the account's prepaid balance as it is used, tax included, and stands on no invoice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    usage: UsageKind
    unit: str
    zones: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    increment: Size | None = None
    model: ChargeModel
    prepaid: bool = False

    def fits(self, usage: str, zone: str, band: str) -> bool:
        """Whether it is the price of a record of a kind, a zone and a band."""
        return self.usage == usage and (not self.zones or zone in self.zones) and (not self.bands or band in self.bands)

    def counted(self, base_quantity: Fraction) -> Fraction:
        """A record's quantity, given in its base unit, in units of the price and rounded up to its increment."""
        quantity = in_unit(base_quantity, self.unit)
        return quantity if self.increment is None else ceil(quantity / Fraction(self.increment)) * Fraction(self.increment)


class Allowance(BaseModel):
    """Units that a period of a service includes, of some kinds of usage and zones (none named: of any).

    It is granted at the beginning of each bill period and can be used for `periods` of them. What is left at the end of the last is carried
    into the next up to `rollover_max`, and is brought up to `rollover_min` there. Of several, that with the lower `priority` number is used
    first, then the one that ends earlier, then the one that was granted earlier (billing facts, section 6.3, O2 and O4). A `shared` one
    serves every line of its account, the first that uses it first, and each up to `line_max` in a bill period, where that is said. A
    `prorated` one is granted by days for a first part period.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    usage: tuple[UsageKind, ...]
    unit: str
    quantity: Amount
    zones: tuple[str, ...] = ()
    priority: Annotated[int, Field(ge=0, le=1000)] = 100
    periods: Annotated[int, Field(ge=1, le=60)] = 1
    rollover_min: Amount = NONE
    rollover_max: Amount = NONE
    shared: bool = False
    prorated: bool = False
    line_max: Amount | None = None

    @model_validator(mode="after")
    def _only_of_several(self) -> Self:
        if self.line_max is not None and not self.shared:
            raise ValueError("line_max says what one line can use of a shared allowance; say shared as well")
        return self

    def serves(self, usage: str, zone: str) -> bool:
        """Whether it can be used for a record of a kind and a zone."""
        return usage in self.usage and (not self.zones or zone in self.zones)


def price_for(prices: Sequence[UsagePrice], usage: str, zone: str, band: str) -> UsagePrice | None:
    """The price of a record: that which names its zone before one for any, then that which names its band; None where there is none."""
    fitting = [price for price in prices if price.fits(usage, zone, band)]
    return max(fitting, key=lambda price: (bool(price.zones), bool(price.bands)), default=None)


def alike(one: UsagePrice, other: UsagePrice) -> bool:
    """Whether two prices are equally close to some record, so that nobody could say which holds."""
    return (
        one.usage == other.usage
        and bool(one.zones) == bool(other.zones)
        and bool(one.bands) == bool(other.bands)
        and (not one.zones or bool({*one.zones} & {*other.zones}))
        and (not one.bands or bool({*one.bands} & {*other.bands}))
    )
