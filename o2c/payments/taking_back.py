"""When money that paid an invoice is taken off it again: charged back by the payer's bank, won back, or moved to where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.balance.rules import Holding
from o2c.kernel.arrears import Cause, arrears
from o2c.kernel.balances import CreditTakenBack
from o2c.kernel.charges import NOT_BROUGHT, account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.kernel.reversals import ChargebackReversed, MoneyTakenBack, PaymentChargedBack, PaymentMoved
from o2c.kernel.work import Work
from o2c.payments.settling import settled


def charge_back(work: Work, account: Holding, *, case: str, amount_minor: int | None, payment: str, reason: str, today: str) -> Decision:
    """Take back money that came by card or debit: the invoice is open again for it, except for what the account gives back of its credit.

    All that is left of the payment is taken where no amount is named; `payment` is the provider's reference, needed where several came. The
    same case with the same amount changes nothing, and neither does one that was won since. It is collected by no method by itself: whoever
    charged a payment back is not charged again unasked. Amounts are minor units, `today` an ISO date.

    Raises Refused: missing (no such payment), usage (a transfer, several payments), conflict (more than is left of the payment, the case
    with another amount).
    """
    told = _told(work, PaymentChargedBack.type_name, case)
    if told is not None and amount_minor in (None, told[1]):
        return NOTHING
    if told is not None:
        raise Refused(
            f"{work.stream}: case {case[:60]} took {_plain(work, told[1])} back; tell another amount under its own case", kind="conflict"
        )
    number = _payment(work, payment, chargeable=True)
    left_minor = _left(work, account, number)
    amount_minor = left_minor if amount_minor is None else amount_minor
    _refuse_beyond(work, amount_minor, left_minor, number, "charged back")
    return _taken(
        work, account, PaymentChargedBack, number, amount_minor, "chargeback", {"case": case, "reason": reason, "taken_on": today}
    )


def win_back(work: Work, *, case: str, today: str, begun_by: datetime) -> Decision:
    """Take down that a chargeback was answered and won: its money is back, and pays what is open; what is above that is a credit. Once a
    case.

    Raises Refused (missing) for a case that there is not.
    """
    told = _told(work, PaymentChargedBack.type_name, case)
    if told is None:
        raise Refused(f"{work.stream}: no chargeback {case[:60]}; see `o2c payments show`", kind="missing")
    if case in work.state.won_back:
        return NOTHING
    number, amount_minor = told
    payment = work.state.payments[number - 1]
    how = {"method": payment.method, "reference": payment.reference, "won_back": case, "arrived_on": today}
    return just(ChargebackReversed(case=case, amount_minor=amount_minor)) + settled(work, amount_minor, begun_by=begun_by, **how)


def move(
    work: Work,
    account: Holding,
    to: Work,
    *,
    case: str,
    amount_minor: int | None,
    payment: str,
    author: str,
    comment: str,
    today: str,
    begun_by: datetime,
) -> Decision:
    """Move money that was recorded for the wrong invoice to another one, of the same or another account: the first is open again for it,
    the other is paid by it, and both say so. What comes on top there is a credit of its account. All that is left of the payment moves
    where no amount is named.

    The same `case` changes nothing. Amounts are minor units, `today` an ISO date. Raises Refused: missing (no such payment), usage (several
    payments, another currency, the invoice itself), conflict (more than is left of the payment: it was charged back, refunded, moved, or
    its credit is used; the case with another amount).
    """
    told = _told(work, PaymentMoved.type_name, case)
    if told is not None and amount_minor in (None, told[1]):
        return NOTHING
    if told is not None:
        raise Refused(f"{work.stream}: {case[:60]} moved {_plain(work, told[1])}; move another amount under its own name", kind="conflict")
    ours, theirs = work.state.issued, to.state.issued
    if theirs.number == ours.number:
        raise Refused(f"{work.stream}: the payment is there already; name the invoice that it was meant for")
    if theirs.currency != ours.currency:
        raise Refused(f"{work.stream} is in {ours.currency}, {to.stream} in {theirs.currency}; pay it back, and record what comes")
    if to.state.voided:
        raise Refused(f"{to.stream} is void; name the invoice that the payment was meant for", kind="conflict")
    number = _payment(work, payment, chargeable=False)
    came = work.state.payments[number - 1]
    left_minor = _movable(work, account, number)
    amount_minor = left_minor if amount_minor is None else amount_minor
    _refuse_beyond(work, amount_minor, left_minor, number, "moved")
    said = {
        "case": case,
        "to_account": theirs.account,
        "to_invoice": theirs.number,
        "author": author,
        "comment": comment,
        "taken_on": today,
    }
    how = {"method": came.method, "reference": came.reference, "remittance": came.remittance, "arrived_on": came.arrived_on}
    paid = settled(to, amount_minor, begun_by=begun_by, **how, moved_from=ours.number)
    there = Decision(elsewhere=(*((to.stream, event) for event in paid.events), *paid.elsewhere))
    return _taken(work, account, PaymentMoved, number, amount_minor, "payment", said) + there


def _taken(
    work: Work, account: Holding, cls: type[MoneyTakenBack], number: int, amount_minor: int, cause: Cause, said: Mapping[str, Any]
) -> Decision:
    """Money off an invoice, with what the account gives back of the credit that it made, and what collections are told."""
    state, issued = work.state, work.state.issued
    payment = state.payments[number - 1]
    made = {"method": payment.method, "reference": payment.reference}
    of_credit_minor = min(amount_minor, account.balance.credit_of(issued.number, **made))
    amounts = {"of_credit_minor": of_credit_minor, "above_minor": min(of_credit_minor, payment.above_minor)}
    event = cls.model_validate({**made, **said, "payment": number, "amount_minor": amount_minor, **amounts})
    elsewhere: list[tuple[str, Event]] = []
    if of_credit_minor:
        whose = {"account": issued.account, "customer": issued.customer, "currency": issued.currency, "invoice": issued.number}
        credit = CreditTakenBack.model_validate({**whose, **made, "amount_minor": of_credit_minor})
        elsewhere.append((account_stream(issued.account), credit))
    open_minor = state.owed_minor + amount_minor - of_credit_minor
    if state.overdue and open_minor > max(state.owed_minor, 0):
        due_on = max(state.due_on, event.taken_on)
        elsewhere += arrears(state, work.market, open_minor=open_minor, due_on=due_on, cause=cause, on=event.taken_on)
    return Decision((event,), tuple(elsewhere))


def _told(work: Work, kind: str, case: str) -> tuple[int, int] | None:
    """The payment and the amount that were taken back under a case; None where none was."""
    return next(((number, minor) for name, known, number, minor in work.state.taken_back if (name, known) == (kind, case)), None)


def _payment(work: Work, payment: str, *, chargeable: bool) -> int:
    """The number of the payment that is meant: the one of that reference, or the only one of which anything is left."""
    found = [number for number, one in enumerate(work.state.payments, 1) if not payment or payment in (one.reference, one.remittance)]
    left = [number for number in found if work.state.payments[number - 1].amount_minor > work.state.payments[number - 1].back_minor]
    fit = [number for number in left if not chargeable or work.state.payments[number - 1].method not in NOT_BROUGHT]
    if not found:
        raise Refused(f"{work.stream}: no such payment came; see `o2c payments show`", kind="missing")
    if left and not fit:
        raise Refused(
            f"{work.stream}: what came by bank transfer, or of a deposit, is not charged back; record what was sent back (`o2c payments refund`)"
        )
    if not payment and len(fit) > 1:
        raise Refused(f"{work.stream}: {len(fit)} payments came; say the reference of the one that is meant")
    return (fit or found)[0]


def _left(work: Work, account: Holding, number: int) -> int:
    """What of a payment is neither taken back nor refunded, in minor units. One that was won back goes by the same reference as it did
    before."""
    payment = work.state.payments[number - 1]
    own_minor: int = payment.amount_minor - payment.back_minor
    if not payment.reference:
        return own_minor
    same_minor: int = sum(one.amount_minor - one.back_minor for one in work.state.payments if one.reference == payment.reference)
    return max(min(own_minor, same_minor - account.balance.refunded.get(payment.reference, 0)), 0)


def _movable(work: Work, account: Holding, number: int) -> int:
    """What is left of a payment without the credit that it made and that is used or paid back."""
    payment = work.state.payments[number - 1]
    held_minor = account.balance.credit_of(work.state.issued.number, payment.method, payment.reference)
    gone_minor: int = max(payment.above_minor - held_minor, 0)
    unused_minor: int = payment.amount_minor - payment.back_minor - gone_minor
    return max(min(_left(work, account, number), unused_minor), 0)


def _refuse_beyond(work: Work, amount_minor: int, left_minor: int, number: int, done: str) -> None:
    if amount_minor <= left_minor and amount_minor > 0:
        return
    if amount_minor <= 0 < left_minor:
        raise Refused(f"{work.stream}: what is {done} is more than nothing; say how much")
    came = _plain(work, work.state.payments[number - 1].amount_minor)
    raise Refused(
        f"{work.stream}: {_plain(work, left_minor)} of the payment of {came} is left to be {done}; the rest was charged back, refunded, moved or used",
        kind="conflict",
    )


def _plain(work: Work, amount_minor: int) -> str:
    return f"{from_minor(amount_minor, work.state.issued.currency)} {work.state.issued.currency}"
