"""The money that an account holds for its customer, as a fold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from o2c.kernel.balances import CreditReceived, CreditUsed, DepositFreed, DepositKept, MoneyReturned, OfBalance
from o2c.kernel.frozen import changed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Balance:
    """Money on no invoice, in minor units: credit, what is owed, and deposits by order. `returned` are (reference, day, amount) of paybacks."""

    credit_minor: int = 0
    owed_minor: int = 0
    deposits: dict[str, int] = field(default_factory=dict)
    returned: tuple[tuple[str, str, int], ...] = field(default=(), repr=False)

    @property
    def returnable_minor(self) -> int:
        """What can be paid back: all but the deposits of open orders."""
        return self.credit_minor + self.owed_minor


def moved(balance: Balance, event: OfBalance) -> Balance:
    """Give the balance after one of its events. A deposit that came before accounts kept any counts from when it is freed."""
    amount_minor = event.amount_minor
    match event:
        case DepositKept():
            deposits = {**balance.deposits, event.order: balance.deposits.get(event.order, 0) + amount_minor}
            return changed(balance, deposits=deposits)
        case DepositFreed():
            return _freed(changed(balance, deposits=_without(balance.deposits, event.order)), event)
        case CreditReceived():
            return changed(balance, credit_minor=balance.credit_minor + amount_minor)
        case CreditUsed():
            return changed(balance, credit_minor=balance.credit_minor - amount_minor)
        case MoneyReturned():
            return changed(
                balance,
                owed_minor=balance.owed_minor - event.of_owed_minor,
                credit_minor=balance.credit_minor - (amount_minor - event.of_owed_minor),
                returned=(*balance.returned, (event.remittance, event.returned_on, amount_minor)),
            )
    return balance


def _freed(balance: Balance, event: DepositFreed) -> Balance:
    if event.becomes == "credit":
        return changed(balance, credit_minor=balance.credit_minor + event.amount_minor)
    return changed(balance, owed_minor=balance.owed_minor + event.amount_minor)


def _without(deposits: Mapping[str, int], order: str) -> dict[str, int]:
    return {other: amount_minor for other, amount_minor in deposits.items() if other != order}
