"""When the credit gate passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.credit.events import CreditApproved, CreditDeclined, DepositReceived
from o2c.kernel.decision import Decision, just
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
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
    """An underwriter's decision, or the bureau's final no."""
    if approve:
        return just(CreditApproved(attempt=work.attempt, decided_by="person", limit_minor=0, policy=POLICY))
    return just(CreditDeclined(attempt=work.attempt, reason=work.reason or "CR-DECLINE"))


def asked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the bureau tells of its no: how large a deposit would do."""
    if "deposit_minor" not in data:
        return {}
    amount_minor, currency = int(data["deposit_minor"]), str(data["currency"])
    return {"deposit_minor": amount_minor, "currency": currency, "detail": f"a deposit of {from_minor(amount_minor, currency)} {currency}"}


def deposit(work: Work, *, amount_minor: int, currency: str, reference: str, method: str, at: datetime) -> Decision:
    """Money that came for an order at the credit gate. The gate passes once all instalments reach what the bureau wanted (any amount where
    it did not say); more than wanted is taken too: money that came cannot be refused.

    The same reference is the same deposit. Raises Refused: conflict (the order waits for no deposit, or the reference came with another
    amount), usage (an amount of nothing, another currency).
    """
    known = work.state.kept("", "credit")
    if same := next((one for one in known if one["reference"] == reference), None):
        if (same["amount_minor"], same["currency"]) != (amount_minor, currency):
            raise Refused(f"{work.stream}: this reference was recorded with another amount; look at the order's timeline", kind="conflict")
        return just()
    if work.reason != "CR-DEPOSIT" or not work.waiting_for:
        raise Refused(f"{work.stream} waits for no deposit; see `o2c fallout list --reason CR-DEPOSIT`", kind="conflict")
    wanted = work.outcomes.get("credit", {})
    if currency != (wanted.get("currency") or work.market.currency):
        raise Refused(f"{work.stream}: the deposit is wanted in {wanted.get('currency') or work.market.currency}, not in {currency}")
    if amount_minor <= 0:
        raise Refused(f"{work.stream}: a deposit is more than nothing; say how much came")
    wanted_minor = int(wanted.get("deposit_minor", 0))
    missing_minor = max(wanted_minor - sum(one["amount_minor"] for one in known) - amount_minor, 0)
    received = DepositReceived(
        amount_minor=amount_minor,
        currency=currency,
        method=method,
        reference=reference,
        wanted_minor=wanted_minor,
        missing_minor=missing_minor,
    )
    if missing_minor:
        return just(received)
    return just(received, CreditApproved(attempt=work.attempt, decided_by="deposit", limit_minor=0, policy=POLICY))
