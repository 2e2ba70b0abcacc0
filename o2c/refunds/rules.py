"""When an account's money goes back by the way in which it came, and what is done once it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from o2c.balance.rules import Holding, refuse_more
from o2c.balance.state import Lot, oldest
from o2c.kernel.arrears import arrears
from o2c.kernel.balances import MoneyReturned, RefundReleased, RefundReserved, RefundWanted, RefundWithdrawn
from o2c.kernel.charges import BANK_TRANSFER, SET_OFF, account_stream, invoice_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.money import from_minor
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.reversals import RefundReclaimed
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work
from o2c.refunds.events import RefundCompleted, RefundGivenUp, RefundOpened, RefundReportedPaid
from o2c.refunds.state import refund_stream


def request(state: Holding, *, amount_minor: int, author: str, market: str, limit_minor: int, today: str) -> Decision:
    """Give some of what an account holds back by the way in which it came: what is owed first, then credits, the oldest first.

    Money that came in several ways goes back in as many refunds. More than `limit_minor` waits for a second person. Amounts are minor
    units. Raises Refused: usage (nothing), conflict (more than can be given back).
    """
    if amount_minor <= 0:
        raise Refused(f"account {state.account}: a refund is more than nothing; say how much")
    refuse_more(state, amount_minor)
    if amount_minor > limit_minor:
        wanted = {**_of(state), "amount_minor": amount_minor, "refund": _name(state, 1), "author": author}
        return just(RefundWanted.model_validate(wanted))
    return _reserve(state, amount_minor, author=author, approved_by="", market=market, today=today)


def approve(state: Holding, refund: str, *, approved_by: str, market: str, today: str) -> Decision:
    """Give back what somebody else wanted given back; nothing for what was approved before.

    Raises Refused: missing (no such refund), forbidden (who wanted it), conflict (it was withdrawn, or so much is not held any more).
    """
    wanted = state.balance.wanted.get(refund)
    if wanted is None:
        if refund in state.balance.withdrawn:
            raise Refused(f"refund {refund} was withdrawn; ask for another one", kind="conflict")
        if refund in state.balance.refunds:
            return NOTHING
        raise Refused(f"account {state.account} has no refund {refund[:60]} that waits for a second person", kind="missing")
    amount_minor, author = wanted
    if author == approved_by:
        raise Refused(f"refund {refund}: {approved_by} asked for it; somebody else has to approve it", kind="forbidden")
    refuse_more(state, amount_minor)
    return _reserve(state, amount_minor, author=author, approved_by=approved_by, market=market, today=today, wanted=refund)


def _reserve(state: Holding, amount_minor: int, *, author: str, approved_by: str, market: str, today: str, wanted: str = "") -> Decision:
    events: list[RefundReserved] = []
    opened: list[tuple[str, RefundOpened]] = []
    for number, (way, part_minor, of_credit_minor) in enumerate(_ways(state, amount_minor)):
        refund = wanted if wanted and not number else _name(state, number + (0 if wanted else 1))
        method = BANK_TRANSFER if way[0] in ("", SET_OFF) else way[0]
        body = {**_of(state), "amount_minor": part_minor, "refund": refund, "method": method, "reference": way[1]}
        by = {"author": author, "approved_by": approved_by, "of_credit_minor": of_credit_minor}
        events.append(RefundReserved.model_validate({**body, **by}))
        opened.append((refund_stream(refund), RefundOpened.model_validate({**body, "market": market, "opened_on": today})))
    return Decision(tuple(events), tuple(opened))


def _ways(state: Holding, amount_minor: int) -> Iterator[tuple[tuple[str, str], int, int]]:
    """The ways in which an amount came, with how much came in each, and how much of that is a credit: in the order in which lots are
    taken."""
    balance = state.balance
    owed = list(oldest(balance.owed, amount_minor))
    left_minor = amount_minor - sum(lot.amount_minor for lot in owed)
    taken = [(lot, 0) for lot in owed] + [(lot, lot.amount_minor) for lot in oldest(balance.credits, left_minor)]
    for way, lots in groupby(taken, key=lambda each: _way(each[0])):
        found = list(lots)
        yield way, sum(lot.amount_minor for lot, _ in found), sum(of_credit for _, of_credit in found)


def _way(lot: Lot) -> tuple[str, str]:
    return lot.method, lot.reference


def _of(state: Holding) -> dict[str, Any]:
    return {"account": state.account, "customer": state.customer, "currency": state.currency}


def _name(state: Holding, number: int) -> str:
    """The name of the account's next refund, or the one so many after it."""
    return f"{state.account}-R{len(state.balance.refunds) + number}"


def give_up(work: Work, account: Holding, *, author: str, comment: str) -> Decision:
    """Give a refund up that the provider refused, or of which nobody knows what came: the account has the money again as it had it before,
    once.

    Raises Refused (conflict): it was paid, or the provider is still asked.
    """
    state, opened = work.state, work.state.opened
    if state.given_up:
        return NOTHING
    if opened.refund not in account.balance.refunding:
        raise Refused(f"refund {opened.refund} was paid; record what comes back of it as a payment", kind="conflict")
    if not work.waiting_for:
        raise Refused(f"refund {opened.refund} is under way; the provider is asked until it says what came of it", kind="conflict")
    released = RefundReleased(
        account=opened.account,
        customer=opened.customer,
        currency=opened.currency,
        amount_minor=opened.amount_minor,
        refund=opened.refund,
        of_credit_minor=account.balance.of_credit(opened.refund),
        reference=opened.reference,
    )
    given_up = RefundGivenUp(amount_minor=opened.amount_minor, author=author, comment=comment)
    return Decision((StepCancelled(step="refund"), given_up), ((account_stream(opened.account), released),))


