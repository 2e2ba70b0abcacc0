"""The days on which direct debits are collected, and the notice before them, scheme by scheme."""

from datetime import date, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.markets.base import Market, debit_day, is_working_day
from o2c.markets.gb import GB
from o2c.markets.nl import NL

BACS_CLOSED = {(1, 1), (4, 3), (4, 6), (5, 4), (5, 25), (8, 31), (12, 25), (12, 28)}
"""Bank holidays of England and Wales in 2026 (gov.uk/bank-holidays); Boxing Day is a Saturday, kept on Monday the 28th."""
TARGET_CLOSED = {(1, 1), (4, 3), (4, 6), (5, 1), (12, 25), (12, 26)}
"""TARGET closing days of 2026 (European Central Bank)."""
days = st.dates(date(2024, 1, 1), date(2031, 12, 31))


@pytest.mark.parametrize(("market", "closed"), [pytest.param(GB, BACS_CLOSED, id="bacs"), pytest.param(NL, TARGET_CLOSED, id="target")])
def test_a_bank_works_on_its_scheme_s_days(market: Market, closed: set[tuple[int, int]]) -> None:
    """Every day of 2026, against the list that the scheme published: King's Day is a bank's day in the Netherlands, 1 May is none."""
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        must = day.weekday() < 5 and (day.month, day.day) not in closed
        assert is_working_day(market.debits.calendar, day) is must, day


@pytest.mark.parametrize(
    ("market", "told_on", "wanted_on", "debited_on"),
    [
        pytest.param(GB, date(2026, 1, 8), date(2026, 1, 22), date(2026, 1, 22), id="ten-working-days-are-two-weeks"),
        pytest.param(GB, date(2026, 2, 8), date(2026, 2, 22), date(2026, 2, 23), id="a-sunday"),
        pytest.param(GB, date(2026, 3, 22), date(2026, 4, 5), date(2026, 4, 7), id="easter-sunday"),
        pytest.param(GB, date(2026, 1, 8), date(2026, 4, 3), date(2026, 4, 7), id="good-friday"),
        pytest.param(GB, date(2026, 12, 22), date(2027, 1, 5), date(2027, 1, 8), id="the-notice-of-christmas-is-longer-than-the-terms"),
        pytest.param(GB, date(2026, 1, 8), date(2026, 1, 8), date(2026, 1, 22), id="never-before-the-notice"),
        pytest.param(NL, date(2026, 4, 1), date(2026, 4, 1), date(2026, 4, 15), id="fourteen-calendar-days"),
        pytest.param(NL, date(2026, 3, 22), date(2026, 4, 5), date(2026, 4, 7), id="easter-sunday-in-euros"),
        pytest.param(NL, date(2026, 1, 8), date(2026, 4, 27), date(2026, 4, 27), id="king-s-day"),
        pytest.param(NL, date(2026, 1, 8), date(2026, 5, 1), date(2026, 5, 4), id="labour-day"),
    ],
)
def test_a_debit_is_collected_on_the_first_bank_day_after_its_notice(
    market: Market, told_on: date, wanted_on: date, debited_on: date
) -> None:
    """Ten working days of Bacs, fourteen calendar days of SEPA, then the first day on which the bank works."""
    assert debit_day(market, told_on=told_on, wanted_on=wanted_on) == debited_on


@hypothesis.given(st.sampled_from([GB, NL]), days, st.integers(-30, 60))
def test_no_debit_falls_on_a_day_off_or_within_its_notice(market: Market, told_on: date, later_days: int) -> None:
    """Whatever is wanted, it is a bank's day, not before the wanted one, and it is the first such day."""
    wanted_on = told_on + timedelta(days=later_days)
    day = debit_day(market, told_on=told_on, wanted_on=wanted_on)
    rules = market.debits

    def noticed(until: date) -> bool:
        between = [told_on + timedelta(days=n) for n in range(1, (until - told_on).days + 1)]
        counted = [each for each in between if not rules.notice_in_bank_days or is_working_day(rules.calendar, each)]
        return len(counted) >= rules.notice_days

    assert day >= wanted_on
    assert is_working_day(rules.calendar, day)
    assert noticed(day)
    earlier = [wanted_on + timedelta(days=n) for n in range((day - wanted_on).days)]
    assert not [each for each in earlier if noticed(each) and is_working_day(rules.calendar, each)]
