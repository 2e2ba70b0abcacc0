"""When a queue clears: by trials over its closings, the same for the same seed, and true of invented queues as often as it says, however little is known of them."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count

import pytest

from o2c.views.forecasting import Day, Stretch, back_tests, clear_together, days_until, known_of, ranked, whole_days

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
    tried = [
        one
        for seed in range(6)
        for one in back_tests([worked(seed, hands=18 if weekend else 13, weekend=weekend)], str(seed))
        if one is not None
    ]

    assert len(tried) > 150
    assert 80 <= 100 * sum(tried) / len(tried) <= 100


def test_a_forecast_by_half_the_work_does_not_come_true() -> None:
    """The control: with twice the closings that there were in the days it draws from, too few are closed in time."""
    tried = []
    for seed in range(6):
        days = worked(seed)
        doubled = [Day(day.day, day.came, day.closed * 2) for day in days[:100]]
        backlog = 60
        by = ranked(days_until(known_of(doubled), backlog, doubled[-1].day, str(seed), 200), 90)
        took = next(gone for gone in range(1, 40) if sum(day.closed for day in days[100 : 100 + gone]) >= backlog)
        tried.append(by is None or took <= by)
    assert sum(tried) < 0.8 * len(tried)


def test_all_queues_clear_with_the_last_of_them() -> None:
    """A quick queue and a slow one: nine in ten forecasts of both come true. The control: by one pool, what the quick one closes would clear the slow one."""
    quick = [Day(FIRST + timedelta(days=gone), 20, 20) for gone in range(90)]
    slow = [Day(FIRST + timedelta(days=gone), int(gone % 7 == 0), int(gone % 7 == 6)) for gone in range(90)]
    pool = [Day(one.day, one.came + other.came, one.closed + other.closed) for one, other in zip(quick, slow, strict=True)]
    tried, today = [one for one in back_tests([quick, slow], "1") if one is not None], pool[78].day
    both = clear_together([(known_of(quick[:79]), 0), (known_of(slow[:79]), 1)], today, "1", 200)

    assert sum(tried) >= 0.8 * len(tried) > 30
    assert (ranked(days_until(known_of(pool[:79]), 1, today, "1", 200), 90) or 0) < 5 <= (ranked(both, 90) or 0)


def test_the_same_seed_gives_the_same_trials() -> None:
    """And another one others; the earliest first."""
    days = worked(1)
    known, last = known_of(days), days[-1].day
    trials = days_until(known, 60, last, "1", 100)
    assert trials == days_until(known, 60, last, "1", 100) == sorted(trials, key=lambda gone: gone or 0)
    assert trials != days_until(known, 60, last, "2", 100)


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
    """Where each day is like the last, half of the trials say that day, and none an earlier one."""
    days = [Day(FIRST, 800, closed), *(Day(FIRST + timedelta(days=gone), 1, closed) for gone in range(1, 130))]
    trials = days_until(known_of(days), is_open, days[-1].day, "1", 200, arrivals=arrivals)
    assert ranked(trials, 50) == after == (trials[0] if after is not None else None)


# -- whatever is known


def one_by_one(pace: float) -> Callable[[random.Random], Iterator[tuple[int, int]]]:
    """A queue that is never empty, of which one is closed on a day by chance."""

    def days(chance: random.Random) -> Iterator[tuple[int, int]]:
        while True:
            yield int(chance.random() < pace), int(chance.random() < pace)

    return days


def in_jobs(chance: random.Random) -> Iterator[tuple[int, int]]:
    """One or two come a day; somebody closes a heap of them in a job, about every ninth day."""
    while True:
        yield chance.randint(1, 2), chance.randint(8, 18) * (chance.random() < 1 / 9)


def with_outages(chance: random.Random) -> Iterator[tuple[int, int]]:
    """Three come and are closed a day, but for outages of a week or three, after which all is closed at once."""
    while True:
        yield from ((chance.randint(2, 4), chance.randint(2, 4)) for _ in range(chance.randint(15, 50)))
        away = chance.randint(7, 21)
        yield from ((3, 0) for _ in range(away))
        yield 3, 3 * away


def after_a_launch(chance: random.Random) -> Iterator[tuple[int, int]]:
    """A month of twenty a day, then one in weeks."""
    yield from ((20, chance.randint(15, 25)) for _ in range(30))
    yield from one_by_one(0.03)(chance)


def without_weekends(chance: random.Random) -> Iterator[tuple[int, int]]:
    """A desk that closes two or three on each working day."""
    for gone in range(10**6):
        yield 2, 0 if gone % 7 >= 5 else chance.randint(2, 3)


WAYS: dict[str, Callable[[random.Random], Iterator[tuple[int, int]]]] = {
    "one in two days": one_by_one(0.5), "one in thirty days": one_by_one(0.033), "in jobs": in_jobs, "with outages": with_outages,
    "after a launch": after_a_launch, "without weekends": without_weekends,
}  # fmt: skip


def lived(way: str, seed: int, days: int) -> list[Day]:
    """So many days of a queue with three open at first, which closes no more than is open."""
    found, is_open = [], 0
    for gone, (came, able) in zip(range(days), WAYS[way](random.Random(f"{way}/{seed}")), strict=False):
        new = came if gone else came + 3
        closed = min(able, is_open + new)
        is_open += new - closed
        found.append(Day(FIRST + timedelta(days=gone), new, closed))
    return found


def tried(way: str, seed: int, *, days: int = 160, every: int = 5) -> Iterator[tuple[int, bool]]:
    """Of some days of a queue on which anything was open: how many closings were known, and whether the backlog was closed by its p90."""
    history = lived(way, seed, days * 4)
    for so_far in range(1, days, every):
        known = known_of(history[:so_far])
        is_open = sum(day.came - day.closed for day in history[:so_far])
        by = ranked(days_until(known, is_open, history[so_far - 1].day, f"{seed}/{so_far}", 60), 90) if is_open else None
        left, took = is_open, 0
        while left > 0 and so_far + took < len(history):
            left, took = left - history[so_far + took].closed, took + 1
        if is_open and left <= 0:
            yield len(known.stretches), by is None or took <= by


@pytest.mark.parametrize("way", WAYS)
def test_nine_in_ten_come_true_however_much_is_known(way: str) -> None:
    """Of forecasts made on any day, with no closing known, with one, a few, tens or a hundred, of queues that close one by one, in heaps, not in an outage, or hardly since their launch."""
    counted: dict[str, Counter[bool]] = {}
    for seed in range(12):
        for known, true in tried(way, seed):
            counted.setdefault("none" if not known else "few" if known < 3 else "some" if known < 10 else "many", Counter())[true] += 1
    covered = {much: round(100 * told[True] / told.total()) for much, told in counted.items() if told.total() >= 40}

    assert covered
    assert {much: percent for much, percent in covered.items() if not 80 <= percent <= 100} == {}


def test_days_without_anything_are_days() -> None:
    """They count in the rate of those to come, and the day that is not over does not."""
    counted = {day.day: day for day in (Day(FIRST, 2, 0), Day(FIRST + timedelta(days=3), 0, 1))}
    assert [(day.came, day.closed) for day in whole_days(counted, FIRST + timedelta(days=3))] == [(2, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize(("pace", "is_open"), [(1.0, 10), (0.5, 10), (0.5, 1)])
def test_where_much_is_known_a_forecast_says_something(pace: float, is_open: int) -> None:
    """With a hundred closings known the p90 is hardly later than that of who knows the pace: by half at most, on half of the days."""
    chance, wide = random.Random(1), []
    true = sorted(sum(next(gone for gone in count(1) if chance.random() < pace) for _ in range(is_open)) for _ in range(500))[449]
    for seed in range(12):
        chance = random.Random(seed)
        history = [Day(FIRST + timedelta(days=gone), 2, int(chance.random() < pace)) for gone in range(round(100 / pace))]
        wide.append(ranked(days_until(known_of(history), is_open, history[-1].day, str(seed), 200), 90) or 10**6)

    assert sorted(wide)[6] <= 1.5 * true + 1


def test_a_queue_that_stands_still_is_not_known_by_its_brisk_days() -> None:
    """Twenty a day, then one that nobody closes: the longer, the later is its p90, ten times as long in all; and it is said that too little is known."""
    brisk = [Day(FIRST + timedelta(days=gone), 20, 20) for gone in range(40)]
    stuck = [Day(FIRST + timedelta(days=40 + gone), int(gone == 0), 0) for gone in range(30)]
    waits = [ranked(days_until(known_of([*brisk, *stuck[:dry]]), 1, stuck[dry - 1].day, "1", 1000), 90) or 0 for dry in (3, 10, 30)]

    assert known_of(brisk).is_enough()
    assert not known_of([*brisk, *stuck[:3]]).is_enough()
    assert waits == pytest.approx([27, 90, 270], rel=0.25)


@pytest.mark.parametrize(
    ("days", "stretches", "dry"),
    [
        pytest.param([(2, 0), (0, 1), (1, 1)], [(2, 2, 1), (1, 1, 1)], 0, id="from one closing to the next"),
        pytest.param(
            [(1, 1), (0, 0), (0, 0), (1, 0), (0, 1)], [(1, 1, 1), (2, 1, 1)], 0, id="days without anything to close count in none"
        ),
        pytest.param([(3, 1), (0, 0), (0, 0)], [(1, 3, 1)], 2, id="nothing was closed since"),
        pytest.param([], [], 0, id="nothing was ever there"),
    ],
)
def test_what_is_known_of_a_queue(days: list[tuple[int, int]], stretches: list[tuple[int, int, int]], dry: int) -> None:
    """Its stretches between closings, and how long it stands still."""
    known = known_of([Day(FIRST + timedelta(days=gone), *day) for gone, day in enumerate(days)])
    assert (list(known.stretches), known.dry) == ([Stretch(*each) for each in stretches], dry)


def test_a_queue_rests_on_days_on_which_it_always_did() -> None:
    """Weekends on which something was open and nothing closed are no standstill, once there were some; and no day of the week is one of rest where hardly anything is closed."""
    desk = [Day(FIRST + timedelta(days=gone), 2, 0 if gone % 7 >= 5 else 2) for gone in range(28)]
    slow = [Day(FIRST + timedelta(days=gone), 1, int(gone == 8)) for gone in range(28)]

    assert known_of(desk[:7]).rests == known_of(slow).rests == frozenset()
    assert known_of(desk).rests == {5, 6}
    assert {stretch.days for stretch in known_of(desk).stretches} == {1}
    assert {days_until(known_of(desk[:26]), 1, desk[25].day, "1", 20)[0]} == {3}


def test_what_is_open_still_decides_no_forecast_before_its_day() -> None:
    """A queue stands still for five weeks: the first days of these foretold less, and were wrong; the others are not decided. They are no more than one in ten of them."""
    days = [Day(FIRST + timedelta(days=gone), 4 if gone < 30 else int(gone == 30), 4 if gone < 30 else 0) for gone in range(66)]
    tried = Counter(back_tests([days], "1"))

    assert tried[True] == 0
    assert 1 <= tried[False] <= 4
    assert sum(tried.values()) == 35


def test_back_tests_are_of_all_days_with_a_backlog() -> None:
    """Forty brisk days, forty without anything open, and a standstill of fifty: it is not the whole of what such forecasts were worth, and those of the quiet days are of nothing."""
    brisk = [Day(FIRST + timedelta(days=gone), 20, 19 + (gone > 0)) for gone in range(40)]
    quiet = [Day(FIRST + timedelta(days=40 + gone), 0, int(gone == 0)) for gone in range(40)]
    still = [Day(FIRST + timedelta(days=80 + gone), int(gone == 0), 0) for gone in range(50)]
    tried = Counter(back_tests([[*brisk, *quiet, *still]], "1"))

    assert tried[True] > 15
    assert 1 <= tried[False] <= 6
    assert sum(tried.values()) == 60
