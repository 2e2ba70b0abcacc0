"""Periods are half-open, months follow their anchor, and local days are told from UTC instants by the zone."""

from datetime import UTC, date, datetime, timedelta, timezone

import hypothesis
import pytest
from hypothesis import strategies

from o2c.kernel.periods import Period, local_date, local_time, next_cycle_day, next_month, parse_time, previous_month, stamp

CYCLE = (1, 8, 15, 22)
days = strategies.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31))
anchors = strategies.integers(min_value=1, max_value=28)
instants = strategies.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=strategies.just(UTC))


def test_a_period_counts_its_start_and_not_its_end() -> None:
    """The first day belongs to the period, the last does not."""
    assert Period(date(2026, 2, 1), date(2026, 3, 1)).days == 28
    assert Period(date(2026, 2, 1), date(2026, 2, 1)).days == 0


def test_a_period_does_not_run_backwards() -> None:
    """An end before the start is refused."""
    with pytest.raises(ValueError, match="cannot run"):
        Period(date(2026, 2, 2), date(2026, 2, 1))


@pytest.mark.parametrize(
    ("day", "anchor", "following"),
    [
        pytest.param(date(2026, 1, 15), 15, date(2026, 2, 15), id="within-a-year"),
        pytest.param(date(2026, 12, 22), 22, date(2027, 1, 22), id="over-new-year"),
        pytest.param(date(2026, 11, 8), 8, date(2026, 12, 8), id="into-december"),
        pytest.param(date(2026, 1, 31), 1, date(2026, 2, 1), id="from-another-day"),
    ],
)
def test_the_next_month_has_the_anchor_day(day: date, anchor: int, following: date) -> None:
    """The month after the day's own, on the anchor."""
    assert next_month(day, anchor) == following


@pytest.mark.parametrize(
    ("day", "before"),
    [(date(2026, 3, 8), date(2026, 2, 8)), (date(2026, 1, 8), date(2025, 12, 8)), (date(2026, 12, 8), date(2026, 11, 8))],
)
def test_the_previous_month_has_the_anchor_day(day: date, before: date) -> None:
    """The month before the day's own, on the anchor."""
    assert previous_month(day, 8) == before


@hypothesis.given(days, anchors)
def test_months_there_and_back_meet_on_the_anchor(day: date, anchor: int) -> None:
    """Forward then back is the anchor day of the same month, and so is back then forward."""
    assert previous_month(next_month(day, anchor), anchor) == day.replace(day=anchor)
    assert next_month(previous_month(day, anchor), anchor) == day.replace(day=anchor)


@pytest.mark.parametrize("anchor", [0, -1, 29, 31])
def test_an_anchor_some_month_lacks_is_refused(anchor: int) -> None:
    """Only days that every month has can anchor a cycle."""
    with pytest.raises(ValueError, match="not in every month"):
        next_month(date(2026, 1, 1), anchor)
    with pytest.raises(ValueError, match="not in every month"):
        previous_month(date(2026, 1, 1), anchor)
    with pytest.raises(ValueError, match="not in every month"):
        next_cycle_day(date(2026, 1, 1), (1, anchor))


@pytest.mark.parametrize(
    ("day", "following"),
    [
        pytest.param(date(2026, 3, 7), date(2026, 3, 8), id="the-day-before"),
        pytest.param(date(2026, 3, 8), date(2026, 3, 15), id="on-a-cycle-day"),
        pytest.param(date(2026, 3, 22), date(2026, 4, 1), id="on-the-last"),
        pytest.param(date(2026, 12, 31), date(2027, 1, 1), id="end-of-year"),
    ],
)
def test_the_next_cycle_day_is_strictly_later(day: date, following: date) -> None:
    """A cycle day is never its own next one."""
    assert next_cycle_day(day, CYCLE) == following


def test_the_order_of_cycle_days_does_not_matter() -> None:
    """The first cycle day after the day is found in any order of the tuple."""
    assert next_cycle_day(date(2026, 3, 9), (22, 1, 15)) == date(2026, 3, 15)
    assert next_cycle_day(date(2026, 3, 23), (22, 8)) == date(2026, 4, 8)


def test_a_cycle_without_days_is_refused() -> None:
    """There is no next day of nothing."""
    with pytest.raises(ValueError, match="at least one"):
        next_cycle_day(date(2026, 3, 9), ())


@hypothesis.given(days, strategies.lists(anchors, min_size=1, max_size=5))
def test_no_cycle_day_lies_between_a_day_and_its_next_one(day: date, cycle: list[int]) -> None:
    """The answer is a cycle day, and the first one."""
    following = next_cycle_day(day, tuple(cycle))
    between = [day + timedelta(days=n) for n in range(1, (following - day).days)]
    assert following > day
    assert following.day in cycle
    assert not [each for each in between if each.day in cycle]


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        pytest.param(datetime(2026, 6, 30, 22, 59, tzinfo=UTC), "Europe/London", date(2026, 6, 30), id="before-summer-midnight"),
        pytest.param(datetime(2026, 6, 30, 23, 0, tzinfo=UTC), "Europe/London", date(2026, 7, 1), id="summer-midnight"),
        pytest.param(datetime(2026, 1, 31, 23, 30, tzinfo=UTC), "Europe/London", date(2026, 1, 31), id="winter"),
        pytest.param(datetime(2026, 1, 31, 19, 0, tzinfo=UTC), "Asia/Kolkata", date(2026, 2, 1), id="east"),
        pytest.param(
            datetime(2026, 2, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))), "Europe/London", date(2026, 1, 31), id="other-offset"
        ),
    ],
)
def test_the_local_day_is_the_one_on_the_wall(at: datetime, zone: str, day: date) -> None:
    """An instant falls on the zone's own date."""
    assert local_date(at, zone) == day


