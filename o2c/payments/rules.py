"""When an invoice is collected, and when it counts as paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_time
from o2c.kernel.stream import Work
from o2c.payments.events import PaymentReceived

CARD_AFTER_DAYS = 1


def due(work: Work, at: datetime) -> datetime:
    """Cards are charged the morning after, direct debits collected on the due date; links and bank transfers are the customer's to use at once."""
    collected = {
        "card": date.fromisoformat(work.subject["issued_on"]) + timedelta(days=CARD_AFTER_DAYS),
        "direct-debit": date.fromisoformat(work.subject["due_on"]),
    }.get(work.subject["method"])
    return at if collected is None else max(at, local_time(collected, 9, 0, work.market.zone))


def demand(work: Work) -> Mapping[str, Any]:
    return dict(work.subject)


def received(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    amount_minor = int(data.get("amount_minor", work.subject["open_minor"]))
    reference = str(data.get("reference", ""))
    return just(PaymentReceived(attempt=work.attempt, amount_minor=amount_minor, method=work.subject["method"], reference=reference))
