"""The ranges of numbers that were approved for invoices and credit notes, as a fold of their stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from o2c.invoicing.papers import NumberRange, Paper
from o2c.invoicing.range_events import RangeApproved, RangeClosed, RangeUsedUp
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class RangesState:
    """Approved ranges by name, the oldest first, and which of them are `over`: `used-up` or `closed`."""

    approved: dict[str, RangeApproved] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)

    def all_of(self, entity: str, paper: Paper = "INV") -> list[NumberRange]:
        """The ranges of a legal entity's papers of a kind: these take their numbers from ranges alone once there is one."""
        return [one.approved for one in self.approved.values() if (one.approved.entity, one.paper) == (entity, paper)]

    def of(self, entity: str, paper: Paper = "INV") -> list[NumberRange]:
        """Those of them that may still give numbers, in the order in which they are used."""
        return [one for one in self.all_of(entity, paper) if one.name not in self.over]


def evolve(state: RangesState, event: Event) -> RangesState:
    """Fold one event."""
    match event:
        case RangeApproved():
            return changed(state, approved={**state.approved, event.approved.name: event})
        case RangeUsedUp():
            return changed(state, over={**state.over, event.range: "used-up"})
        case RangeClosed():
            return changed(state, over={**state.over, event.range: "closed"})
    return state


KIND = StreamKind(category="ranges", shape_version=2, state_type=RangesState, initial=lambda _: RangesState(), evolve=evolve)
