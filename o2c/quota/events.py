"""Events of quota and of prepaid money, in a stream of each account's own: sessions of the network must not wait for bills.

Source of the words: 3GPP TS 32.299, 6.3 and 7.2 (granted units, validity time, final unit), TS 32.290, 5.3.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from o2c.kernel.event import Event, Upcast
from o2c.kernel.shapes import Done, FellOut, Requested

PREPAID_EXPIRY = "prepaid-expiry"


class OfQuota(Event):
    """Base of the events of a session: `request` is the number of the network's request within it."""

    account: str
    customer: str
    session: str
    request: int


_ORDER = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"
_OF = {"account": "BA-1001", "customer": "C-1001", "session": "pcf-1;1767;42", "request": 0}
_WANTED = {**_OF, "usage": "data", "zone": "", "band": "day", "unit": "B", "wanted": 50000000}


class QuotaReserved(OfQuota, name="quota.reserved", stream="quota"):
    """Of the units that were `wanted`, `granted` are held for a line (`order`, `item`) until `valid_until`; after it they are free by
    themselves.

    With `final_unit` nothing more can be granted once they are used: the session ends then. `lapsed` are sessions whose units had become
    free so long before that they are forgotten. An earlier reservation of the session is let go. `placed_by` is the version of an
    operator's own zones and time bands that gave `zone` and `band` (empty: the market's).
    """

    upcasts = (Upcast(defaults={"placed_by": ""}),)
    example = {
        **_WANTED, "order": _ORDER, "item": "1", "party": "+447700900001", "granted": 20000000, "final_unit": True,
        "began_at": "2026-01-20T12:00:00Z", "valid_until": "2026-01-20T13:00:00Z", "lapsed": [], "placed_by": "2026-01",
    }  # fmt: skip
    order: str
    item: str
    party: str
    usage: str
    zone: str
    band: str
    unit: str
    wanted: int
    granted: int
    final_unit: bool
    began_at: datetime
    valid_until: datetime
    lapsed: tuple[str, ...] = ()
    placed_by: str = ""


class QuotaDenied(OfQuota, name="quota.denied", stream="quota"):
    """Nothing is granted: no price holds for it, a limit of the bill is reached without agreement, or the prepaid balance is used up."""

    example = {**_WANTED, "why": "balance"}
    usage: str
    zone: str
    band: str
    unit: str
    wanted: int
    why: Literal["no-price", "limit", "balance"]


class QuotaCommitted(OfQuota, name="quota.committed", stream="quota"):
    """Units were used in a session and stand as a record of usage: `used` of them; `freed` of what was granted are free again.

    `charged_minor`, of which `tax_minor` is tax, was taken off the prepaid balance, which leaves `balance_minor`: it is what the usage of
    the period that began on `period_from` costs beyond what was taken for it before. `uncharged_minor` is what the balance could not pay of
    it.
    """

    example = {
        **_OF, "request": 1, "unit": "B", "used": 18000000, "freed": 2000000, "currency": "GBP", "charged_minor": 216, "tax_minor": 36, "balance_minor": 284, "uncharged_minor": 0,
        "period_from": "2026-01-08",
    }  # fmt: skip
    unit: str
    used: int
    freed: int
    currency: str
    charged_minor: int
    tax_minor: int
    balance_minor: int
    uncharged_minor: int
    period_from: str


class PrepaidUsageCharged(Event, name="prepaid.usage-charged", stream="quota"):
    """Records of usage came that no session of the network told of (a file, a late record), and prepaid money pays for them as it does for
    those of a session.

    `charged_minor`, of which `tax_minor` is tax, was taken off the prepaid balance, which leaves `balance_minor`: it is what the usage of
    the period that began on `period_from` costs beyond what was taken for it before. `uncharged_minor` is what the balance could not pay of
    it: it never falls below zero.
    """

    example = {
        "account": "BA-1001", "customer": "C-1001", "currency": "GBP", "charged_minor": 216, "tax_minor": 36, "balance_minor": 0, "uncharged_minor": 68,
        "period_from": "2026-01-08",
    }  # fmt: skip
    account: str
    customer: str
    currency: str
    charged_minor: int
    tax_minor: int
    balance_minor: int
    uncharged_minor: int
    period_from: str


class QuotaReleased(OfQuota, name="quota.released", stream="quota"):
    """The units that were held for a session are free: nothing of them was used."""

    example = _OF


class PrepaidToppedUp(Event, name="prepaid.topped-up", stream="quota"):
    """Money came that pays for usage, tax included. It is owed as service until it is used, or until `expires_at` (None: it does not
    expire).

    `reference` is that of the payment: the same one is the same top-up.
    """

    example = {
        "account": "BA-1001", "customer": "C-1001", "currency": "GBP", "market": "GB@2026-01", "amount_minor": 1000, "method": "card",
        "reference": "PAY-7781", "topped_up_on": "2026-01-10", "expires_at": "2027-01-11T00:00:00Z",
    }  # fmt: skip
    account: str
    customer: str
    currency: str
    market: str
    amount_minor: int
    method: str
    reference: str
    topped_up_on: str
    expires_at: datetime | None


class PrepaidReturned(Event, name="prepaid.returned", stream="quota"):
    """The customer, who is served no more, asked for what was left of prepaid money: it pays for nothing any more, and goes back by these
    `refunds`, by the local day `refund_by` (empty: no day is set).

    Of `amount_minor`, which these top-ups had left, `fee_minor` is kept as the contract says, of which `tax_minor` is tax. Who was served
    was so until the local day `left_on` (empty: nothing ever was). Source: directive (EU) 2018/1972, art. 106(6).
    """

    example = {
        "account": "BA-1001", "customer": "C-1001", "currency": "GBP", "amount_minor": 384, "fee_minor": 100, "tax_minor": 17, "references": ["PAY-7781"],
        "refunds": ["BA-1001-R1"], "left_on": "2026-02-20", "asked_on": "2026-02-21", "refund_by": "2026-03-07",
    }  # fmt: skip
    account: str
    customer: str
    currency: str
    amount_minor: int
    fee_minor: int
    tax_minor: int
    references: tuple[str, ...]
    refunds: tuple[str, ...]
    left_on: str
    asked_on: str
    refund_by: str


class PrepaidExpiryRequested(Requested, name="prepaid.expiry-requested", step=PREPAID_EXPIRY, stream="quota"):
    """What is left of a top-up is to expire when it is old enough."""

    example = {"attempt": 1, "due_at": "2027-01-11T00:00:00Z"}


class PrepaidExpired(Done, name="prepaid.expired", step=PREPAID_EXPIRY, stream="quota"):
    """What was left of top-ups that became too old can be used no more (0 where nothing was left). It is earned now (IFRS 15, B46 and
    B47)."""

    example = {"account": "BA-1001", "currency": "GBP", "amount_minor": 284, "references": ["PAY-7781"]}
    account: str
    currency: str
    amount_minor: int
    references: tuple[str, ...]


class PrepaidExpiryFellOut(FellOut, name="prepaid.expiry-fell-out", step=PREPAID_EXPIRY, stream="quota"):
    """What was left of a top-up could not be let expire."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