def paid_after_all(work: Work, account: Holding, bill: Work | None, *, reference: str, author: str, paid_on: str, today: str) -> Decision:
    """Take down that the provider paid a refund that was given up, once: what the account still holds of it is gone, what is owed first,
    and the rest is owed by the customer on the invoice `bill`, due from `today` on.

    `reference` is the provider's of the refund; days are ISO. Raises Refused (conflict): it was not given up; the account holds less than
    that and has no invoice (`bill` is None).
    """
    state, opened = work.state, work.state.opened
    if state.paid_after_all:
        return NOTHING
    if not state.given_up:
        raise Refused(f"refund {opened.refund} was not given up; what the provider says of it is taken down by itself", kind="conflict")
    held_minor = min(opened.amount_minor, account.balance.returnable_minor)
    beyond_minor = opened.amount_minor - held_minor
    if beyond_minor and bill is None:
        held, beyond = (from_minor(minor, opened.currency) for minor in (held_minor, beyond_minor))
        raise Refused(
            f"refund {opened.refund}: account {opened.account} holds {held} {opened.currency} of it and has no invoice for the rest; have the customer "
            f"send {beyond} back, and record what is held by `o2c payments refund`",
            kind="conflict",
        )
    went = RefundReportedPaid(
        amount_minor=opened.amount_minor, reclaimed_minor=beyond_minor, provider_reference=reference, paid_on=paid_on, author=author
    )
    gone = _gone(account, opened, held_minor, author=author, paid_on=paid_on) if held_minor else ()
    reclaimed = _reclaimed(bill, opened, beyond_minor, today) if bill and beyond_minor else ()
    return Decision((went,), (*gone, *reclaimed))


def _gone(account: Holding, opened: RefundOpened, held_minor: int, *, author: str, paid_on: str) -> tuple[tuple[str, Event], ...]:
    """What an account holds of a refund, set aside for it once more and paid."""
    of_credit_minor = held_minor - min(held_minor, account.balance.free_owed_minor)
    body = {"account": opened.account, "customer": opened.customer, "currency": opened.currency, "amount_minor": held_minor}
    of = {**body, "refund": opened.refund, "method": opened.method}
    aside = {**of, "of_credit_minor": of_credit_minor, "reference": opened.reference, "author": author, "approved_by": ""}
    paid = {**of, "of_owed_minor": held_minor, "remittance": "", "returned_on": paid_on}
    stream = account_stream(opened.account)
    return (stream, RefundReserved.model_validate(aside)), (stream, MoneyReturned.model_validate(paid))


def _reclaimed(bill: Work, opened: RefundOpened, beyond_minor: int, today: str) -> tuple[tuple[str, Event], ...]:
    """What went of a refund beyond what its account held, as owed on an invoice, with what collections are told of one that was overdue."""
    state = bill.state
    event = RefundReclaimed(
        case=opened.refund,
        payment=0,
        amount_minor=beyond_minor,
        of_credit_minor=0,
        above_minor=0,
        method=opened.method,
        reference=opened.reference,
        taken_on=today,
    )
    told = (
        arrears(state, bill.market, open_minor=state.owed_minor + beyond_minor, due_on=today, cause="refund", on=today)
        if state.overdue
        else ()
    )
    return (invoice_stream(state.issued.number), event), *told


def withdraw(state: Holding, refund: str, *, author: str, comment: str) -> Decision:
    """Give a refund up that waits for a second person: nobody may approve it any more; nothing for one that was withdrawn before.

    Raises Refused (missing) for a refund that there is not.
    """
    balance = state.balance
    if refund in balance.withdrawn:
        return NOTHING
    if refund not in balance.wanted:
        raise Refused(f"account {state.account} has no refund {refund[:60]} that waits for a second person", kind="missing")
    amount_minor, _ = balance.wanted[refund]
    withdrawn = {**_of(state), "amount_minor": amount_minor, "refund": refund, "author": author, "comment": comment}
    return just(RefundWithdrawn.model_validate(withdrawn))


def facts(work: Work) -> Mapping[str, str]:
    """Give the field `method` of a request."""
    return {"method": work.state.method}


def demand(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the payment provider: refund, amount, currency, method, and the reference of what is given back."""
    opened = work.state.opened
    of_original = opened.reference if work.state.method == opened.method else ""
    money = {"amount_minor": opened.amount_minor, "currency": opened.currency}
    return {"refund": opened.refund, **money, "method": work.state.method, "reference": of_original, "opened_on": opened.opened_on}


def paid(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the provider gave the money back: the account owes it no more."""
    opened, method = work.state.opened, work.state.method
    done = RefundCompleted(
        attempt=work.attempt, amount_minor=opened.amount_minor, method=method, provider_reference=str(data.get("reference", ""))
    )
    zone = work.market.zone if work.market else "UTC"
    returned = MoneyReturned(
        account=opened.account,
        customer=opened.customer,
        currency=opened.currency,
        amount_minor=opened.amount_minor,
        of_owed_minor=opened.amount_minor,
        method=method,
        remittance="",
        returned_on=local_date(at, zone).isoformat(),
        refund=opened.refund,
    )
    return Decision((done,), ((account_stream(opened.account), returned),))
