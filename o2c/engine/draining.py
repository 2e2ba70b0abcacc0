"""Making the parked calls of a partner that is up again: in order, one after another, each once.

Everything is read from what stands: which calls are parked, and until when others have their times. So a run that is killed in the middle
goes on where it stood, and whoever comes second finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from o2c.engine.app import Engine
from o2c.engine.drafts import Command, Loaded
from o2c.kernel.agenda import calls_of
from o2c.kernel.carry import happened
from o2c.kernel.chance import draw
from o2c.kernel.decision import just
from o2c.kernel.event import Fact
from o2c.kernel.identifiers import derived_id
from o2c.kernel.parking import PARKED, resume
from o2c.partners.events import PartnerCallsResumed
from o2c.partners.rules import left_alone
from o2c.partners.state import Outage, PartnerState, stream_of
from o2c.store.reads import DueRow

logger = structlog.get_logger(__name__)
CHUNK_ROWS = 400
TRIES_MAX = 20
ACTOR = "engine"
UNPROMISED = "9999"
PROBE_LEAD = timedelta(seconds=1)
"""How much later than its probe was opened a parked call is made: later than it was parked, so that it is another piece of work."""
Timed = Sequence[tuple[DueRow, datetime]]


def drain(app: Engine, partner: str, fact: Fact, reaction: str, round_: int) -> None:
    """Give every parked call of a partner its time, if the partner is up; one of them, if it is to show whether the partner is up.

    `fact` is the event that made somebody look.
    """
    calls = app.reads.calls_in(calls_of(partner))
    rows = [row for row in calls if row.entry.kind in PARKED]
    if not rows:
        if not calls:
            _left_alone(app, partner, fact, reaction, round_)
        return
    state: PartnerState = app.load_one(stream_of(partner)).state
    if state.down and state.down.probing and len(rows) == len(calls):
        # Another one each time: one whose own trouble outlasts the outage would keep its partner down for ever.
        chosen = int(draw(0, state.down.outage, fact.version, "probe") * len(rows))
        _probe(app, partner, state.down, rows[chosen], fact, reaction, round_)
    if state.outage is None or state.down:
        return
    rows = _in_turn(app, rows)
    logger.info("partner_drains", partner=partner, calls=len(rows))
    for start in range(0, len(rows), CHUNK_ROWS):
        if (outage := _up(app, partner)) is None:
            return
        _chunk(app, partner, outage, rows[start : start + CHUNK_ROWS], fact, reaction, round_)


def _probe(app: Engine, partner: str, outage: Outage, row: DueRow, fact: Fact, reaction: str, round_: int) -> None:
    """Make one parked call. One that somebody else moved meanwhile is left: the next call that is due shows as much."""
    at = max(fact.occurred_at, app.clock().now)
    app.write(list(_resumed(app, partner, outage, [(row, at + PROBE_LEAD)], at, fact, reaction)), round_=round_)


def _left_alone(app: Engine, partner: str, fact: Fact, reaction: str, round_: int) -> None:
    """Take the partner for up if it answered and nobody waits for it. Whoever comes second finds it so."""
    own = app.load_one(stream_of(partner))
    at = max(fact.occurred_at, app.clock().now)
    if decision := left_alone(own.state, partner, app.book.codes.at(at).outage_rule(partner), at=at):
        command_id = derived_id(reaction, own.stream, str(own.version))
        events = happened(own.stream, decision, at, fact.event_id)
        app.write([Command(command_id, own.stream, events, {own.stream: own}, reaction, ACTOR)], round_=round_)


def _up(app: Engine, partner: str) -> Outage | None:
    """The last outage of a partner that is up; None for one that is down, or never was."""
    state: PartnerState = app.load_one(stream_of(partner)).state
    return state.outage if state.outage and state.outage.until else None


def _in_turn(app: Engine, rows: Sequence[DueRow]) -> list[DueRow]:
    """Rows in the order in which their calls are made: by priority, promised day, age and place."""
    promised: dict[tuple[str, str, str], str] = {}
    for start in range(0, len(rows), CHUNK_ROWS):
        some = rows[start : start + CHUNK_ROWS]
        loaded = app.load({row.entry.stream for row in some})
        for row in some:
            stream, item, _ = row.place
            promised[row.place] = app.kind(stream).promised_on(loaded[stream].state, item) or UNPROMISED
    return sorted(rows, key=lambda row: (row.entry.priority, promised[row.place], row.entry.since, row.place))


def _chunk(app: Engine, partner: str, outage: Outage, rows: Sequence[DueRow], fact: Fact, reaction: str, round_: int) -> None:
    """Give some calls their times, with the partner's own record of it in the same append."""
    assert outage.until is not None
    at = max(outage.until, app.clock().now)
    timed: Timed = list(zip(rows, _times(outage, at), strict=False))
    until, calls = timed[-1][1], len(timed)
    for _ in range(TRIES_MAX):
        own = app.load_one(stream_of(partner))
        commands = [*_resumed(app, partner, outage, timed, at, fact, reaction)]
        if not _recorded(own, outage, until):
            commands.append(_record(own, partner, outage, calls, until, at, fact, reaction))
        outcomes = app.write(commands, round_=round_) if commands else []
        stale = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict == "stale"}
        if not stale:
            return
        timed = [(row, due_at) for row, due_at in timed if row.entry.stream in stale]
    raise RuntimeError(f"{stream_of(partner)} stayed stale {TRIES_MAX} times; another process writes to it without end")


def _times(outage: Outage, at: datetime) -> Iterator[datetime]:
    """The times of the next calls: after those that have theirs, at the partner's rate, each later than the moment at which they are
    given."""
    step, due_at = timedelta(minutes=1) / outage.rate_per_min, max(at, outage.drained_until or at)
    while True:
        due_at += step
        yield due_at


def _resumed(app: Engine, partner: str, outage: Outage, timed: Timed, at: datetime, fact: Fact, reaction: str) -> Iterator[Command]:
    """A command a stream. A row that is gone was settled otherwise; a later change makes the command stale."""
    loaded = app.load({row.entry.stream for row, _ in timed})
    standing = {row.place for row in app.reads.still([row for row, _ in timed])}
    by_stream: dict[str, list[tuple[DueRow, datetime]]] = {}
    for row, due_at in timed:
        if row.place in standing:
            by_stream.setdefault(row.entry.stream, []).append((row, due_at))
    for stream, mine in by_stream.items():
        events = just(*(resume(row.entry, partner, outage.outage, due_at) for row, due_at in mine))
        command_id = derived_id(reaction, stream, *(row.cause for row, _ in mine))
        yield Command(command_id, stream, happened(stream, events, at, fact.event_id), {stream: loaded[stream]}, reaction, ACTOR)


def _recorded(own: Loaded, outage: Outage, until: datetime) -> bool:
    """Whether the partner's own record says so already, or tells of a later outage."""
    last: Outage = own.state.outage
    return last.outage != outage.outage or (last.drained_until is not None and last.drained_until >= until)


def _record(own: Loaded, partner: str, outage: Outage, calls: int, until: datetime, at: datetime, fact: Fact, reaction: str) -> Command:
    event = PartnerCallsResumed(partner=partner, outage=outage.outage, calls=calls, until=until)
    command_id = derived_id(reaction, own.stream, str(own.version))
    return Command(command_id, own.stream, happened(own.stream, just(event), at, fact.event_id), {own.stream: own}, reaction, ACTOR)
