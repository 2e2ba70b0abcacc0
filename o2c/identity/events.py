"""Events of the identity gate."""

from __future__ import annotations

from o2c.kernel.shapes import Declined, Done, FellOut, Requested


class IdentityRequested(Requested, name="identity.requested", step="identity", stream="order"):
    """The customer's identity is to be checked, once for the whole order."""

    example = {"attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class IdentityPassed(Done, name="identity.passed", step="identity", stream="order"):
    """The customer is the one that the order names, by the checking agency or by a person's decision."""

    example = {"attempt": 1, "decided_by": "agency"}
    decided_by: str


class IdentityFailed(Declined, name="identity.failed", step="identity", stream="order"):
    """The check failed for good (a minor, a mismatch); the order is rejected."""

    example = {"reason": "KYC-MATCH", "partner_code": "FAIL"}


class IdentityFellOut(FellOut, name="identity.fell-out", step="identity", stream="order"):
    """The agency referred the customer, or did not answer."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "KYC-DOC", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "kyc", "partner_code": "REFER",
    }  # fmt: skip
