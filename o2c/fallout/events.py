"""Events of the desk: the table of reason codes, and what people do with a fallout before it is resolved."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from o2c.kernel.event import Event, Pii
from o2c.kernel.shapes import Origin

Party = Literal["customer", "channel", "partner", "regulator"]
"""Whom we may wait for while our own clock stands still."""
_FALLOUT = "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"
_OF = {"fallout": _FALLOUT, "fell_out_in": "order-1001", "note": "seen"}


class CodesLoaded(Event, name="codes.loaded", stream="codes"):
    """The operator put codes of his own over the table, in force from `valid_from` (ISO day, UTC).

    `document` is the file as it was loaded (TOML): what differs of `codes`, `queues`, `steps` (what a partner's own codes come to),
    `retries`.
    """

    example = {
        "version": "2026-12",
        "valid_from": "2026-12-01",
        "document": 'version = "2026-12"\nvalid_from = "2026-12-01"\n[codes.NP-CODE]\nseverity = 2\n',
    }
    version: str
    valid_from: str
    document: str


class RatesLoaded(Event, name="rates.loaded", stream="rates"):
    """The operator put a rate card of his own over the one before, in force from `valid_from` (ISO day, UTC).

    `document` is the file as it was loaded (TOML): what differs of `minutes`, `uses` and `markets`. Amounts are minor units.
    """

    example = {
        "version": "2026-12",
        "valid_from": "2026-12-01",
        "document": 'version = "2026-12"\nvalid_from = "2026-12-01"\n[markets.GB]\nlabour_minute_minor = 60\n',
    }
    version: str
    valid_from: str
    document: str


class OfFallout(Event):
    """Base of what people do with a fallout. `fell_out_in` is the stream whose step fell out; `note` is theirs, and personal."""

    fallout: str
    fell_out_in: str
    note: Annotated[str, Pii("note")] = ""


class FalloutClaimed(OfFallout, name="fallout.claimed", stream="fallout"):
    """Somebody (`by`) has the fallout in hand until `until`, and nobody else may take it before; claiming again prolongs it."""

    example = {**_OF, "by": "ann", "until": "2026-01-06T10:30:00Z"}
    by: str
    until: datetime


class FalloutAssigned(OfFallout, name="fallout.assigned", stream="fallout"):
    """The fallout was given to somebody (`to`; empty: nobody yet), or to another queue (`queue`; empty: its own)."""

    example = {**_OF, "to": "ben", "queue": ""}
    to: str = ""
    queue: str = ""


class FalloutReleased(OfFallout, name="fallout.released", stream="fallout"):
    """The fallout went back to its queue: nobody has it in hand."""

    example = _OF


class FalloutSnoozed(OfFallout, name="fallout.snoozed", stream="fallout"):
    """The fallout is left alone until `until`. Our clock runs on, and a wait for somebody else is over."""

    example = {**_OF, "until": "2026-01-07T09:00:00Z"}
    until: datetime


class FalloutPaused(OfFallout, name="fallout.paused", stream="fallout"):
    """We wait for somebody else, at least until `until` (None: until it is resumed): our clock stands still."""

    example = {**_OF, "waits_for": "partner", "until": "2026-01-09T09:00:00Z"}
    waits_for: Party
    until: datetime | None = None


class InformationRequested(OfFallout, name="fallout.information-requested", stream="fallout"):
    """Somebody was asked for something that we need, by `until` (None: no day was named): our clock stands still."""

    example = {**_OF, "waits_for": "customer", "until": "2026-01-09T09:00:00Z", "note": "a bill with the address"}
    waits_for: Party
    until: datetime | None = None


class FalloutResumed(OfFallout, name="fallout.resumed", stream="fallout"):
    """A wait or a snooze is over: our clock runs again."""

    example = _OF


class FalloutReopened(OfFallout, name="fallout.reopened", stream="fallout"):
    """A closed fallout is looked at again: something about it is not in order, though its step went on. The step is not touched."""

    example = _OF


class FalloutSettled(OfFallout, name="fallout.settled", stream="fallout"):
    """What was looked at again is in order."""

    example = _OF


class FalloutEscalated(OfFallout, name="fallout.escalated", stream="fallout"):
    """The fallout was put up to `level` (1: the lead of the queue, 2: the head of operations, 3: the board)."""

    example = {**_OF, "level": 1}
    level: int


class FalloutNoted(OfFallout, name="fallout.noted", stream="fallout"):
    """Somebody wrote something down for whoever works on the fallout next."""

    example = {**_OF, "note": "calls back after six"}


class TicketLinked(OfFallout, name="fallout.ticket-linked", stream="fallout"):
    """A ticket of another system is about the fallout: `system` names that system, `ticket` the ticket in it."""

    example = {**_OF, "system": "jira", "ticket": "ENG-4711"}
    system: str
    ticket: str


class OriginChanged(OfFallout, name="fallout.origin-changed", stream="fallout"):
    """Another origin than the code's is to blame, by the word of whoever the event is by. Source: fallout table, rules."""

    example = {**_OF, "origin": "partner", "origin_before": "upstream", "note": "seen at the shop"}
    origin: Origin
    origin_before: Origin


class ForceProposed(OfFallout, name="fallout.force-proposed", stream="fallout"):
    """Somebody (`by`) says that the step was done by other means, at its attempt number `attempt`; somebody else has to agree."""

    example = {**_OF, "attempt": 1, "by": "ann"}
    attempt: int
    by: str
