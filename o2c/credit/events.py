"""Events of the credit gate."""

from __future__ import annotations

from typing import Annotated

from o2c.kernel.event import Pii, Upcast
from o2c.kernel.shapes import Declined, Done, FellOut, Requested, SetAside


class CreditRequested(Requested, name="credit.requested", step="credit", stream="order"):
    """The bureau is to be asked, once for the whole order and the sum of its commitments: every call may be a recorded search."""

    example = {"attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class CreditApproved(Done, name="credit.approved", step="credit", stream="order"):
    """Credit was approved, with a limit or (0) without. Version 2 says which policy judged."""

    example = {"attempt": 1, "decided_by": "bureau", "limit_minor": 0, "policy": "credit/2026-01"}
    upcasts = (Upcast(renames={"by": "decided_by"}, defaults={"policy": "credit/unversioned"}),)
    decided_by: str
    limit_minor: int
    policy: str


class CreditDeclined(Declined, name="credit.declined", step="credit", stream="order"):
    """Credit was declined; the order is rejected. Asking a deposit because of a report is adverse action too (15 USC 1681m)."""

    example = {"reason": "CR-DECLINE", "partner_code": "DECLINE"}


class CreditFellOut(FellOut, name="credit.fell-out", step="credit", stream="order"):
    """The bureau referred the order to an underwriter, wants a deposit (version 2 says of how much, in minor units), or did not answer."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "CR-DEPOSIT", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "credit", "partner_code": "DEPOSIT",
        "detail": "a deposit of 100.00 GBP", "deposit_minor": 10000, "currency": "GBP",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"deposit_minor": 0, "currency": ""}),)
    deposit_minor: int = 0
    currency: str = ""


class DepositReceived(SetAside, name="deposit.received", step="credit", stream="order"):
    """Money came as a deposit of the order: of `wanted_minor` the bureau asked for, `missing_minor` is still missing with it. Amounts are
    minor units. The reference is what the payer's bank gave with it."""

    example = {
        "amount_minor": 10000, "currency": "GBP", "method": "bank-transfer", "reference": "TFR-88213", "wanted_minor": 10000,
        "missing_minor": 0,
    }  # fmt: skip
    amount_minor: int
    currency: str
    method: str
    # Free text of the payer: it may name a person.
    reference: Annotated[str, Pii("remittance")]
    wanted_minor: int
    missing_minor: int
