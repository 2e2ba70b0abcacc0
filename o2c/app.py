"""The only way to write: commands become events of several streams in one append, with their guards, agenda and stock changes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from eventsourcing.application import AggregateNotFoundError, Application
from pydantic import TypeAdapter

from o2c.kernel.agenda import AgendaChange
from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, Fact
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Offered, Withdrawn
from o2c.kernel.stream import StreamKind, category_of
from o2c.store.clock import create_clock
from o2c.store.commands import Append, Guard, Head, Outcome, PoolChange
from o2c.store.database import prepare
from o2c.store.mapper import StoredFact
from o2c.store.reads import Clock, Reads
from o2c.store.recorder import LogRecorder

SIMULATED_START = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW_S = 900
PINNED = re.compile(r"catalogue-[a-z]+@[0-9]+")
"""A version of a catalogue. Other streams are named after ids that others choose, at-signs and all."""
SETTLED_S = 120
SETTLING_S = 0.01


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stream as read: version 0 and the initial state when it does not exist yet."""

    stream: str
    version: int
    state: Any


@dataclass(frozen=True, slots=True)
class Happened:
    """An event about to be written, where and when (business time), and the event that caused it."""

    stream: str
    event: Event
    at: datetime
    causation: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A caller's intent, decided: what happened, on which versions it was judged (`seen`), and who asked.

    `stream` is the deciding stream, whose owner the envelopes name. `fingerprint` tells one request from
    another under the same id.
    """

    command_id: str
    stream: str
    happened: tuple[Happened, ...]
    seen: Mapping[str, Loaded]
    actor: str
    channel: str
    guards: tuple[Guard, ...] = ()
    fingerprint: str = ""
    outcome: str = "{}"


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and how: `actor` stands in the log, `channel` is where the wish came in.

    `command_id` (a UUID of the caller's) makes a wish repeatable: sent again after a lost answer it gets the first answer and does nothing.
    Left empty, it is derived from the wish and from what the caller saw.
    """

    actor: str
    channel: str = "desk"
    command_id: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """Where the last event of a command stands in the log; `repeated` when an earlier call with the same command id wrote it."""

    stream: str
    position: int
    repeated: bool = False


@dataclass(slots=True)
class _Draft:
    """One command on its way into an Append."""

    loaded: dict[str, Loaded] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    agenda: dict[tuple[str, str, str], tuple[AgendaChange, str]] = field(default_factory=dict)
    pool: dict[tuple[str, str], PoolChange] = field(default_factory=dict)


@cache
def _adapter(state_type: Any) -> TypeAdapter[Any]:
    return TypeAdapter(state_type)


