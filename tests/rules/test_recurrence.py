"""Periods of a price begin on the anniversaries of its first day, without gap or overlap, whatever the months' lengths."""

from datetime import date, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.money import part_of
from o2c.kernel.periods import Period
from o2c.kernel.recurrence import LENGTH_MAX, UNITS, Recurrence

MONTH, QUARTER, YEAR, WEEK = Recurrence("month"), Recurrence("month", 3), Recurrence("year"), Recurrence("week")
days = st.dates(date(2000, 1, 1), date(2060, 12, 31))
recurrences = st.builds(Recurrence, st.sampled_from(sorted(UNITS)), st.integers(1, 40))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("recurrence", "first_day", "begins"),
    [
        pytest.param(MONTH, "2026-01-31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"], id="from-the-31st"),
        pytest.param(MONTH, "2021-03-31", ["2021-03-31", "2021-04-30"], id="L11-31-march-to-30-april"),
        pytest.param(MONTH, "2020-01-31", ["2020-01-31", "2020-02-29"], id="L11-a-leap-february"),
        pytest.param(QUARTER, "2025-11-30", ["2025-11-30", "2026-02-28", "2026-05-30"], id="quarters-from-the-30th"),
        pytest.param(
            YEAR, "2024-02-29", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"], id="years-from-a-leap-day"
        ),
        pytest.param(WEEK, "2026-12-28", ["2026-12-28", "2027-01-04"], id="weeks-over-new-year"),
        pytest.param(Recurrence("day", 30), "2026-01-05", ["2026-01-05", "2026-02-04", "2026-03-06"], id="thirty-days"),
    ],
)
def test_periods_begin_on_anniversaries(recurrence: Recurrence, first_day: str, begins: list[str]) -> None:
    """A day that a month lacks is that month's last, and comes back in the next that has it."""
    assert [str(recurrence.begins(day(first_day), turn)) for turn in range(len(begins))] == begins


def test_a_period_ends_the_day_before_the_next_anniversary() -> None:
    """L11: anniversary 31 January, the period billed on 28 February 2022 has 27 February as its last day (half-open: ends on the 28th)."""
    assert MONTH.period(day("2022-01-31"), 0) == Period(day("2022-01-31"), day("2022-02-28"))


@pytest.mark.parametrize(
    ("recurrence", "first_day", "on", "count"),
    [
        pytest.param(MONTH, "2012-01-30", "2012-03-01", 2, id="K5-two-by-1-march-from-30-january-2012"),
        pytest.param(MONTH, "2026-01-31", "2026-02-27", 1, id="the-day-before-a-short-anniversary"),
        pytest.param(MONTH, "2026-01-31", "2026-02-28", 2, id="on-a-short-anniversary"),
        pytest.param(YEAR, "2026-01-05", "2027-01-04", 1, id="the-last-day-of-a-year"),
        pytest.param(YEAR, "2026-01-05", "2027-01-05", 2, id="a-year-later"),
        pytest.param(WEEK, "2026-01-05", "2026-02-02", 5, id="four-weeks-later"),
        pytest.param(WEEK, "2026-01-05", "2026-01-04", 0, id="before-the-first-day"),
    ],
)
def test_periods_begun_by_a_day_are_counted(recurrence: Recurrence, first_day: str, on: str, count: int) -> None:
    """The period that begins on the day counts."""
    assert recurrence.begun(day(first_day), day(on)) == count


@pytest.mark.parametrize(("until", "whole"), [("2012-09-15", 1), ("2012-09-16", 2), ("2012-09-17", 2)])
def test_whole_periods_up_to_a_day(until: str, whole: int) -> None:
    """K10: from 16 July 2012 to 15, 16 and 17 September there are 1, 2 and 2 whole months."""
    assert MONTH.begun(day("2012-07-16"), day(until)) - 1 == whole


@pytest.mark.parametrize(
    ("whole", "part", "share"),
    [
        pytest.param(MONTH.period(day("2011-02-10"), 0), Period(day("2011-02-10"), day("2011-02-24")), (14, 28), id="K1-half-a-cycle"),
        pytest.param(MONTH.period(day("2011-02-01"), 0), Period(day("2011-02-01"), day("2011-02-14")), (13, 28), id="K3-13-of-28"),
        pytest.param(MONTH.period(day("2012-02-01"), 0), Period(day("2012-02-01"), day("2012-02-15")), (14, 29), id="K4-14-of-29"),
        pytest.param(MONTH.period(day("2011-03-07"), 0), Period(day("2011-03-07"), day("2011-03-10")), (3, 31), id="K6-3-of-31"),
        pytest.param(QUARTER.period(day("2024-04-01"), 0), Period(day("2024-05-20"), day("2024-06-21")), (32, 91), id="L5-32-of-91"),
    ],
)
def test_a_part_is_its_days_over_those_of_its_period(whole: Period, part: Period, share: tuple[int, int]) -> None:
    """Actual days on both sides; the public cases whose rule is ours (billing facts, section 6.3)."""
    assert (part.days, whole.days) == share


def test_a_part_of_a_quarter_in_money() -> None:
    """L5: 91,000 cents for a quarter of 91 days are 32,000 for 20 May to 20 June 2024."""
    assert part_of(91_000, 32, QUARTER.period(day("2024-04-01"), 0).days) == 32_000


@pytest.mark.parametrize(("unit", "length"), [("quarter", 1), ("Month", 1), ("", 1), ("month", 0), ("day", -1), ("year", LENGTH_MAX + 1)])
def test_what_is_no_period_is_refused(unit: str, length: int) -> None:
    """Units are the four, a length is a whole number from one on."""
    with pytest.raises(ValueError, match="is no period"):
        Recurrence(unit, length)


@pytest.mark.parametrize(("recurrence", "words"), [(MONTH, "a month"), (QUARTER, "every 3 months"), (YEAR, "a year"), (WEEK, "a week")])
def test_a_period_has_words(recurrence: Recurrence, words: str) -> None:
    """As a person says it after the amount."""
    assert recurrence.words == words


@hypothesis.given(recurrences, days, st.integers(0, 60))
def test_periods_follow_each_other(recurrence: Recurrence, first_day: date, turn: int) -> None:
    """Each ends where the next begins, and holds at least a day."""
    period, following = recurrence.period(first_day, turn), recurrence.period(first_day, turn + 1)
    assert period.end == following.start
    assert period.days >= recurrence.length


@hypothesis.given(recurrences, days, st.integers(0, 3000))
def test_counting_agrees_with_listing(recurrence: Recurrence, first_day: date, later_days: int) -> None:
    """As many have begun by a day as have their first day up to it."""
    on = first_day + timedelta(days=later_days)
    listed = list(recurrence.periods(first_day, since=first_day, through=on))
    assert len(listed) == recurrence.begun(first_day, on)
    assert listed[-1].start <= on < listed[-1].end
