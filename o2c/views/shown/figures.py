"""Figures as they are shown, and the store in numbers."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class MetricShown(TypedDict):
    """A figure that there is: its meaning in a sentence, its formula in words, its unit, and by what it can be told."""

    name: str
    meaning: str
    formula: str
    unit: str
    by: list[str]


class _Counted(TypedDict):
    value: float | None
    p50: NotRequired[float | None]
    p90: NotRequired[float | None]
    p99: NotRequired[float | None]
    numerator: float | None
    denominator: int | None


class _OfEvents(TypedDict):
    events_numerator: list[str]
    events_denominator: list[str]


class _Explained(_Counted):
    name: str
    meaning: str
    formula: str
    window: str
    unit: str
    by: NotRequired[str]


class HeadlineOfKey(_Counted):
    """A figure of an overview for one `key` of a dimension."""

    key: str


class FigureOfKey(HeadlineOfKey, _OfEvents):
    """A figure for one `key` of a dimension."""


class HeadlineShown(_Explained):
    """A figure of an overview: as it is explained, without the ids of the events that it is counted from."""

    rows: NotRequired[list[HeadlineOfKey]]


class FigureShown(_Explained, _OfEvents):
    """A figure with its value (None: nothing to divide by, or money of several currencies) and the ids of the events that it is counted
    from.

    `denominator` is None for a sum. Times have percentiles beside the mean. `rows` has the same for each `key` of the dimension `by`, where
    one was asked for.
    """

    rows: NotRequired[list[FigureOfKey]]


CycleTimeShown = TypedDict(
    "CycleTimeShown",
    {
        "from": str,
        "to": str,
        "channel": str,
        "offering": str,
        "count": int,
        "p50_s": float,
        "p85_s": float,
        "p95_s": float,
        "from_words": str,
        "to_words": str,
    },
)
"""How long orders take from one milestone to another: how many, and percentiles in seconds; `*` stands for all channels or offerings."""


class PromisesKeptShown(TypedDict):
    """Promises kept and broken, against the day promised first and the one as last revised; `*` stands for all offerings, steps or
    reasons."""

    offering: str
    step: str
    reason: str
    promised: int
    completed: int
    kept_first: int
    broken_first: int
    kept_last: int
    broken_last: int
    open: int


class ClockShown(TypedDict):
    """The clock of the store: `kind` is real or simulated."""

    kind: str
    now: str


class IngestShown(TypedDict):
    """The lines of all files that were taken in, and what became of them."""

    lines: int
    captured: int
    duplicates: int
    resubmitted: int
    refused: int


class FalloutCounts(TypedDict):
    """How many fallouts are open and closed, and how many there were and are of each reason."""

    open: int
    closed: int
    by_reason: dict[str, int]
    open_by_reason: dict[str, int]


class InvoiceCounts(TypedDict):
    """How many invoices there are, and how many of them are paid or overdue."""

    issued: int
    paid: int
    overdue: int


class MoneyShown(TypedDict):
    """What was invoiced and what was paid in a currency, in minor units."""

    invoiced_minor: int
    paid_minor: int


class StoreShown(TypedDict):
    """The store in numbers: orders and items by state, money by currency, stock by kind and state."""

    events: int
    position: str
    clock: ClockShown
    ingest: IngestShown
    orders: dict[str, int]
    items: dict[str, int]
    fallouts: FalloutCounts
    invoices: InvoiceCounts
    money: dict[str, MoneyShown]
    stock: dict[str, dict[str, int]]


class DayShown(TypedDict):
    """What came and went on a day (UTC): orders captured and ended, fallouts opened and closed."""

    day: str
    captured: int
    ended: int
    opened: int
    closed: int


class StageShown(TypedDict):
    """A stage on the way of orders: how many reached it, and how many fell out on the way to it, then or now."""

    stage: str
    reached: int
    fell_out: int
    open: int


class AgeShown(TypedDict):
    """How many open fallouts are of an age, told in words."""

    age: str
    open: int


class OrderTime(TypedDict):
    """How long an order took from capture to end."""

    order: str
    external_id: str
    channel: str
    captured_at: str
    ended_at: str
    seconds: float


class DurationsShown(TypedDict):
    """How long orders took, the slowest first, and the percentiles of all; None of none."""

    count: int
    p50_s: float | None
    p85_s: float | None
    p95_s: float | None
    orders: list[OrderTime]


class CountedOrderShown(TypedDict):
    """An order that a figure is counted from, and how often it counts."""

    order: str
    external_id: str
    customer: str
    state: str
    channel: str
    captured_at: str
    counts: int
