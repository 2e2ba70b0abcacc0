"""When queues clear: Monte Carlo over the stretches between closings of each, with what its own forecasts would have been worth. Seeded;
the rest is pure.

A day on which nothing was closed is no sign of how fast a queue is unless something was open, and of a queue that stands still for longer
than it ever did its brisk days say nothing. So what is drawn is the stretch from one day with closings to the next, counted in days on
which something was open and the queue works, from an urn into which each goes back twice (Blackwell and MacQueen, 1973: what is known from
few is uncertain). The stretch of now is one of those that lasted longer, or, with the weight of one of them, longer than all: as long again
in half of the trials, ten times in one of ten, which nine in ten of the days of any standstill bear out, whatever ends it (J. R. Gott,
Nature 363, 1993).
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
"""Rates, and days of the week on which a queue rests, are of so many of the last days: twelve weeks, in which a desk works much as it
will."""
RECENT = (3, 10, 30, 100)
"""How many of the last stretches stand for those to come: nobody knows since when a desk works as it does, so each trial draws one of
these."""
CHANGED = 1 / 3
"""In so many trials in which a queue stands still for longer than ever, that is its pace from now on, one by one; in the others it then
goes on as before."""
ENOUGH = 9
"""From so many known stretches that lasted at least as long as that of now on, nine of ten trials go on as something that was seen."""
RESTS_FROM = 3
"""A weekday on which so many closing days were to be expected, and there was none, is one on which the queue rests."""
HISTORY_MIN = 14
"""From so many days of history on a forecast of before is tried in the back-test."""
BACK_TESTS_MAX = 60
"""So many are made at most, spread evenly over all days with a backlog: of the last days alone one standstill may be the whole."""
PERCENTS = (50, 85, 90)


@dataclass(frozen=True, slots=True)
class Day:
    """A whole day (UTC) of a queue: how many fallouts came and how many were closed."""

    day: date
    came: int
    closed: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """From the day after one with closings to the next such day: on how many days the queue worked, how many fallouts came, and how many
    were closed at its end."""

    days: int
    came: int
    closed: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a queue: its last stretches, the oldest first, the weekdays on which it rests, and the one of now: how many days
    nothing was closed, and what came."""

    stretches: Sequence[Stretch]
    rests: frozenset[int]
    dry: int
    came: int

    def is_enough(self) -> bool:
        """Whether it was seen often enough to stand still for as long as it does now, and to go on."""
        return sum(stretch.days > self.dry for stretch in self.stretches) >= ENOUGH


