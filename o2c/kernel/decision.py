"""The outcome of a rule: events for streams, and guard rows that must still be free when the events are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from o2c.kernel.event import Asked, Event


class Guard(NamedTuple):
    """A unique claim: a (kind, key), such as a SIM, a number, a port-in or an invoice number, has one holder at a time."""

    kind: str
    key: str
    holder: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a rule: events to write, and guards to take, free or claim with them. It is false when it has no events.

    `events` belong to the deciding stream; `elsewhere` are (stream name, event) of other streams. `asked` is the exchange with a partner
    that led to the first event.

    When a guard in `takes` has another holder, the whole command fails and is decided again. A guard in `claims` is taken when it is free
    and left out when it is not; a later check of the step reads its holder. Guards in `frees` lose their holder.
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
    """Make a decision of events of the deciding stream, without guards."""
    return Decision(events)
