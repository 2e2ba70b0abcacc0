"""When queues clear: Monte Carlo over the days recorded of each, with what its own forecasts would have been worth. Seeded; the rest is
pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.views.reading import plain
from o2c.views.shown import QueueForecastShown
from projections import fallout

TRIALS, BACK_TEST_TRIALS = 1_000, 200
HORIZON_DAYS = 365
"""What is not over by then is told as no day."""
HISTORY_DAYS = 84
"""So many of the last days stand for those to come: twelve weeks, in which a desk works much as it will."""
HISTORY_MIN = 14
"""From so many days of history on a forecast of before is tried in the back-test."""
OF_WEEKDAY_MIN = 3
"""From so many like weekdays on a day is drawn from these alone, so that weekends stay weekends."""
BACK_TESTS_MAX = 60
PERCENTS = (50, 85, 90)


@dataclass(frozen=True, slots=True)
class Day:
    """A whole day (UTC) of a queue: how many fallouts came and how many were closed."""

    day: date
    came: int
    closed: int


def forecast_queues(app: Engine, *, seed: int = 1) -> list[QueueForecastShown]:
    """When each queue clears: the days by which, in 50, 85 and 90 of 100 trials, as many were closed as are open now; `*` is all queues
    together, the last of which clears.

    A trial draws each day to come from the recorded days of the same weekday, of the last twelve weeks. `empty_p50_on` and `empty_p90_on`
    reckon with what comes meanwhile, too: then nothing is open. None: not within a year, or nothing was ever closed. `back_tests` forecasts
    were made of earlier days from what was known then; `covered` of them came by their p90, which 80 to 100 in a hundred should. The same
    `seed` gives the same answer. The projections must be caught up.
    """
    today = app.clock().now.date()
    counted: dict[str, dict[date, Day]] = {}
    for row in app.reads.rows(fallout.QUEUE_DAYS):
        counted.setdefault(row["queue"], {})[row["day"]] = Day(row["day"], row["came"], row["closed"])
    together: dict[date, Day] = {}
    for day in (day for of in counted.values() for day in of.values()):
        before = together.get(day.day, Day(day.day, 0, 0))
        together[day.day] = Day(day.day, before.came + day.came, before.closed + day.closed)
    rows = [_forecast(queue, counted[queue], [counted[queue]], today, seed) for queue in sorted(counted)]
    whole = [_forecast("*", together, list(counted.values()), today, seed)] if together else []
    return [cast("QueueForecastShown", plain(row)) for row in (*whole, *rows)]


def _forecast(queue: str, counted: Mapping[date, Day], parts: Sequence[Mapping[date, Day]], today: date, seed: int) -> dict[str, Any]:
    history, of_parts = whole_days(counted, today), [whole_days(part, today) for part in parts]
    clears = clear_together([(days, _open(part)) for days, part in zip(of_parts, parts, strict=True)], today, f"{seed}/{queue}", TRIALS)
    empties = days_until(history, _open(counted), today, f"{seed}/{queue}/empty", TRIALS, arrivals=True)
    tried = list(back_tests(of_parts, f"{seed}/{queue}"))
    recent = history[-HISTORY_DAYS:]
    return {
        "queue": queue,
        "open": _open(counted),
        "days": len(recent),
        "came_per_day": _mean([day.came for day in recent]),
        "closed_per_day": _mean([day.closed for day in recent]),
        **{f"p{percent}_on": _on(today, ranked(clears, percent)) for percent in PERCENTS},
        **{f"empty_p{percent}_on": _on(today, ranked(empties, percent)) for percent in (50, 90)},
        "back_tests": len(tried),
        "covered": sum(tried),
        "covered_percent": round(100 * sum(tried) / len(tried), 1) if tried else None,
    }


def _open(counted: Mapping[date, Day]) -> int:
    return sum(day.came - day.closed for day in counted.values())


def whole_days(counted: Mapping[date, Day], today: date) -> list[Day]:
    """Every day from the first on which anything came until the day before today, in order, those without anything too."""
    first = min(counted)
    return [counted.get(day, Day(day, 0, 0)) for day in (first + timedelta(days=gone) for gone in range((today - first).days))]


def clear_together(queues: Sequence[tuple[Sequence[Day], int]], today: date, seed: str, trials: int) -> list[int | None]:
    """In each trial after how many days the last of some queues is clear, each of so many open, the earliest first; None for not within the
    horizon. One queue's pace says nothing of another's: in a pool of all, what a quick one closes would clear a slow one."""
    each = [
        _days_until(history, is_open, today, f"{seed}/{place}", trials, arrivals=False) for place, (history, is_open) in enumerate(queues)
    ]
    return _in_order(_last(took) for took in zip(*each, strict=True))


def days_until(history: Sequence[Day], is_open: int, today: date, seed: str, trials: int, *, arrivals: bool = False) -> list[int | None]:
    """In each trial after how many days what is open is closed, the earliest first; None for not within the horizon. With `arrivals` what
    comes meanwhile, too."""
    return _in_order(_days_until(history, is_open, today, seed, trials, arrivals=arrivals))


def _days_until(history: Sequence[Day], is_open: int, today: date, seed: str, trials: int, *, arrivals: bool) -> list[int | None]:
    if is_open <= 0:
        return [0] * trials
    drawn = history[-HISTORY_DAYS:]
    if sum(day.closed - (day.came if arrivals else 0) for day in drawn) <= 0:
        return [None] * trials
    chance = random.Random(seed)
    pools = [[day for day in drawn if day.day.weekday() == weekday] for weekday in range(7)]
    pools = [pool if len(pool) >= OF_WEEKDAY_MIN else list(drawn) for pool in pools]
    return [_trial(pools, is_open, today.weekday(), chance, arrivals=arrivals) for _ in range(trials)]


def _in_order(found: Iterable[int | None]) -> list[int | None]:
    return sorted(found, key=lambda days: HORIZON_DAYS + 1 if days is None else days)


def _last(took: Sequence[int | None]) -> int | None:
    """The longest of some times; None where one of them is not over."""
    return None if None in took else max(days for days in took if days is not None)


def _trial(pools: Sequence[Sequence[Day]], is_open: int, weekday: int, chance: random.Random, *, arrivals: bool) -> int | None:
    left = is_open
    for gone in range(1, HORIZON_DAYS + 1):
        day = chance.choice(pools[(weekday + gone) % 7])
        left += (day.came if arrivals else 0) - day.closed
        if left <= 0:
            return gone
    return None


def ranked(trials: Sequence[int | None], percent: int) -> int | None:
    """The days that so many in a hundred of the trials, in order, do not exceed: the nearest rank."""
    return trials[-(-len(trials) * percent // 100) - 1]


def back_tests(queues: Sequence[Sequence[Day]], seed: str) -> Iterator[bool]:
    """Of the last days whose backlogs, of one queue or of several, are known to have been closed since, or whose p90 is over, whether they
    were closed by their p90."""
    backlogs, longest = [_backlogs(history) for history in queues], max(map(len, queues))
    for left in range(min(longest - HISTORY_MIN, BACK_TESTS_MAX), 0, -1):
        stood = [
            (history[:-left], is_open[-left - 1], history[-left:])
            for history, is_open in zip(queues, backlogs, strict=True)
            if len(history) > left and is_open[-left - 1] > 0
        ]
        if not stood:
            continue
        origin = stood[0][0][-1].day
        by = ranked(clear_together([(before, is_open) for before, is_open, _ in stood], origin, f"{seed}/{origin}", BACK_TEST_TRIALS), 90)
        took = _last([_took(later, is_open) for _, is_open, later in stood])
        if took is not None:
            yield by is None or took <= by
        elif by is not None and by <= left:
            yield False


def _backlogs(history: Sequence[Day]) -> list[int]:
    """How many were open at the end of each day."""
    found, is_open = [], 0
    for day in history:
        is_open += day.came - day.closed
        found.append(is_open)
    return found


def _took(later: Sequence[Day], is_open: int) -> int | None:
    """After how many days as many were closed; None where that is still to come."""
    left = is_open
    for gone, day in enumerate(later, 1):
        left -= day.closed
        if left <= 0:
            return gone
    return None


def _on(today: date, days: int | None) -> date | None:
    return None if days is None else today + timedelta(days=days)


def _mean(counts: Sequence[int]) -> float:
    return round(sum(counts) / len(counts), 3) if counts else 0.0
