"""What an invoice says by its market: who supplies, and at which rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from o2c.invoicing.papers import INSTALMENT, InvoiceLine, Seller
from o2c.kernel.lateness import LATE_PAYMENT
from o2c.markets.base import Market, tax_rate


def seller_of(market: Market) -> Seller:
    """Give the supplier of a market as an invoice says it."""
    supplier = market.invoicing.supplier
    return Seller.model_validate({name: getattr(supplier, name) for name in Seller.model_fields})


def rated(line: InvoiceLine, market: Market, on: date) -> InvoiceLine:
    """Give a line with the rate of its tax group in force on a day; an instalment has none, nor has what is charged for late payment.
    ValueError if the market has none.

    EN 16931-1 allows category O (outside the scope of VAT) only where nothing else is on the invoice (BR-O-11), so that both are told as E,
    exempt.
    """
    if line.tax_group in (INSTALMENT, LATE_PAYMENT):
        return line.model_copy(update={"tax_percent": "0", "tax_category": "E"})
    rate = tax_rate(market, line.tax_group, on)
    return line.model_copy(update={"tax_percent": percent_text(rate.percent), "tax_category": rate.category})


def rated_together(lines: Sequence[InvoiceLine], market: Market, on: date) -> tuple[InvoiceLine, ...]:
    """Give the lines of an invoice with their rates on a day: where all of it is charged for late payment, it is outside the scope of VAT
    (O: EN 16931-1, BR-O-11). ValueError as for `rated`."""
    if all(line.tax_group == LATE_PAYMENT for line in lines):
        return tuple(line.model_copy(update={"tax_percent": "0", "tax_category": "O"}) for line in lines)
    return tuple(rated(line, market, on) for line in lines)


def percent_text(percent: Decimal) -> str:
    """Give a rate as decimal text without exponent: `20`, `17.5`."""
    return format(percent.normalize(), "f")
