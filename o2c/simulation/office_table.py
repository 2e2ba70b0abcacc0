"""The table of the simulated back office (`office.toml`): skills, minutes, answers and mistakes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

from o2c.kernel.periods import local_date, local_time
from o2c.markets.base import Market, first_working_day, is_working_day, working_day_after
from o2c.markets.hours import office_hours
from o2c.markets.registry import HOME, current
from o2c.markets.registry import market as pinned


@dataclass(frozen=True, slots=True)
class Desk:
    """What codes, numbers and addresses look like in a market (A a letter, # a digit; empty: none can be named)."""

    code: str
    number: str
    place: str
    wrong_place: str


@dataclass(frozen=True, slots=True)
class Mistakes:
    """How often somebody errs, in percent: in a deed, by forgetting a claim (which then lasts so many minutes more), or by giving it to a
    queue."""

    deed_percent: float
    forgotten_percent: float
    forgotten_minutes: int
    misrouted_percent: float
    misrouted_to: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What customers do who are asked: some never answer, the others within hours; after `patience_hours` they are asked again."""

    never_percent: float
    first_hours: float
    last_hours: float
    patience_hours: float
    asked_max: int


@dataclass(frozen=True, slots=True)
class Ways:
    """How often a step is forced, after how many deeds in vain it is given up, and for how many working days what nobody can mend is left
    alone."""

    force_percent: float
    deeds_max: int
    visits_max: int
    pause_days: int


@dataclass(frozen=True, slots=True)
class Table:
    """All of it; see the file for what each figure means."""

    markets: Mapping[str, Desk]
    skills: tuple[frozenset[str], ...]
    fastest_percent: float
    slowest_percent: float
    minutes: Mapping[str, float]
    mistakes: Mistakes
    answers: Answers
    ways: Ways
    approved_percent: Mapping[str, float] = field(default_factory=dict)
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def desk(self, market: Market) -> Desk:
        """The desk of a market; the first of the table for one that is not named."""
        return self.markets.get(market.code) or next(iter(self.markets.values()))

    def open_at(self, market: Market, at: datetime) -> bool:
        """Whether somebody works at a time, opening time included and closing time too: what was begun is done by then."""
        hours = _hours(market.pin, local_date(at, market.zone))
        return hours.works and hours.opens_at <= at <= hours.closes_at

    def closes_at(self, market: Market, at: datetime) -> datetime:
        """When the desk closes on the day of a time."""
        return _hours(market.pin, local_date(at, market.zone)).closes_at

    def opens_at(self, market: Market, after: datetime) -> datetime:
        """The first time, not before one, at which somebody works."""
        if self.open_at(market, after):
            return after
        day = local_date(after, market.zone)
        if after > _hours(market.pin, day).opens_at:
            day += timedelta(days=1)
        return _hours(market.pin, first_working_day(market.calendar, day)).opens_at

    def days_later(self, market: Market, at: datetime, days: int) -> datetime:
        """The opening of the desk so many working days after a time."""
        return _on(working_day_after(market.calendar, local_date(at, market.zone), days), office_hours(market).opens, market)


class Hours(NamedTuple):
    """The office hours of a market on a day, and whether anybody works then."""

    works: bool
    opens_at: datetime
    closes_at: datetime


@lru_cache(maxsize=4_096)
def _hours(pin: str, day: date) -> Hours:
    """They are asked for every open fallout at every look."""
    market = pinned(pin) or current(HOME, day)
    hours = office_hours(market)
    return Hours(is_working_day(market.calendar, day), _on(day, hours.opens, market), _on(day, hours.closes, market))


def _on(day: Any, clock: time, market: Market) -> datetime:
    return local_time(day, clock.hour, clock.minute, market.zone)


@cache
def packaged() -> Table:
    """The table of the package."""
    return read(resources.files(__package__).joinpath("office.toml").read_text(encoding="utf-8"))


def read(text: str) -> Table:
    """A table from its text. KeyError or TypeError for one that lacks a part."""
    parts = tomllib.loads(text)
    return Table(
        markets={code: _desk(desk) for code, desk in parts["markets"].items()},
        skills=tuple(frozenset(one["queues"]) for one in parts["skills"]),
        **parts["speed"],
        minutes=parts["minutes"],
        mistakes=Mistakes(**parts["mistakes"]),
        answers=Answers(**parts["answers"]),
        ways=Ways(**parts["ways"]),
        approved_percent=parts["approved_percent"],
        actions={code: tuple(names) for code, names in parts["actions"].items()},
        values={code: tuple(names) for code, names in parts["values"].items()},
    )


def _desk(row: Mapping[str, str]) -> Desk:
    return Desk(**{name: row[name] for name in ("code", "number", "place", "wrong_place")})
