"""When an invoice is collected, and when it counts as paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from o2c.kernel.charges import BANK_TRANSFER
from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_time
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work
from o2c.payments.events import PaymentPartReceived, PaymentReceived

CARD_AFTER_DAYS = 1
"""How many days after the issue of an invoice its card is charged."""


def due(work: Work, at: datetime) -> datetime:
    """Give the time at which an invoice is collected by its method, never before `at`.

    A card is charged the day after issue and a direct debit on the due day, both at 9:00 by the market's clock. A link or a bank transfer
    is the customer's to use at once.
    """
    collected = {
        "card": date.fromisoformat(work.subject["issued_on"]) + timedelta(days=CARD_AFTER_DAYS),
        "direct-debit": date.fromisoformat(work.subject["due_on"]),
    }.get(work.subject["method"])
    return at if collected is None else max(at, local_time(collected, 9, 0, work.market.zone))


def demand(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the payment provider: the number, currency, open amount, days and method of the invoice."""
    return dict(work.subject)


def received(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the provider brought money: the amount that it names in minor units, else the open amount."""
    amount_minor = int(data.get("amount_minor", work.subject["open_minor"]))
    reference = str(data.get("reference", ""))
    return just(PaymentReceived(attempt=work.attempt, amount_minor=amount_minor, method=work.subject["method"], reference=reference))


def wanted(work: Work) -> bool:
    """Whether anything is left to collect: an invoice that was paid meanwhile is not collected."""
    return bool(work.state.open_minor > 0)


def record(work: Work, *, amount_minor: int, remittance: str, arrived_on: str, begun_by: datetime) -> Decision:
    """Record money that arrived by bank: a part payment, or the rest. An excess is the customer's credit, for such money cannot be refused.

    When nothing is left to collect, an attempt that is due after `begun_by` is called off, because nobody has been asked for it yet. One
    that the provider already has may still bring money, which is then a credit. The same remittance reference is the same payment and
    changes nothing. Amounts are minor units, `arrived_on` is an ISO date.

    Raises Refused: usage (nothing came), conflict (the reference was recorded with another amount).
    """
    recorded_minor = work.state.remittances.get(remittance)
    if recorded_minor == amount_minor:
        return just()
    if recorded_minor is not None:
        raise Refused(f"{work.stream}: this reference was recorded with another amount; look at `o2c payments show`", kind="conflict")
    if amount_minor <= 0:
        raise Refused(f"{work.stream}: a payment is more than nothing; say how much arrived")
    open_minor = work.state.open_minor - amount_minor
    if open_minor > 0:
        part = PaymentPartReceived(
            amount_minor=amount_minor, method=BANK_TRANSFER, remittance=remittance, arrived_on=arrived_on, open_minor=open_minor
        )
        return just(part)
    received = PaymentReceived(
        attempt=work.attempt, amount_minor=amount_minor, method=BANK_TRANSFER, remittance=remittance, arrived_on=arrived_on
    )
    return just(received, StepCancelled(step="payment")) if _still_to_come(work, begun_by) else just(received)


def _still_to_come(work: Work, begun_by: datetime) -> bool:
    """Whether the next attempt to collect is due after a time, so that the provider has not been asked for it."""
    next_at = work.retry_at or work.sent.get("payment")
    return next_at is not None and next_at > begun_by
