"""Shares of a cycle: the public cases by their names, bill days that months lack, and laws that hold for every service."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.money import part_of
from o2c.kernel.periods import Period, local_time
from o2c.kernel.recurrence import Recurrence
from o2c.rating.proration import after_last_cycle, cycle_day_from, days_of_thirty, share_of_thirty, shares

MONTH = Recurrence("month")


def day(text: str) -> date:
    return date.fromisoformat(text)


def cycles(start: str, anchor: int, through: str, end: str = "", mode: str = "advance", every: Recurrence = MONTH) -> list[Fraction]:
    found = shares(day(start), anchor=anchor, through=day(through), mode=mode, end=day(end) if end else None, recurrence=every)  # type: ignore[arg-type] # the two words of the table
    return [share.cycles for share in found]


@pytest.mark.parametrize(
    ("start", "anchor", "through", "end", "expected"),
    [
        pytest.param("2011-02-10", 10, "2011-03-06", "2011-02-24", ["1/2"], id="K1-half-a-cycle"),
        pytest.param("2011-02-17", 3, "2011-03-03", "", ["1/2", "1"], id="K2-one-and-a-half"),
        pytest.param("2011-02-01", 1, "2011-02-14", "2011-02-14", ["13/28"], id="K3-first-bill-day-1"),
        pytest.param("2011-02-14", 31, "2011-03-01", "", ["14/31", "1"], id="K3-then-bill-day-31"),
        pytest.param("2012-02-01", 1, "2012-02-15", "2012-02-15", ["14/29"], id="K4-a-leap-february"),
        pytest.param("2012-01-30", 30, "2012-03-01", "", ["1", "1"], id="K5-bill-day-30"),
        pytest.param("2011-02-07", 7, "2011-03-10", "2011-03-10", ["1", "3/31"], id="K6-one-and-three-days"),
        pytest.param("2026-01-31", 31, "2026-03-31", "", ["1", "1", "1"], id="the-31st-comes-back-after-february"),
        pytest.param("2024-01-29", 29, "2024-03-01", "", ["1", "1"], id="the-29th-in-a-leap-year"),
        pytest.param("2023-01-29", 29, "2023-03-01", "", ["1", "1"], id="the-29th-in-another-year"),
        pytest.param("2026-04-05", 10, "2026-04-05", "2026-04-08", ["3/31"], id="ended-before-the-first-bill-day"),
        pytest.param("2026-04-05", 10, "2026-04-04", "", [], id="not-begun"),
        pytest.param("2026-04-05", 5, "2026-04-05", "2026-04-05", [], id="ended-as-it-began"),
    ],
)
def test_in_advance(start: str, anchor: int, through: str, end: str, expected: list[str]) -> None:
    """Whatever begins up to the day (billing facts, section 6.3)."""
    assert cycles(start, anchor, through, end) == [Fraction(share) for share in expected]


@pytest.mark.parametrize(
    ("start", "anchor", "through", "end", "expected"),
    [
        pytest.param("2011-02-17", 3, "2011-03-03", "", ["1/2"], id="only-the-part-before-the-bill-day"),
        pytest.param("2011-02-17", 3, "2011-03-02", "", [], id="the-day-before-the-bill-day"),
        pytest.param("2011-02-17", 3, "2011-04-03", "", ["1/2", "1"], id="a-whole-cycle-has-ended"),
        pytest.param("2011-02-07", 7, "2011-03-10", "2011-03-10", ["1", "3/31"], id="the-last-part-as-it-ends"),
        pytest.param("2011-02-07", 7, "2011-03-09", "2011-03-10", ["1"], id="the-day-before-it-ends"),
        pytest.param("2026-01-31", 31, "2026-02-28", "", ["1"], id="bill-day-31-on-28-february"),
        pytest.param("2024-01-31", 31, "2024-02-28", "", [], id="bill-day-31-is-29-february-in-a-leap-year"),
    ],
)
def test_in_arrears(start: str, anchor: int, through: str, end: str, expected: list[str]) -> None:
    """Whatever has ended up to the day."""
    assert cycles(start, anchor, through, end, mode="arrears") == [Fraction(share) for share in expected]


def test_quarters_and_weeks() -> None:
    """Longer cycles keep the bill day; weeks have their cycles from the first day."""
    assert cycles("2024-05-20", 1, "2024-06-01", every=Recurrence("month", 3)) == [Fraction(12, 92), 1]
    assert cycles("2026-01-05", 1, "2026-01-18", "2026-01-15", every=Recurrence("week")) == [1, Fraction(3, 7)]


def test_the_end_long_after_the_last_bill() -> None:
    """K7: billed through 2 March 2012 and ended on 2 June, it is 92 days of the first cycle's 31: 2.967741935 at nine places."""
    share = after_last_cycle(day("2012-03-02"), day("2012-06-02"), MONTH)
    assert share == Fraction(92, 31)
    assert round(share, 9) == Fraction("2.967741935")


