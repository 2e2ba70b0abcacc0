"""Events of what is agreed with customers about their care."""

from __future__ import annotations

from datetime import datetime

from o2c.kernel.event import Event


class CareAgreed(Event, name="care.agreed", stream="care"):
    """From `since` on the operator's own agreements with customers are in force, in place of those before. `document` is the file as it was
    loaded (TOML)."""

    example = {
        "version": "own-1",
        "since": "2026-01-05T09:00:00Z",
        "document": 'version = "own-1"\n[tiers.standard]\ncontacts = {}\nuntil_hour = 18\ncomplete_within_days = 30\n',
    }
    version: str
    since: datetime
    document: str
