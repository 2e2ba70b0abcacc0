"""Events of the vouchers that an order holds, of which the uses are reserved no longer than their campaigns say."""

from __future__ import annotations

from o2c.kernel.shapes import Done, FellOut, Requested

EXPIRY = "voucher-expiry"
"""The step by which an order loses the vouchers that it held too long."""


class VoucherExpiryRequested(Requested, name="order.voucher-expiry-requested", step=EXPIRY, stream="order"):
    """A voucher of the order is held until `due_at` and no longer: an order that is not over by then goes on without it."""

    example = {"attempt": 1, "due_at": "2026-04-05T09:00:00Z"}


class VouchersExpired(Done, name="order.vouchers-expired", step=EXPIRY, stream="order"):
    """The order lost the vouchers of these `codes`, of which nothing was charged yet, and costs more from now on: `order.priced` says what.
    None where what was due was in use by then."""

    example = {"attempt": 1, "codes": ["SPRING-A1"]}
    codes: tuple[str, ...]


class VoucherExpiryFellOut(FellOut, name="order.voucher-expiry-fell-out", step=EXPIRY, stream="order"):
    """A voucher that was held too long could not be taken off the order."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
