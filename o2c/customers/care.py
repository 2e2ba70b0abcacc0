"""Courtesy contacts: at which milestones of an order somebody of us speaks with its customer unasked, by when, and whether that was done.
Pure.

Who has them is agreed (`agreements.py`), by the version of the milestone's day; who has none agreed, such as a one-time client, is owed
none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from o2c.customers.agreements import Agreement, AgreementBook, Loaded, in_force
from o2c.kernel.periods import local_date, local_time
from o2c.markets.base import Market, WorkCalendar, is_working_day
from o2c.markets.registry import MARKETS, current

Agreed = Callable[[datetime], AgreementBook]
"""The agreements that were in force at a time."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A milestone that an order reached; `tier` is its customer's."""

    customer: str
    tier: str
    order: str
    milestone: str
    at: datetime
    market: Market


@dataclass(frozen=True, slots=True)
class Spoken:
    """A contact that we made with a customer, about an order (empty: about none in particular), and who of us made it."""

    customer: str
    order: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A courtesy contact: `state` is open until it is done or its time is over (missed). One that came late is missed, and says by whom it
    came."""

    reached: Reached
    due_at: datetime
    state: Literal["open", "done", "missed"]
    by: str


def owed(reached: Iterable[Reached], spoken: Sequence[Spoken], *, now: datetime, agreed: Agreed) -> Iterator[Owed]:
    """The courtesy contacts that milestones call for, each with what became of it by now: done by the first contact after the milestone
    about that order, or about none. One contact serves all milestones before it."""
    by_customer: dict[str, list[Spoken]] = {}
    for each in sorted(spoken, key=lambda one: one.at):
        by_customer.setdefault(each.customer, []).append(each)
    for stone in reached:
        if (due_at := due_of(stone, agreed(stone.at))) is not None:
            later = (one for one in by_customer.get(stone.customer, ()) if stone.at <= one.at <= now and one.order in ("", stone.order))
            yield _judged(stone, due_at, next(later, None), now)


def _judged(stone: Reached, due_at: datetime, made: Spoken | None, now: datetime) -> Owed:
    if made and made.at < due_at:
        return Owed(stone, due_at, "done", made.by)
    return Owed(stone, due_at, "missed" if due_at <= now else "open", made.by if made else "")


def promised_by(loaded: tuple[Loaded, ...], customer: str, tier: str, market: Market, at: datetime) -> tuple[str, str]:
    """The day (ISO) for which what is delivered anew is promised by what was agreed with a customer at a time, counted from then, and the
    name of that (VERSION/NAME); empty where no such day is agreed."""
    book = in_force(loaded, at)
    name, agreement = book.name_of(customer, tier, market.code), book.of(customer, tier, market.code)
    if not agreement.promised_working_days:
        return "", ""
    came_on = local_date(at, market_of(agreement, market, at.date()).zone)
    day = worked_after(agreement, market, came_on, agreement.promised_working_days)
    return day.isoformat(), f"{book.version}/{name}"


def due_of(stone: Reached, book: AgreementBook) -> datetime | None:
    """By when a milestone calls for a courtesy contact; None where nothing is agreed with the customer for it."""
    agreement = book.of(stone.customer, stone.tier, stone.market.code)
    days = agreement.contacts.get(stone.milestone)
    if days is None:
        return None
    zone = market_of(agreement, stone.market, stone.at.date()).zone
    day = worked_after(agreement, stone.market, local_date(stone.at, zone), days)
    due_at = local_time(day, agreement.until_hour, 0, zone)
    return due_at if due_at > stone.at else local_time(worked_after(agreement, stone.market, day, 1), agreement.until_hour, 0, zone)


def market_of(agreement: Agreement, market: Market, on: date) -> Market:
    """The market whose calendar and time zone count on a day: the order's, or the one agreed."""
    return current(agreement.calendar, on) if agreement.calendar in MARKETS else market


def worked_after(agreement: Agreement, market: Market, day: date, working_days: int) -> date:
    """The day that many working days after a day, which itself never counts; with 0 the day itself, or the next that is worked."""
    calendar, left = market_of(agreement, market, day).calendar, working_days
    while left or not _worked(agreement, calendar, day):
        day += timedelta(days=1)
        left -= 1 if left and _worked(agreement, calendar, day) else 0
    return day


def _worked(agreement: Agreement, calendar: WorkCalendar, day: date) -> bool:
    return is_working_day(calendar, day) and day.isoformat() not in agreement.closed_on
