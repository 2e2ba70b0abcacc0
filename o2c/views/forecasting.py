"""When queues clear: Monte Carlo over the days recorded of each, with what its own forecasts would have been worth. Seeded; the rest is pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
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
    """When each queue clears: the days by which, in 50, 85 and 90 of 100 trials, as many were closed as are open now; `*` is all queues together.

    A trial draws each day to come from the recorded days of the same weekday, of the last twelve weeks. `empty_p50_on` and `empty_p90_on` reckon with
    what comes meanwhile, too: then nothing is open. None: not within a year, or nothing was ever closed. `back_tests` forecasts were made of earlier
    days from what was known then; `covered` of them came by their p90, which 80 to 100 in a hundred should. The same `seed` gives the same answer.
    The projections must be caught up.
    """
    now = app.clock().now
    counted: dict[str, dict[date, Day]] = {}
    for row in app.reads.rows(fallout.QUEUE_DAYS):
        for queue in ("*", row["queue"]):
            of = counted.setdefault(queue, {})
            before = of.get(row["day"], Day(row["day"], 0, 0))
            of[row["day"]] = Day(row["day"], before.came + row["came"], before.closed + row["closed"])
    return [cast("QueueForecastShown", plain(_forecast(queue, counted[queue], now.date(), seed))) for queue in sorted(counted)]


def _forecast(queue: str, counted: Mapping[date, Day], today: date, seed: int) -> dict[str, Any]:
    history = whole_days(counted, today)
    is_open = sum(day.came - day.closed for day in counted.values())
    clears = days_until(history, is_open, today, f"{seed}/{queue}", TRIALS)
    empties = days_until(history, is_open, today, f"{seed}/{queue}/empty", TRIALS, arrivals=True)
    tried = list(back_tests(history, f"{seed}/{queue}"))
    recent = history[-HISTORY_DAYS:]
    return {
        "queue": queue,
        "open": is_open,
        "days": len(recent),
        "came_per_day": _mean([day.came for day in recent]),
        "closed_per_day": _mean([day.closed for day in recent]),
        **{f"p{percent}_on": _on(today, ranked(clears, percent)) for percent in PERCENTS},
        **{f"empty_p{percent}_on": _on(today, ranked(empties, percent)) for percent in (50, 90)},
        "back_tests": len(tried),
        "covered": sum(tried),
        "covered_percent": round(100 * sum(tried) / len(tried), 1) if tried else None,
    }


def whole_days(counted: Mapping[date, Day], today: date) -> list[Day]:
    """Every day from the first on which anything came until the day before today, in order, those without anything too."""
    first = min(counted)
    return [counted.get(day, Day(day, 0, 0)) for day in (first + timedelta(days=gone) for gone in range((today - first).days))]


def days_until(history: Sequence[Day], is_open: int, today: date, seed: str, trials: int, *, arrivals: bool = False) -> list[int | None]:
    """In each trial after how many days what is open is closed, the earliest first; None for not within the horizon. With `arrivals` what comes meanwhile, too."""
    if is_open <= 0:
        return [0] * trials
    drawn = history[-HISTORY_DAYS:]
    if sum(day.closed - (day.came if arrivals else 0) for day in drawn) <= 0:
        return [None] * trials
    chance = random.Random(seed)
    pools = [[day for day in drawn if day.day.weekday() == weekday] for weekday in range(7)]
    pools = [pool if len(pool) >= OF_WEEKDAY_MIN else list(drawn) for pool in pools]
    found = [_trial(pools, is_open, today.weekday(), chance, arrivals=arrivals) for _ in range(trials)]
    return sorted(found, key=lambda days: HORIZON_DAYS + 1 if days is None else days)


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


def back_tests(history: Sequence[Day], seed: str) -> Iterator[bool]:
    """Of the last days whose backlog is known to have been closed since, or whose p90 is over, whether it was closed by its p90."""
    backlog = _backlogs(history)
    for place in range(max(HISTORY_MIN, len(history) - BACK_TESTS_MAX), len(history)):
        if backlog[place - 1] <= 0:
            continue
        origin = history[place - 1].day
        by = ranked(days_until(history[:place], backlog[place - 1], origin, f"{seed}/{origin}", BACK_TEST_TRIALS), 90)
        took = _took(history[place:], backlog[place - 1])
        if took is not None:
            yield by is None or took <= by
        elif by is not None and by <= len(history) - place:
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
