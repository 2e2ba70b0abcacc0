"""Partners as they are shown."""

from __future__ import annotations

from typing import TypedDict


class PartnerShown(TypedDict):
    """A partner: `kind` is simulated or real, `client` says whether it could be real; the rest is None while it is simulated."""

    partner: str
    kind: str
    client: bool
    url: str | None
    credential: str | None
    timeout_s: float | None
    calls_max: int | None


class PartnerStatusShown(TypedDict):
    """Whether a partner is up, down or draining, since when and by whose word, and the calls of its last outage."""

    partner: str
    state: str
    since: str | None
    by: str | None
    parked: int
    drained: int
    rate_per_min: int


FaultShown = TypedDict("FaultShown", {"partner": str, "kind": str, "percent": str, "from": str | None, "to": str | None, "planned": bool})
"""A fault that a simulated partner meets, planned or usual; `percent` is how many calls in a hundred meet it, a decimal as text."""
