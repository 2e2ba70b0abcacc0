"""What is left of prepaid money when its customer leaves: rules of when it goes back, how much of it, by when, and what it posts.

Source: directive (EU) 2018/1972, art. 106(6) (refunded on request, for a fee only if the contract has one, proportionate to what it costs); Portugal: Regulamento ANACOM
n.º 38/2025 (10 working days, at most 1 EUR; boino.pt, 2025-11).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.ledger.postings import postings_of
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.markets.pt import PT, PT_2012
from o2c.markets.usage import PrepaidRefundRules
from o2c.quota import rules
from o2c.quota.events import PrepaidReturned, QuotaReserved
from o2c.quota.state import KIND
from o2c.refunds.rules import request
from tests.used import TOPPED_UP

ASKED_AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
LEFT = rules.Leaver("BA-1001", "C-1001", (), "2026-03-02")


def having(*amounts: int, currency: str = "GBP", **more: Any) -> Any:
    """Prepaid money that came in payments of these amounts, P-1 by card first."""
    topped_up = [
        TOPPED_UP.model_copy(update={"amount_minor": minor, "reference": f"P-{place}", "currency": currency, **more})
        for place, minor in enumerate(amounts, 1)
    ]
    return reduce(KIND.evolve, topped_up, KIND.initial(""))


def account() -> AccountState:
    return AccountState(account="BA-1001", customer="C-1001", currency="GBP")


def give(owed: Any, today: str) -> Decision:
    """What the account does that gives money back by the refunds of any account."""
    amount_minor = sum(event.amount_minor for event in owed)
    held: Any = reduce(ACCOUNT.evolve, owed, account())
    return request(held, amount_minor=amount_minor, author="ann", market="", limit_minor=amount_minor, today=today)


def asked(state: Any, market: Any = GB, leaver: rules.Leaver = LEFT, at: datetime = ASKED_AT) -> Decision:
    return rules.give_back(state, leaver, market, give, at=at)


def returned(decision: Decision) -> PrepaidReturned:
    [event] = [event for event in decision.events if isinstance(event, PrepaidReturned)]
    return event


def costing(fee_minor: int) -> Any:
    refund = replace(GB.usage.prepaid_refund, fee_minor=fee_minor)
    return replace(GB, usage=replace(GB.usage, prepaid_refund=refund))


def test_all_of_it_goes_back_by_the_way_it_came() -> None:
    """Two payments, two refunds, each by its own reference; the balance pays for nothing any more, and asked again nothing happens."""
    state = having(1000, 284)
    decision = asked(state)

    event = returned(decision)
    assert (event.amount_minor, event.fee_minor, event.refunds) == (1284, 0, ("BA-1001-R1", "BA-1001-R2"))
    owed = [event for stream, event in decision.elsewhere if event.type_name == "account.prepaid-owed"]
    assert [(one.amount_minor, one.reference) for one in owed] == [(1000, "P-1"), (284, "P-2")]  # type: ignore[attr-defined] # by its name
    opened = [event for _, event in decision.elsewhere if event.type_name == "refund.opened"]
    assert [(one.method, one.reference, one.amount_minor) for one in opened] == [("card", "P-1", 1000), ("card", "P-2", 284)]  # type: ignore[attr-defined] # by its name
    after = reduce(KIND.evolve, decision.events, state)
    assert after.balance_minor(ASKED_AT) == 0
    assert not asked(after)


@pytest.mark.parametrize(
    ("market", "asked_on", "by", "fee_minor"),
    [
        pytest.param(PT, "2026-03-30", "2026-04-14", 100, id="PT: ten working days, over Good Friday, for 1 EUR"),
        pytest.param(PT, "2026-03-02", "2026-03-16", 100, id="PT: ten working days"),
        pytest.param(PT_2012, "2026-03-02", "2026-03-16", 0, id="PT before: fourteen days"),
        pytest.param(GB, "2026-03-30", "2026-04-13", 0, id="GB: fourteen days, no fee"),
        pytest.param(NL, "2026-03-30", "2026-04-13", 0, id="NL: fourteen days, no fee"),
    ],
)
def test_by_when_and_for_what_fee(market: Any, asked_on: str, by: str, fee_minor: int) -> None:
    """As the market has it: what its law names, and the operator's own practice where it names nothing."""
    state = having(1000, currency=market.currency)
    event = returned(asked(state, market, at=datetime.fromisoformat(f"{asked_on}T12:00:00+00:00")))

    assert (event.asked_on, event.refund_by, event.fee_minor) == (asked_on, by, fee_minor)


