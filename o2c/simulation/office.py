"""The simulated back office: agents who take fallouts by rank, work on them in the market's hours, and do what their codes' usual actions
say.

What is done follows from the log, the time and the seed, and from nothing that a process remembers, so that a run that was killed goes on
as it would have. An agent has in hand what he claimed last and is done with it at the end of his claim, some minutes of grace aside.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from o2c.desk.act import Deed, Refused, act_for_all, foreseen
from o2c.engine.app import Context, Engine
from o2c.fallout.record import stream_of
from o2c.kernel.chance import draw
from o2c.kernel.event import types_by_name
from o2c.markets.base import Market
from o2c.markets.registry import HOME, MARKETS, current
from o2c.simulation import office_deeds
from o2c.simulation.office_backlog import Backlog
from o2c.simulation.office_case import Case, Chance
from o2c.simulation.office_table import Table, packaged
from projections.engine.operations import followed
from projections.fallout import FALLOUT
from projections.fallout_records import CLAIMED, FALLOUT_RECORDS

GRACE_MINUTES = 15
"""How much longer than the work itself a claim lasts."""
CLAIM_MINUTES_MAX = 12 * 60
LATEST = 5_000
LAST_ACTORS = """SELECT DISTINCT actor FROM (SELECT actor, occurred_at FROM o2c.event ORDER BY position DESC LIMIT %s) latest
WHERE occurred_at = %s AND actor = ANY(%s)"""
"""Those of some people who did something at a time. Parameters: how many of the last events are looked at, the time, the people."""
ACTS_ON_FALLOUTS = """SELECT DISTINCT ON (body ->> 'fallout') body ->> 'fallout' AS fallout, type, actor, occurred_at FROM o2c.event
WHERE stream = ANY(%s) AND body ->> 'fallout' = ANY(%s) ORDER BY body ->> 'fallout', position DESC"""
"""The last event that names each fallout. Parameters: the streams, and the ids of the fallouts."""
CHANGES = frozenset(name for name, event in types_by_name().items() if event.shape in ("fell-out", "expected"))
"""The types of event after which there may be something to do: a step fell out, or what it waits for is due at another time."""
WORK = "fallout.work"


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent: his name in the log, the queues that he knows, and the share of the usual minutes that he takes."""

    name: str
    skills: frozenset[str]
    speed_percent: float

    @property
    def context(self) -> Context:
        """Who he is to the desk."""
        return Context(self.name)


@dataclass(frozen=True, slots=True)
class Held:
    """A claim under way: whose, and when its work is done."""

    agent: str
    done_at: datetime


@dataclass
class Look:
    """All that is known at a time: the open cases by rank, and the claims under way by fallout."""

    at: datetime
    cases: list[Case]
    held: Mapping[str, Held]
    leased: frozenset[str]
    asked: list[tuple[Context, str, Deed]] = field(default_factory=list)
    streams: set[str] = field(default_factory=set)

    def add(self, case: Case, agent: Agent, asked: office_deeds.Asked) -> None:
        """Note a deed for the one append of this time, unless another one goes to its stream already: that one waits for the next time."""
        verb, deed = asked
        if not self.streams & (own := {deed.stream, case.work.stream}):
            self.streams |= own
            self.asked.append((agent.context, verb, deed))


@contextmanager
def staffed(app: Engine, count: int, table: Table | None = None) -> Iterator[BackOffice]:
    """A back office of so many agents on a store. Raises Refused (conflict) where the clock is real: people work there themselves."""
    if app.clock().kind != "simulated":
        raise Refused("desks are simulated, and so must the clock be; on a real one people work themselves", kind="conflict")
    table = table or packaged()
    with followed(app.dsn, [FALLOUT, FALLOUT_RECORDS]) as catch_up:
        yield BackOffice(app, crew(count, app.clock().seed, app.codes().queues, table), table, Backlog(app, table, count, catch_up))


def crew(count: int, seed: int, queues: Sequence[str], table: Table) -> tuple[Agent, ...]:
    """The agents `desk-1` and on. What nobody of them knows, all do."""
    lists = [table.skills[n % len(table.skills)] for n in range(count)]
    unknown = frozenset(queues).difference(*lists)
    spread = table.slowest_percent - table.fastest_percent
    return tuple(
        Agent(f"desk-{n}", known | unknown, table.fastest_percent + spread * draw(seed, f"desk-{n}", 0, "speed"))
        for n, known in enumerate(lists, 1)
    )


