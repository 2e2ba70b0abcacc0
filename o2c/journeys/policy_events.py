"""Events of the operator's own policy for journeys."""

from __future__ import annotations

from datetime import datetime

from o2c.kernel.event import Event, Upcast


class JourneyPolicyLoaded(Event, name="journeys.policy-loaded", stream="journeys"):
    """From `since` on the operator's own policy for journeys is in force, in place of the one before. `document` is the file as it was
    loaded (TOML).

    Where `since` was not kept yet it is the beginning of time: of such files the last one was in force whenever something happened.
    """

    example = {
        "version": "own-1",
        "since": "2026-01-05T09:00:00Z",
        "document": 'version = "own-1"\nlost_after_days = 7\nfollows_within_days = 7\napart = []\n[outreach]\nafter_minutes = 30\nwithin_days = 5\ntries_max = 2\nbudget_minor = { GB = 1000 }\n',
    }
    upcasts = (Upcast(defaults={"since": "1970-01-01T00:00:00Z"}),)
    version: str
    document: str
    since: datetime