@pytest.mark.parametrize(
    ("day", "hour", "instant"),
    [
        pytest.param(date(2026, 3, 28), 9, datetime(2026, 3, 28, 9, tzinfo=UTC), id="winter"),
        pytest.param(date(2026, 3, 30), 9, datetime(2026, 3, 30, 8, tzinfo=UTC), id="summer"),
        pytest.param(date(2026, 3, 29), 1, datetime(2026, 3, 29, 1, tzinfo=UTC), id="skipped-hour"),
        pytest.param(date(2026, 10, 25), 1, datetime(2026, 10, 25, 0, tzinfo=UTC), id="repeated-hour-is-the-first"),
    ],
)
def test_a_wall_clock_time_is_one_instant(day: date, hour: int, instant: datetime) -> None:
    """The clock change moves the instant, never the time on the wall."""
    result = local_time(day, hour, 0, "Europe/London")
    assert result == instant
    assert result.tzinfo is UTC


def test_a_naive_time_has_no_day_and_no_stamp() -> None:
    """A time without zone is refused, never taken for UTC."""
    with pytest.raises(ValueError, match="has no zone"):
        local_date(datetime(2026, 1, 1), "Europe/London")
    with pytest.raises(ValueError, match="has no zone"):
        stamp(datetime(2026, 1, 1))


@pytest.mark.parametrize("zone", ["Europe/Londinium", "", "Europe", "../../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    """A zone that is no zone is a ValueError whatever is wrong with it."""
    with pytest.raises(ValueError, match="not a known time zone"):
        local_date(datetime(2026, 1, 1, tzinfo=UTC), zone)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("2026-03-29T01:30:00Z", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="utc"),
        pytest.param("2026-03-29t01:30:00z", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="lower-case"),
        pytest.param("2026-03-29T02:30:00+01:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="offset"),
        pytest.param("2026-03-29 01:30:00-00:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="space-and-unknown-offset"),
        pytest.param("2026-03-29T01:30:00.5Z", datetime(2026, 3, 29, 1, 30, 0, 500000, tzinfo=UTC), id="fraction"),
        pytest.param("2026-03-29T01:30:00.123456789Z", datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC), id="nanoseconds"),
        pytest.param("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC), id="leap-day"),
    ],
)
def test_an_rfc_3339_time_is_one_utc_instant(text: str, at: datetime) -> None:
    """Every spelling the standard allows gives aware UTC."""
    assert parse_time(text) == at
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("2026-03-29T01:30:00", "not an RFC 3339 time", id="naive"),
        pytest.param("2026-03-29", "not an RFC 3339 time", id="date-only"),
        pytest.param("2026-02-30T00:00:00Z", "not a possible time", id="impossible-day"),
        pytest.param("2025-02-29T00:00:00Z", "not a possible time", id="no-leap-year"),
        pytest.param("0000-01-01T00:00:00Z", "not a possible time", id="year-zero"),
        pytest.param("2026-03-29T24:00:00Z", "not an RFC 3339 time", id="hour-24"),
        pytest.param("2026-03-29T23:59:60Z", "not an RFC 3339 time", id="leap-second"),
        pytest.param("2026-03-29T01:30:00+01:60", "not an RFC 3339 time", id="offset-minutes-60"),
        pytest.param("2026-03-29T01:30:00+24:00", "not an RFC 3339 time", id="offset-hours-24"),
        pytest.param("2026-03-29T01:30:00+0100", "not an RFC 3339 time", id="offset-without-colon"),
        pytest.param("2026-03-29T01:30:00+01:00:30", "not an RFC 3339 time", id="offset-with-seconds"),
        pytest.param("0001-01-01T00:00:00+01:00", "not a possible time", id="before-year-one-in-utc"),
        pytest.param("20260329T013000Z", "not an RFC 3339 time", id="iso-basic"),
        pytest.param("2026-W13-7T01:30:00Z", "not an RFC 3339 time", id="week-date"),
        pytest.param("2026-03-29T01:30:00Z\n", "not an RFC 3339 time", id="trailing-newline"),
        pytest.param("\uff12026-03-29T01:30:00Z", "not an RFC 3339 time", id="full-width-digit"),
        pytest.param("yesterday\n" * 1000, "not an RFC 3339 time", id="long-text"),
        pytest.param("", "not an RFC 3339 time", id="empty"),
    ],
)
def test_what_is_no_instant_is_refused_in_one_line(text: str, why: str) -> None:
    """No zone, no such time, or another format: refused, never guessed."""
    with pytest.raises(ValueError, match=why) as refusal:
        parse_time(text)
    assert len(str(refusal.value)) <= 120
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "2026-03-29T01:30:00Z"),
        (datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=UTC), "2026-03-29T01:30:00.000005Z"),
        (datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=1))), "2026-03-29T01:30:00Z"),
    ],
)
def test_a_stamp_is_utc_and_no_longer_than_it_must_be(at: datetime, text: str) -> None:
    """Microseconds stand only where there are any."""
    assert stamp(at) == text


@hypothesis.given(instants)
def test_a_stamp_reads_back_as_the_same_instant(at: datetime) -> None:
    """Writing and reading a time loses nothing."""
    assert parse_time(stamp(at)) == at
