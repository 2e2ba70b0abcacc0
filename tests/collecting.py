"""Accounts that owe, on which the rules of holds and promises can be tried."""

from datetime import date
from typing import Any

import pytest

from o2c.collections import debt_plans, rules
from o2c.collections.state import KIND
from o2c.kernel.decision import Decision
from o2c.markets.gb import GB
from tests.owing import OF, Owing

TODAY = date(2026, 1, 26)
PARTS = [(date(2026, 2, 26), 2_500), (date(2026, 3, 26), 2_500)]


def held(state: Any) -> Decision:
    return rules.hold(state, "vulnerable", until=None, note="", today=TODAY, market=GB, of=OF)


def released(state: Any) -> Decision:
    return rules.release(state, "vulnerable", note="", of=OF)


def promised(state: Any) -> Decision:
    return rules.promise(state, amount_minor=5_000, currency="GBP", by=date(2026, 2, 2), note="", today=TODAY, market=GB, of=OF)


def planned(state: Any) -> Decision:
    return debt_plans.agree(state, PARTS, currency="GBP", note="", today=TODAY, market=GB, of=OF)


def disputed(state: Any) -> Decision:
    return rules.dispute(state, "INV-1", amount_minor=1_000, open_minor=5_000, currency="GBP", note="", of=OF)


def settled(state: Any) -> Decision:
    return rules.settle_dispute(state, "INV-1", outcome="customer", currency="GBP", note="", of=OF)


def in_dispute() -> Any:
    owing = Owing().owes(5_000)
    owing.take(disputed(owing.state))
    return owing.state


OF_COLLECTIONS = [
    pytest.param(KIND, KIND.initial(""), held, id="hold-collections"),
    pytest.param(KIND, Owing().holds("vulnerable").state, released, id="release-collections"),
    pytest.param(KIND, Owing().owes(5_000).state, disputed, id="open-a-dispute"),
    pytest.param(KIND, in_dispute(), settled, id="settle-a-dispute"),
    pytest.param(KIND, Owing().owes(5_000).state, promised, id="promise-to-pay"),
    pytest.param(KIND, Owing().owes(5_000).state, planned, id="plan-a-debt"),
]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""
