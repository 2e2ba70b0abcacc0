"""What an invoice says by its market: who supplies, and at which rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from o2c.invoicing.papers import INSTALMENT, InvoiceLine, Seller
from o2c.markets.base import Market, tax_rate


def seller_of(market: Market) -> Seller:
    """Give the supplier of a market as an invoice says it."""
    supplier = market.invoicing.supplier
    return Seller.model_validate({name: getattr(supplier, name) for name in Seller.model_fields})


def rated(line: InvoiceLine, market: Market, on: date) -> InvoiceLine:
    """Give a line with the rate of its tax group in force on a day; an instalment has none. ValueError if the market has none.

    EN 16931-1 allows category O (outside the scope of VAT) only where nothing else is on the invoice (BR-O-11), so that an instalment is told as E, exempt.
    """
    if line.tax_group == INSTALMENT:
        return line.model_copy(update={"tax_percent": "0", "tax_category": "E"})
    rate = tax_rate(market, line.tax_group, on)
    return line.model_copy(update={"tax_percent": percent_text(rate.percent), "tax_category": rate.category})


def percent_text(percent: Decimal) -> str:
    """Give a rate as decimal text without exponent: `20`, `17.5`."""
    return format(percent.normalize(), "f")
