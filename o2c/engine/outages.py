"""Partners that are down, as a chunk of work sees them: which of its calls are not made, what becomes of those that met nobody, and what
the calls themselves show of a partner.

Nothing is remembered from one chunk to the next: an outage is found in the replies of the chunk and, where these are too few, in the last
calls that the log tells of. So a run that was killed finds what it would have found, and each of several workers finds what all of them
met.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from o2c.engine.app import Engine
from o2c.engine.drafts import Command, Loaded
from o2c.kernel.agenda import Entry
from o2c.kernel.attend import Ask, Reply
from o2c.kernel.carry import happened
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.parking import lost, park, send_again
from o2c.kernel.partner import NO_ANSWER, nobody_there
from o2c.kernel.work import Work
from o2c.partners.outages import LONG_AGO, Call, Detected, detected, undecided
from o2c.partners.rules import detect_down, probed
from o2c.partners.state import Outage, PartnerState, stream_of

logger = structlog.get_logger(__name__)
ACTOR = "engine"
LOOK_S = 1.0
NEAR_EVENTS, LAST_EVENTS, FAR_EVENTS = 250, 5_000, 100_000
"""Among how many of the last events of the log a partner's calls are looked for: first to see whether it was answered lately, then to see
how often it is, and last, before one that is seldom called is taken for down."""
CALLS_ENOUGH = 200
"""So many calls before an outage show by themselves how often its partner is usually not there."""


@dataclass(slots=True)
class Outages:
    """The partners of a chunk as they were read, by name, and how the chunk's calls of each ended.

    `away` are those that are down, or were when some row was due: most stores have none at most times. `probing` is the row whose call is
    to show whether a partner is up, and `answered` when it did so and how.
    """

    loaded: Mapping[str, Loaded]
    away: dict[str, PartnerState]
    calls: dict[str, dict[tuple[str, bool], Call]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    probing: dict[str, str] = field(default_factory=dict)
    answered: dict[str, tuple[bool, datetime]] = field(default_factory=dict)

    def note(self, ask: Ask, reply: Reply, at: datetime) -> None:
        """Keep how a call ended."""
        failed = nobody_there(reply.answer)
        self.calls.setdefault(ask.partner, {}).setdefault(ask.key, Call(ask.request.stream, at, failed))
        if failed:
            self.failing.add(ask.partner)

    def parked(self, work: Work, entry: Entry, ask: Ask, reply: Reply | None, at: datetime) -> Decision | None:
        """Decide about a call of a partner that is down; None where it is to be made, or its reply to be settled as ever."""
        state = self.away.get(ask.partner)
        if state is None or state.outage is None:
            return None
        if reply is not None and lost(entry, ask, reply):
            return send_again(work, ask, reply, state.outage.outage, at)
        outage = state.down_at(at)
        if outage is None:
            return None
        if reply is None:
            return None if self._lets_through(ask, outage, at) else park(work, ask, outage.outage)
        if outage.probing:
            self.answered.setdefault(ask.partner, (not nobody_there(reply.answer), at))
        return park(work, ask, outage.outage, reply) if nobody_there(reply.answer) else None

    def _lets_through(self, ask: Ask, outage: Outage, at: datetime) -> bool:
        """Whether a call is the one that is to show whether its partner is up: the first of the chunk since the probe was opened."""
        return (
            outage.probing is not None and outage.probing <= at and self.probing.setdefault(ask.partner, ask.request.key) == ask.request.key
        )


class Partners:
    """The streams of the plan's partners as this process knows them: read again every LOOK_S seconds, and when somebody asks for it.

    What the process writes to them itself it knows at once, and that one that was down is up. That somebody declared one down may be known
    a moment later.
    """

    def __init__(self, app: Engine) -> None:
        self.app = app
        self._streams = {step.ask.partner: stream_of(step.ask.partner) for step in app.book.steps.values() if step.ask}
        self._loaded: dict[str, Loaded] = {}
        self._again_at = 0.0

    def look_again(self) -> None:
        """Read them again before the next chunk of work."""
        self._again_at = 0.0

    def outages(self) -> Outages:
        """The partners as they stand."""
        if time.monotonic() >= self._again_at:
            self._loaded = self.app.load(self._streams.values())
            self._again_at = time.monotonic() + LOOK_S
        elif told := {stream for stream, one in self._loaded.items() if one.version}:
            # Of one that is down somebody may have said since that it is up: a call that is made again then must not be parked once more.
            down = {stream for stream in told if self._loaded[stream].state.down}
            self._loaded |= self.app.load(down) | self.app.load(told - down, remembered=True)
        own = {name: self._loaded[stream] for name, stream in self._streams.items()}
        return Outages(own, {name: one.state for name, one in own.items() if one.version and one.state.outage})


def found_down(app: Engine, outages: Outages, round_: int) -> bool:
    """Take partners for down that the calls of a chunk show to be; whether there is one, so that the chunk is to be decided again.

    It is written first: a worker that comes second finds it, and decides by it.
    """
    found = False
    for partner in sorted(outages.failing):
        own = outages.loaded[partner]
        if own.state.down is None and (shown := _shown(app, partner, own.state, outages.calls[partner].values())):
            decision = detect_down(own.state, partner, shown, app.book.codes.at(shown.at).outage_rule(partner))
            logger.warning("partner_down", partner=partner, calls=shown.calls, orders=shown.orders)
            app.write([_said(partner, own, decision, shown.at)], round_=round_)
            outages.away[partner] = app.load_one(own.stream).state
            found = True
    return found


def probes(app: Engine, outages: Outages) -> Iterator[Command]:
    """How the probes of a chunk ended, as commands; of two workers that tell of one probe the first is heard."""
    for partner, (answered, at) in outages.answered.items():
        own = outages.loaded[partner]
        if decision := probed(own.state, partner, app.book.codes.at(at).outage_rule(partner), answered=answered, at=at):
            yield _said(partner, own, decision, at)


def _said(partner: str, own: Loaded, decision: Decision, at: datetime) -> Command:
    command_id = derived_id("partner", own.stream, str(own.version))
    return Command(command_id, own.stream, happened(own.stream, decision, at), {own.stream: own}, ACTOR, ACTOR)


def _shown(app: Engine, partner: str, state: PartnerState, calls: Iterable[Call]) -> Detected | None:
    """The outage that calls show, together with those before them. What was before the partner came up last tells only what is usual."""
    last = state.outage
    after = last.until if last and last.until else LONG_AGO
    fresh = [call for call in calls if call.at > after]
    if not fresh:
        return None
    began = min(call.at for call in fresh)
    rule = app.book.codes.at(began).outage_rule(partner)

    def with_earlier(events: int) -> list[Call]:
        earlier = map(_call, app.reads.last_calls(partner, events)) if events else ()
        # While it was down its calls were parked, all but the probes: they tell nothing of how it is while it is well.
        return [*(call for call in earlier if last is None or not last.since <= call.at < after), *fresh]

    told = fresh
    # Mostly one of the last few calls was answered, and that is the end of it.
    for events in (0, NEAR_EVENTS, LAST_EVENTS):
        told = with_earlier(events)
        if not undecided(told, rule, judged_from=began):
            return None
    found = detected(told, rule, after=after, judged_from=began)
    if found is None or sum(call.at < found.since for call in told) >= CALLS_ENOUGH:
        return found
    return detected(with_earlier(FAR_EVENTS), rule, after=after, judged_from=began)


def _call(row: Mapping[str, Any]) -> Call:
    failed = row["answer"] == "silent" or (row["answer"] == "failed" and row["code"] in NO_ANSWER)
    return Call(row["stream"], row["occurred_at"], failed)
