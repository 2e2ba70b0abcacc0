"""Money that goes back by the way in which it came: never more than there is, none of it lost, and a second person above a limit."""

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing.state import ACCOUNT
from o2c.kernel.balances import MoneyReturned, RefundReserved
from o2c.kernel.refusal import Refused
from o2c.plan import STEPS
from o2c.refunds.events import RefundOpened
from o2c.refunds.state import KIND
from tests.given import BOOK, MONDAY
from tests.refunding import LIMIT_MINOR, after, approved, asked, holding, wanting


def test_what_came_in_two_ways_goes_back_in_two() -> None:
    """10.00 owed from a transfer and 8.00 of a card's 20.00: two refunds, each by its own way and with the provider's reference."""
    state = holding(("I-1", 2000, "card"), owed=1000)
    decision = asked(state, 1800)

    opened = [event for _, event in decision.elsewhere if isinstance(event, RefundOpened)]
    assert [(one.refund, one.amount_minor, one.method, one.reference) for one in opened] == [
        ("BA-1-R1", 1000, "bank-transfer", ""), ("BA-1-R2", 800, "card", "P-I-1"),
    ]  # fmt: skip
    assert [event.of_credit_minor for event in decision.events if isinstance(event, RefundReserved)] == [0, 800]
    left = after(state, decision)
    assert (left.balance.credit_minor, left.balance.owed_minor, left.balance.returnable_minor) == (1200, 1800, 1200)


def test_more_than_is_held_is_refused() -> None:
    """What goes back already is not there a second time."""
    state = holding(("I-1", 2000, "card"))
    state = after(state, asked(state, 1500))
    with pytest.raises(Refused, match=r"5\.00 can be paid back, not more; 15\.00 goes back already") as refused:
        asked(state, 501)
    assert refused.value.kind == "conflict"
    with pytest.raises(Refused, match="more than nothing"):
        asked(state, 0)


def test_above_the_limit_a_second_person_decides() -> None:
    """Nothing is set aside before; whoever asked may not approve; once approved, the same changes nothing."""
    state = wanting()
    assert state.balance.credit_minor == 30_000
    with pytest.raises(Refused, match="somebody else has to approve it") as refused:
        approved(state, "BA-1-R1", by="ann")
    assert refused.value.kind == "forbidden"
    with pytest.raises(Refused, match="no refund BA-1-R7"):
        approved(state, "BA-1-R7")
    done = after(state, approved(state, "BA-1-R1"))
    assert (done.balance.credit_minor, done.balance.refunding) == (10_000, {"BA-1-R1": 20_000})
    assert not approved(done, "BA-1-R1")


def test_once_the_provider_paid_the_account_owes_it_no_more() -> None:
    """The provider is told the payment that the money came by; what it paid leaves the account under the name of the refund."""
    state = KIND.evolve(KIND.initial("refund-BA-1001-R1"), RefundOpened.model_validate(RefundOpened.example))
    work, step = KIND.work(state, "refund-BA-1001-R1", "", "refund", BOOK), STEPS["refund"]
    assert step.ask is not None
    told = step.ask.payload(work)
    assert (told["method"], told["reference"], told["amount_minor"]) == ("card", "PMT-104233", 500)
    [(stream, returned)] = step.complete(work, {"reference": "RFD-1"}, MONDAY).elsewhere
    assert isinstance(returned, MoneyReturned)
    assert (stream, returned.amount_minor, returned.of_owed_minor, returned.refund) == ("account-BA-1001", 500, 500, "BA-1001-R1")


@hypothesis.given(
    credits=st.lists(st.tuples(st.integers(1, 4000), st.sampled_from(["card", "direct-debit"])), max_size=4),
    owed=st.integers(0, 3000),
    wanted=st.lists(st.integers(1, 3000), min_size=1, max_size=6),
    paid=st.integers(0, 6),
)
@hypothesis.settings(max_examples=60)
def test_never_more_goes_back_than_there_is_and_none_is_lost(
    credits: list[tuple[int, str]], owed: int, wanted: list[int], paid: int
) -> None:
    """Whatever is asked for: what went, what is under way and what is held sum to what came; a refused wish changes nothing."""
    state = holding(*((f"I-{number}", minor, method) for number, (minor, method) in enumerate(credits)), owed=owed)
    came = owed + sum(minor for minor, _ in credits)
    opened: list[RefundOpened] = []
    for amount_minor in wanted:
        if amount_minor > state.balance.returnable_minor:
            with pytest.raises(Refused):
                asked(state, amount_minor)
            continue
        decision = asked(state, amount_minor)
        assert amount_minor <= LIMIT_MINOR
        assert amount_minor == sum(event.amount_minor for event in decision.events if isinstance(event, RefundReserved))
        opened += [event for _, event in decision.elsewhere if isinstance(event, RefundOpened)]
        state = after(state, decision)
    for one in opened[:paid]:
        work = KIND.work(KIND.evolve(KIND.initial(""), one), f"refund-{one.refund}", "", "refund", BOOK)
        [(_, returned)] = STEPS["refund"].complete(work, {}, MONDAY).elsewhere
        state = ACCOUNT.evolve(state, returned)

    assert len({one.refund for one in opened}) == len(opened)
    assert sum(one.amount_minor for one in opened[:paid]) + state.balance.owed_minor + state.balance.credit_minor == came
    assert sum(one.amount_minor for one in opened) <= came
    assert state.balance.refunding == {one.refund: one.amount_minor for one in opened[paid:]}
