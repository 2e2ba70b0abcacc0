"""What can happen to the payment of an invoice."""

from __future__ import annotations

from o2c.kernel.shapes import Done, FellOut, Requested


class PaymentRequested(Requested, name="payment.requested", step="payment"):
    """The invoice is to be paid by the customer's method."""

    example = {"attempt": 1, "due_at": "2026-01-09T06:00:00Z"}


class PaymentReceived(Done, name="payment.received", step="payment"):
    """Money came in for the invoice."""

    example = {"amount_minor": 2399, "method": "card", "reference": "PMT-5501"}
    amount_minor: int
    method: str
    reference: str = ""


class PaymentFellOut(FellOut, name="payment.fell-out", step="payment"):
    """A card was declined, a direct debit returned, a link never used, or the provider did not answer."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "PAY-AUTH", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "payments", "partner_code": "DECLINED",
    }  # fmt: skip
