"""What is left on an account that has ended: it pays what is still owed on its bills, and the rest goes back by the way in which it came,
unasked.

Source: the market's rules of invoicing (`credit_returned_source`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from functools import reduce
from typing import Any, Protocol

from o2c.invoicing.deposits import Pays, owed_on, paid_by_held
from o2c.invoicing.events import CreditReturned
from o2c.invoicing.state import AccountState, evolve_account
from o2c.kernel.balances import RefundReserved
from o2c.kernel.charges import invoice_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.work import Work

GOES_BACK_AT = time(9)
"""When on its day it goes back, by the market's clock."""
SYSTEM = "engine"


class Request(Protocol):
    """The rule by which some of what an account holds goes back to its customer (`refunds.rules.request`)."""

    def __call__(self, state: Any, *, amount_minor: int, author: str, market: str, limit_minor: int, today: str) -> Decision: ...


def bills_read(work: Work) -> tuple[str, ...]:
    """Name the streams of the account's invoices: something may be owed on any of them."""
    return tuple(map(invoice_stream, work.state.balance.bills))


def due(work: Work, at: datetime) -> datetime:
    """Give the time at which what is left goes back: so many days later as the market's rules say, so that what comes late finds it
    there."""
    day = local_date(at, work.market.zone) + timedelta(days=work.market.invoicing.credit_returned_days)
    return local_time(day, GOES_BACK_AT.hour, GOES_BACK_AT.minute, work.market.zone)


def wanted(work: Work) -> bool:
    """Whether it is still to go back: not where the account is charged again, somebody gave it back, or asked a second person to."""
    state: AccountState = work.state
    return state.to_return


def give_back(work: Work, data: Mapping[str, Any], at: datetime, *, pays: Pays, request: Request) -> Decision:
    """Pay what is still owed on bills out of what the account holds, the oldest first, and ask for the refunds of the rest. The bills say
    how much it is, so that no second person is asked."""
    state, today, paid = _set_off(work, at, pays)
    held_minor, left_minor = work.state.balance.returnable_minor, state.balance.returnable_minor
    how = {"author": SYSTEM, "market": state.market, "today": today}
    asked = request(state, amount_minor=left_minor, limit_minor=left_minor, **how) if left_minor > 0 else NOTHING
    refunds = tuple(event.refund for event in asked.events if isinstance(event, RefundReserved))
    settled = CreditReturned(attempt=work.attempt, amount_minor=held_minor, set_off_minor=held_minor - left_minor, refunds=refunds)
    return paid + asked + just(settled)


def _set_off(work: Work, at: datetime, pays: Pays) -> tuple[AccountState, str, Decision]:
    """The account once what it holds has paid for its bills, the local day, and what decides that."""
    state: AccountState = work.state
    today, decision = local_date(at, work.market.zone), NOTHING
    for stream, invoice in owed_on(work, bills_read(work)):
        amount_minor = min(state.balance.returnable_minor, invoice.owed_minor)
        if amount_minor > 0:
            of_owed_minor = min(amount_minor, state.balance.free_owed_minor)
            paid = paid_by_held(work, stream, invoice, amount_minor, of_owed_minor, today, at, pays)
            state, decision = reduce(evolve_account, paid.events, state), decision + paid
    return state, today.isoformat(), decision