class Engine(Application[str]):
    """The engine on one PostgreSQL. `kinds` are the kinds of stream it knows, by category."""

    env = {
        "PERSISTENCE_MODULE": "o2c.store.recorder:LogFactory",
        "MAPPER_TOPIC": "o2c.store.mapper:FactMapper",
        "APPLICATION_RECORDER_TOPIC": "o2c.store.recorder:LogRecorder",
        "ORIGINATOR_ID_TYPE": "text",
        **{f"POSTGRES_{key}": "by-dsn" for key in ("DBNAME", "HOST", "USER", "PASSWORD")},
        "POSTGRES_PORT": "5432",
        "POSTGRES_POOL_SIZE": "1",
        "POSTGRES_MAX_OVERFLOW": "10",
        "POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT": "60",
        "POSTGRES_CONNECT_TIMEOUT": "30",
    }

    def __init__(self, dsn: str, kinds: Mapping[str, StreamKind]) -> None:
        prepare(dsn)
        super().__init__({"DSN": dsn})
        self.dsn = dsn
        self.kinds = kinds
        self.log_recorder = cast("LogRecorder", self.recorder)
        self.reads = Reads(self.log_recorder.datastore)
        self._pinned: dict[str, Loaded] = {}

    # -- the clock

    def create_clock(self, *, kind: str, start: datetime | None = None, seed: int = 0, window_s: int = WINDOW_S) -> None:
        """Give the store its clock, once for life. Raises Refused (conflict) when it has one."""
        begin = start or (SIMULATED_START if kind == "simulated" else datetime.now(UTC))
        create_clock(self.log_recorder.datastore, kind=kind, start=begin, window_s=window_s, seed=seed)

    def clock(self) -> Clock:
        """The store's clock; a real one tells the time of now. Raises Refused when the store has none yet."""
        clock = self.reads.clock()
        if clock is None:
            raise Refused("the store has no clock yet; run `o2c init --clock simulated` or `o2c init --clock real` first")
        return clock if clock.kind == "simulated" else replace(clock, now=datetime.now(UTC))

    # -- reading

    def settled(self) -> None:
        """Wait until readers see everything written before this call. Raises Refused (try later) when a transaction elsewhere stays open."""
        [log] = self.reads.rows("SELECT coalesce(max(position), 0) AS top FROM o2c.event")
        deadline = time.monotonic() + SETTLED_S
        while (self.log_recorder.max_notification_id() or 0) < log["top"]:
            if time.monotonic() > deadline:
                hint = "end it (see pg_stat_activity.backend_xid and pg_prepared_xacts) and go on"
                raise Refused(
                    f"a transaction on this server has been open for {SETTLED_S} s and holds back readers of the log; {hint}",
                    kind="unavailable",
                )
            time.sleep(SETTLING_S)

    def load(self, streams: Iterable[str]) -> dict[str, Loaded]:
        """Streams by name, each in one read of its head row; `catalogue-main@12` is the catalogue as it stood at version 12."""
        wanted = set(streams)
        found = {name: self._at_version(name) for name in wanted if PINNED.fullmatch(name)}
        plain = sorted(wanted - found.keys())
        for row in self.reads.heads(plain) if plain else []:
            found[row["stream"]] = self._from_head(row)
        for stream in plain:
            if stream not in found:
                found[stream] = Loaded(stream, 0, self.kind(stream).initial(stream))
        return found

    def kind(self, stream: str) -> StreamKind:
        return self.kinds[category_of(stream)]

    def _from_head(self, row: dict[str, Any]) -> Loaded:
        kind = self.kind(row["stream"])
        if row["shape"] != kind.shape_version or row["state"] is None:
            return Loaded(row["stream"], row["version"], self.replay(row["stream"], row["version"]))
        return Loaded(row["stream"], row["version"], _adapter(kind.state_type).validate_json(row["state"]))

    def replay(self, stream: str, version: int | None = None) -> Any:
        """The state folded anew from the events, up to a version; the initial state where there are none."""
        kind = self.kind(stream)

        def fold(state: Any, facts: Iterable[Any]) -> Any:
            for fact in facts:
                state = kind.evolve(kind.initial(stream) if state is None else state, fact.event)
            return state

        try:
            return self.repository.get(stream, version=version, projector_func=cast("Any", fold))
        except AggregateNotFoundError:
            return kind.initial(stream)

    def _at_version(self, name: str) -> Loaded:
        if name not in self._pinned:
            stream, _, version = name.rpartition("@")
            self._pinned[name] = Loaded(name, int(version), self.replay(stream, int(version)))
        return self._pinned[name]

    # -- writing

    def write(self, commands: Sequence[Command], *, round_: int = 0) -> list[Outcome]:
        """Write many commands in one append; what became of each, in order. A stale one wrote nothing and may be decided again."""
        to_stored = self.mapper.to_stored_event
        appends = [
            replace(bare, facts=tuple(cast("StoredFact", to_stored(cast("Any", fact))) for fact in facts))
            for bare, facts in self._drafts(commands)
        ]
        return self.log_recorder.append(appends, round_=round_)

    def do(self, command: Command) -> Written:
        """Write one command through the library's `save`. Raises IntegrityError when it is stale, guarded or refused."""
        [(bare, facts)] = self._drafts([command])
        recordings = self.save(*cast("Any", facts), command=bare)
        if recordings:
            return Written(command.stream, recordings[-1].notification.id)
        return self.recall(command.stream, command.command_id, bare.fingerprint) or Written(command.stream, 0)

    def recall(self, stream: str, command_id: str, fingerprint: str) -> Written | None:
        """What a command id wrote before; None when it is new. Raises Refused (conflict) when it was used for another wish."""
        known = self.reads.command(command_id)
        if known is None:
            return None
        if known["fingerprint"] != fingerprint:
            raise Refused(f"{stream}: command id {command_id} was used for something else; give each wish an id of its own", kind="conflict")
        return Written(stream, known["last_position"], repeated=True)

    def _drafts(self, commands: Sequence[Command]) -> list[tuple[Append, list[Fact]]]:
        unseen = {h.stream for c in commands for h in c.happened if h.stream not in c.seen}
        loaded = self.load(unseen)
        return [self._draft(command, loaded) for command in commands]

    def _draft(self, command: Command, loaded: Mapping[str, Loaded]) -> tuple[Append, list[Fact]]:
        """One command as an Append without facts, and its facts."""
        draft = _Draft()
        order_id, customer_id = self.kind(command.stream).owner(self._fold_deciding(command, loaded))
        for number, happened in enumerate(command.happened):
            now = draft.loaded.get(happened.stream) or command.seen.get(happened.stream) or loaded[happened.stream]
            self._add(draft, command, happened, now, derived_id(command.command_id, str(number)), order_id, customer_id)
        heads = tuple(
            Head(
                stream, (command.seen.get(stream) or loaded[stream]).version, new.version, self.kind(stream).shape_version, self._dump(new)
            )
            for stream, new in draft.loaded.items()
        )
        bare = Append(
            command_id=command.command_id,
            fingerprint=command.fingerprint or digest(command.command_id),
            outcome=command.outcome,
            heads=heads,
            guards=command.guards,
            agenda=tuple(draft.agenda.values()),
            pool=tuple(draft.pool.values()),
        )
        return bare, draft.facts

    def _fold_deciding(self, command: Command, loaded: Mapping[str, Loaded]) -> Any:
        known = command.seen.get(command.stream) or loaded.get(command.stream)
        state = known.state if known else self.kind(command.stream).initial(command.stream)
        if known is not None and known.version:
            return state
        for happened in command.happened:
            if happened.stream == command.stream:
                state = self.kind(command.stream).evolve(state, happened.event)
        return state

    def _add(
        self, draft: _Draft, command: Command, happened: Happened, now: Loaded, event_id: str, order_id: str | None, customer_id: str | None
    ) -> None:
        stream, event = happened.stream, happened.event
        kind = self.kind(stream)
        new = Loaded(stream, now.version + 1, kind.evolve(now.state, event))
        draft.loaded[stream] = new
        draft.facts.append(
            Fact(
                stream=stream,
                version=new.version,
                event=event,
                event_id=event_id,
                occurred_at=happened.at,
                actor=command.actor,
                channel=command.channel,
                command_id=command.command_id,
                causation=happened.causation,
                order_id=order_id,
                customer_id=customer_id,
            )
        )
        for change in kind.agenda(new.state, event, stream):
            draft.agenda[change.stream, change.item, change.step] = (change, event_id)
        if isinstance(event, Offered | Withdrawn):
            change_of_pool = pool_change(event, happened.at)
            draft.pool[change_of_pool.pool, change_of_pool.key] = change_of_pool

    def _dump(self, new: Loaded) -> str:
        return _adapter(self.kind(new.stream).state_type).dump_json(new.state).decode()


def pool_change(event: Offered | Withdrawn, at: datetime) -> PoolChange:
    """What a stock event does to the index of candidates."""
    if isinstance(event, Withdrawn):
        pool, key = event.withdrawal()
        return PoolChange(False, pool, key, at)
    pool, key, detail = event.offer()
    return PoolChange(True, pool, key, at, json.dumps(detail))


def happened(stream: str, decision: Decision, at: datetime, causation: str | None = None) -> tuple[Happened, ...]:
    """A decision of a stream as events about to be written."""
    own = (Happened(stream, event, at, causation) for event in decision.events)
    elsewhere = (Happened(other, event, at, causation) for other, event in decision.elsewhere)
    return (*own, *elsewhere)


def guards_of(decision: Decision, holders: Mapping[tuple[str, str], str]) -> tuple[Guard, ...]:
    """The guard rows of a decision; claims on what others hold are left out, a later check sees who holds them.

    Of two items of one order that claim the same, the first gets it.
    """
    free = {claim[:2]: claim for claim in reversed(decision.claims) if holders.get(claim[:2], claim.holder) == claim.holder}
    return (*(Guard(True, *guard) for guard in (*decision.takes, *free.values())), *(Guard(False, *guard) for guard in decision.frees))
