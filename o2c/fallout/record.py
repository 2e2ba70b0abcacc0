"""What people did with a fallout, as a fold of its own stream: who has it, whom we wait for, and how high it was put."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from o2c.fallout import events
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class FalloutRecord:
    """A fallout as the desk keeps it.

    `owner` has it, by a claim that ends at `claimed_until` or by assignment (None). `queue` is empty where it is still in its code's own.
    `waits_for` is whom we wait for (empty: nobody), `until` when that or a snooze ends, if a time was named. `proposed_by` proposed to
    force attempt `proposed_attempt`. `reopened` says that it is looked at again after it was closed.
    """

    fell_out_in: str = ""
    owner: str = ""
    claimed_until: datetime | None = None
    queue: str = ""
    waits_for: str = ""
    until: datetime | None = None
    snoozed: bool = False
    level: int = 0
    origin: str = ""
    proposed_by: str = ""
    proposed_attempt: int = 0
    reopened: bool = False

    def held_by(self, at: datetime) -> str:
        """Who has it in hand at a time, by a claim that has not run out or by assignment; empty for nobody."""
        return "" if self.claimed_until and self.claimed_until <= at else self.owner


def stream_of(fallout: str) -> str:
    """Give the name of the stream of a fallout's record: `fallout-` and its id."""
    return f"fallout-{fallout}"


def evolve(state: FalloutRecord, event: Event) -> FalloutRecord:
    """Fold one event."""
    if isinstance(event, events.OfFallout) and not state.fell_out_in:
        state = changed(state, fell_out_in=event.fell_out_in)
    match event:
        case events.FalloutClaimed():
            return changed(state, owner=event.by, claimed_until=event.until)
        case events.FalloutAssigned():
            return changed(state, owner=event.to, claimed_until=None, queue=event.queue or state.queue)
        case events.FalloutReleased():
            return changed(state, owner="", claimed_until=None)
        case events.FalloutSnoozed():
            return changed(state, waits_for="", until=event.until, snoozed=True)
        case events.FalloutPaused() | events.InformationRequested():
            return changed(state, waits_for=event.waits_for, until=event.until, snoozed=False)
        case events.FalloutResumed():
            return changed(state, waits_for="", until=None, snoozed=False)
        case events.FalloutReopened():
            return changed(state, reopened=True)
        case events.FalloutSettled():
            return changed(state, reopened=False, owner="", claimed_until=None, waits_for="", until=None, snoozed=False)
        case events.FalloutEscalated():
            return changed(state, level=event.level)
        case events.OriginChanged():
            return changed(state, origin=event.origin)
        case events.ForceProposed():
            return changed(state, proposed_by=event.by, proposed_attempt=event.attempt)
    return state


def owner(state: FalloutRecord) -> tuple[str | None, str | None]:
    """Name the order of the fallout for the envelope."""
    return (state.fell_out_in.removeprefix("order-") if state.fell_out_in.startswith("order-") else None), None


KIND = StreamKind(
    category="fallout", shape_version=1, state_type=FalloutRecord, initial=lambda _: FalloutRecord(), evolve=evolve, owner=owner
)
