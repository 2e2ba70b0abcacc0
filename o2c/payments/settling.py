"""Money that came for an invoice: in part, in full, or more, which is a credit of its account."""

from __future__ import annotations

from datetime import datetime

from o2c.kernel.arrears import paid_off
from o2c.kernel.balances import CreditReceived
from o2c.kernel.charges import account_stream
from o2c.kernel.debts import reversed_for
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work
from o2c.payments.events import PaymentPartReceived, PaymentReceived


def settled(work: Work, amount_minor: int, *, begun_by: datetime, **how: str) -> Decision:
    """Decide that money came which the provider was not asked for: a part payment, or the rest, with what follows. `how` says the method
    and more of it.

    See `record` for what is still to be collected.
    """
    today = local_date(begun_by, work.market.zone).isoformat()
    eased = paid_off(work.state, work.market, amount_minor, paid_on=how.get("arrived_on") or today, on=today)
    open_minor, reversed_ = work.state.owed_minor - amount_minor, reversed_for(work.state, amount_minor)
    if open_minor > 0:
        part = PaymentPartReceived.model_validate({**how, "amount_minor": amount_minor, "open_minor": open_minor})
        return Decision((part, *reversed_), eased)
    credit_minor = excess(work, amount_minor)
    received = PaymentReceived.model_validate({**how, "attempt": work.attempt, "amount_minor": amount_minor, "credit_minor": credit_minor})
    called_off = (StepCancelled(step="payment"),) if _still_to_come(work, begun_by) else ()
    return Decision((received, *reversed_, *called_off), (*credited(work, credit_minor, received), *eased))


def _still_to_come(work: Work, begun_by: datetime) -> bool:
    """Whether the next attempt to collect is due after a time, so that the provider has not been asked for it."""
    next_at = work.retry_at or work.sent.get("payment")
    return next_at is not None and next_at > begun_by


def excess(work: Work, amount_minor: int) -> int:
    """Give what of an amount that comes is above what is owed of the invoice, in minor units."""
    owed_minor: int = work.state.owed_minor
    return max(amount_minor - max(owed_minor, 0), 0)


def credited(work: Work, amount_minor: int, came: PaymentReceived) -> tuple[tuple[str, CreditReceived], ...]:
    """Give what an amount that came on top becomes: a credit of the invoice's account, which names the payment."""
    if not amount_minor:
        return ()
    issued = work.state.issued
    credit = CreditReceived(
        account=issued.account,
        customer=issued.customer,
        currency=issued.currency,
        amount_minor=amount_minor,
        invoice=issued.number,
        method=came.method,
        reference=came.reference,
    )
    return ((account_stream(issued.account), credit),)
