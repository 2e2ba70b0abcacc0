"""Events of a refund: money of an account that its customer gets back by the way in which it came."""

from __future__ import annotations

from typing import Annotated

from o2c.kernel.event import Event, Pii
from o2c.kernel.shapes import Done, FellOut, Requested

_EXAMPLE = {
    "refund": "BA-1001-R1", "account": "BA-1001", "customer": "C-1001", "currency": "GBP", "amount_minor": 500, "method": "card",
    "reference": "PMT-104233", "market": "GB@2026-01", "opened_on": "2026-01-20",
}  # fmt: skip


class RefundOpened(Event, name="refund.opened", stream="refund"):
    """This much of an account's money, in minor units, goes back by the method of its payment, whose reference at the provider is named
    where it is known, from the local day `opened_on` on. The account keeps it as owed until it is paid."""

    example = dict(_EXAMPLE)
    refund: str
    account: str
    customer: str
    currency: str
    amount_minor: int
    method: str
    reference: str
    market: str
    opened_on: str


class RefundRequested(Requested, name="refund.requested", step="refund", stream="refund"):
    """The payment provider is to give the money back by this method."""

    example = {"attempt": 1, "due_at": "2026-01-20T10:00:00Z", "method": "card"}
    method: str


class RefundCompleted(Done, name="refund.completed", step="refund", stream="refund"):
    """The provider gave the money back, under its own reference; the amount is in minor units."""

    example = {"attempt": 1, "amount_minor": 500, "method": "card", "provider_reference": "RFD-204417"}
    amount_minor: int
    method: str
    provider_reference: str


class RefundGivenUp(Event, name="refund.given-up", stream="refund"):
    """The refund is not tried any more, after the provider refused it or nobody knows what came of it: the account has the money again. The
    comment is personal."""

    example = {"amount_minor": 500, "author": "ann", "comment": "the account at the bank is closed and the next bill takes it off"}
    amount_minor: int
    author: str
    comment: Annotated[str, Pii("note")]


class RefundReportedPaid(Event, name="refund.reported-paid", stream="refund"):
    """The provider had paid the refund, or paid it later, though it was given up: it went, on the local day `paid_on`, under the provider's
    own reference. Of it, `reclaimed_minor` is more than the account still held, and owed by the customer on an invoice."""

    example = {
        "amount_minor": 500, "reclaimed_minor": 0, "provider_reference": "RFD-204417", "paid_on": "2026-02-20", "author": "ann",
    }  # fmt: skip
    amount_minor: int
    reclaimed_minor: int
    provider_reference: str
    paid_on: str
    author: str


class RefundFellOut(FellOut, name="refund.fell-out", step="refund", stream="refund"):
    """The provider refused to give the money back by this method, or did not answer."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "PAY-REFUND", "fault_class": "business", "origin": "partner",
        "recoverability": "correctable", "waiting_for": "us", "queue": "payments", "partner_code": "NOT-REFUNDABLE",
    }  # fmt: skip
