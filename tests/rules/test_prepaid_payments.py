"""What prepaid money pays of usage that came beside sessions: law of the rule, whatever came and however it was topped up."""

from typing import Any

from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from o2c.quota.events import PrepaidUsageCharged
from o2c.quota.rules import charge_records
from o2c.quota.state import KIND
from o2c.rating.room import Cost
from tests.given import MONDAY
from tests.used import TO_PAY, TOPPED_UP

COMES = st.lists(st.tuples(st.booleans(), st.integers(1, 900)), max_size=8)


@hypothesis_given(COMES)
def test_no_penny_is_lost_and_none_is_taken_twice(comes: list[tuple[bool, int]]) -> None:
    """Top-ups and usage in any order: the balance is never below zero, what was paid and what was not are what the usage costs, and asking again changes nothing."""
    state: Any = KIND.initial("")
    money = net = 0
    for place, (topped_up, minor) in enumerate(comes):
        if topped_up:
            money += minor
            state = KIND.evolve(state, TOPPED_UP.model_copy(update={"amount_minor": minor, "reference": str(place)}))
            continue
        net += minor
        cost = Cost(net, net // 5)
        told = charge_records(state, **TO_PAY, cost=cost)
        for event in told.events:
            state = KIND.evolve(state, event)
        assert not charge_records(state, **TO_PAY, cost=cost)
        paid, unpaid = sum(state.paid.get(TO_PAY["period_from"], (0, 0))), state.unpaid.get(TO_PAY["period_from"], 0)
        assert state.balance_minor(MONDAY) == money - paid >= 0
        assert paid + unpaid == cost.gross_minor
        assert unpaid == 0 or state.balance_minor(MONDAY) == 0


def test_a_top_up_that_is_too_old_pays_nothing() -> None:
    """It expires with the decision, and what was used is not paid."""
    state = KIND.evolve(KIND.initial(""), TOPPED_UP.model_copy(update={"expires_at": MONDAY}))
    expired, charged = charge_records(state, **TO_PAY, cost=Cost(100, 20)).events
    assert isinstance(charged, PrepaidUsageCharged)
    assert (expired.type_name, charged.charged_minor, charged.balance_minor, charged.uncharged_minor) == ("prepaid.expired", 0, 0, 120)
