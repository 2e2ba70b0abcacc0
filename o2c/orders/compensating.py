"""What a customer is credited by itself for an item of an order: days that its service started late, and visits that nobody made. Pure.

Source: the `source` of the market's rules for compensation.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from o2c.customers.state import stream_of
from o2c.kernel.balances import Compensated
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.markets.compensating import LATE_START, MISSED_VISIT, CompensationRules
from o2c.orders.changing import payer_in


def streams_read(work: Work) -> tuple[str, ...]:
    """Name the customer's stream, which says whether it is an organisation, where the market has a scheme for the item."""
    return (stream_of(work.state.party),) if _scheme(work) and work.state.party else ()


def late_start(work: Work, starts_on: str) -> Decision:
    """Credit the days from the one that the customer could count on to that on which the service is on; nothing in time.

    That is the day promised first. What moved it of the customer's own, a wish or something that was waited for from him, moves it for
    this, too.
    """
    counted_on = committed(work)
    days = (date.fromisoformat(starts_on) - date.fromisoformat(counted_on)).days if counted_on else 0
    return _credited(work, LATE_START, counted_on, days, f"{work.item}/{LATE_START}")


def missed_visit(work: Work, at: datetime) -> Decision:
    """Credit a visit that was agreed, and that our side did not keep."""
    return _credited(work, MISSED_VISIT, local_date(at, work.market.zone).isoformat(), 1, f"{work.item}/{MISSED_VISIT}/{work.attempt}")


def committed(work: Work) -> str:
    """Give the day (ISO) that the customer of an item could count on."""
    return str(work.state.committed.get(work.item) or work.subject.promised_on)


def _scheme(work: Work) -> CompensationRules | None:
    rules: CompensationRules | None = work.market.life.compensation if work.market and work.subject else None
    return rules if rules and work.subject.specification in rules.specifications else None


def _credited(work: Work, cause: Literal["late-start", "missed-visit"], missed_on: str, days: int, what: str) -> Decision:
    scheme = _scheme(work)
    per_day_minor = scheme.due_minor(cause, date.fromisoformat(missed_on)) if scheme and days > 0 else 0
    if scheme is None or not per_day_minor or (_is_business(work) and not scheme.businesses):
        return NOTHING
    payer = payer_in(work.state, work.subject.account)
    credited = Compensated(
        account=payer,
        customer=work.state.party,
        currency=work.subject.currency,
        amount_minor=per_day_minor * days,
        cause=cause,
        msisdn="",
        days=days,
        per_day_minor=per_day_minor,
        order=work.state.order_id,
        item=work.item,
        rules=work.market.pin,
        missed_on=missed_on,
    )
    guard = work.guard("compensation", f"{work.state.order_id}/{what}")
    return Decision(elsewhere=((account_stream(payer), credited),), takes=(guard,))


def _is_business(work: Work) -> bool:
    customer = work.read.get(stream_of(work.state.party))
    return bool(customer and customer.is_business)
