"""Events of the catalogue. The version of its stream is the catalogue version that orders pin."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.discounts import Discount
from o2c.kernel.event import Event, Upcast
from o2c.kernel.recurrence import Recurrence
from o2c.rating.tariff import Allowance, UsagePrice


class OfferedDiscount(BaseModel):
    """A discount on a price, for orders taken from `valid_from` on (exclusive end `valid_to`; empty: open)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    discount: Discount
    valid_from: str = ""
    valid_to: str = ""


class OfferingPrice(BaseModel):
    """A price of an offering for orders taken from `valid_from` on (exclusive end `valid_to`; empty: open). Net of tax, in minor units.

    A recurring one is charged every `period_length` times `period_unit` (day, week, month, year), and those fields mean nothing for a
    one-time one. `tax_group` is one of the market's. A price of usage, and units that are included, have their terms in `usage` and
    `allowance`, and no amount of their own; of these, those hold for a record whose validity has the time of use. Those of `discounts` that
    hold are pinned with the price.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["recurring", "one-time", "usage", "allowance"]
    amount_minor: int
    period_unit: str = "month"
    period_length: int = 1
    tax_group: str = "standard"
    valid_from: str = ""
    valid_to: str = ""
    usage: UsagePrice | None = None
    allowance: Allowance | None = None
    discounts: tuple[OfferedDiscount, ...] = ()

    @property
    def recurrence(self) -> Recurrence:
        """How often it is charged."""
        return Recurrence(self.period_unit, self.period_length)


class PriceRiseAnnounced(Event, name="catalogue.price-rise-announced", stream="catalogue"):
    """From the local day `from_day` on, the recurring price of services of an offering that were charged before `announced_on` is
    `rise_minor` a period higher: net, in minor units. `law` is what bound the notice; whoever is told may end the contract without costs
    where `exit_right` says so."""

    example = {
        "offering": "mobile-line", "market": "GB", "currency": "GBP", "rise_minor": 150, "period_unit": "month", "period_length": 1,
        "announced_on": "2026-02-20", "from_day": "2026-04-01", "exit_right": True, "law": "Ofcom General Conditions of Entitlement, C1.14 to C1.17",
    }  # fmt: skip
    offering: str
    market: str
    currency: str
    rise_minor: int
    period_unit: str
    period_length: int
    announced_on: str
    from_day: str
    exit_right: bool
    law: str


class OfferingPublished(Event, name="catalogue.offering-published", stream="catalogue"):
    """An offering in force from `valid_from` (exclusive end `valid_to`, empty: open), sold in one market at its `prices`.

    `sellable` says whether it is sold on its own, or within a bundle only. Of its `characteristics` an order may leave out the `optional`
    ones and those with a default. `requires` are offerings one of which must be beside it in the order. `recurring_minor` and
    `one_time_minor` are the prices of events that were stored before offerings had `prices`: a price a month, and a price once, at the
    standard rate.
    """

    example = {
        "offering": "mobile-line", "version": "1.0", "specification": "spec-mobile", "status": "Active", "bundle": False,
        "valid_from": "2026-01-01T00:00:00Z", "market": "GB", "currency": "GBP",
        "prices": [{"kind": "recurring", "amount_minor": 1999}, {"kind": "one-time", "amount_minor": 1000, "valid_to": "2026-07-01T00:00:00Z"}],
        "characteristics": {"simType": ["esim", "physical"], "colour": ["red"]}, "defaults": {"simType": "esim"}, "optional": ["colour"], "requires": ["home-access"],
    }  # fmt: skip
    upcasts = (
        Upcast(defaults={"sellable": True, "prices": [], "optional": [], "defaults": {}, "requires": []}),
        Upcast(),
        Upcast(),
        Upcast(),
    )  # a price of before was of no usage, then had no discounts, then a pool no limit for a line, as its defaults say
    offering: str
    version: str
    specification: str
    status: str
    bundle: bool
    sellable: bool = True
    valid_from: str
    valid_to: str = ""
    market: str
    currency: str
    prices: tuple[OfferingPrice, ...] = ()
    recurring_minor: int = 0
    one_time_minor: int = 0
    characteristics: dict[str, tuple[str, ...]] = {}
    optional: tuple[str, ...] = ()
    defaults: dict[str, str] = {}
    requires: tuple[str, ...] = ()
