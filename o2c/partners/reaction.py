"""A partner that is up again is asked what it was not asked meanwhile."""

from __future__ import annotations

from typing import cast

from o2c.kernel.event import Event, Fact
from o2c.kernel.reaction import Drain, Reaction
from o2c.kernel.shapes import CallParked
from o2c.partners.events import PartnerCameUp, PartnerProbeOpened


def _frees_calls(cls: type[Event]) -> bool:
    """A call may be parked just after its partner came up: who parked it had looked just before. A probe takes one of them."""
    return issubclass(cls, PartnerCameUp | PartnerProbeOpened | CallParked)


def _drains(fact: Fact) -> tuple[Drain, ...]:
    return (Drain(cast("PartnerCameUp | PartnerProbeOpened | CallParked", fact.event).partner),)


PARTNER_CAME_UP = Reaction(name="make-parked-calls", concerns=_frees_calls, effects=_drains)
