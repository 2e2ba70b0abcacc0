"""When the identity gate of an order passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.customers.state import stream_of
from o2c.identity.events import IdentityFailed, IdentityPassed
from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work


def customer_streams(work: Work) -> tuple[str, ...]:
    """Name the stream that the gate reads: the customer's own, for the papers."""
    return (stream_of(work.state.party),)


def papers(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the agency: `kind`, `name` and `birth_date` as registered. They are personal."""
    registered = work.read[stream_of(work.state.party)].papers
    return {"kind": registered.kind, "name": registered.name, "birth_date": registered.birth_date}


def passed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the gate passes by the agency's answer."""
    return just(IdentityPassed(attempt=work.attempt, decided_by="agency"))


def decide(work: Work, approve: bool, at: datetime) -> Decision:
    """Decide as a person said about a referral, or as the agency said for good: passed, or failed under the reason on record.

    Source: the table of imperfect orders (design, section 11): a referral is pending, a failure rejects the order.
    """
    if approve:
        return just(IdentityPassed(attempt=work.attempt, decided_by="person"))
    return just(IdentityFailed(attempt=work.attempt, reason=work.reason or "KYC-MATCH"))
