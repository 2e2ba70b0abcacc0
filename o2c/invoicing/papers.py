"""What a VAT invoice must say, as plain values that are frozen into the event by which it is issued.

Source: The Value Added Tax Regulations 1995, reg. 14(1); Directive 2006/112/EC, art. 226; terms by EN 16931-1 (BT and BG numbers).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.money import tax_on

Paper = Literal["INV", "CRN"]
"""The kinds of paper that have numbers of series: INV invoice, CRN credit note."""


class Seller(BaseModel):
    """Who supplies: name, address and VAT number as they were on the day of issue (BG-4, BT-31). Empty on invoices of before they said
    it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entity: str = ""
    name: str = ""
    address: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    country: str = ""
    tax_id: str = ""


class NumberRange(BaseModel):
    """Numbers that an authority approved for the invoices, or the credit notes, of a legal entity: `prefix` and digits, from `first` to
    `last`, taken on the days from `valid_from` to `valid_to` (ISO, both inclusive; empty: without an end). `approval` is its reference of
    the decision. Once no more than `low_at` are left it runs low. Empty on a paper whose number is of a series of the year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entity: str = ""
    prefix: str = ""
    first: int = 0
    last: int = 0
    valid_from: str = ""
    valid_to: str = ""
    approval: str = ""
    low_at: int = 0

    @property
    def name(self) -> str:
        """The first number of it, which no other range has, and the name of its series."""
        return self.number_at(1)

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return self.last - self.first + 1

    def number_at(self, serial: int) -> str:
        """The number at a place of it, from 1: all have as many digits as the last one."""
        return f"{self.prefix}{self.first + serial - 1:0{len(str(self.last))}d}"

    def valid_on(self, day: str) -> bool:
        """Whether numbers of it may be taken on an ISO day."""
        return self.valid_from <= day and (not self.valid_to or day <= self.valid_to)


class InvoiceLine(BaseModel):
    """One line: a one-time charge, a part period or a full period in advance. `from_day` is inclusive, `to_day` exclusive; net, minor
    units.

    `quantity` of a `unit` (UN/ECE Recommendation 20: C62 one, DAY, WEE, MON, ANN) at `unit_price_minor` net for each `price_per` of it:
    three days of a month of 31 at 19.99 are 3 DAY at 19.99 per 31. A discount is a line of its own, below nothing: `discount` names it, and
    `of_line` the place (from 1) of the line that it lowers. `cost_centre` is the account that it was ordered for where the one billed pays
    for others (EN 16931-1, BT-133), `purchase_order` the customer's own for its order; both empty for none. One that charges for late
    payment says `of_invoice` for which. `tax_percent` is the rate in force, `tax_category` that of UNCL 5305. Lines of before they said so
    have no unit, and none of these.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: str
    item: str
    offering: str
    kind: str
    from_day: str
    to_day: str
    net_minor: int
    tax_group: str
    description: str = ""
    quantity: int = 1
    unit: str = ""
    unit_price_minor: int = 0
    price_per: int = 1
    tax_category: str = ""
    tax_percent: str = ""
    discount: str = ""
    of_line: int = 0
    of_invoice: str = ""
    cost_centre: str = ""
    purchase_order: str = ""


class DiscountEnding(BaseModel):
    """The notice that a discount of a service ends: the day `ends_on` is the first without it, and no bill comes before that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: str
    item: str
    offering: str
    discount: str
    ends_on: str

    @property
    def words(self) -> str:
        """As the invoice says it."""
        return f"The discount {self.discount} on {self.offering} ends: from {self.ends_on} on it is charged without it."


INSTALMENT = "instalment"
"""Kind and tax group of a line that bills an instalment: the payment of a debt on which all tax was charged. It is no supply, so it has
none."""


class TaxSum(BaseModel):
    """The sums of one rate (BG-23): net of its lines, and the tax on that, once and half-up, in minor units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str
    category: str
    percent: str
    net_minor: int
    tax_minor: int


def tax_sums(lines: Iterable[InvoiceLine]) -> tuple[TaxSum, ...]:
    """Give the sums of each tax group over rated lines, by the name of the group.

    Source: EN 16931-1, BR-S-8 and BR-S-9 (the tax of a rate is the rounded product of its sum); billing facts, section 6.4.
    """
    nets: dict[tuple[str, str, str], int] = {}
    for line in lines:
        key = (line.tax_group, line.tax_category, line.tax_percent)
        nets[key] = nets.get(key, 0) + line.net_minor
    return tuple(
        TaxSum(group=group, category=category, percent=percent, net_minor=net, tax_minor=tax_on(net, Decimal(percent)))
        for (group, category, percent), net in sorted(nets.items())
    )


def series_of(seller: Seller, kind: Paper, day: str) -> str:
    """Name the series of a legal entity's papers of one kind and the year of an ISO day: `GB1-INV-2026`."""
    return f"{seller.entity}-{kind}-{day[:4]}"


def described(offering: str, kind: str, from_day: date, to_day: date) -> str:
    """Say in a line's own words what it is for; the last day is meant inclusively, as people read it."""
    if kind == "one-time":
        return f"{offering}, once"
    return f"{offering}, {from_day} to {date.fromordinal(to_day.toordinal() - 1)}"


UNITS = {"day": "DAY", "week": "WEE", "month": "MON", "year": "ANN"}
"""Codes of UN/ECE Recommendation 20 for one period of a price."""


def extent(kind: str, *, days: int, whole_days: int, price_minor: int, unit: str, length: int) -> dict[str, Any]:
    """Give quantity, unit and price of a line: one of a period or thing, or some days of a period."""
    if kind == "part-period":
        return {"quantity": days, "unit": "DAY", "unit_price_minor": price_minor, "price_per": whole_days}
    of_period = UNITS.get(unit, "C62") if kind == "period" and length == 1 else "C62"
    return {"quantity": 1, "unit": of_period, "unit_price_minor": price_minor, "price_per": 1}


class NoteLine(BaseModel):
    """What a note takes off a line of its invoice: `line` is its place there, from 1; the days are those that the credit is for; net, minor
    units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: int
    order: str
    item: str
    description: str
    from_day: str
    to_day: str
    net_minor: int
    tax_group: str
    tax_category: str
    tax_percent: str
