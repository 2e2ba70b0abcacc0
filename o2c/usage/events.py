"""Events of a file of usage records. The records themselves stand in a table beside the log."""

from __future__ import annotations

from datetime import datetime

from o2c.kernel.event import Event


class UsageLoaded(Event, name="usage.loaded", stream="usage"):
    """A file of usage records was taken in; `digest` is the SHA-256 of its lines.

    Of its `lines`, `records` are new; `duplicates` were there already, by source and key; `refused` cannot be read. Of the records, `late`
    are for days that were billed before and come on the next bill, and `suspense` counts those that are nobody's yet, by reason. `gaps` are
    numbers missing in the sequence of each of its sources, as `FROM-TO`; what it began with and ended with stands in `first_at` and
    `last_at`.
    """

    example = {
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "lines": 1000, "records": 990, "duplicates": 8, "refused": 2,
        "late": 5, "suspense": {"no-such-number": 3}, "gaps": {"msc-1": ["1041-1043"]}, "first_at": "2026-01-08T00:00:04Z",
        "last_at": "2026-01-08T23:59:58Z",
    }  # fmt: skip
    digest: str
    lines: int
    records: int
    duplicates: int
    refused: int
    late: int
    suspense: dict[str, int]
    gaps: dict[str, tuple[str, ...]]
    first_at: datetime | None
    last_at: datetime | None


class UsagePurged(Event, name="usage.purged", stream="usage"):
    """Records of what was used before a time were deleted, as the market's rule for keeping them says; `kept` of them stay because no bill
    has them yet."""

    example = {"before": "2025-01-08T00:00:00Z", "records": 120000, "kept": 0}
    before: datetime
    records: int
    kept: int


class ZonesLoaded(Event, name="zones.loaded", stream="zones"):
    """The operator put zones and time bands of his own over those of a market, in force from its local day `valid_from` (ISO) on.

    `document` is the file as it was loaded (TOML). Records that came before stay as they were placed.
    """

    example = {
        "market": "GB",
        "version": "2026-12",
        "valid_from": "2026-12-01",
        "document": 'market = "GB"\nversion = "2026-12"\nvalid_from = "2026-12-01"\nother_band = "off-peak"\n[[bands]]\nname = "peak"\n'
        'weekdays = ["mon", "tue", "wed", "thu", "fri"]\nfrom_hour = 8\nto_hour = 20\n',
    }
    market: str
    version: str
    valid_from: str
    document: str
