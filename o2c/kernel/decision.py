"""What a rule decided: events for streams, and guard rows that must still be free when it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from o2c.kernel.event import Asked, Event


class Guard(NamedTuple):
    """Hard uniqueness: one holder at a time for a (kind, key), such as a SIM, a number, a port-in, an invoice number."""

    kind: str
    key: str
    holder: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Events of the deciding stream (`events`), events of other streams (`elsewhere`, by stream name), guards to take and to free.

    Taking a guard that is held makes the whole command fail, and it is
    decided again; `claims` are taken when free and left out when not, and a later check sees who holds them. `asked` is the exchange with a
    partner of which the decision's first event came.
    """

    events: tuple[Event, ...] = ()
    elsewhere: tuple[tuple[str, Event], ...] = ()
    takes: tuple[Guard, ...] = ()
    frees: tuple[Guard, ...] = ()
    claims: tuple[Guard, ...] = ()
    asked: Asked | None = None

    def __add__(self, other: Decision) -> Decision:
        return Decision(
            self.events + other.events,
            self.elsewhere + other.elsewhere,
            self.takes + other.takes,
            self.frees + other.frees,
            self.claims + other.claims,
            self.asked or other.asked,
        )

    def __bool__(self) -> bool:
        return bool(self.events or self.elsewhere)


NOTHING = Decision()


def just(*events: Event) -> Decision:
    """A decision that concerns only the deciding stream."""
    return Decision(events)