def test_a_fee_is_taken_off_what_would_have_paid_first() -> None:
    """Of 0.50 that expires first and 10.00, a fee of 1.00 leaves nothing and 9.50; its tax at 20 % is 17 pence."""
    state = having(50, 1000)
    decision = asked(state, costing(100))

    assert (returned(decision).fee_minor, returned(decision).tax_minor) == (100, 17)
    owed = [event for _, event in decision.elsewhere if event.type_name == "account.prepaid-owed"]
    assert [(one.amount_minor, one.reference) for one in owed] == [(950, "P-2")]  # type: ignore[attr-defined] # by its name


def test_no_day_is_set_where_the_market_sets_none() -> None:
    refund = replace(GB.usage.prepaid_refund, days=0)
    assert returned(asked(having(100), replace(GB, usage=replace(GB.usage, prepaid_refund=refund)))).refund_by == ""


HELD = KIND.evolve(
    having(1000), QuotaReserved.model_validate({**QuotaReserved.example, "valid_until": (ASKED_AT + timedelta(minutes=1)).isoformat()})
)


@pytest.mark.parametrize(
    ("state", "market", "leaver", "said"),
    [
        pytest.param(having(1000), GB, replace(LEFT, serving=("o-1/1",)), "line o-1/1 is served still", id="served"),
        pytest.param(HELD, GB, LEFT, "holds units; ask again after 2026-03-03T12:01", id="a session"),
        pytest.param(KIND.initial(""), GB, LEFT, "nothing is left", id="nothing came"),
        pytest.param(having(1000, expires_at=ASKED_AT), GB, LEFT, "nothing is left", id="it expired this moment"),
        pytest.param(having(100), costing(100), LEFT, "1.00 is left, and by the contract a refund costs 1.00", id="the fee is all"),
    ],
)
def test_when_it_does_not_go_back(state: Any, market: Any, leaver: rules.Leaver, said: str) -> None:
    """While something may still use it, when there is none, and when the fee would be all of it."""
    with pytest.raises(Refused, match=said):
        asked(state, market, leaver)


def test_what_is_too_old_expires_with_the_decision() -> None:
    """Expired money is not given back, and is told to have expired before the rest goes."""
    state = KIND.evolve(having(1000, expires_at=ASKED_AT), TOPPED_UP.model_copy(update={"amount_minor": 200, "reference": "P-9"}))
    expired, given = asked(state).events
    assert (expired.type_name, expired.amount_minor, given.amount_minor) == ("prepaid.expired", 1000, 200)  # type: ignore[attr-defined] # by its name


def test_a_market_takes_no_fee_above_its_own_bound() -> None:
    """Portugal's is 1 EUR: data that ask for more are refused when they are made."""
    with pytest.raises(ValueError, match="101 minor units"):
        PrepaidRefundRules(days=10, working_days=True, fee_minor=101, fee_max_minor=PT.usage.prepaid_refund.fee_max_minor, source="a slip")


AMOUNTS = st.lists(st.integers(1, 5000), min_size=1, max_size=5)


@hypothesis_given(AMOUNTS, st.integers(0, 999))
def test_no_penny_is_lost_between_prepaid_money_and_what_is_owed(amounts: list[int], fee_minor: int) -> None:
    """What was left is what is owed and the fee; it goes back whole; and what is posted takes the prepaid money off the books, summing to zero."""
    state = having(*amounts)
    if sum(amounts) <= fee_minor:
        return
    decision = asked(state, costing(fee_minor))
    owed = [event for _, event in decision.elsewhere if event.type_name == "account.prepaid-owed"]
    opened = [event for _, event in decision.elsewhere if event.type_name == "refund.opened"]
    assert sum(one.amount_minor for one in owed) == sum(one.amount_minor for one in opened) == sum(amounts) - fee_minor  # type: ignore[attr-defined] # by its name
    posted = [posting for event in (*decision.events, *owed) for posting in postings_of(event.type_name, event.model_dump(mode="json"))]
    assert sum(one.amount_minor for one in posted) == 0
    assert sum(one.amount_minor for one in posted if one.account == "prepaid") == sum(amounts)
