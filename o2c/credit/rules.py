"""When the credit gate of an order passes."""

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
"""The version of these rules, stored with every approval."""


def catalogue_read(work: Work) -> tuple[str, ...]:
    """Name the stream that the gate reads: the catalogue version that the order pinned, for the prices."""
    return (f"{CATALOGUE}@{work.state.catalogue_version}",)


def search(work: Work) -> Mapping[str, Any]:
    """Give the body of the one search an order, consumer or business: customer, commitment and currency.

    The commitment is the sum of all lines in net minor units (see `commitment_minor`). One search, because the bureau may record every
    call. Source: identifiers, inventory and credit facts, section on credit checks.
    """
    [catalogue] = work.read.values()
    return {"customer": work.state.party, "commitment_minor": commitment_minor(work.state, catalogue), "currency": work.market.currency}


def approved(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the gate passes by the bureau's answer, with its credit limit in minor units (0: no limit)."""
    limit_minor = int(data.get("limit_minor", 0))
    return just(CreditApproved(attempt=work.attempt, decided_by="bureau", limit_minor=limit_minor, policy=POLICY))


def decide(work: Work, approve: bool, at: datetime) -> Decision:
    """Decide as an underwriter said, or as the bureau said for good: approved, or declined under the reason on record.

    In the United States a decline because of a credit report needs a notice of adverse action. Source: 15 USC 1681m.
    """
    if approve:
        return just(CreditApproved(attempt=work.attempt, decided_by="person", limit_minor=0, policy=POLICY))
    return just(CreditDeclined(attempt=work.attempt, reason=work.reason or "CR-DECLINE"))


def asked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the further fields of the fallout when the bureau wants a deposit: its amount in minor units, and the currency.

    In the United States a deposit asked for because of a credit report is adverse action too. Source: 15 USC 1681m; FTC advisory opinion to
    CommNet Cellular, 28 July 1998.
    """
    if "deposit_minor" not in data:
        return {}
    amount_minor, currency = int(data["deposit_minor"]), str(data["currency"])
    return {"deposit_minor": amount_minor, "currency": currency, "detail": f"a deposit of {from_minor(amount_minor, currency)} {currency}"}


def deposit(work: Work, *, amount_minor: int, currency: str, reference: str, method: str, at: datetime) -> Decision:
    """Record money that came as a deposit; the gate passes once all instalments reach the amount that the bureau wanted.

    Amounts are minor units. Any amount will do where the bureau named none, and more than wanted is taken too: money that came cannot be
    refused. The same reference is the same deposit and changes nothing.

    Raises Refused: conflict (the order waits for no deposit, or the reference came with another amount), usage (an amount of nothing,
    another currency).
    """
    earlier = work.state.kept("", "credit")
    if same := next((one for one in earlier if one["reference"] == reference), None):
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
    missing_minor = max(wanted_minor - sum(one["amount_minor"] for one in earlier) - amount_minor, 0)
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
