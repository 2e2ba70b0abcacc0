"""What a person does with a fallout beside resolving it: claim, assign, wait, escalate and the like. Each is an event with author and
note."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from o2c.fallout import events
from o2c.fallout.events import Party
from o2c.fallout.record import FalloutRecord
from o2c.kernel.decision import Decision, just
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Origin

CLAIM_MINUTES = 30
"""How long a claim lasts unless it says otherwise."""
CLAIM_MINUTES_MAX = 12 * 60
LEVEL_MAX = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """Take it in hand for some minutes."""

    minutes: int = CLAIM_MINUTES
    action = "claim"


@dataclass(frozen=True, slots=True)
class Assign:
    """Give it to somebody, to another queue, or both."""

    to: str = ""
    queue: str = ""
    action = "assign"


@dataclass(frozen=True, slots=True)
class Release:
    """Give it back to its queue."""

    action = "release"


@dataclass(frozen=True, slots=True)
class Snooze:
    """Leave it alone until a time."""

    until: datetime
    action = "snooze"


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for somebody else: our clock stops."""

    waits_for: Party
    until: datetime | None = None
    action = "wait"


@dataclass(frozen=True, slots=True)
class RequestInformation:
    """Ask somebody for something (the note says what), and wait for it: our clock stops."""

    waits_for: Party
    until: datetime | None = None
    action = "request-information"


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on after a wait or a snooze."""

    action = "resume"


@dataclass(frozen=True, slots=True)
class Reopen:
    """Look at a closed one again; the note says why."""

    action = "reopen"


@dataclass(frozen=True, slots=True)
class Settle:
    """What was looked at again is in order."""

    action = "settle"


@dataclass(frozen=True, slots=True)
class Escalate:
    """Put it one level up."""

    action = "escalate"


@dataclass(frozen=True, slots=True)
class Note:
    """Write something down (the note)."""

    action = "note"


@dataclass(frozen=True, slots=True)
class LinkTicket:
    """Name a ticket of another system that is about it."""

    ticket: str
    system: str = "tickets"
    action = "link-ticket"


@dataclass(frozen=True, slots=True)
class ChangeOrigin:
    """Say who or what was to blame; the note says why."""

    origin: Origin
    action = "change-origin"


Handling = (
    Claim | Assign | Release | Snooze | Wait | RequestInformation | Resume | Reopen | Settle | Escalate | Note | LinkTicket | ChangeOrigin
)
"""The ways in which a person can handle a fallout without resolving it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What handling needs to know of the fallout itself: its id and stream, its code's origin, and the queues that there are."""

    fallout: str
    fell_out_in: str
    origin: Origin
    queues: tuple[str, ...]


def handle(handling: Handling, record: FalloutRecord, standing: Standing, *, by: str, note: str, at: datetime) -> Decision:
    """Decide about what a person does with a fallout.

    Raises Refused: conflict for what cannot be as the record stands (somebody else has claimed it, nobody has it, it waits for nobody,
    there is no level above), usage for a time that is past, a queue or origin that is none, a note that is missing.
    """
    event = _event(handling, record, standing, by, note, at)
    return just(event.model_copy(update={"note": note}))


def _event(handling: Handling, record: FalloutRecord, standing: Standing, by: str, note: str, at: datetime) -> events.OfFallout:
    of = {"fallout": standing.fallout, "fell_out_in": standing.fell_out_in}
    name = f"fallout {standing.fallout}"
    match handling:
        case Claim(minutes):
            _claimable(name, record, by, minutes, at)
            return events.FalloutClaimed(**of, by=by, until=at + timedelta(minutes=minutes))
        case Assign(to, queue):
            if queue and queue not in standing.queues:
                raise Refused(f"{name}: there is no queue {queue}; use one of {', '.join(standing.queues)}")
            if not (to or queue):
                raise Refused(f"{name}: say to whom or to which queue it goes")
            return events.FalloutAssigned(**of, to=to, queue=queue)
        case Release():
            if not record.held_by(at):
                raise Refused(f"{name}: nobody has it in hand", kind="conflict")
            return events.FalloutReleased(**of)
        case Snooze(until):
            return events.FalloutSnoozed(**of, until=_to_come(name, until, at))
        case Wait(waits_for, until):
            return events.FalloutPaused(**of, waits_for=_party(name, waits_for), until=until and _to_come(name, until, at))
        case RequestInformation(waits_for, until):
            _noted(name, note, "what is asked for")
            return events.InformationRequested(**of, waits_for=_party(name, waits_for), until=until and _to_come(name, until, at))
        case Resume():
            if not record.waits_for and not record.snoozed:
                raise Refused(f"{name}: it neither waits for anybody nor is left alone", kind="conflict")
            return events.FalloutResumed(**of)
        case Reopen():
            _noted(name, note, "why it is looked at again")
            return events.FalloutReopened(**of)
        case Settle():
            return events.FalloutSettled(**of)
        case Escalate():
            if record.level >= LEVEL_MAX:
                raise Refused(f"{name}: it is at level {record.level}, and there is none above", kind="conflict")
            return events.FalloutEscalated(**of, level=record.level + 1)
        case Note():
            _noted(name, note, "what is to be written down")
            return events.FalloutNoted(**of)
        case LinkTicket(ticket, system):
            if not ticket.strip() or not system.strip():
                raise Refused(f"{name}: name the ticket and its system")
            return events.TicketLinked(**of, system=system, ticket=ticket)
        case ChangeOrigin(origin):
            before = record.origin or standing.origin
            if origin not in get_args(Origin) or origin == before:
                raise Refused(f"{name}: its origin is {before}; another one of {', '.join(get_args(Origin))} may be said")
            _noted(name, note, "why")
            return events.OriginChanged.model_validate({**of, "origin": origin, "origin_before": before})


def _claimable(name: str, record: FalloutRecord, by: str, minutes: int, at: datetime) -> None:
    if not 1 <= minutes <= CLAIM_MINUTES_MAX:
        raise Refused(f"{name}: a claim lasts between 1 and {CLAIM_MINUTES_MAX} minutes")
    if (holder := record.held_by(at)) not in ("", by) and record.claimed_until:
        raise Refused(f"{name}: {holder} has claimed it until {record.claimed_until:%Y-%m-%dT%H:%MZ}; ask, or wait", kind="conflict")


def _to_come(name: str, until: datetime, at: datetime) -> datetime:
    if until <= at:
        raise Refused(f"{name}: {until:%Y-%m-%dT%H:%MZ} is past; name a time to come")
    return until


def _party(name: str, party: Party) -> Party:
    if party not in get_args(Party):
        raise Refused(f"{name}: nobody waits for {party}; say one of {', '.join(get_args(Party))}")
    return party


def _noted(name: str, note: str, what: str) -> None:
    if not note.strip():
        raise Refused(f"{name}: say {what} in the note")
