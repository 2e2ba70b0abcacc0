"""What a business owes for paying late: each day of each invoice once, whatever is paid in parts and when; a fixed sum for each invoice."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.collections.interest import LateClaim, claim_of
from o2c.kernel.money import half_up
from o2c.markets.base import Market
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from tests.owing import DUE_ON, Owing

THOUSAND = 100_000


def claim(owing: Owing, days: int, market: Market = GB, invoice: str = "INV-1", currency: str = "GBP") -> LateClaim | None:
    """What is owed so many days after the due day."""
    assert market.collections.late_interest
    late = owing.state.late.get(invoice)
    today = DUE_ON + timedelta(days=days)
    return claim_of(late, market.collections.late_interest, currency, today) if late else None


def owed(owing: Owing, days: int, **more: Any) -> tuple[int, int, int]:
    """Days, interest and fixed sum."""
    found = claim(owing, days, **more)
    return (found.days, found.interest_minor, found.fixed_minor) if found else (0, 0, 0)


def day(after: int) -> str:
    return (DUE_ON + timedelta(days=after)).isoformat()


def late(minor: int = THOUSAND) -> Owing:
    """A business whose invoice was due on 22 January 2026: 8 points above the 3.75 % of 31 December are 11.75 % a year."""
    return Owing().owes(minor, business=True)


def test_interest_runs_from_the_day_after_the_due_day() -> None:
    """Late Payment of Commercial Debts (Interest) Act 1998, s. 4: nothing on the due day; 1,000.00 at 11.75 % for 73 days of 365 are 23.50."""
    assert (owed(late(), 0), owed(late(), 73)) == ((0, 0, 0), (73, 2_350, 7_000))
    found = claim(late(), 73)
    assert found is not None
    assert (found.from_day, found.to_day) == (date(2026, 1, 23), date(2026, 4, 6))


@pytest.mark.parametrize(("debt_minor", "fixed_minor"), [(99_999, 4_000), (THOUSAND, 7_000), (999_999, 7_000), (1_000_000, 10_000)])
def test_the_fixed_sum_goes_by_the_size_of_the_debt(debt_minor: int, fixed_minor: int) -> None:
    """Late Payment of Commercial Debts (Interest) Act 1998, s. 5A: 40 below 1,000, 70 below 10,000, 100 from 10,000 GBP on, once an invoice."""
    assert owed(late(debt_minor), 1)[2] == fixed_minor
    assert owed(late(debt_minor).until(20).pays(5, business=True, paid_on=day(20)), 90)[2] == fixed_minor


def test_somebody_who_is_no_business_owes_nothing() -> None:
    """The act is for commercial debts: a consumer's is none (s. 2)."""
    assert owed(Owing().owes(THOUSAND), 90) == (0, 0, 0)


def test_what_is_paid_is_late_no_more() -> None:
    """Half of it came on the 10th day, the rest on the 30th: 10 days of all of it and 20 of the half, and no day more later."""
    owing = late().until(10).pays(50_000, business=True, paid_on=day(10)).until(30).pays(0, business=True, paid_on=day(30))

    interest_minor = half_up(Fraction(1175, 10_000) * (THOUSAND * 10 + 50_000 * 20) / 365)
    assert owed(owing, 30) == owed(owing, 300) == (30, interest_minor, 7_000)


def test_a_transfer_counts_from_the_day_on_which_it_arrived() -> None:
    """Recorded on the 10th day, arrived on the 4th; one that arrived on the due day was not late."""
    assert owed(late().until(10).pays(0, business=True, paid_on=day(4)), 10)[0] == 4
    assert owed(late().until(10).pays(0, business=True, paid_on=day(0)), 10) == (0, 0, 0)


