"""How an account stands with its usage, as a fold: what bills took, what is carried over, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from o2c.kernel.frozen import changed
from o2c.rating.events import CarriedUnits, LimitExceedAgreed, LimitNoticed, LimitSet, OfUsage, PackBought, UsageRated, UsageWaived


@dataclass(frozen=True, slots=True)
class UsageStanding:
    """Bills took the records up to `through` of what was used before the day `billed_before` (empty: none yet); `carried` goes on after it.

    `spent` is as in `account.usage-rated`. `limits` are (kind, amount in minor units or None, from when) in the order in which they were
    set; `notices` are (notice, kind, first day of the period, percent); `agreed` are (kind, first day of the period, from when). `packs`
    are those that were bought and can still be used or are on no bill, the first first; of `packs_bought` so many.
    """

    through: int = 0
    billed_before: str = ""
    carried: tuple[CarriedUnits, ...] = ()
    spent: dict[str, dict[str, str]] = field(default_factory=dict)
    limits: tuple[tuple[str, int | None, datetime], ...] = ()
    notices: tuple[tuple[str, str, str, int], ...] = ()
    agreed: tuple[tuple[str, str, datetime], ...] = ()
    packs: tuple[PackBought, ...] = ()
    packs_bought: int = 0

    def unbilled(self, before: str) -> tuple[PackBought, ...]:
        """The packs that were bought before a local day (ISO) and are on no bill: bills take all that were bought before their day."""
        return tuple(pack for pack in self.packs if self.billed_before <= pack.bought_on < before)


def stood(standing: UsageStanding, event: OfUsage) -> UsageStanding:
    """Give the standing after one of its events."""
    match event:
        case UsageRated():
            packs = tuple(pack for pack in standing.packs if event.run_on < pack.ends or event.run_on <= pack.bought_on)
            taken = {"through": event.through, "billed_before": event.run_on, "carried": event.carried, "spent": event.spent}
            return changed(standing, **taken, packs=packs)
        case PackBought():
            return changed(standing, packs=(*standing.packs, event), packs_bought=standing.packs_bought + 1)
        case UsageWaived():
            return changed(standing, through=event.through, billed_before=max(standing.billed_before, event.before))
        case LimitSet():
            return changed(standing, limits=(*standing.limits, (event.kind, event.amount_minor, event.from_at)))
        case LimitNoticed():
            told = (event.notice, event.kind, event.period_from, event.percent)
            return changed(standing, notices=(*standing.notices, told))
        case LimitExceedAgreed():
            return changed(standing, agreed=(*standing.agreed, (event.kind, event.period_from, event.from_at)))
    return standing
