"""Usage as it is shown: files of records, records with their numbers masked, what is left of what is included, and limits."""

from __future__ import annotations

from typing import TypedDict


class UsageFileShown(TypedDict):
    """A file of usage records as it was taken in; see `usage.events.UsageLoaded`. `reasons` are those of the first refused lines, as they
    were read now."""

    file: str
    repeated: bool
    digest: str
    lines: int
    records: int
    duplicates: int
    refused: int
    late: int
    suspense: dict[str, int]
    gaps: dict[str, list[str]]
    first_at: str | None
    last_at: str | None
    reasons: list[str]


class UsagePurgeShown(TypedDict):
    """How many records of what was used before a time were deleted, and how many stay because no bill has them yet."""

    before: str
    records: int
    kept: int


class UsageRecordShown(TypedDict):
    """A record of usage; its numbers are masked. `waits_for` says why it is in suspense, empty where it is somebody's; since when stands in
    `waits_since`, and `look_at` is when it is looked at again though nothing about its number or account changed. `placed_by` is the
    version of the operator's own zones and time bands that gave `zone` and `band`, empty for the market's."""

    id: int
    source: str
    sequence: int | None
    file: str
    party: str
    other: str
    kind: str
    started_at: str
    quantity: str
    unit: str
    zone: str
    band: str
    account: str
    order: str
    item: str
    waits_for: str
    waits_since: str | None
    look_at: str | None
    placed_by: str


class ZoneShown(TypedDict):
    """A zone, or a time band (`kind`), of a version for a market: an operator's, or the market's own (`version` empty).

    What no other has belongs to the row without prefixes, countries and hours. Hours are local, the last one exclusive.
    """

    market: str
    version: str
    valid_from: str
    in_force: bool
    kind: str
    name: str
    prefixes: list[str]
    countries: list[str]
    weekdays: list[str]
    from_hour: int | None
    to_hour: int | None


class UsageGapShown(TypedDict):
    """Numbers missing in the sequence of a source, from one to another (inclusive), and how many they are."""

    source: str
    missing_from: int
    missing_to: int
    missing: int


class AllowanceShown(TypedDict):
    """Included units of a line as they are left at an instant, and as they were granted or carried over: decimal text, in `unit`; they can
    be used from a day to another (exclusive).

    Of those that are `shared`, one line can use no more than `line_max` in a bill period (empty: as much as is left).
    """

    account: str
    order: str
    item: str
    allowance: str
    unit: str
    granted: str
    left: str
    starts: str
    ends: str
    priority: int
    shared: bool
    line_max: str
    at: str


class LimitShown(TypedDict):
    """A limit of what the running bill period may cost beyond its recurring prices: net, in minor units; None for none.

    `spent_minor` is what it came to by now, `not_chargeable` counts the records beyond it without agreement. `notice` is the last notice of
    the period, `agreed` whether the customer agreed to go on after it.
    """

    account: str
    kind: str
    amount_minor: int | None
    currency: str
    chosen: bool
    period_from: str
    spent_minor: int
    notice: str
    agreed: bool
    not_chargeable: int
    offered_on: str
