"""Turning a decided command into what the store appends: its events folded onto their streams, with agenda, stock and head rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from o2c.kernel.agenda import AgendaChange
from o2c.kernel.carry import FOLLOWING_MAX, Happened
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Fact
from o2c.kernel.frozen import changed
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.shapes import Offered, Withdrawn
from o2c.kernel.stream import StreamKind, category_of
from o2c.store.commands import Append, GuardChange, Head, PoolChange
from o2c.store.mapper import StoredFact

Kinds = Mapping[str, StreamKind]
SMALL_BYTES = 8_192
BYTES_AN_EVENT = 512
"""A state up to SMALL_BYTES is written with every command; a larger one not before it grew by an event for each so many of its bytes.
Otherwise an order of a thousand lines would write itself whole a thousand times."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stream as it was read: version 0 and the initial state when it has no events.

    `position` is that of its last event. `kept` is the version at which its state was last written to the head row, `kept_bytes` the size
    of that.
    """

    stream: str
    version: int
    state: Any
    position: int = 0
    kept: int = 0
    kept_bytes: int = 0

    @property
    def begun(self) -> Any:
        """Its state; None where it has no events."""
        return self.state if self.version else None


@dataclass(frozen=True, slots=True)
class Command:
    """A caller's intent, decided: the events, the stream versions on which they were decided (`seen`), and the caller.

    `stream` is the deciding stream, whose owner the envelopes name. `fingerprint` tells one request from another under the same id. One
    that `follows` was decided on what the commands that are written with it, before it, leave.
    """

    command_id: str
    stream: str
    happened: tuple[Happened, ...]
    seen: Mapping[str, Loaded]
    actor: str
    channel: str
    guards: tuple[GuardChange, ...] = ()
    fingerprint: str = ""
    outcome: str = "{}"
    follows: bool = False


@dataclass(slots=True)
class _Stream:
    """A stream of a draft: as it was read, and the version and state it comes to; `kept` and `kept_bytes` as its head row will have
    them."""

    seen: Loaded
    version: int
    state: Any
    kept: int
    kept_bytes: int


@dataclass(slots=True)
class Draft:
    """A command on its way to the store: its streams as they were seen, and as its events leave them."""

    streams: dict[str, _Stream] = field(default_factory=dict)
    heads: tuple[Head, ...] = ()
    facts: list[Fact] = field(default_factory=list)
    agenda: dict[tuple[str, str, str], tuple[AgendaChange, str]] = field(default_factory=dict)
    pool: dict[tuple[str, str], PoolChange] = field(default_factory=dict)

    def left(self, first_position: int | None = None) -> dict[str, Loaded]:
        """Give the streams as they stand once the events are written from the given position on; without one, as whoever follows finds them
        before."""
        ends = {fact.stream: 0 if first_position is None else first_position + ordinal for ordinal, fact in enumerate(self.facts)}
        return {name: Loaded(name, s.version, s.state, ends[name], s.kept, s.kept_bytes) for name, s in self.streams.items()}

    def append(self, command: Command, facts: tuple[StoredFact, ...] = ()) -> Append:
        """Make the Append of the store. `facts` are the stored events; the library's `save` adds them itself."""
        return Append(
            command_id=command.command_id,
            fingerprint=command.fingerprint or digest(command.command_id),
            outcome=command.outcome,
            heads=self.heads,
            guards=command.guards,
            agenda=tuple(self.agenda.values()),
            pool=tuple(self.pool.values()),
            facts=facts,
            follows=command.follows,
        )


def pool_change(event: Offered | Withdrawn, at: datetime) -> PoolChange:
    """Give the change that a stock event makes to the index of candidates."""
    if isinstance(event, Withdrawn):
        pool, key = event.withdrawal()
        return PoolChange(False, pool, key, at)
    pool, key, detail = event.offer()
    return PoolChange(True, pool, key, at, json.dumps(detail))


def guards_of(decision: Decision, holders: Mapping[tuple[str, str], str]) -> tuple[GuardChange, ...]:
    """Give the guard rows of a decision, without the claims on guards that have another holder; a later check reads that holder.

    Of two items of one order that claim the same guard, the first gets it.
    """
    free = {claim[:2]: claim for claim in reversed(decision.claims) if holders.get(claim[:2], claim.holder) == claim.holder}
    return (
        *(GuardChange(True, *guard) for guard in (*decision.takes, *free.values())),
        *(GuardChange(False, *guard) for guard in decision.frees),
    )


