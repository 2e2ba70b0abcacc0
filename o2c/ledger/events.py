"""Events of the books."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from o2c.kernel.event import Event


class AccountTotal(BaseModel):
    """How an account of the chart stands in a currency, in minor units: above zero on the debit side, below it on the credit side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ledger_account: str
    currency: str
    balance_minor: int


class LedgerClosed(Event, name="ledger.closed", stream="ledger"):
    """The books were closed up to the end of a day, for good: events up to the position `upto` that belong to the days after `since` are in
    them, and what comes later for one of these days is posted on the day after.

    `totals` are the accounts at the end of the day; `postings` is how many were closed, `late` how many of them belong to days that had
    been closed before. `digest` is SHA-256 over the digest of the closing before and the postings closed, as `o2c.ledger.digest` writes
    them. `since` is empty for the first closing.
    """

    example = {
        "day": "2026-01-31", "since": "2025-12-31", "upto": 65536000001, "postings": 4, "late": 0,
        "totals": [
            {"ledger_account": "receivable", "currency": "GBP", "balance_minor": 2399},
            {"ledger_account": "revenue", "currency": "GBP", "balance_minor": -1548},
            {"ledger_account": "deferred-revenue", "currency": "GBP", "balance_minor": -451},
            {"ledger_account": "tax", "currency": "GBP", "balance_minor": -400},
        ],
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }  # fmt: skip
    day: str
    since: str
    upto: int
    postings: int
    late: int
    totals: tuple[AccountTotal, ...]
    digest: str
