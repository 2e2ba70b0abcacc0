"""Events of the payment of an invoice."""

from __future__ import annotations

from o2c.kernel.charges import MoneyReceived
from o2c.kernel.event import Upcast
from o2c.kernel.shapes import Done, FellOut, Requested

_JUST_CAME = {"moved_from": "", "won_back": ""}
"""What every payment was before money could be moved or won back."""


class PaymentRequested(Requested, name="payment.requested", step="payment", stream="invoice"):
    """The invoice is to be paid by the customer's method, not before `due_at`. Version 2 says the method."""

    example = {"attempt": 1, "due_at": "2026-01-09T09:00:00Z", "method": "card"}
    upcasts = (Upcast(defaults={"method": ""}),)
    method: str


class PaymentReceived(Done, MoneyReceived, name="payment.received", step="payment", stream="invoice"):
    """Money came in for the invoice and settled it, or came on top: what is above the open amount is a credit of the account.

    Version 2 knows transfers that a person recorded; version 3 says how much of the money became a credit of the account; version 4 knows
    money that was moved here, or won back.
    """

    example = {"amount_minor": 2399, "method": "bank-transfer", "remittance": "TFR-88213", "arrived_on": "2026-01-16", "credit_minor": 0}
    upcasts = (Upcast(defaults={"remittance": "", "arrived_on": ""}), Upcast(defaults={"credit_minor": 0}), Upcast(defaults=_JUST_CAME))
    credit_minor: int = 0


class PaymentPartReceived(MoneyReceived, name="payment.part-received", step="payment", stream="invoice"):
    """Part of the invoice came in; `open_minor` is left to pay and is still collected by the customer's method. Version 2 knows money that
    was moved here, or won back: before, a part came by bank alone."""

    example = {"amount_minor": 1000, "method": "bank-transfer", "remittance": "TFR-88213", "arrived_on": "2026-01-12", "open_minor": 1399}
    upcasts = (Upcast(defaults=_JUST_CAME),)
    open_minor: int


class PaymentFellOut(FellOut, name="payment.fell-out", step="payment", stream="invoice"):
    """A card was declined, a direct debit returned, a link never used, or the provider did not answer."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "PAY-AUTH", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "payments", "partner_code": "DECLINED",
    }  # fmt: skip
