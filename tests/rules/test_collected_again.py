"""What a card or a bank refused is collected again by itself, by the provider's code: on which days, and how often."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from o2c.kernel import flow
from o2c.kernel.partner import RefusedBy
from o2c.kernel.shapes import RetryScheduled
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.markets.paying import AgainRules
from o2c.plan import STEPS
from tests.given import MONDAY
from tests.rules.test_payments import SEED, invoice, work


def days_of(code: str, *, method: str = "card", attempt: int = 1, at: datetime = MONDAY) -> list[str]:
    """The days on which a refused attempt is collected again."""
    asked = replace(work(invoice(method=method)), attempt=attempt)
    decision = flow.settle(STEPS["payment"], asked, RefusedBy(code), at, seed=SEED)
    return [event.due_at.isoformat()[:16] for event in decision.events if isinstance(event, RetryScheduled)]


@pytest.mark.parametrize(
    ("code", "attempts", "days"),
    [
        pytest.param("INSUFFICIENT-FUNDS", 3, ["2026-01-08T09:00", "2026-01-12T09:00"], id="no funds: after 3 days, then 7, then a person"),
        pytest.param("DO-NOT-HONOUR", 3, ["2026-01-07T09:00", "2026-01-10T09:00"], id="not honoured: a card is charged on a Saturday too"),
        pytest.param("STOLEN", 1, [], id="a stolen card: never"),
        pytest.param("LOST", 1, [], id="a lost one: never"),
        pytest.param("CLOSED", 1, [], id="a closed one: never"),
        pytest.param("DECLINED", 1, [], id="declined without a reason: a person decides"),
    ],
)
def test_a_card_is_charged_again_by_its_code(code: str, attempts: int, days: list[str]) -> None:
    """Each attempt was refused on Monday 5 January; hard declines are never tried again."""
    assert [day for n in range(1, attempts + 1) for day in days_of(code, attempt=n)] == days


def test_a_debit_is_presented_again_once_on_a_bank_day() -> None:
    """Returned on Friday the 23rd for want of money: three bank days later is Wednesday. Returned once more, it is not."""
    friday = datetime(2026, 1, 23, 9, tzinfo=UTC)
    assert days_of("INSUFFICIENT-FUNDS", method="direct-debit", at=friday) == ["2026-01-28T09:00"]
    assert days_of("INSUFFICIENT-FUNDS", method="direct-debit", attempt=2, at=friday) == []


@pytest.mark.parametrize("code", ["RETURNED", "NO-MANDATE", "CLOSED", "DECEASED"])
def test_a_debit_without_a_mandate_is_not_presented_again(code: str) -> None:
    """It would be returned for the same reason, and at the payer's cost."""
    assert days_of(code, method="direct-debit") == []


def test_a_transfer_or_a_link_is_the_customer_s_to_use() -> None:
    """Nobody collects it, so nobody tries again."""
    assert days_of("INSUFFICIENT-FUNDS", method="pay-by-link") == []


@pytest.mark.parametrize("market", [GB, NL], ids=["GB", "NL"])
def test_no_hard_code_has_days(market: object) -> None:
    """The table of every market; and one that had could not be made."""
    assert isinstance(market, type(GB))
    for rules in (market.cards, market.debits.again):
        assert not rules.hard & set(rules.after_days)
    assert all(len(days) == 1 for days in market.debits.again.after_days.values()), "one re-presentation"
    with pytest.raises(ValueError, match="LOST is refused for good"):
        AgainRules({"LOST": (1,)}, frozenset({"LOST"}), "")
    with pytest.raises(ValueError, match="a day later at the earliest"):
        AgainRules({"TRY-AGAIN": (0,)}, frozenset(), "")
