"""When the credit gate passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.credit.events import CreditApproved, CreditDeclined
from o2c.kernel.decision import Decision, just
from o2c.kernel.stream import Work
from o2c.orders.planning import commitment_minor

POLICY = "credit/2026-01"


def catalogue_read(work: Work) -> tuple[str, ...]:
    return (f"{CATALOGUE}@{work.state.catalogue_version}",)


def search(work: Work) -> Mapping[str, Any]:
    """One search an order, consumer or business, over the sum of its commitments."""
    [catalogue] = work.read.values()
    return {"customer": work.state.party, "commitment_minor": commitment_minor(work.state, catalogue), "currency": work.market.currency}


def approved(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    limit_minor = int(data.get("limit_minor", 0))
    return just(CreditApproved(attempt=work.attempt, decided_by="bureau", limit_minor=limit_minor, policy=POLICY))


def decide(work: Work, approve: bool, at: datetime) -> Decision:
    """An underwriter's decision (or the deposit's arrival), or the bureau's final no."""
    if approve:
        return just(CreditApproved(attempt=work.attempt, decided_by="person", limit_minor=0, policy=POLICY))
    return just(CreditDeclined(attempt=work.attempt, reason=work.reason or "CR-DECLINE"))
