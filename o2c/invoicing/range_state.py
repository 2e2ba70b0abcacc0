"""The ranges of numbers that were approved for invoices, as a fold of their stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from o2c.invoicing.papers import NumberRange
from o2c.invoicing.range_events import RangeApproved, RangeClosed, RangeUsedUp
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class RangesState:
    """Approved ranges by name, the oldest first, and which of them are `over`: `used-up` or `closed`."""

    approved: dict[str, RangeApproved] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)

    def of(self, entity: str) -> list[NumberRange]:
        """The ranges of a legal entity that may still give numbers, in the order in which they are used."""
        return [
            one.approved for name, one in self.approved.items() if one.approved.entity == entity and name not in self.over
        ]  # fmt: skip

    def needed(self, entity: str) -> bool:
        """Whether invoices of a legal entity take their numbers from ranges: since its first one was approved."""
        return any(one.approved.entity == entity for one in self.approved.values())


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


KIND = StreamKind(category="ranges", shape_version=1, state_type=RangesState, initial=lambda _: RangesState(), evolve=evolve)
