"""Who is waited for, what was promised and told, and when queues clear, as it is shown."""

from __future__ import annotations

from typing import Any, TypedDict


class WaitingShown(TypedDict):
    """Who an order waited for, in whole seconds that sum to `cycle_s`; `waits_for` somebody on a step since a time while it is open."""

    order: str
    external_id: str
    channel: str
    captured_at: str
    closed_at: str | None
    cycle_s: int
    us_s: int
    customer_s: int
    partner_s: int
    regulator_s: int
    channel_s: int
    working_us_s: int
    waits_for: str | None
    waits_on: str | None
    waits_since: str | None


class OrderAgeShown(TypedDict):
    """An open order: its age in seconds, and its place (`band`) among the completed ones of its channel, or of all (`cohort`: `*`)."""

    order: str
    external_id: str
    channel: str
    state: str
    captured_at: str
    age_s: int
    cohort: str
    band: str
    waits_for: str | None
    waits_on: str | None
    waits_since: str | None


class AgeingShown(TypedDict):
    """The open orders, the oldest first, how many there are of each band, and the percentiles of the completed ones; None of none."""

    count: int
    p50_s: float | None
    p85_s: float | None
    p95_s: float | None
    longest_s: float | None
    open: int
    bands: dict[str, int]
    orders: list[OrderAgeShown]


class DayPromisedShown(TypedDict):
    """A day that was promised for an item: by which event, through which channel to whom, and what became of it (kept, broken, open).
    `agreed_by` is the agreement from which it follows (empty: none)."""

    order: str
    external_id: str
    item: str
    promised_on: str
    made_at: str
    by_event: str
    agreed_by: str
    channel: str
    audience: str
    told_at: str
    sent_by: str
    revised_by: str | None
    state: str
    withdrawn: bool
    broken_by: str | None
    cause: str
    late_days: int | None


class PromiseCountShown(TypedDict):
    """How many promises were made to the orders of a channel (`*`: of all): kept, broken and open sum to made."""

    channel: str
    made: int
    kept: int
    broken: int
    open: int
    withdrawn: int
    kept_share: float | None


class ToldShown(TypedDict):
    """Something that a customer was told: what, when, through which channel, and to whom it was said (`customer`, or the `channel` that
    sent the order)."""

    at: str
    what: str
    channel: str
    audience: str
    order: str | None
    about: str
    type: str
    event: str
    position: str
    actor: str


class PathShown(TypedDict):
    """A value that only the first (`a`) or only the second (`b`) has, by its path."""

    path: str
    value: Any


class PathChangedShown(TypedDict):
    """A value that both have and that differs, by its path."""

    path: str
    a: Any
    b: Any


class WaitedOfOrder(TypedDict):
    """Who an order waited for by a time, in seconds."""

    cycle_s: int
    us_s: int
    customer_s: int
    partner_s: int
    regulator_s: int
    channel_s: int
    working_us_s: int
    waits_for: str | None
    waits_on: str | None


class WaitedByBoth(TypedDict):
    """Who each of two waited for; None for one that was not captured yet."""

    a: WaitedOfOrder | None
    b: WaitedOfOrder | None


class CohortShown(TypedDict):
    """The medians of the completed orders of a cohort, in seconds; None of none."""

    of: str
    orders: int
    cycle_s: float | None
    us_s: float | None
    customer_s: float | None
    partner_s: float | None
    regulator_s: float | None
    channel_s: float | None


class OrderDiffShown(TypedDict):
    """What differs between two orders, or two moments of one; who each waited for; and the medians of its cohort."""

    added: list[PathShown]
    removed: list[PathShown]
    changed: list[PathChangedShown]
    waiting: WaitedByBoth
    cohort_median: CohortShown


class QueueForecastShown(TypedDict):
    """When a queue clears (`*`: all together): days by which so many in a hundred trials were over; None for none within a year. `closings`
    days on which any was closed are known, and on the last `dry_days` nothing was though something was open; not `enough` where they say
    too little of that."""

    queue: str
    open: int
    days: int
    came_per_day: float
    closed_per_day: float
    closings: int
    dry_days: int
    enough: bool
    p50_on: str | None
    p85_on: str | None
    p90_on: str | None
    empty_p50_on: str | None
    empty_p90_on: str | None
    back_tests: int
    covered: int
    covered_percent: float | None
    undecided: int


class JeopardyShown(TypedDict):
    """An open item in danger of missing the first day that it was promised, or (`item` empty) an order of which nothing open is promised,
    the day that is agreed with its customer: how much (`level`, `chance`), and how many hours are left until that day is over."""

    order: str
    external_id: str
    item: str
    offering: str
    level: str
    chance: float
    promised_on: str | None
    agreed_on: str | None
    projected_on: str | None
    lead_h: float
    open_steps: list[str]


class RatedShown(TypedDict):
    """How good a way to foretell is: `hit` of those `predicted` were late."""

    age_h: float
    predicted: int
    hit: int
    precision: float | None
    recall: float | None
    f1: float | None


class JeopardyScoreShown(TypedDict):
    """How good a level is on orders held back (`cohort`: `*` for all of them), beside the age of the order alone at equal lead."""

    cohort: str
    level: str
    trained_on: int
    tested_on: int
    late: int
    predicted: int
    hit: int
    precision: float | None
    recall: float | None
    f1: float | None
    lead_h_p50: float | None
    baseline: RatedShown
    better: bool
