"""Events of the money that an account holds for its customer. Orders, payments and billing share them, which do not import one another.

Money that came and stands on no invoice is one of three things: a deposit that is kept for an open order, a credit that the next invoice uses
by itself, or owed to the customer, which somebody has to pay back.
"""

from __future__ import annotations

from typing import Annotated, Literal

from o2c.kernel.event import Event, Pii


class OfBalance(Event):
    """Base of the events that move money which an account holds, in minor units of its currency."""

    account: str
    customer: str
    currency: str
    amount_minor: int


_HELD = {"account": "BA-1001", "customer": "C-1001", "currency": "GBP", "amount_minor": 10000}
_ORDER = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"


class DepositKept(OfBalance, name="account.deposit-kept", stream="account"):
    """A deposit came for an order and is kept while the order is open."""

    example = {**_HELD, "order": _ORDER}
    order: str


class DepositFreed(OfBalance, name="account.deposit-freed", stream="account"):
    """The order is over, and so is the use of its deposit. That of a completed order becomes a credit for the next invoices; that of one which
    was rejected, cancelled or failed is owed to the customer until it is paid back."""

    example = {**_HELD, "order": _ORDER, "becomes": "owed"}
    order: str
    becomes: Literal["credit", "owed"]


class CreditReceived(OfBalance, name="account.credit-received", stream="account"):
    """More came for an invoice than was open: the excess is a credit of the account."""

    example = {**_HELD, "amount_minor": 500, "invoice": "BA-1001-20260108"}
    invoice: str


class CreditUsed(OfBalance, name="account.credit-used", stream="account"):
    """A credit was taken off an invoice as it was issued."""

    example = {**_HELD, "amount_minor": 500, "invoice": "BA-1001-20260208"}
    invoice: str


class MoneyReturned(OfBalance, name="account.money-returned", stream="account"):
    """Money was paid back to the customer: first what was owed (`of_owed_minor`), then a credit. The reference is that of the transfer."""

    example = {
        **_HELD, "of_owed_minor": 10000, "method": "bank-transfer", "remittance": "TFR-204", "returned_on": "2026-01-20",
    }  # fmt: skip
    of_owed_minor: int
    method: str
    # Free text that a person wrote: it may name somebody.
    remittance: Annotated[str, Pii("remittance")]
    returned_on: str