def drafted(kinds: Kinds, command: Command, loaded: Mapping[str, Loaded], book: Any) -> Draft:
    """Fold the events of a command onto its streams, and let the other streams it writes to advance.

    A stream is taken as the command has seen it, else from `loaded`. Raises RuntimeError when a stream advances without end.
    """
    draft = Draft()
    owner = kinds[category_of(command.stream)].owner(_fold_deciding(kinds, command, loaded))
    elsewhere: dict[str, Happened] = {}
    for happened in command.happened:
        name = happened.stream
        if name not in draft.streams:
            seen = command.seen.get(name) or loaded[name]
            draft.streams[name] = _Stream(seen, seen.version, seen.state, seen.kept, seen.kept_bytes)
        kind, concerned = kinds[category_of(name)], owner
        if name != command.stream:
            elsewhere[name] = happened
            concerned = _concerned(kind, draft.streams[name].state, happened) or owner
        _add(draft, kind, command, happened, *concerned)
    for name, last in elsewhere.items():
        if kinds[category_of(name)].goes_on:
            _go_on(draft, kinds[category_of(name)], command, last, book, *owner)
    draft.heads = tuple([_head(kinds[category_of(name)], name, stream) for name, stream in draft.streams.items()])
    return draft


def _fold_deciding(kinds: Kinds, command: Command, loaded: Mapping[str, Loaded]) -> Any:
    seen = command.seen.get(command.stream) or loaded.get(command.stream)
    state = seen.state if seen else kinds[category_of(command.stream)].initial(command.stream)
    if seen is not None and seen.version:
        return state
    for happened in command.happened:
        if happened.stream == command.stream:
            state = kinds[category_of(command.stream)].evolve(state, happened.event)
    return state


def _concerned(kind: StreamKind, state: Any, happened: Happened) -> tuple[str | None, str | None] | None:
    """Whom an event of another order concerns; None for a stream that is no order, whose events concern the order that decides."""
    return kind.owner(kind.evolve(state, happened.event)) if kind.is_order else None


def _go_on(
    draft: Draft, kind: StreamKind, command: Command, last: Happened, book: Any, order_id: str | None, customer_id: str | None
) -> None:
    """Let a stream advance that another stream's decision wrote to: an account with a new charge asks for its bill run."""
    stream, owner = last.stream, (order_id, customer_id)
    for _ in range(FOLLOWING_MAX):
        decision = kind.advance(draft.streams[stream].state, frozenset({""}), last.at, book)
        if not decision:
            return
        if changed(decision, events=()) != NOTHING:
            raise RuntimeError(f"{stream}: what follows elsewhere may only be events of that stream")
        for event in decision.events:
            _add(draft, kind, command, Happened(stream, event, last.at, last.causation), *owner)
    raise RuntimeError(f"{stream}: one decision leads to another without end")


def _add(draft: Draft, kind: StreamKind, command: Command, happened: Happened, order_id: str | None, customer_id: str | None) -> None:
    name, event = happened.stream, happened.event
    event_id = derived_id(command.command_id, str(len(draft.facts)))
    stream = draft.streams[name]
    stream.version += 1
    stream.state = state = kind.evolve(stream.state, event) if happened.after is None else happened.after
    draft.facts.append(
        Fact(
            stream=name,
            version=stream.version,
            event=event,
            event_id=event_id,
            occurred_at=happened.at,
            actor=command.actor,
            channel=command.channel,
            command_id=command.command_id,
            causation=happened.causation,
            order_id=order_id,
            customer_id=customer_id,
            asked=happened.asked,
        )
    )
    for change in kind.agenda(state, event, name):
        draft.agenda[change.stream, change.item, change.step] = (change, event_id)
    if isinstance(event, Offered | Withdrawn):
        change_of_pool = pool_change(event, happened.at)
        draft.pool[change_of_pool.pool, change_of_pool.key] = change_of_pool


def _head(kind: StreamKind, name: str, stream: _Stream) -> Head:
    seen = stream.seen
    if stream.kept_bytes > SMALL_BYTES and (stream.version - stream.kept) * BYTES_AN_EVENT < stream.kept_bytes:
        return Head(name, seen.version, stream.version, seen=seen.position)
    state = kind.kept(stream.state)
    stream.kept, stream.kept_bytes = stream.version, len(state)
    return Head(name, seen.version, stream.version, kind.shape_version, state.decode(), seen.position)
