"""An account that holds money, and what its refunds come to, without a store."""

from typing import Any

import pytest

from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.balances import CreditReceived, DepositFreed, DepositKept
from o2c.kernel.decision import Decision
from o2c.refunds import rules
from o2c.refunds.events import RefundFellOut, RefundGivenUp, RefundOpened, RefundRequested
from o2c.refunds.state import KIND as REFUND
from o2c.refunds.state import RefundState
from tests.given import BOOK

OF = {"account": "BA-1", "customer": "C-1", "currency": "GBP"}
LIMIT_MINOR = 10_000
TODAY = "2026-01-20"


def holding(*credits: tuple[str, int, str], owed: int = 0) -> AccountState:
    """An account with credits, each (invoice, amount, method), and a deposit that is owed."""
    state = ACCOUNT.initial("account-BA-1")
    events: list[Any] = []
    if owed:
        events.append(DepositKept.model_validate({**OF, "amount_minor": owed, "order": "o-1", "method": "bank-transfer"}))
        events.append(DepositFreed.model_validate({**OF, "amount_minor": owed, "order": "o-1", "becomes": "owed"}))
    events += [
        CreditReceived.model_validate(
            {**OF, "amount_minor": amount_minor, "invoice": invoice, "method": method, "reference": f"P-{invoice}"}
        )
        for invoice, amount_minor, method in credits
    ]
    for event in events:
        state = ACCOUNT.evolve(state, event)
    assert isinstance(state, AccountState)
    return state


def after(state: AccountState, decision: Decision) -> AccountState:
    for event in decision.events:
        state = ACCOUNT.evolve(state, event)
    return state


def asked(state: AccountState, amount_minor: int, *, author: str = "ann") -> Decision:
    return rules.request(state, amount_minor=amount_minor, author=author, market="", limit_minor=LIMIT_MINOR, today=TODAY)


def approved(state: AccountState, refund: str, *, by: str = "bob") -> Decision:
    return rules.approve(state, refund, approved_by=by, market="", today=TODAY)


def wanting() -> AccountState:
    """An account of which somebody wants more given back than one person may give."""
    state = holding(("I-1", 30_000, "card"))
    return after(state, asked(state, 20_000))


def refused() -> RefundState:
    """A refund that the provider refused."""
    state = REFUND.initial("refund-BA-1-R1")
    for cls in (RefundOpened, RefundRequested, RefundFellOut):
        state = REFUND.evolve(state, cls.model_validate({**cls.example, **({"refund": "BA-1-R1"} if cls is RefundOpened else {})}))
    assert isinstance(state, RefundState)
    return state


def given_up(state: RefundState) -> Decision:
    account = holding(("I-1", 2000, "card"))
    account = after(account, asked(account, 500))
    return rules.give_up(REFUND.work(state, "refund-BA-1-R1", "", "refund", BOOK), account, author="ann", comment="closed")


def paid_after_all(state: RefundState) -> Decision:
    work, account = REFUND.work(state, "refund-BA-1-R1", "", "refund", BOOK), holding(("I-1", 2000, "card"))
    return rules.paid_after_all(work, account, None, reference="RFD-1", author="ann", paid_on=TODAY, today=TODAY)


OF_REFUNDS = [
    pytest.param(REFUND, refused(), given_up, id="give-a-refund-up"),
    pytest.param(
        REFUND, REFUND.evolve(refused(), RefundGivenUp.model_validate(RefundGivenUp.example)), paid_after_all, id="refund-paid-after-all"
    ),
    pytest.param(
        ACCOUNT, wanting(), lambda state: rules.approve(state, "BA-1-R1", approved_by="bob", market="", today=TODAY), id="approve-a-refund"
    ),
    pytest.param(
        ACCOUNT, wanting(), lambda state: rules.withdraw(state, "BA-1-R1", author="ann", comment="asked twice"), id="withdraw-a-refund"
    ),
]
"""By kind of stream and state, the rules that decide once and, on what they made, nothing."""