class BackOffice:
    """The agents between the windows of a run (`engine.runner.Between`)."""

    def __init__(self, app: Engine, agents: Sequence[Agent], table: Table, backlog: Backlog) -> None:
        clock = app.clock()
        self.app, self.agents, self.table = app, agents, table
        self._backlog, self._seed, self._grid = backlog, clock.seed, timedelta(seconds=clock.window_s)
        self._next_at: datetime | None = datetime.min.replace(tzinfo=UTC)
        self._first = True

    def told(self, types: frozenset[str]) -> None:
        """Something fell out, so somebody looks as soon as the office is open."""
        if types & CHANGES:
            self._next_at = datetime.min.replace(tzinfo=UTC)

    def next_at(self, after: datetime) -> datetime | None:
        """The end of the next window at which somebody works and there may be something to do."""
        return None if self._next_at is None else self._tick(max(after, self._next_at))

    def act(self, at: datetime) -> bool:
        """Finish what is done by now, then take what is next; all of it is one append.

        A run that was killed right after it, before time went on, does it no second time. What somebody else made stale is done at the next
        look.
        """
        if self._first and self._done(at):
            self._first, self._next_at = False, at + self._grid
            return True
        self._first = False
        look = self._look(at)
        left = self._take(look, self._finish(look))
        act_for_all(self.app, look.asked)
        self._next_at = at + self._grid if look.asked or left else self._awaited(look)
        return any(verb != WORK for _, verb, _ in look.asked)

    # -- looking

    def _look(self, at: datetime) -> Look:
        cases = self._backlog.cases(at)
        held = self._held(self.app.reads.rows(CLAIMED, [agent.name for agent in self.agents], at))
        return Look(at, cases, held, frozenset(case.fallout for case in cases if _leased(case.row, at)))

    def _held(self, claims: Sequence[Mapping[str, Any]]) -> dict[str, Held]:
        """The claims after which nothing was done about their fallouts yet; one that ran out is nobody's, and its fallout is taken in hand
        anew."""
        if not claims:
            return {}
        streams = sorted({row["stream"] for row in claims} | {stream_of(row["fallout"]) for row in claims})
        acts = self.app.reads.rows(ACTS_ON_FALLOUTS, streams, [row["fallout"] for row in claims])
        untouched = {act["fallout"] for act in acts if act["type"] == "fallout.claimed"}
        return {row["fallout"]: Held(row["owner"], self._done_at(row)) for row in claims if row["fallout"] in untouched}

    def _done_at(self, row: Mapping[str, Any]) -> datetime:
        claimed_until: datetime = row["claimed_until"]
        return claimed_until - timedelta(minutes=self._grace(row["fallout"], int(row["touches"]) - 1 + int(row["acts"])))

    def _grace(self, fallout: str, visit: int) -> int:
        forgotten = Chance(self._seed, fallout).happens(self.table.mistakes.forgotten_percent, "forgotten", visit)
        return GRACE_MINUTES + (self.table.mistakes.forgotten_minutes if forgotten else 0)

    def _done(self, at: datetime) -> bool:
        """Whether anybody acted at this very time already."""
        return bool(self.app.reads.rows(LAST_ACTORS, LATEST, at, [agent.name for agent in self.agents]))

    # -- working

    def _finish(self, look: Look) -> set[str]:
        """Let everybody who is done with a fallout act on it; the names of all who have one in hand."""
        by_name = {agent.name: agent for agent in self.agents}
        for case in look.cases:
            held = look.held.get(case.fallout)
            if held and held.done_at <= look.at and self._workable(case, look.at):
                self._act_on(look, case, by_name[held.agent])
        return {held.agent for held in look.held.values() if held.done_at > look.at} | {context.actor for context, _, _ in look.asked}

    def _act_on(self, look: Look, case: Case, agent: Agent) -> None:
        visit = case.touches - 1 + case.deeds
        act = replace(case, row={**case.row, "touches": int(case.row["touches"]) - 1}).next_act
        forgets = case.forgotten(visit)
        look.add(case, agent, self._can_be_done(case, act, agent, look.at, forgets=forgets) or self._put_off(case, agent, look.at))

    def _can_be_done(self, case: Case, act: str, agent: Agent, at: datetime, *, forgets: bool) -> office_deeds.Asked | None:
        """A deed that will not be refused; None where it would be."""
        try:
            verb, deed = office_deeds.deed(self.app, case, act, agent.name, at, forgets=forgets)
        except Refused:
            return None
        return None if verb != WORK and foreseen(self.app, [deed])[0] else (verb, deed)

    def _put_off(self, case: Case, agent: Agent, at: datetime) -> office_deeds.Asked:
        return office_deeds.put_off(self.app, case, agent.name, at)

    def _take(self, look: Look, busy: set[str]) -> bool:
        """Let every free agent claim what is next by rank in his skills, until his time to the next look is filled; whether anything is
        left."""
        load: defaultdict[str, float] = defaultdict(float)
        free = [agent for agent in self.agents if agent.name not in busy]
        cases = [case for case in look.cases if self._free(case, look)] if free else []
        # What he does not take now he takes at no later turn of this time either.
        queues = {agent.name: iter([case for case in cases if _knows(agent, case)]) for agent in free}
        window = self._grid.total_seconds() / 60
        claimed: set[str] = set()
        taken = True
        while taken:
            taken = False
            for agent in free:
                mine = (case for case in queues[agent.name] if case.fallout not in claimed and self._takes(agent, case, look, load))
                if load[agent.name] < window and (case := next(mine, None)):
                    claimed.add(case.fallout)
                    load[agent.name] += case.minutes(agent.speed_percent)
                    look.add(case, agent, self._claim(case, agent, load[agent.name]))
                    taken = True
        return any(case.fallout not in claimed and _knows(agent, case) for case in cases for agent in free)

    def _claim(self, case: Case, agent: Agent, minutes: float) -> office_deeds.Asked:
        lasts = math.ceil(minutes) + self._grace(case.fallout, case.touches + case.deeds)
        return office_deeds.claim(self.app, case, agent.name, min(lasts, CLAIM_MINUTES_MAX))

    def _free(self, case: Case, look: Look) -> bool:
        ready_at = case.ready_at
        untouched = case.fallout not in look.leased and not (case.fallout in look.held and look.held[case.fallout].done_at <= look.at)
        return untouched and ready_at is not None and ready_at <= look.at and self._workable(case, look.at)

    def _workable(self, case: Case, at: datetime) -> bool:
        """Whether its step waits for somebody, and its market's desk is open."""
        return case.waits and self.table.open_at(_market(case, at), at)

    def _takes(self, agent: Agent, case: Case, look: Look, load: Mapping[str, float]) -> bool:
        if not _knows(agent, case) or case.work.stream in look.streams:
            return False
        minutes = load[agent.name] + case.minutes(agent.speed_percent)
        return look.at + timedelta(minutes=math.ceil(minutes)) <= self.table.closes_at(_market(case, look.at), look.at)

    # -- the time

    def _awaited(self, look: Look) -> datetime | None:
        """The first time at which something that is known now comes up."""
        ready = [ready_at for case in look.cases if (ready_at := case.ready_at) and ready_at > look.at]
        leases = [until for case in look.cases if case.fallout in look.leased and (until := case.row["claimed_until"])]
        markets = {market.pin: market for case in look.cases for market in [_market(case, look.at)]}
        closed = [self.table.opens_at(market, look.at) for market in markets.values()]
        held = [held.done_at for held in look.held.values()]
        return min((time for time in (*ready, *leases, *closed, *held) if time > look.at), default=None)

    def _tick(self, at: datetime) -> datetime:
        """The end of the first window, not before a time, at which the desk of some market is open."""
        at = self._on_grid(at)
        markets = [current(code, at.date()) for code in MARKETS]
        while not any(self.table.open_at(market, at) for market in markets):
            at = self._on_grid(min(self.table.opens_at(market, at) for market in markets))
        return at

    def _on_grid(self, at: datetime) -> datetime:
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return epoch + -(-(at - epoch) // self._grid) * self._grid


def _market(case: Case, at: datetime) -> Market:
    market: Market = case.work.market or current(HOME, at.date())
    return market


def _knows(agent: Agent, case: Case) -> bool:
    """Whether it is for an agent: in a queue that he knows, or somebody else's proposal, to which anybody may agree."""
    proposed_by = case.row["proposed_by"]
    return proposed_by != agent.name if proposed_by else case.row["queue_now"] in agent.skills


def _leased(row: Mapping[str, Any], at: datetime) -> bool:
    return bool(row["owner"]) and (row["claimed_until"] is None or row["claimed_until"] > at)
