"""The rank of a fallout: one stated function of priority, tier and promised day, in SQL for the queue and in Python for what is held
against it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

UNNAMED_TIER = 2
"""The place of a tier that the table does not name."""
DAYS_MAX = 30

RANK = f"""(100 * f.priority
    + 10 * coalesce((%(tiers)s::jsonb ->> f.tier)::integer, (%(tiers)s::jsonb ->> f.category)::integer, {UNNAMED_TIER})
    + least(greatest(coalesce(f.promised_on - %(today)s::date, {DAYS_MAX}), -{DAYS_MAX}), {DAYS_MAX}))"""
"""The rank of a fallout `f`, lower first: 100 times the order's TMF priority (0 first, 4 last), 10 times the place of the customer's tier
(of the order's category where the tier is not known or not named), and the days left to the day promised, from -30 (long overdue) to 30
(far off, or none promised). Of equals the older one comes first, so the order is total.

Parameters: `tiers` (the places, by tier or category), `today`.
"""


def rank(priority: int, tier: str, category: str, promised_on: date | None, *, tiers: Mapping[str, int], today: date) -> int:
    """Give what `RANK` gives: lower goes first."""
    place = tiers.get(tier, tiers.get(category, UNNAMED_TIER))
    days = DAYS_MAX if promised_on is None else (promised_on - today).days
    return 100 * priority + 10 * place + min(max(days, -DAYS_MAX), DAYS_MAX)