def test_what_is_credited_was_never_owed() -> None:
    """A dispute that the customer won, of a half: as if the invoice had been over the other half; of all of it, paid or not: nothing is owed."""
    half = late().until(20).owes(50_000, cause="credit", business=True, credited_minor=50_000)
    paid = late().until(20).pays(0, business=True, paid_on=day(20)).owes(0, cause="credit", business=True, credited_minor=THOUSAND)

    assert owed(half, 73) == owed(late(50_000), 73) == (73, 1_175, 4_000)
    assert owed(paid, 73) == (0, 0, 0)


def test_a_dispute_stops_no_interest_while_it_is_open() -> None:
    """Whoever loses it owed the money all the while."""
    assert owed(late(5_000).until(5).disputes(2_000), 73) == owed(late(5_000), 73)
    assert owed(late(5_000).until(5).disputes(2_000).settles("operator"), 73) == owed(late(5_000), 73)


def test_money_that_is_taken_back_is_owed_again_from_that_day() -> None:
    """Paid on the 10th day, charged back on the 40th: the days between are not late; one fixed sum."""
    owing = late().until(10).pays(0, business=True, paid_on=day(10)).until(40).owes(THOUSAND, due=40, cause="chargeback", business=True)

    assert owed(owing, 50) == (20, half_up(Fraction(1175, 10_000) * THOUSAND * 20 / 365), 7_000)


def test_the_rate_stays_in_great_britain_and_follows_the_half_years_in_the_netherlands() -> None:
    """SI 2002/1675, art. 4: by the day on which interest begins to run. Directive 2011/7/EU, art. 2(7): by each half-year. From 22 December
    2024, for 20 days: 5.25 % of 30 June 2024 for all; 4.25 % of 1 July 2024 for 9 days, 3.15 % of 1 January 2025 for 11."""
    due = (date(2024, 12, 22) - DUE_ON).days
    owing = late_since(due)

    assert owed(owing, due + 20)[1] == half_up(Fraction(1325, 10_000) * THOUSAND * 20 / 365)
    dutch = Fraction(1225, 10_000) * 9 + Fraction(1115, 10_000) * 11
    assert owed(owing, due + 20, market=NL)[1] == half_up(dutch * THOUSAND / 365)
    assert owed(owing, due + 20, market=NL, currency="EUR")[2] == 0, "the fixed sum is in the market's money"


def late_since(due: int) -> Owing:
    return Owing().owes(THOUSAND, due=due, business=True)


def test_a_day_before_all_rates_is_told() -> None:
    """Rather than reckoned at a rate that nobody fixed."""
    assert GB.collections.late_interest
    with pytest.raises(ValueError, match="no reference rate is known"):
        GB.collections.late_interest.percent_on(date(2010, 1, 1))


CHANGES = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 60_000), st.sampled_from(("payment", "credit"))), max_size=8)


@given(changes=CHANGES, until=st.integers(0, 500), market=st.sampled_from((GB, NL)))
def test_each_day_counts_once_whatever_is_paid_in_parts_and_when(changes: list[tuple[int, int, Any]], until: int, market: Market) -> None:
    """Reckoned again day by day, in whatever order the money was recorded."""
    owing, open_minor = late(), THOUSAND
    changed: list[tuple[int, int]] = []
    for when, most_minor, cause in changes:
        minor = min(most_minor, open_minor)
        open_minor -= minor
        owing.owes(open_minor, cause=cause, business=True, paid_on=day(when), credited_minor=minor)
        changed.append((0 if cause == "credit" else when, minor))

    assert market.collections.late_interest
    days, interest, first = 0, Fraction(), None
    for number in range(1, until + 1):
        left = THOUSAND - sum(minor for when, minor in changed if when < number)
        if left:
            first = first or DUE_ON + timedelta(days=number)
            at_rate = DUE_ON + timedelta(days=number) if market is NL else first
            days, interest = days + 1, interest + left * Fraction(market.collections.late_interest.percent_on(at_rate)) / 36_500
    assert owed(owing, until, market=market)[:2] == (days, half_up(interest))
