"""The partners of a store: simulated or real, and how they are reached."""

from __future__ import annotations

from typing import Any

from o2c.engine.app import Engine
from o2c.partners.registry import PARTNERS, REAL
from o2c.partners.state import PartnerState, stream_of
from o2c.views.reading import Rows

PARTNER_NAMES = tuple(sorted(PARTNERS))
"""The partners by the names the steps call them."""


def partner_states(app: Engine) -> dict[str, PartnerState]:
    """How each partner is linked, by name."""
    loaded = app.load(map(stream_of, PARTNERS))
    return {name: loaded[stream_of(name)].state for name in PARTNERS}


def list_partners(app: Engine) -> Rows:
    """Every partner: simulated or real, where it is reached and within which limits; `client` says whether it could be real."""
    return [_row(name, state) for name, state in sorted(partner_states(app).items())]


def _row(name: str, state: PartnerState) -> dict[str, Any]:
    linked = state.linked
    return {
        "partner": name,
        "kind": "real" if linked else "simulated",
        "client": name in REAL,
        "url": linked.url if linked else None,
        "credential": linked.credential if linked else None,
        "timeout_s": linked.timeout_ms / 1000 if linked else None,
        "calls_max": linked.calls_max if linked else None,
    }
