"""What can happen at the credit gate."""

from __future__ import annotations

from o2c.kernel.event import Upcast
from o2c.kernel.shapes import Declined, Done, FellOut, Requested


class CreditRequested(Requested, name="credit.requested", step="credit"):
    """The bureau is to be asked, once for the whole order and the sum of its commitments: every call may be a recorded search."""

    example = {"attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class CreditApproved(Done, name="credit.approved", step="credit"):
    """Credit was approved, with a limit or (0) without. Version 2 says which policy judged."""

    example = {"attempt": 1, "decided_by": "bureau", "limit_minor": 0, "policy": "credit/2026-01"}
    upcasts = (Upcast(renames={"by": "decided_by"}, defaults={"policy": "credit/unversioned"}),)
    decided_by: str
    limit_minor: int
    policy: str


class CreditDeclined(Declined, name="credit.declined", step="credit"):
    """Credit was declined; the order is rejected. Asking a deposit because of a report is adverse action too (15 USC 1681m)."""

    example = {"reason": "CR-DECLINE", "partner_code": "DECLINE"}


class CreditFellOut(FellOut, name="credit.fell-out", step="credit"):
    """The bureau referred the order to an underwriter, wants a deposit, or did not answer."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "CR-REFER", "fault_class": "business", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "partner", "queue": "credit", "partner_code": "REFER",
    }  # fmt: skip
