"""Partners that are down, as a chunk of work sees them: which of its calls are not made, and what becomes of those that met nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from o2c.engine.drafts import Loaded
from o2c.kernel.agenda import Entry
from o2c.kernel.attend import Ask, Reply
from o2c.kernel.decision import Decision
from o2c.kernel.parking import lost, nobody_there, park, send_again
from o2c.kernel.work import Work
from o2c.partners.state import Outage, PartnerState, stream_of


@dataclass(slots=True)
class Outages:
    """The partners that are down, or were a short time ago, by name; most stores have none at most times."""

    states: dict[str, PartnerState] = field(default_factory=dict)

    def parked(self, work: Work, entry: Entry, ask: Ask, reply: Reply | None, at: datetime) -> Decision | None:
        """Decide about a call of a partner that is down; None where it is to be made, or its reply to be settled as ever."""
        state = self.states.get(ask.partner)
        if state is None or state.outage is None:
            return None
        if reply is not None and lost(entry, ask, reply):
            return send_again(work, ask, reply, state.outage.outage, at)
        outage = state.down_at(at)
        if outage is None or not self._keeps(outage, reply):
            return None
        return park(work, ask, outage.outage, reply)

    def _keeps(self, outage: Outage, reply: Reply | None) -> bool:
        return reply is None or nobody_there(reply.answer)


def outages_of(partners: frozenset[str], loaded: Mapping[str, Loaded]) -> Outages:
    """The partners' states as they were read, of those that had an outage."""
    states: dict[str, PartnerState] = {name: loaded[stream_of(name)].state for name in partners}
    return Outages({name: state for name, state in states.items() if state.outage})
