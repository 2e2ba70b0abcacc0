"""What a line costs: the values it chose, the prices of its offering that held when it was ordered, and the sum that it commits to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.rules import price_at
from o2c.kernel.charges import PriceTerms
from o2c.kernel.recurrence import Recurrence
from o2c.orders.wish import Line

_MONTH = Recurrence("month")


@dataclass(frozen=True, slots=True)
class PinnedPrices:
    """The prices of a line, net of tax, in minor units, and how they apply; 0 where the offering has no price of that kind."""

    recurring_minor: int
    one_time_minor: int
    terms: PriceTerms


def chosen(line: Line, offering: OfferingPublished) -> dict[str, str]:
    """Give the characteristics of the offering as a line chose them, its defaults where it chose none; other names stay out."""
    given = {**offering.defaults, **line.characteristics}
    return {name: given[name] for name in offering.characteristics if name in given}


def pinned(offering: OfferingPublished, at: datetime) -> PinnedPrices:
    """Give the prices of an offering that hold for an order taken at a time."""
    recurring, once = (price_at(offering, kind, at) for kind in ("recurring", "one-time"))
    terms = {}
    if recurring is not None:
        terms = {
            "period_unit": recurring.period_unit,
            "period_length": recurring.period_length,
            "recurring_tax_group": recurring.tax_group,
        }
    if once is not None:
        terms["one_time_tax_group"] = once.tax_group
    return PinnedPrices(recurring.amount_minor if recurring else 0, once.amount_minor if once else 0, PriceTerms.model_validate(terms))


def committed_minor(prices: PinnedPrices, months: int, on: date) -> int:
    """Give the sum that a line ordered on a day commits to, in net minor units: the one-time price, and the recurring price for each of its
    periods that begins within the committed months. A year's price is owed whole by who commits to a month."""
    last_day = _MONTH.begins(on, months) - timedelta(days=1)
    return prices.recurring_minor * prices.terms.recurrence.begun(on, last_day) + prices.one_time_minor
