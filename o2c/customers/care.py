"""Courtesy contacts: at which milestones of an order somebody of us speaks with its customer unasked, by when, and whether that was done. Pure.

Which tier has them is data in versions; who has none agreed, such as a one-time client, is owed none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from o2c.kernel.periods import local_date, local_time
from o2c.markets.base import Market, first_working_day, working_day_after

VERSION = "care/2026-12"
"""The version of the table below."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """By milestone, the working days after the day of it by whose end the contact is to be made: 0 is the same day, if it is a working day."""

    within_days: Mapping[str, int]
    source: str


_OWN = "the operator's own terms for its tiers; no statute sets them [M]"
AGREEMENTS: Mapping[str, Agreement] = {
    "key-account": Agreement({"received": 1, "delay": 0, "active": 1, "cancelled": 1, "declined": 1}, _OWN),
    "priority": Agreement({"delay": 1, "active": 2, "declined": 1}, _OWN),
}
"""By the tier of the customer as the order has it. The standard tier has none."""
ENDS_HOUR = 18
"""The local hour at which a working day ends for who calls customers: the operator's own practice."""


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
    """A courtesy contact: `state` is open until it is done or its time is over (missed). One that came late is missed, and says by whom it came."""

    reached: Reached
    due_at: datetime
    state: Literal["open", "done", "missed"]
    by: str


def owed(reached: Iterable[Reached], spoken: Sequence[Spoken], *, now: datetime) -> Iterator[Owed]:
    """The courtesy contacts that milestones call for, each with what became of it by now: done by the first contact after the milestone about that
    order, or about none. One contact serves all milestones before it."""
    by_customer: dict[str, list[Spoken]] = {}
    for each in sorted(spoken, key=lambda one: one.at):
        by_customer.setdefault(each.customer, []).append(each)
    for stone in reached:
        if (due_at := due_of(stone)) is not None:
            later = (one for one in by_customer.get(stone.customer, ()) if stone.at <= one.at <= now and one.order in ("", stone.order))
            yield _judged(stone, due_at, next(later, None), now)


def _judged(stone: Reached, due_at: datetime, made: Spoken | None, now: datetime) -> Owed:
    if made and made.at < due_at:
        return Owed(stone, due_at, "done", made.by)
    return Owed(stone, due_at, "missed" if due_at <= now else "open", made.by if made else "")


def due_of(stone: Reached) -> datetime | None:
    """By when a milestone calls for a courtesy contact; None where the customer's tier has none agreed for it."""
    agreement = AGREEMENTS.get(stone.tier)
    days = agreement.within_days.get(stone.milestone) if agreement else None
    if days is None:
        return None
    zone, calendar = stone.market.zone, stone.market.calendar
    today = local_date(stone.at, zone)
    day = working_day_after(calendar, today, days) if days else first_working_day(calendar, today)
    due_at = local_time(day, ENDS_HOUR, 0, zone)
    return due_at if due_at > stone.at else local_time(working_day_after(calendar, day, 1), ENDS_HOUR, 0, zone)
