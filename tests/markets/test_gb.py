"""The United Kingdom's calendar, PAC form, port windows and VAT, case by case."""

from calendar import Calendar
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib import resources
from zoneinfo import ZoneInfo

import hypothesis
import phonenumbers
import pytest
from hypothesis import strategies
from iso4217 import Currency

from o2c.kernel.periods import local_date, next_cycle_day
from o2c.markets.base import TaxRate, code_is_wellformed, is_working_day, port_window, tax_group, tax_percent, working_day_after
from o2c.markets.gb import GB

LONDON = ZoneInfo("Europe/London")
instants = strategies.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2030, 12, 1), timezones=strategies.just(UTC))


def london(month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("text", "wellformed"),
    [
        pytest.param("ABC123456", True, id="pac"),
        pytest.param("123456ABC", False, id="stac-or-swapped"),
        pytest.param("abc123456", False, id="lower-case"),
        pytest.param("ABC 123456", False, id="spaced"),
        pytest.param(" ABC123456", False, id="leading-space"),
        pytest.param("ABC123456\n", False, id="newline"),
        pytest.param("ABC-123456", False, id="dashed"),
        pytest.param("ABC12345", False, id="five-digits"),
        pytest.param("ABC1234567", False, id="seven-digits"),
        pytest.param("AB1234567", False, id="two-letters"),
        pytest.param("ABC12345O", False, id="letter-o-for-zero"),
        pytest.param("ABC12345\uff16", False, id="full-width-digit"),
        pytest.param("ABC\uff11\uff12\uff13\uff14\uff15\uff16", False, id="full-width-digits"),
        pytest.param("\uff21BC123456", False, id="full-width-letter"),
        pytest.param("\u0410BC123456", False, id="cyrillic-letter"),
        pytest.param("ÄBC123456", False, id="umlaut"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_pac_is_three_capitals_and_six_digits(text: str, wellformed: bool) -> None:
    """The code is judged as text and never folded into shape."""
    assert code_is_wellformed(GB.porting, text) is wellformed


@pytest.mark.parametrize(
    ("day", "works"),
    [
        pytest.param(date(2026, 3, 27), True, id="friday"),
        pytest.param(date(2026, 3, 28), False, id="saturday"),
        pytest.param(date(2026, 3, 29), False, id="sunday"),
        pytest.param(date(2026, 1, 1), False, id="new-year"),
        pytest.param(date(2026, 1, 2), True, id="scotland-only"),
        pytest.param(date(2026, 4, 3), False, id="good-friday"),
        pytest.param(date(2026, 4, 6), False, id="easter-monday"),
        pytest.param(date(2026, 4, 7), True, id="after-easter"),
        pytest.param(date(2026, 5, 4), False, id="early-may"),
        pytest.param(date(2026, 5, 25), False, id="spring"),
        pytest.param(date(2026, 7, 13), True, id="northern-ireland-only"),
        pytest.param(date(2026, 8, 31), False, id="summer"),
        pytest.param(date(2026, 8, 3), True, id="scottish-summer"),
        pytest.param(date(2026, 12, 25), False, id="christmas"),
        pytest.param(date(2026, 12, 28), False, id="boxing-day-substitute"),
        pytest.param(date(2022, 9, 19), False, id="state-funeral"),
    ],
)
def test_working_days_are_those_of_england(day: date, works: bool) -> None:
    """Weekends and England's bank holidays are not worked; Scotland's and Northern Ireland's own are."""
    assert is_working_day(GB.calendar, day) is works


BANK_HOLIDAYS = {
    2025: ["01-01", "04-18", "04-21", "05-05", "05-26", "08-25", "12-25", "12-26"],
    2026: ["01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"],
    2027: ["01-01", "03-26", "03-29", "05-03", "05-31", "08-30", "12-27", "12-28"],
}
"""England and Wales, as published at https://www.gov.uk/bank-holidays."""


@pytest.mark.parametrize("year", BANK_HOLIDAYS)
def test_no_weekday_is_off_but_the_published_bank_holidays(year: int) -> None:
    """Over a whole year, the weekdays that are not worked are those on the government's list, no more and no fewer."""
    days = {day for month in range(1, 13) for day in Calendar().itermonthdates(year, month) if day.year == year}
    off = sorted(day for day in days if day.weekday() < 5 and not is_working_day(GB.calendar, day))
    assert len(days) == 365
    assert [f"{day:%m-%d}" for day in off] == BANK_HOLIDAYS[year]


@pytest.mark.parametrize(
    ("requested_at", "opens_at"),
    [
        pytest.param(london(3, 18, 12), datetime(2026, 3, 19, 9, tzinfo=UTC), id="midweek"),
        pytest.param(london(3, 18, 0), datetime(2026, 3, 19, 9, tzinfo=UTC), id="midnight"),
        pytest.param(london(3, 18, 23, 59), datetime(2026, 3, 20, 9, tzinfo=UTC), id="late-evening"),
        pytest.param(london(3, 20, 16, 59), datetime(2026, 3, 23, 9, tzinfo=UTC), id="friday-16-59"),
        pytest.param(london(3, 20, 16, 59, 59), datetime(2026, 3, 23, 9, tzinfo=UTC), id="friday-16-59-59"),
        pytest.param(london(3, 20, 17, 0), datetime(2026, 3, 24, 9, tzinfo=UTC), id="friday-17-00"),
        pytest.param(london(3, 20, 17, 1), datetime(2026, 3, 24, 9, tzinfo=UTC), id="friday-17-01"),
        pytest.param(london(3, 21, 10), datetime(2026, 3, 24, 9, tzinfo=UTC), id="saturday"),
        pytest.param(london(3, 22, 23), datetime(2026, 3, 24, 9, tzinfo=UTC), id="sunday"),
        pytest.param(london(4, 2, 16, 59), datetime(2026, 4, 7, 8, tzinfo=UTC), id="before-easter"),
        pytest.param(london(4, 2, 17), datetime(2026, 4, 8, 8, tzinfo=UTC), id="before-easter-too-late"),
        pytest.param(london(4, 3, 12), datetime(2026, 4, 8, 8, tzinfo=UTC), id="good-friday"),
        pytest.param(london(4, 6, 9), datetime(2026, 4, 8, 8, tzinfo=UTC), id="easter-monday"),
        pytest.param(london(5, 1, 12), datetime(2026, 5, 5, 8, tzinfo=UTC), id="early-may-holiday"),
        pytest.param(london(12, 24, 12), datetime(2026, 12, 29, 9, tzinfo=UTC), id="christmas"),
        pytest.param(london(12, 31, 17), datetime(2027, 1, 5, 9, tzinfo=UTC), id="over-new-year"),
        pytest.param(london(3, 26, 12), datetime(2026, 3, 27, 9, tzinfo=UTC), id="last-winter-window"),
        pytest.param(london(3, 27, 12), datetime(2026, 3, 30, 8, tzinfo=UTC), id="over-the-clock-change"),
        pytest.param(london(10, 23, 12), datetime(2026, 10, 26, 9, tzinfo=UTC), id="over-the-autumn-change"),
        pytest.param(datetime(2026, 7, 1, 15, 59, tzinfo=UTC), datetime(2026, 7, 2, 8, tzinfo=UTC), id="summer-16-59-in-utc"),
        pytest.param(datetime(2026, 7, 1, 16, 0, tzinfo=UTC), datetime(2026, 7, 3, 8, tzinfo=UTC), id="summer-17-00-in-utc"),
        pytest.param(datetime(2026, 7, 1, 23, 30, tzinfo=UTC), datetime(2026, 7, 3, 8, tzinfo=UTC), id="already-tomorrow-in-london"),
    ],
)
def test_the_window_opens_the_next_working_day_unless_the_cut_off_is_missed(requested_at: datetime, opens_at: datetime) -> None:
    """Before 17:00 on a working day ports the next one, anything later the one after that, at nine in London."""
    assert port_window(GB, requested_at) == opens_at
    assert port_window(GB, requested_at).tzinfo is UTC


@pytest.mark.parametrize(
    ("more", "opens_on"),
    [(0, date(2026, 4, 2)), (1, date(2026, 4, 7)), (2, date(2026, 4, 8)), (5, date(2026, 4, 13))],
)
def test_a_later_window_counts_in_working_days(more: int, opens_on: date) -> None:
    """Putting a port off skips weekends and holidays too."""
    assert port_window(GB, london(4, 1, 12), working_days_more=more).date() == opens_on


def test_a_window_is_not_opened_early_or_for_a_naive_time() -> None:
    """Negative delays and times without zone are the caller's mistakes."""
    with pytest.raises(ValueError, match="sooner"):
        port_window(GB, london(4, 1, 12), working_days_more=-1)
    with pytest.raises(ValueError, match="has no zone"):
        port_window(GB, datetime(2026, 4, 1, 12))


def test_no_working_day_comes_after_none() -> None:
    """Counting starts at one: a day is not after itself."""
    with pytest.raises(ValueError, match="not after"):
        working_day_after(GB.calendar, date(2026, 4, 1), 0)


@hypothesis.given(instants, strategies.integers(0, 5))
def test_a_window_lies_ahead_on_a_working_day_at_nine(requested_at: datetime, more: int) -> None:
    """Whenever asked, the window opens on a later working day, at nine on London's clocks."""
    opens_at = port_window(GB, requested_at, working_days_more=more)
    assert is_working_day(GB.calendar, local_date(opens_at, GB.zone))
    assert local_date(opens_at, GB.zone) > local_date(requested_at, GB.zone)
    assert opens_at.astimezone(LONDON).time() == time(9)


@hypothesis.given(instants, strategies.timedeltas(min_value=timedelta(0), max_value=timedelta(days=14)))
def test_asking_later_never_ports_sooner(requested_at: datetime, later: timedelta) -> None:
    """The window moves only forward with the request."""
    assert port_window(GB, requested_at) <= port_window(GB, requested_at + later)


def test_vat_is_twenty_percent_since_january_2011() -> None:
    """The standard rate holds from its first day; before it this version knows none, and of other groups neither."""
    assert tax_percent(GB, "standard", date(2011, 1, 4)) == Decimal(20)
    with pytest.raises(ValueError, match="no 'standard' tax rate"):
        tax_percent(GB, "standard", date(2011, 1, 3))
    with pytest.raises(ValueError, match="no 'luxury' tax rate"):
        tax_percent(GB, "luxury", date(2026, 1, 1))


def test_what_is_reduced_or_zero_rated_has_its_own_group() -> None:
    """5 % and nothing; what bears nothing is taxed at a rate all the same, and its category says so (UNCL 5305)."""
    assert [(rate.group, rate.percent, rate.category) for rate in GB.tax_rates] == [
        ("standard", 20, "S"),
        ("reduced", 5, "S"),
        ("zero", 0, "Z"),
    ]
    assert [tax_group(GB, name) for name in ("VAT", "s", "Reduced", "Z", "zero-rated", "moon")] == [
        *("standard", "standard", "reduced", "zero", "zero", None)
    ]


def test_a_new_rate_takes_over_on_its_day() -> None:
    """The latest rate in force counts, in whatever order the rates are listed."""
    raised = TaxRate(group="standard", percent=Decimal("22.5"), valid_from=date(2027, 4, 1), source="an example")
    market = replace(GB, tax_rates=(raised, *GB.tax_rates))
    assert tax_percent(market, "standard", date(2027, 3, 31)) == Decimal(20)
    assert tax_percent(market, "standard", date(2027, 4, 1)) == Decimal("22.5")


def zones_of(country: str) -> set[str]:
    """The time zones of a country by the tz database's own table."""
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return {row[2] for row in rows if row[0] == country}


def test_the_markets_data_agree_with_one_another() -> None:
    """Calendar, zone, currency and numbering are of one country, as the public tables of zones, currencies and calling codes have it."""
    assert GB.code == GB.calendar.country == GB.numbering.region
    assert GB.zone in zones_of(GB.code)
    assert any(name.startswith("UNITED KINGDOM") for name in Currency(GB.currency).country_names)
    # ITU-T E.164, list of assigned country codes: 44 is the United Kingdom's.
    assert phonenumbers.country_code_for_region(GB.numbering.region) == 44


def test_every_cycle_day_comes_once_a_month() -> None:
    """Billed from run to run for a leap year and a common one, each cycle day comes in each month, in February as in any other."""
    runs, day = [], date(2027, 12, 31)
    while (day := next_cycle_day(day, GB.bill_cycle_days)) < date(2030, 1, 1):
        runs.append(day)
    for anchor in GB.bill_cycle_days:
        assert [(run.year, run.month) for run in runs if run.day == anchor] == [(year, m) for year in (2028, 2029) for m in range(1, 13)]
    assert len(runs) == 24 * len(GB.bill_cycle_days) > 0


@pytest.mark.parametrize("month", range(1, 13))
def test_a_ceased_number_rests_a_month_whichever_it_is(month: int) -> None:
    """Ofcom's General Condition C7.6(b) asks for "at least one month": on the same day of the next month the number still rests or just did."""
    first, following = date(2026, month, 1), date(2026 + month // 12, month % 12 + 1, 1)
    assert first + timedelta(days=GB.numbering.rests["in-use"].days_min) >= following


@pytest.mark.parametrize(
    ("cause", "missed_on", "minor"),
    [
        pytest.param("late-start", date(2019, 3, 31), 0, id="before the scheme"),
        pytest.param("late-start", date(2019, 4, 1), 500, id="its first day"),
        pytest.param("late-start", date(2026, 3, 31), 624, id="of the year before, to its last day"),
        pytest.param("late-start", date(2026, 4, 1), 646, id="a start that is late"),
        pytest.param("missed-visit", date(2026, 11, 28), 3_231, id="a visit that nobody made"),
    ],
)
def test_what_a_missed_day_is_worth(cause: str, missed_on: date, minor: int) -> None:
    """The sums of Ofcom's scheme, each from the first of an April on."""
    assert GB.life.compensation is not None
    assert GB.life.compensation.due_minor(cause, missed_on) == minor


@pytest.mark.parametrize("cause", ["late_start", "missed_visit"])
def test_compensation_follows_prices(cause: str) -> None:
    """A control of what was typed: from 2021 on each sum is that of before, raised by the consumer price index of the October before (ONS, D7G7)."""
    rises = {2021: "0.7", 2022: "4.2", 2023: "11.1", 2024: "4.6", 2025: "2.3", 2026: "3.6"}
    sums = {day.year: minor for day, minor in getattr(GB.life.compensation, cause)}
    assert sums.keys() == {2019, *rises}
    for year, percent in rises.items():
        raised = sums[2019 if year == 2021 else year - 1] * (1 + Decimal(percent) / 100)
        assert abs(sums[year] - raised) <= 1