def forecast_queues(app: Engine, *, seed: int = 1) -> list[QueueForecastShown]:
    """When each queue clears: the days by which, in 50, 85 and 90 of 100 trials, as many were closed as are open now; `*` is all queues
    together, the last of which clears.

    A trial draws stretches between closings, of those recorded and of longer ones: the fewer are known, and the longer nothing was closed
    (`dry_days`, on which something was open), the wider it is. `enough` is whether at least nine of the `closings` known (days on which any
    was closed) were waited for as long as that of now; else the days hang on what nobody knows, such as the end of an outage.
    `empty_p50_on` and `empty_p90_on` reckon with what comes meanwhile, too: then nothing is open. None: not within a year. `back_tests`
    forecasts were made of earlier days, sixty at most that are spread over all, from what was known then; `covered` of them came by their
    p90, which 80 to 100 in a hundred should; of `undecided` others the backlog is open still, and their p90 to come: of a standstill those
    that fail are known first. The same `seed` gives the same answer. The projections must be caught up.
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
    known = [(known_of(days), _open(part)) for days, part in zip(of_parts, parts, strict=True)]
    waiting = [each for each, is_open in known if is_open > 0]
    clears = clear_together(known, today, f"{seed}/{queue}", TRIALS)
    empties = days_until(known_of(history), _open(counted), today, f"{seed}/{queue}/empty", TRIALS, arrivals=True)
    tried = Counter(back_tests(of_parts, f"{seed}/{queue}"))
    decided = tried[True] + tried[False]
    recent = history[-HISTORY_DAYS:]
    return {
        "queue": queue,
        "open": _open(counted),
        "days": len(recent),
        "came_per_day": _mean([day.came for day in recent]),
        "closed_per_day": _mean([day.closed for day in recent]),
        "closings": sum(len(each.stretches) for each, _ in known),
        "dry_days": max((each.dry for each in waiting), default=0),
        "enough": all(each.is_enough() for each in waiting),
        **{f"p{percent}_on": _on(today, ranked(clears, percent)) for percent in PERCENTS},
        **{f"empty_p{percent}_on": _on(today, ranked(empties, percent)) for percent in (50, 90)},
        "back_tests": decided,
        "covered": tried[True],
        "covered_percent": round(100 * tried[True] / decided, 1) if decided else None,
        "undecided": tried[None],
    }


def _open(counted: Mapping[date, Day]) -> int:
    return sum(day.came - day.closed for day in counted.values())


def whole_days(counted: Mapping[date, Day], today: date) -> list[Day]:
    """Every day from the first on which anything came until the day before today, in order, those without anything too."""
    first = min(counted)
    return [counted.get(day, Day(day, 0, 0)) for day in (first + timedelta(days=gone) for gone in range((today - first).days))]


def clear_together(queues: Sequence[tuple[Known, int]], today: date, seed: str, trials: int) -> list[int | None]:
    """In each trial after how many days the last of some queues is clear, each of so many open, the earliest first; None for not within the
    horizon. One queue's pace says nothing of another's: in a pool of all, what a quick one closes would clear a slow one."""
    each = [_days_until(known, is_open, today, f"{seed}/{place}", trials, arrivals=False) for place, (known, is_open) in enumerate(queues)]
    return _in_order(_last(took) for took in zip(*each, strict=True))


def days_until(known: Known, is_open: int, today: date, seed: str, trials: int, *, arrivals: bool = False) -> list[int | None]:
    """In each trial after how many days what is open is closed, the earliest first; None for not within the horizon. With `arrivals` what
    comes meanwhile, too."""
    return _in_order(_days_until(known, is_open, today, seed, trials, arrivals=arrivals))


def _days_until(known: Known, is_open: int, today: date, seed: str, trials: int, *, arrivals: bool) -> list[int | None]:
    if is_open <= 0:
        return [0] * trials
    chance = random.Random(seed)
    works = [gone for gone in range(1, HORIZON_DAYS + 1) if (today.weekday() + gone) % 7 not in known.rests]
    longer = [stretch for stretch in known.stretches if stretch.days > known.dry]
    worked = (_trial(known, longer, is_open, len(works), chance, arrivals=arrivals) for _ in range(trials))
    return [None if days is None else works[days - 1] for days in worked]


def _in_order(found: Iterable[int | None]) -> list[int | None]:
    return sorted(found, key=lambda days: HORIZON_DAYS + 1 if days is None else days)


def _last(took: Sequence[int | None]) -> int | None:
    """The longest of some times; None where one of them is not over."""
    return None if None in took else max(days for days in took if days is not None)


def known_of(history: Sequence[Day]) -> Known:
    """The stretches of a queue, of all of its days in order. A day on which nothing was open counts in none."""
    rests = _rests(history)
    found: list[Stretch] = []
    is_open = days = came = 0
    for day in history:
        is_open, came = is_open + day.came, came + day.came
        days += bool(day.closed or (is_open and day.day.weekday() not in rests))
        if day.closed:
            found.append(Stretch(days, came, day.closed))
            days = came = 0
        is_open -= day.closed
    return Known(found[-max(RECENT) :], rests, days, came)


def _rests(history: Sequence[Day]) -> frozenset[int]:
    """The weekdays on which nothing was closed while something was open, though at the pace of the others it had been to be expected."""
    stood: Counter[int] = Counter()
    closing: Counter[int] = Counter()
    for day, left in zip(history[-HISTORY_DAYS:], _backlogs(history)[-HISTORY_DAYS:], strict=True):
        stood[day.day.weekday()] += left + day.closed > 0
        closing[day.day.weekday()] += day.closed > 0
    worked = sum(stood[weekday] for weekday in range(7) if closing[weekday])
    pace = sum(closing.values()) / worked if worked else 0.0
    return frozenset(weekday for weekday in range(7) if not closing[weekday] and stood[weekday] * pace >= RESTS_FROM)


def _trial(known: Known, longer: Sequence[Stretch], is_open: int, most: int, chance: random.Random, *, arrivals: bool) -> int | None:
    """After how many days worked a queue is clear, in one course of things; None for more than `most`. `longer` are the stretches known
    that lasted longer than that of now."""
    urn = list(known.stretches[-chance.choice(RECENT) :])
    if arrivals and sum(stretch.closed - stretch.came for stretch in urn) <= 0:
        return None
    place = chance.randrange(len(longer) + 1)
    stretch = longer[place] if place < len(longer) else _longest(known, urn, chance)
    if place == len(longer) and chance.random() < CHANGED:
        urn, stretch = [], replace(stretch, closed=1)
    gone = stretch.days - known.dry
    left = is_open + (stretch.came * gone // stretch.days if arrivals else 0) - stretch.closed
    while left > 0 and gone <= most:
        urn.append(stretch)
        stretch = chance.choice(urn)
        gone += stretch.days
        left += (stretch.came if arrivals else 0) - stretch.closed
    return gone if gone <= most else None


def _longest(known: Known, urn: Sequence[Stretch], chance: random.Random) -> Stretch:
    """A stretch of now that is longer than all ever seen; by how much is free of any scale. It closes as many as another."""
    like = chance.choice(urn) if urn else Stretch(max(known.dry, 1), known.came, 1)
    seen = max(known.dry, like.days, *(stretch.days for stretch in known.stretches))
    days = math.ceil(min(seen / (1 - chance.random()), 2 * HORIZON_DAYS + known.dry))
    return Stretch(days, like.came * days // like.days, like.closed)


def ranked(trials: Sequence[int | None], percent: int) -> int | None:
    """The days that so many in a hundred of the trials, in order, do not exceed: the nearest rank."""
    return trials[-(-len(trials) * percent // 100) - 1]


def back_tests(queues: Sequence[Sequence[Day]], seed: str) -> Iterator[bool | None]:
    """Of days with a backlog, of one queue or of several, whether it was closed by its p90 (one beyond the horizon is no day to miss); None
    where it is open and that day is to come."""
    backlogs = [_backlogs(history) for history in queues]
    days = range(max(map(len, queues)) - HISTORY_MIN, 0, -1)
    tried = [left for left in days if any(len(is_open) > left and is_open[-left - 1] > 0 for is_open in backlogs)]
    count = min(len(tried), BACK_TESTS_MAX)
    for left in (tried[place * len(tried) // count] for place in range(count)):
        stood = [
            (history[:-left], is_open[-left - 1], history[-left:])
            for history, is_open in zip(queues, backlogs, strict=True)
            if len(history) > left and is_open[-left - 1] > 0
        ]
        origin = stood[0][0][-1].day
        clears = clear_together([(known_of(before), is_open) for before, is_open, _ in stood], origin, f"{seed}/{origin}", BACK_TEST_TRIALS)
        by, took = ranked(clears, 90), _last([_took(later, is_open) for _, is_open, later in stood])
        undecided = took is None and (by is None or by > left)
        yield None if undecided else by is None or (took is not None and took <= by)


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
