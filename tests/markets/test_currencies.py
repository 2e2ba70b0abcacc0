"""What a law gives in euros, in the currency of an account."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.invoicing.usage import rules_of
from o2c.markets import currencies
from o2c.markets.currencies import ReferenceRate, converted_minor
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.markets.registry import MARKETS
from tests.given import BOOK

JANUARY, MARCH = date(2026, 1, 8), date(2026, 3, 8)


@pytest.mark.parametrize(
    ("market", "currency", "minor", "reminder"),
    [
        pytest.param(NL, "EUR", 5000, 10000, id="50 EUR"),
        pytest.param(NL, "GBP", 4250, 8500, id="50 EUR in GBP"),
        pytest.param(GB, "GBP", 4500, None, id="45 GBP"),
        pytest.param(GB, "EUR", 5294, None, id="45 GBP in EUR, rounded down"),
    ],
)
def test_the_limit_abroad_is_the_equivalent_in_the_currency_of_the_account(market, currency, minor, reminder) -> None:  # type: ignore[no-untyped-def] # a table
    """Regulation (EU) 2022/612, art. 14: near to 50 EUR without tax, and not above; never so many minor units of whatever currency."""
    of_market = market.usage.limits
    assert (of_market.roaming_in(currency, market.currency, JANUARY), of_market.reminder_in(currency, market.currency, JANUARY)) == (
        minor,
        reminder,
    )


def test_a_bill_holds_to_the_equivalent() -> None:
    """An account in pounds that follows the Dutch market."""
    work = ACCOUNT.work(AccountState(account="BA-1", currency="GBP", market=NL.pin), "account-BA-1", "", "bill-run", BOOK)
    work = replace(work, market=NL)
    assert rules_of(work, date(2026, 2, 8), {}).limits.usual == {"roaming": 4250}


def test_a_later_rate_leaves_earlier_periods_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates are dated: a bill period has that of its first day."""
    monkeypatch.setattr(currencies, "RATES", (*currencies.RATES, ReferenceRate("GBP", Decimal("0.9"), MARCH, "a test")))
    assert [NL.usage.limits.roaming_in("GBP", "EUR", day) for day in (date(2026, 3, 7), MARCH)] == [4250, 4500]


def test_every_market_has_its_limit_in_every_currency() -> None:
    """Whatever an account is charged in."""
    known = {version.currency for versions in MARKETS.values() for version in versions}
    for versions in MARKETS.values():
        for version in versions:
            assert all(version.usage.limits.roaming_in(currency, version.currency, JANUARY) for currency in known)


def test_a_currency_without_a_rate_is_told() -> None:
    """Nothing is guessed."""
    with pytest.raises(KeyError, match="no reference rate of JPY"):
        converted_minor(5000, "EUR", "JPY", JANUARY)


@hypothesis.given(st.integers(0, 10**9))
def test_there_and_back_is_never_more(minor: int) -> None:
    """Rounding down twice."""
    assert converted_minor(converted_minor(minor, "EUR", "GBP", JANUARY), "GBP", "EUR", JANUARY) <= minor
