"""What customers of a market are credited by themselves for a service that starts late, and for a visit that nobody makes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

LATE_START: Literal["late-start"] = "late-start"
MISSED_VISIT: Literal["missed-visit"] = "missed-visit"
Sums = tuple[tuple[date, int], ...]
"""Minor units, each in force from a day until that of the next."""


@dataclass(frozen=True, slots=True)
class CompensationRules:
    """A scheme under which customers are credited without asking.

    `specifications` are the kinds of product that it is for. `late_start` is due for each calendar day from the day that was promised, that
    one included, up to the one on which the service is on; `missed_visit` for each visit that our side did not keep. Organisations have it
    only where `businesses`. The credit stands with the account at most `within_days` after the service is on, or after the visit. A sum is
    that of the day that was missed.
    """

    specifications: frozenset[str]
    late_start: Sums
    missed_visit: Sums
    businesses: bool
    within_days: int
    source: str

    def due_minor(self, cause: str, missed_on: date) -> int:
        """Give what is due for one day, or one visit, that was missed on a day; 0 before the scheme."""
        sums = self.late_start if cause == LATE_START else self.missed_visit
        return max((each for each in sums if each[0] <= missed_on), default=(missed_on, 0))[1]
