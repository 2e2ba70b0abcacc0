"""How partners go down and come up: one row of figures a partner, and one for all others. Data, to be set to an operator's experience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DETECTION = "detection"
"""Who says that a partner is down or up where the calls themselves showed it."""


@dataclass(frozen=True, slots=True)
class OutageRule:
    """When a partner counts as down and as up again, and how fast its parked calls are made.

    `rate_per_min` is how many parked calls are made in a minute once it is up.
    """

    rate_per_min: int = 60


USUAL = OutageRule()
RULES: Mapping[str, OutageRule] = {"clearing-house": OutageRule(rate_per_min=30)}
"""The partners that the usual rule does not fit."""


def rule_of(partner: str) -> OutageRule:
    """Give the rule of a partner."""
    return RULES.get(partner, USUAL)
