"""When the identity gate passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.customers.state import stream_of
from o2c.identity.events import IdentityFailed, IdentityPassed
from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work


def customer_streams(work: Work) -> tuple[str, ...]:
    return (stream_of(work.state.party),)


def papers(work: Work) -> Mapping[str, Any]:
    """What the agency is asked about."""
    known = work.read[stream_of(work.state.party)].papers
    return {"kind": known.kind, "name": known.name, "birth_date": known.birth_date}


def passed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(IdentityPassed(attempt=work.attempt, decided_by="agency"))


def decide(work: Work, approve: bool, at: datetime) -> Decision:
    """A person's decision on a referral, or the agency's final no."""
    if approve:
        return just(IdentityPassed(attempt=work.attempt, decided_by="person"))
    return just(IdentityFailed(attempt=work.attempt, reason=work.reason or "KYC-MATCH"))
