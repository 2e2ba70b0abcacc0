"""Money that is taken off an invoice which it had paid: charged back by its payer's bank, moved to where it belongs, or paid back beyond
what was held. Payments and refunds decide it, invoicing folds it; they do not import one another."""

from __future__ import annotations

from typing import Annotated

from o2c.kernel.event import Event, Pii

_TAKEN = {
    "case": "CB-20417", "payment": 1, "amount_minor": 2399, "of_credit_minor": 0, "above_minor": 0, "method": "card", "reference": "PMT-104233",
    "taken_on": "2026-02-20",
}  # fmt: skip


class OfReversal(Event):
    """Base of the events that take money off an invoice again, or say that it is back. Each is told once under its `case`."""

    case: str


class MoneyTakenBack(OfReversal):
    """Base of the events that take money off an invoice again, in minor units: `amount_minor` of its payment number `payment`, counted from
    1 as they came; 0 where it is of none of them.

    Of it, `of_credit_minor` is a credit that the payment made and the account still had; the rest is to be paid for the invoice once more,
    even above its total where the credit was used elsewhere. `above_minor` is the part of the credit that had come above the invoice; the
    rest of the credit was a note's. `taken_on` is the local day, from which on it is due.
    """

    payment: int
    amount_minor: int
    of_credit_minor: int
    above_minor: int
    method: str
    reference: str
    taken_on: str


class PaymentChargedBack(MoneyTakenBack, name="payment.charged-back", stream="invoice"):
    """The payer's bank took money back that had come by card or debit; the payment provider names its `case` and the `reason` in its
    code."""

    example = {**_TAKEN, "reason": "10.4"}
    reason: str


class ChargebackReversed(OfReversal, name="payment.chargeback-reversed", stream="invoice"):
    """A chargeback was answered and won: its money came again, as the payment that is received in the same append says, in minor units."""

    example = {"case": "CB-20417", "amount_minor": 2399}
    amount_minor: int


class PaymentMoved(MoneyTakenBack, name="payment.moved", stream="invoice"):
    """Money that was recorded for the wrong invoice was moved to the one that it was meant for, where it is received in the same append.
    The comment is personal."""

    example = {
        **_TAKEN,
        "case": "M-1",
        "to_account": "BA-1002",
        "to_invoice": "BA-1002-20260108",
        "author": "ann",
        "comment": "typed one digit wrong",
    }
    to_account: str
    to_invoice: str
    author: str
    comment: Annotated[str, Pii("note")] = ""


class RefundReclaimed(MoneyTakenBack, name="payment.refund-reclaimed", stream="invoice"):
    """A refund that was given up was paid all the same, when its account held less than that: the customer owes what went beyond it, on
    this invoice. The `case` is the refund."""

    example = {**_TAKEN, "case": "BA-1001-R1", "payment": 0, "amount_minor": 500}


TAKEN_BACK = frozenset(cls.type_name for cls in (PaymentChargedBack, PaymentMoved, RefundReclaimed))
"""The types of the events that take money off an invoice again."""
