"""Events of the operator's own policy for journeys."""

from __future__ import annotations

from o2c.kernel.event import Event


class JourneyPolicyLoaded(Event, name="journeys.policy-loaded", stream="journeys"):
    """From now on the operator's own policy for journeys is in force, in place of the one before. `document` is the file as it was loaded (TOML)."""

    example = {
        "version": "own-1",
        "document": 'version = "own-1"\nlost_after_days = 7\nfollows_within_days = 7\napart = []\n[outreach]\nafter_minutes = 30\nwithin_days = 5\ntries_max = 2\nbudget_minor = { GB = 1000 }\n',
    }
    version: str
    document: str
