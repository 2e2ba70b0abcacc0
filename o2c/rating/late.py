"""Usage that comes after the final bill: billed by a further one, or not chargeable where it comes too late. Pure.

Source: billing facts, section 6.5 (late roaming records); for how long usage is billed after the final bill is data of the market.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

from o2c.kernel.charges import OfCustomer
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.records import UsageRecord
from o2c.rating.events import LateUsageReported, UsageWaived
from o2c.rating.state import UsageStanding


class Ended(OfCustomer, Protocol):
    """An account whose usage is billed, and may have been for the last time."""

    @property
    def settled_on(self) -> str:
        """The local day of its first final bill (ISO); empty while none was made."""

    @property
    def late_on(self) -> str:
        """The local day on which usage came that a further final bill is to take (ISO); empty where none is to."""

    @property
    def usage(self) -> UsageStanding:
        """How it stands with its usage."""


def take_late(state: Ended, *, records: Sequence[UsageRecord], came_on: date, days: int) -> Decision:
    """Ask for a further final bill over records that are on none, or, so many days after the first one, record that nobody is charged for
    them.

    One that was asked for takes whatever comes until it is made: nothing is decided.
    """
    if not records or not state.settled_on or state.late_on:
        return NOTHING
    told = {"account": state.account, "customer": state.customer, "records": len(records), "came_on": came_on.isoformat()}
    if came_on <= date.fromisoformat(state.settled_on) + timedelta(days=days):
        return just(LateUsageReported.model_validate(told))
    through = max(state.usage.through, *(record.id for record in records))
    before = (came_on + timedelta(days=1)).isoformat()
    return just(UsageWaived.model_validate({**told, "through": through, "before": before, "days": days}))
