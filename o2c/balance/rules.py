"""When money that an account holds is paid back to its customer."""

from __future__ import annotations

from typing import Protocol

from o2c.balance.state import Balance
from o2c.kernel.balances import MoneyReturned
from o2c.kernel.charges import OfCustomer
from o2c.kernel.decision import Decision, just
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused


class Holding(OfCustomer, Protocol):
    """An account that holds money."""

    @property
    def balance(self) -> Balance:
        """The money."""


def pay_back(state: Holding, *, amount_minor: int, remittance: str, method: str, returned_on: str) -> Decision:
    """Record that money was paid back to the customer of an account: first what is owed, then a credit.

    A deposit is not paid back while it is kept. The same reference, day and amount are the same transfer, and change nothing. Raises
    Refused (conflict) when the account holds less that could be paid back.
    """
    if (remittance, returned_on, amount_minor) in state.balance.returned:
        return just()
    refuse_more(state, amount_minor)
    return just(
        MoneyReturned(
            account=state.account,
            customer=state.customer,
            currency=state.currency,
            amount_minor=amount_minor,
            of_owed_minor=min(amount_minor, state.balance.free_owed_minor),
            method=method,
            remittance=remittance,
            returned_on=returned_on,
        )
    )


def refuse_more(state: Holding, amount_minor: int) -> None:
    """Raises Refused (conflict) for more than can be paid back to the customer of an account, in minor units."""
    balance = state.balance
    if amount_minor > balance.returnable_minor:
        kept = f"; deposits are kept ({len(balance.deposits)})" if balance.deposits else ""
        goes = f"; {from_minor(sum(balance.refunding.values()), state.currency)} goes back already" if balance.refunding else ""
        may = from_minor(balance.returnable_minor, state.currency) if state.currency else "nothing"
        raise Refused(f"account {state.account or '(none)'}: {may} can be paid back, not more{kept}{goes}", kind="conflict")
