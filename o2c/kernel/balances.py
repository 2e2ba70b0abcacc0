"""Events of the money that an account holds for its customer. Orders, payments and billing share them, which do not import one another.

Money that came and stands on no invoice is one of three things: a deposit that is kept, while its order is open and until enough bills were
paid in time, a credit that the next invoice uses by itself, or owed to the customer, which somebody has to pay back. Prepaid money comes to
be owed when its customer leaves and asks for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.event import Event, Names, Pii, Upcast


class CreditPart(BaseModel):
    """A part of a credit that an invoice used, in minor units, and where it came from: what came too much for an `invoice`, or was credited
    of it, the `deposit` of an order, a `compensation`, or a `goodwill`; `of` is the number of the invoice, the id of the order, the number
    that was late, or the complaint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    of: str
    amount_minor: int


class OfBalance(Event):
    """Base of the events that move money which an account holds, in minor units of its currency."""

    account: str
    customer: str
    currency: str
    amount_minor: int


_HELD = {"account": "BA-1001", "customer": "C-1001", "currency": "GBP", "amount_minor": 10000}
_ORDER = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"


class DepositKept(OfBalance, name="account.deposit-kept", stream="account"):
    """A deposit came for an order and is kept while the order is open. Version 2 says by which method it came."""

    example = {**_HELD, "order": _ORDER, "method": "bank-transfer"}
    upcasts = (Upcast(defaults={"method": ""}),)
    order: str
    method: str = ""


class DepositRetained(OfBalance, name="account.deposit-retained", stream="account"):
    """The order was completed, and its deposit is kept on, as security for what is billed: until `good_bills` bills in a row from now on
    were paid by their due day, or else until the last bill, where it is set off against what is owed."""

    example = {**_HELD, "order": _ORDER, "good_bills": 3}
    order: str
    good_bills: int


class DepositFreed(OfBalance, name="account.deposit-freed", stream="account"):
    """A deposit, or this much of it, is kept no more. That of an order which was rejected, cancelled or failed is owed to the customer
    until it is paid back. That of a completed one becomes a credit that the next invoice uses, once enough bills were paid in time; what
    the last bill leaves of it is owed."""

    example = {**_HELD, "order": _ORDER, "becomes": "owed"}
    order: str
    becomes: Literal["credit", "owed"]


class CreditReceived(OfBalance, name="account.credit-received", stream="account"):
    """More came for an invoice than was open, or what was paid of it was credited: that is a credit of the account.

    Version 2 says by which method the money came, and the payment provider's reference of it: by these it is given back when it is
    refunded.
    """

    example = {**_HELD, "amount_minor": 500, "invoice": "BA-1001-20260108", "method": "card", "reference": "PMT-1f0c"}
    upcasts = (Upcast(defaults={"method": "", "reference": ""}),)
    invoice: str
    method: str = ""
    reference: str = ""


class Compensated(OfBalance, name="account.compensated", stream="account"):
    """A number was ported late by us, a service started late, or nobody came to a visit: the customer has a credit of `per_day_minor` for
    each of the `days` that count by the market's `rules` (a visit is one). `order` and `item` had the number ported in, brought the product
    whose number went, or bring the service. Version 2 says which day was missed, that which was promised or that of the visit, where there
    is no number."""

    example = {
        **_HELD, "amount_minor": 500, "cause": "port-in", "msisdn": "+447700900123", "days": 2, "per_day_minor": 250, "order": _ORDER, "item": "1", "rules": "PT@2012-03",
        "missed_on": "",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"missed_on": ""}),)
    cause: Literal["port-in", "port-out", "late-start", "missed-visit"]
    msisdn: Annotated[str, Names("number")]
    days: int
    per_day_minor: int
    order: str
    item: str
    rules: str
    missed_on: str = ""


class GoodwillGiven(OfBalance, name="account.goodwill-given", stream="account"):
    """A `complaint` was resolved with a credit, which the next invoice uses; of a `product`, where a period of it is free."""

    example = {**_HELD, "amount_minor": 2220, "complaint": "0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f", "product": f"{_ORDER}:1"}
    complaint: str
    product: str


class PrepaidOwed(OfBalance, name="account.prepaid-owed", stream="account"):
    """What was left of a top-up pays for no usage any more, as its customer asked to have it back: it is owed until it is paid. Method and
    reference are those of the payment that brought it."""

    example = {**_HELD, "amount_minor": 284, "method": "card", "reference": "PAY-7781"}
    method: str
    reference: str


class CreditTakenBack(OfBalance, name="account.credit-taken-back", stream="account"):
    """Money that made a credit of the account is taken back, or moved elsewhere: so is what is left of the credit, which came by this
    method and reference for this invoice."""

    example = {**_HELD, "amount_minor": 500, "invoice": "BA-1001-20260108", "method": "card", "reference": "PMT-1f0c"}
    invoice: str
    method: str
    reference: str


class CreditUsed(OfBalance, name="account.credit-used", stream="account"):
    """A credit was taken off an invoice as it was issued."""

    example = {**_HELD, "amount_minor": 500, "invoice": "BA-1001-20260208"}
    invoice: str


class MoneyReturned(OfBalance, name="account.money-returned", stream="account"):
    """Money was paid back to the customer: first what was owed (`of_owed_minor`), then a credit. The reference is that of the transfer.
    Version 2 says by which `refund` the payment provider gave it back; empty where a person recorded a transfer."""

    example = {
        **_HELD, "of_owed_minor": 10000, "method": "bank-transfer", "remittance": "TFR-204", "returned_on": "2026-01-20",
        "refund": "",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"refund": ""}),)
    of_owed_minor: int
    method: str
    # Free text that a person wrote: it may name somebody.
    remittance: Annotated[str, Pii("remittance")]
    returned_on: str
    refund: str = ""


class RefundWanted(OfBalance, name="account.refund-wanted", stream="account"):
    """Somebody wants more given back than the market lets one person give: it waits for a second one, and nothing is set aside."""

    example = {**_HELD, "refund": "BA-1001-R1", "author": "ann"}
    refund: str
    author: str


class RefundWithdrawn(OfBalance, name="account.refund-withdrawn", stream="account"):
    """A refund that waited for a second person was given up before anybody approved it: nothing was set aside, and nothing goes back. The
    comment is personal."""

    example = {**_HELD, "refund": "BA-1001-R1", "author": "ann", "comment": "asked for twice"}
    refund: str
    author: str
    comment: Annotated[str, Pii("note")]


class RefundReleased(OfBalance, name="account.refund-released", stream="account"):
    """A refund was given up before anything of it was paid: the account has its money again as it had it before, `of_credit_minor` of it as
    a credit and the rest as owed."""

    example = {**_HELD, "amount_minor": 500, "refund": "BA-1001-R1", "of_credit_minor": 500, "reference": "PMT-104233"}
    refund: str
    of_credit_minor: int
    reference: str


class RefundReserved(OfBalance, name="account.refund-reserved", stream="account"):
    """This much is to go back by the method of its payment, under the name `refund`: no bill uses it and nobody pays it back otherwise. Of
    it, `of_credit_minor` was a credit; the rest was owed already. `approved_by` is the second person where one was needed."""

    example = {
        **_HELD, "amount_minor": 500, "refund": "BA-1001-R1", "of_credit_minor": 500, "method": "card", "reference": "PMT-104233", "author": "ann",
        "approved_by": "",
    }  # fmt: skip
    refund: str
    of_credit_minor: int
    method: str
    reference: str
    author: str
    approved_by: str
