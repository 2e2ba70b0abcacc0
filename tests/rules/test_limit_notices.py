"""When a customer is told of a limit: once near it, once at it, once more far beyond it where the market asks for that."""

import pytest

from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.markets.nl import NL
from o2c.rating.rules import notice

PERIOD = "2026-01-08"


def told(
    *spent: int, amount: int | None = 5000, beyond: bool = False, reminder: int | None = NL.usage.limits.roaming_reminder_minor
) -> list[int]:
    """The notices that follow as more and more is spent, by their percent."""
    state, found = AccountState(account="BA-1001", currency="EUR"), []
    for minor in spent:
        decision = notice(
            state,
            kind="roaming",
            amount_minor=amount,
            spent_minor=minor,
            beyond=beyond,
            period_from=PERIOD,
            told_percent=80,
            reminder_minor=reminder,
        )
        for event in decision.events:
            state = ACCOUNT.evolve(state, event)
            found.append(getattr(event, "percent", 0))
    return found


@pytest.mark.parametrize(
    ("found", "must"),
    [
        pytest.param(told(3999), [], id="below-eighty-percent"),
        pytest.param(told(4000, 4500, 4999), [80], id="at-eighty-percent-once"),
        pytest.param(told(4000, 5000, 9000), [80, 100], id="reached-once"),
        pytest.param(told(5000, 4000), [100], id="never-near-it-after-it-was-reached"),
        pytest.param(told(4000, 5000, 10_000, 10_001, 20_000), [80, 100, 200], id="reminded-above-100-euros"),
        pytest.param(told(10_001, reminder=None), [100], id="no-reminder-where-the-market-has-none"),
        pytest.param(told(0, amount=0, beyond=True), [100], id="a-limit-of-nothing"),
        pytest.param(told(0, amount=0), [], id="a-limit-of-nothing-and-nothing-used"),
        pytest.param(told(99_999, amount=None), [], id="no-limit"),
        pytest.param(told(1, beyond=True), [100], id="beyond-though-little-was-spent"),
    ],
)
def test_each_notice_comes_once(found: list[int], must: list[int]) -> None:
    """Regulation (EU) 2022/612, art. 14: near 50 EUR, at 80 % of it, and above 100 EUR (billing facts, section 6.5)."""
    assert found == must
