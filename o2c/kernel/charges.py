"""What an order says to a billing account: the two events that both charging and billing must know, so they stand below both."""

from __future__ import annotations

from o2c.kernel.event import Event


class ChargeStarted(Event, name="account.charge-started"):
    """A service is to be charged to the account from the local date `starts_on`. Prices are net of tax, in minor units."""

    example = {
        "account": "BA-1001", "customer": "C-1001", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "offering": "mobile-line",
        "recurring_minor": 1999, "one_time_minor": 1000, "currency": "GBP", "starts_on": "2026-01-05",
    }  # fmt: skip
    account: str
    customer: str
    order: str
    item: str
    offering: str
    recurring_minor: int
    one_time_minor: int
    currency: str
    starts_on: str


class ChargeWithdrawn(Event, name="account.charge-withdrawn"):
    """The item ended before it was complete; what is not billed yet never will be."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}
    order: str
    item: str


def account_stream(account: str) -> str:
    return f"account-{account}"
