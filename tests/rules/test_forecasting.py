"""When a queue clears: by trials over its days, the same for the same seed, and true of invented queues as often as it says."""

import random
from datetime import date, timedelta

import pytest

from o2c.views.forecasting import Day, back_tests, days_until, ranked, whole_days

FIRST = date(2026, 1, 5)


def worked(seed: int, *, days: int = 140, came: int = 12, hands: int = 13, weekend: bool = False) -> list[Day]:
    """A queue of a desk that closes so many a day at most, give or take a third, of what is there; at weekends nothing where it rests."""
    chance, is_open, found = random.Random(seed), came * 3, []
    for gone in range(days):
        day = FIRST + timedelta(days=gone)
        new = came * 3 if gone == 0 else round(chance.uniform(0.5, 1.5) * came)
        able = 0 if weekend and day.weekday() >= 5 else round(chance.uniform(0.67, 1.33) * hands)
        is_open = is_open + (new if gone else 0)
        closed = min(able, is_open)
        is_open -= closed
        found.append(Day(day, new, closed))
    return found


@pytest.mark.parametrize("weekend", [False, True])
def test_nine_in_ten_come_true(weekend: bool) -> None:
    """Of forecasts that were made of earlier days of invented queues, 80 to 100 in a hundred were closed by their p90."""
    tried = [one for seed in range(6) for one in back_tests([worked(seed, hands=18 if weekend else 13, weekend=weekend)], str(seed))]

    assert len(tried) > 150
    assert 80 <= 100 * sum(tried) / len(tried) <= 100


def test_a_forecast_by_half_the_work_does_not_come_true() -> None:
    """The control: with twice the closings that there were in the days it draws from, too few are closed in time."""
    tried = []
    for seed in range(6):
        days = worked(seed)
        doubled = [Day(day.day, day.came, day.closed * 2) for day in days[:100]]
        backlog = 60
        by = ranked(days_until(doubled, backlog, doubled[-1].day, str(seed), 200), 90)
        took = next(gone for gone in range(1, 40) if sum(day.closed for day in days[100 : 100 + gone]) >= backlog)
        tried.append(by is None or took <= by)
    assert sum(tried) < 0.8 * len(tried)


def test_all_queues_clear_with_the_last_of_them() -> None:
    """A quick queue that had a launch behind it, and a slow one: nine in ten forecasts of both come true. The control: as one pool, what the quick one closes clears the slow one."""
    quick = [Day(FIRST + timedelta(days=gone), 20 if gone < 40 else 0, 20 if gone < 40 else 0) for gone in range(90)]
    slow = [Day(FIRST + timedelta(days=gone), gone % 7 == 0, gone % 7 == 6) for gone in range(90)]
    pool = [Day(one.day, one.came + other.came, one.closed + other.closed) for one, other in zip(quick, slow, strict=True)]
    both, mixed = list(back_tests([quick, slow], "1")), list(back_tests([pool], "1"))

    assert sum(both) >= 0.8 * len(both) > 30
    assert sum(mixed) < 0.8 * len(mixed)


def test_the_same_seed_gives_the_same_trials() -> None:
    """And another one others; the earliest first."""
    days = worked(1)
    trials = days_until(days, 60, days[-1].day, "1", 100)
    assert trials == days_until(days, 60, days[-1].day, "1", 100) == sorted(trials, key=lambda gone: gone or 0)
    assert trials != days_until(days, 60, days[-1].day, "2", 100)


@pytest.mark.parametrize(
    ("closed", "is_open", "arrivals", "after"),
    [
        pytest.param(0, 5, False, None, id="nothing is ever closed"),
        pytest.param(2, 5, False, 3, id="two a day"),
        pytest.param(5, 5, False, 1, id="in a day"),
        pytest.param(2, 0, False, 0, id="nothing is open"),
        pytest.param(2, 5, True, 5, id="one comes a day"),
        pytest.param(1, 5, True, None, id="as many come as go"),
    ],
)
def test_a_steady_queue_clears_when_it_must(closed: int, is_open: int, arrivals: bool, after: int | None) -> None:
    """Where each day is like the last there is no chance in it."""
    days = [Day(FIRST + timedelta(days=gone), 1, closed) for gone in range(30)]
    assert set(days_until(days, is_open, days[-1].day, "1", 10, arrivals=arrivals)) == {after}


def test_days_without_anything_are_days() -> None:
    """They count in the rate of those to come, and the day that is not over does not."""
    counted = {day.day: day for day in (Day(FIRST, 2, 0), Day(FIRST + timedelta(days=3), 0, 1))}
    assert [(day.came, day.closed) for day in whole_days(counted, FIRST + timedelta(days=3))] == [(2, 0), (0, 0), (0, 0)]
