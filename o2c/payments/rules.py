"""When an invoice is collected, and when it counts as paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from o2c.kernel.arrears import paid_off
from o2c.kernel.charges import BANK_TRANSFER
from o2c.kernel.debts import reversed_for
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.money import from_minor
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import RetryScheduled
from o2c.kernel.work import Work
from o2c.markets.base import debit_day, first_working_day, working_day_after
from o2c.payments.events import PaymentReceived
from o2c.payments.settling import credited, excess, settled

CARD_AFTER_DAYS = 1
"""How many days after the issue of an invoice its card is charged."""
COLLECTED_AT = time(9)
"""When on their day cards are charged and debits are presented, by the market's clock."""
DIRECT_DEBIT = "direct-debit"
TOO_MUCH_TIMES = 2
"""More than so many times what an invoice comes to is a slip of the keyboard until somebody is sure of it."""


def due(work: Work, at: datetime) -> datetime:
    """Give the time at which an invoice is collected by its method, never before `at`.

    A card is charged the day after issue, whatever day that is, because cards are authorised on every day; a direct debit on the due day
    (see `open_from`); both at COLLECTED_AT by the market's clock. A link or a bank transfer is the customer's to use at once.
    """
    collected = {
        "card": date.fromisoformat(work.subject["issued_on"]) + timedelta(days=CARD_AFTER_DAYS),
        DIRECT_DEBIT: date.fromisoformat(work.subject["due_on"]),
    }.get(work.subject["method"])
    return at if collected is None else max(at, _opening(collected, work))


def open_from(work: Work, at: datetime) -> datetime:
    """Give the first time from `at` at which an invoice may be collected by its method: a direct debit on its bank's days, after its
    notice.

    An invoice that was issued to be debited is the notice itself; one whose payer gave a mandate later is told of on the day of `at`. What
    was returned and is presented again needs no other notice. Source: the market's rules for debits.
    """
    if work.subject["method"] != DIRECT_DEBIT:
        return at
    today = local_date(at, work.market.zone)
    if work.state.issued.method == DIRECT_DEBIT:
        debited_on = debit_day(work.market, told_on=date.fromisoformat(work.subject["issued_on"]), wanted_on=today)
    elif work.state.asked_by == DIRECT_DEBIT:
        debited_on = first_working_day(work.market.debits.calendar, today)
    else:
        debited_on = debit_day(work.market, told_on=today, wanted_on=today)
    return at if debited_on == today else _opening(debited_on, work)


def _opening(day: date, work: Work) -> datetime:
    return local_time(day, COLLECTED_AT.hour, COLLECTED_AT.minute, work.market.zone)


def asked_by(work: Work) -> Mapping[str, str]:
    """Give the field `method` of a demand."""
    return {"method": work.subject["method"]}


def demand(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the payment provider: the number, currency, open amount, days and method of the invoice."""
    return dict(work.subject)


def again(work: Work, code: str, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that a refused payment is collected once more by itself, under the provider's code and the market's rules for its method; else
    nothing.

    The customer may give another method before that. A debit is presented again on a day of its bank, with no other notice; a card on any
    day.
    Source: the market's rules for cards and debits.
    """
    method: str = work.state.method
    rules = {DIRECT_DEBIT: work.market.debits.again, "card": work.market.cards}.get(method)
    days = rules.days(code, work.attempt) if rules and wanted(work) else None
    if days is None:
        return NOTHING
    today = local_date(at, work.market.zone)
    day = working_day_after(work.market.debits.calendar, today, days) if method == DIRECT_DEBIT else today + timedelta(days=days)
    return just(RetryScheduled(item=work.item, step=work.step, attempt=work.attempt + 1, due_at=_opening(day, work)))


def received(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the provider brought money: the amount that it names in minor units, else the open amount. An excess is a credit."""
    amount_minor = int(data.get("amount_minor", work.subject["open_minor"]))
    reversed_ = reversed_for(work.state, amount_minor)
    credit_minor = excess(work, amount_minor)
    received = PaymentReceived(
        attempt=work.attempt,
        amount_minor=amount_minor,
        method=work.subject["method"],
        reference=str(data.get("reference", "")),
        credit_minor=credit_minor,
    )
    today = local_date(at, work.market.zone).isoformat()
    eased = paid_off(work.state, work.market, amount_minor, paid_on=today, on=today)
    return Decision((received, *reversed_), (*credited(work, credit_minor, received), *eased))


def wanted(work: Work) -> bool:
    """Whether anything is left to collect: an invoice that was paid meanwhile is not collected."""
    return bool(work.state.open_minor > 0)


def record(
    work: Work, *, amount_minor: int, remittance: str, arrived_on: str, today: str, begun_by: datetime, sure: bool = False
) -> Decision:
    """Record money that arrived by bank: a part payment, or the rest. An excess is a credit of the account, for money cannot be refused;
    but more than twice what the invoice comes to is a slip of the keyboard until somebody is `sure`.

    When nothing is left to collect, an attempt that is due after `begun_by` is called off, because nobody has been asked for it yet. One
    that the provider already has may still bring money, which is then a credit. What was written off is open again for what comes for it. A
    payment is told by its reference, its day and its amount, because payers repeat their references: all three the same are the same
    payment and change nothing. Amounts are minor units, days ISO dates; where `arrived_on` is empty, `today` is meant.

    Raises Refused: usage (nothing came), conflict (the same reference and amount on another day, and nobody said which day is meant; far
    more than the invoice comes to).
    """
    day = arrived_on or today
    days = [known for reference, known, amount in work.state.remittances if (reference, amount) == (remittance, amount_minor)]
    if day in days:
        return just()
    if days and not arrived_on:
        raise Refused(f"{work.stream}: the same came on {days[-1]}; say `--on {today}` if this is another payment", kind="conflict")
    if amount_minor <= 0:
        raise Refused(f"{work.stream}: a payment is more than nothing; say how much arrived")
    if amount_minor > TOO_MUCH_TIMES * work.state.issued.total_minor and not sure:
        told, total = (f"{from_minor(minor, work.state.issued.currency)}" for minor in (amount_minor, work.state.issued.total_minor))
        raise Refused(f"{work.stream}: {told} is far above its total of {total}; say `--yes` if so much came", kind="conflict")
    return settled(work, amount_minor, begun_by=begun_by, method=BANK_TRANSFER, remittance=remittance, arrived_on=day)