@pytest.mark.parametrize(
    ("start", "end", "days", "share"),
    [
        *(
            pytest.param(start, end, 22, "0.733333333", id=f"K8-{start}")
            for start, end in [
                *(("2023-05-23", "2023-06-15"), ("2023-06-23", "2023-07-15"), ("2023-02-23", "2023-03-15"), ("2024-02-23", "2024-03-15")),
            ]
        ),
        *(pytest.param(f"2023-{month}-15", f"2023-{month}-23", 8, "0.266666667", id=f"K9-{month}") for month in ("02", "05", "06")),
        pytest.param("2023-01-15", "2023-02-15", 30, "1", id="a-month-is-thirty"),
        pytest.param("2023-01-31", "2023-02-01", 1, "0.033333333", id="the-31st-is-the-30th"),
        pytest.param("2023-12-20", "2024-01-05", 15, "0.5", id="over-new-year"),
    ],
)
def test_months_of_thirty(start: str, end: str, days: int, share: str) -> None:
    """Every month has thirty days (billing facts, section 6.3, K8 and K9)."""
    assert days_of_thirty(day(start), day(end)) == days
    assert round(share_of_thirty(day(start), day(end)), 9) == Fraction(share)


@pytest.mark.parametrize(
    ("on", "anchor", "bill_day"),
    [
        pytest.param("2022-02-01", 31, "2022-02-28", id="L11-bill-28-february-2022"),
        pytest.param("2021-04-01", 31, "2021-04-30", id="L11-31-march-to-30-april-2021"),
        pytest.param("2020-02-01", 31, "2020-02-29", id="L11-29-february-2020"),
        pytest.param("2022-12-31", 31, "2022-12-31", id="the-day-itself"),
        pytest.param("2022-12-31", 1, "2023-01-01", id="over-new-year"),
    ],
)
def test_the_bill_day_of_a_month(on: str, anchor: int, bill_day: str) -> None:
    """The last day of a month that lacks it (billing facts, section 6.3, L11)."""
    assert cycle_day_from(day(on), anchor) == day(bill_day)


@pytest.mark.parametrize("anchor", [0, 32])
def test_what_is_no_bill_day_is_refused(anchor: int) -> None:
    """1 to 31."""
    with pytest.raises(ValueError, match="is in no month"):
        cycle_day_from(day("2026-01-01"), anchor)


def test_a_calendar_month_of_new_york() -> None:
    """L12: a calendar month in America/New_York begins at 05:00 UTC, and at 04:00 in summer."""
    assert local_time(day("2022-03-01"), 0, 0, "America/New_York") == datetime(2022, 3, 1, 5, tzinfo=UTC)
    assert local_time(day("2022-02-01"), 0, 0, "America/New_York") == datetime(2022, 2, 1, 5, tzinfo=UTC)
    assert local_time(day("2022-04-01"), 0, 0, "America/New_York") == datetime(2022, 4, 1, 4, tzinfo=UTC)


days = st.dates(date(2000, 1, 1), date(2050, 12, 31))
spans = st.integers(0, 800).map(timedelta)


@hypothesis.given(days, st.integers(1, 31), spans)
def test_shares_cover_a_life_without_gap(start: date, anchor: int, length: timedelta) -> None:
    """They follow each other from the first day to the last, each at most a cycle, and both modes agree in the end."""
    found = shares(start, anchor=anchor, through=start + length, mode="arrears", end=start + length)
    assert found == tuple(s for s in shares(start, anchor=anchor, through=start + length, mode="advance", end=start + length))
    assert [share.days.start for share in found] == [start, *(share.days.end for share in found[:-1])][: len(found)]
    assert sum(share.days.days for share in found) == length.days
    assert all(0 < share.cycles <= 1 for share in found[1:])


@hypothesis.given(days, st.integers(1, 28), st.integers(0, 100_000), st.lists(st.integers(0, 31), max_size=4))
def test_parts_of_a_cycle_sum_to_the_whole(start: date, anchor: int, amount_minor: int, cuts: list[int]) -> None:
    """A cycle that is cut into lives costs exactly what it costs whole, before it is rounded."""
    first = cycle_day_from(start, anchor)
    whole = cycle_day_from(first + timedelta(days=1), anchor)
    at = sorted({first, whole, *(min(first + timedelta(days=cut), whole) for cut in cuts)})
    pieces = [shares(a, anchor=anchor, through=b, mode="advance", end=b) for a, b in pairwise(at)]
    assert sum(share.cycles for piece in pieces for share in piece) * amount_minor == amount_minor


@hypothesis.given(days, days, days)
def test_days_of_thirty_add_up(one: date, two: date, three: date) -> None:
    """From one day by way of another to a third."""
    first, second, third = sorted((one, two, three))
    assert days_of_thirty(first, second) + days_of_thirty(second, third) == days_of_thirty(first, third)


def test_a_quarter_in_money() -> None:
    """L5: a quarter of 91,000 cents and 91 days costs 32,000 from 20 May to 20 June 2024 inclusive."""
    quarter, used = Period(day("2024-04-01"), day("2024-07-01")), Period(day("2024-05-20"), day("2024-06-21"))
    assert part_of(91_000, used.days, quarter.days) == 32_000
