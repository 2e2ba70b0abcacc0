"""What a business owes for paying late and bills charge: invoicing bills it by what collections reckon; they do not import one another.

It is damages for a debt and no supply, so it has no tax. Source: Late Payment of Commercial Debts (Interest) Act 1998; Directive 2011/7/EU.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict

from o2c.kernel.event import Event, Names

LATE_PAYMENT = "late-payment"
"""The tax group of lines that charge for late payment: they are outside the scope of VAT."""
LATE_INTEREST, LATE_SUM = "late-interest", "late-sum"
"""The kinds of these lines: interest for days, and the fixed sum of an invoice."""


class LateRules(Protocol):
    """What a market says of interest on late payment, as far as it is reckoned by; see `markets.collecting.LateInterest`."""

    @property
    def follows(self) -> bool:
        """Whether the rate is that of each half-year; else that of the first day that counted."""

    @property
    def days_of_year(self) -> int:
        """How many days a year of interest has."""

    def percent_on(self, day: date) -> Decimal:
        """Percent a year on a day. ValueError for one before all rates."""

    def fixed_minor(self, debt_minor: int) -> int:
        """The fixed sum for a debt, in minor units."""


class LateRate(BaseModel):
    """The percent a year (decimal text) by which days from `from_day` on were charged: of a debt, or of a half-year where the rate follows
    these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_day: str
    percent: str


class LatePaymentNoted(Event, name="account.late-payment-noted", stream="account"):
    """An invoice of a business is `open` past its due day, and by its market's policy the bills of the account charge what is owed for
    that; or nothing is open of it any more since the local day `on`, and the next bill, or the last one of an account that has ended,
    charges the rest."""

    example = {"account": "BA-1001", "customer": "C-1001", "invoice": "BA-1001-20260108", "open": True, "on": "2026-01-23"}
    account: str
    customer: str
    invoice: Annotated[str, Names("invoice")]
    open: bool
    on: str


class LateCharged(Event, name="collections.late-payment-charged", stream="collection"):
    """The bill `bill` charges what is owed for paying `invoice` late, in minor units, for all days before `to_day` that no bill had:
    interest of `days` from `from_day` on, at the `rates` by which these days are reckoned from now on, and the fixed sum."""

    example = {
        "invoice": "BA-1001-20260108", "bill": "BA-1001-20260208", "currency": "GBP", "from_day": "2026-01-23", "to_day": "2026-02-08",
        "days": 16, "interest_minor": 515, "fixed_minor": 7000, "rates": [{"from_day": "2026-01-23", "percent": "11.75"}],
    }  # fmt: skip
    invoice: str
    bill: str
    currency: str
    from_day: str
    to_day: str
    days: int
    interest_minor: int
    fixed_minor: int
    rates: tuple[LateRate, ...]


class LateOvercharged(Event, name="collections.late-payment-overcharged", stream="collection"):
    """A bill charged more for paying `invoice` late than is owed as it turns out, in minor units: the invoice was credited, or its money
    had come earlier. A note credits the bill."""

    example = {"invoice": "BA-1001-20260108", "bill": "BA-1001-20260208", "currency": "GBP", "interest_minor": 257, "fixed_minor": 3000}
    invoice: str
    bill: str
    currency: str
    interest_minor: int
    fixed_minor: int


def claims_minor(lines: Any) -> int:
    """Give what lines of an invoice or a note come to that charge for late payment, in minor units."""
    return sum(line.net_minor for line in lines if line.tax_group == LATE_PAYMENT)
