"""The books as a fold: how far they are closed."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.ledger.events import LedgerClosed

STREAM = "ledger-main"
"""The one stream of the books."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The last day that is closed (an ISO date; empty: none), the position up to which events are in closed days, and the digest of the
    closing."""

    day: str = ""
    upto: int = 0
    digest: str = ""


def evolve(state: LedgerState, event: Event) -> LedgerState:
    """Fold one event."""
    return LedgerState(event.day, event.upto, event.digest) if isinstance(event, LedgerClosed) else state


KIND = StreamKind(category="ledger", shape_version=1, state_type=LedgerState, initial=lambda _: LedgerState(), evolve=evolve)
