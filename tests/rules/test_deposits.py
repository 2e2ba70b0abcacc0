"""Which bills are good, how many in a row free a deposit, and what the last bill leaves of it, as rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing.deposits import all_freed, bills_read, earned, good, in_a_row, set_off
from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.noted import InvoiceState, Payment
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.balances import DepositFreed, DepositKept, DepositRetained, MoneyReturned
from o2c.kernel.charges import SET_OFF, ChargeStarted, ChargeWithdrawn, MoneyReceived, invoice_stream
from o2c.kernel.event import Event
from o2c.kernel.work import NO_CODES, build
from o2c.markets.gb import GB
from o2c.payments.settling import settled

ISSUED = InvoiceIssued.model_validate(InvoiceIssued.example)
TOTAL = ISSUED.total_minor - ISSUED.credit_used_minor
DUE, AFTER = ISSUED.due_on, "2026-12-31"
OF = {"account": ISSUED.account, "customer": ISSUED.customer, "currency": "GBP"}
AT = datetime(2026, 6, 8, 6, tzinfo=UTC)


def bill(*payments: Payment, **stands: Any) -> InvoiceState:
    """An invoice with what came for it."""
    paid = sum(one.amount_minor - one.back_minor for one in payments)
    return replace(InvoiceState(issued=ISSUED), paid_minor=paid, payments=payments, **stands)


def transfer(minor: int, arrived_on: str) -> Payment:
    return Payment("bank-transfer", "", minor, arrived_on=arrived_on)


CARD = Payment("card", "PMT-1", TOTAL)
CHARGED_BACK = ("payment.charged-back", "CB-1", 1, TOTAL)


@pytest.mark.parametrize(
    ("invoice", "judged"),
    [
        pytest.param(bill(), None, id="nothing came yet"),
        pytest.param(bill(CARD), True, id="paid in time"),
        pytest.param(bill(transfer(1, DUE)), None, id="a part came"),
        pytest.param(bill(overdue=True), False, id="overdue"),
        pytest.param(bill(CARD, overdue=True), False, id="paid when it was overdue"),
        pytest.param(bill(transfer(TOTAL, DUE), overdue=True), True, id="arrived in time, recorded late"),
        pytest.param(bill(transfer(TOTAL, AFTER), overdue=True), False, id="arrived late"),
        pytest.param(bill(transfer(1, DUE), transfer(TOTAL - 1, AFTER), overdue=True), False, id="a part arrived late"),
        pytest.param(bill(lowered_minor=TOTAL, overdue=True), True, id="all of it was credited"),
        pytest.param(bill(voided=True, lowered_minor=TOTAL), None, id="void"),
        pytest.param(bill(written_off_minor=TOTAL, overdue=True), False, id="written off"),
        pytest.param(bill(replace(CARD, back_minor=TOTAL), reopened_on=AFTER, taken_back=(CHARGED_BACK,)), False, id="charged back"),
        pytest.param(
            bill(replace(CARD, back_minor=TOTAL), CARD, reopened_on=AFTER, taken_back=(CHARGED_BACK,)), False, id="and paid again"
        ),
        pytest.param(
            bill(replace(CARD, back_minor=TOTAL), CARD, reopened_on=AFTER, taken_back=(CHARGED_BACK,), won_back=("CB-1",)),
            True,
            id="and won",
        ),
        pytest.param(InvoiceState(), None, id="no invoice"),
    ],
)
def test_a_good_bill_was_paid_by_its_due_day(invoice: InvoiceState, judged: bool | None) -> None:
    """Whenever somebody recorded it; what is open still, and not late, is not judged."""
    assert good(invoice) is judged


@pytest.mark.parametrize(
    ("judged", "row"),
    [
        ([], 0),
        ([True, True, True], 3),
        ([True, None, True], 2),
        ([True, False, True, True], 2),
        ([True, True, False], 0),
        ([False, None], 0),
    ],
)
def test_the_last_bills_in_a_row_count(judged: list[bool | None], row: int) -> None:
    """A late one begins the row anew."""
    assert in_a_row(judged) == row


def account(*events: Event) -> AccountState:
    state = ACCOUNT.initial("account-BA")
    for event in events:
        state = ACCOUNT.evolve(state, event)
    assert isinstance(state, AccountState)
    return state


def kept(order: str, minor: int) -> tuple[Event, ...]:
    of = {**OF, "order": order, "amount_minor": minor}
    return DepositKept.model_validate({**of, "method": "card"}), DepositRetained.model_validate({**of, "good_bills": 3})


def with_bills(state: AccountState, *numbers: str) -> AccountState:
    return replace(state, balance=replace(state.balance, bills=(*state.balance.bills, *numbers)))


def test_only_bills_since_its_order_was_complete_count() -> None:
    """Two deposits: of three good bills the second one had but two."""
    one = with_bills(account(*kept("o-1", 500)), "A")
    for event in kept("o-2", 700):
        one = ACCOUNT.evolve(one, event)
    both = with_bills(one, "B", "C")
    read = {invoice_stream(number): bill(CARD) for number in ("A", "B", "C")}

    assert [(event.order, event.amount_minor, event.becomes) for event in earned(both, read)] == [("o-1", 500, "credit")]
    assert earned(both, {**read, invoice_stream("B"): bill(overdue=True)}) == ()
    assert both.balance.deposits == {"o-1": 500, "o-2": 700}


def test_no_bill_is_read_while_no_deposit_is_kept_for_it() -> None:
    """A run of an account without one reads what it read before."""
    assert bills_read(with_bills(account(), "A")) == ()
    assert bills_read(with_bills(account(*kept("o-1", 500)), "A")) == (invoice_stream("A"),)


def test_a_deposit_is_set_off_against_bills_of_before_it() -> None:
    """While something is served only bills since the order was complete are read, which it is judged by; at the last bill all are, as all may be owed."""
    served = ChargeStarted.model_validate({**ChargeStarted.example, **OF, "order": "o-1"})
    ended = ChargeWithdrawn.model_validate({**ChargeWithdrawn.example, "order": "o-1", "served": True})
    state = with_bills(account(served), "A")
    for event in kept("o-1", 500):
        state = ACCOUNT.evolve(state, event)
    state = with_bills(state, "B")

    assert bills_read(state) == (invoice_stream("B"),)
    assert bills_read(ACCOUNT.evolve(state, ended)) == (invoice_stream("A"), invoice_stream("B"))


@pytest.mark.parametrize("came", [("o-1", "o-2"), ("o-2", "o-1")])
def test_deposits_are_freed_in_the_order_of_their_orders(came: tuple[str, str]) -> None:
    """By the ids, whichever came first: what is a credit and what is owed of them follows from nothing else."""
    state = with_bills(account(*(event for order in came for event in kept(order, 500))))

    assert [event.order for event in all_freed(state)] == ["o-1", "o-2"]


@hypothesis.given(
    deposits=st.lists(st.integers(1, 5_000), min_size=1, max_size=3),
    credit=st.integers(0, 3_000),
    used=st.integers(0, 9_000),
    owed=st.lists(st.integers(0, TOTAL), max_size=4),
)
@hypothesis.settings(max_examples=80)
def test_nothing_of_a_deposit_is_lost_at_the_last_bill(deposits: Sequence[int], credit: int, used: int, owed: Sequence[int]) -> None:
    """What is freed is what was kept; what the last bill used of it is a credit; what pays earlier bills never exceeds what is owed of each, the first ones
    are paid first, and only the rest is owed."""
    state = account(*(event for n, minor in enumerate(deposits) for event in kept(f"o-{n}", minor)))
    used = min(used, credit + sum(deposits))
    state = with_bills(state, *(f"I-{n}" for n in range(len(owed))))
    lots = replace(state.balance, credits=(replace(_LOT, amount_minor=credit),) if credit else ())
    state = replace(state, balance=lots)
    read = {invoice_stream(f"I-{n}"): bill(transfer(TOTAL - minor, DUE), overdue=True) for n, minor in enumerate(owed)}
    work = replace(build("account-BA", "", "bill-run", state=state, subject={}, records={}, codes=NO_CODES, market=GB), read=read)

    decision = set_off(work, all_freed(state), used, date(2026, 6, 8), AT, pays=settled)

    freed = [event for event in decision.events if isinstance(event, DepositFreed)]
    given = [event.amount_minor for event in decision.events if isinstance(event, MoneyReturned)]
    paid = {stream: event.amount_minor for stream, event in decision.elsewhere if isinstance(event, MoneyReceived)}
    assert sum(event.amount_minor for event in freed) == sum(deposits)
    assert all(event.amount_minor > 0 for event in freed)
    of_bill = max(used - credit, 0)
    assert sum(event.amount_minor for event in freed if event.becomes == "credit") == of_bill
    left = sum(deposits) - of_bill
    for n, minor in enumerate(owed):
        assert paid.get(invoice_stream(f"I-{n}"), 0) == min(minor, left)
        left -= min(minor, left)
    assert sum(given) == sum(paid.values())
    after = state
    for event in decision.events:
        after = ACCOUNT.evolve(after, event)
    assert (after.balance.deposits, after.balance.retained) == ({}, {})
    assert after.balance.owed_minor == left
    assert all(event.method == SET_OFF for event in decision.events if isinstance(event, MoneyReturned))


_LOT = account(
    *kept("o-1", 1), DepositFreed.model_validate({**OF, "order": "o-1", "amount_minor": 1, "becomes": "credit"})
).balance.credits[0]
