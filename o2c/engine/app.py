"""The only way to write: commands become events of several streams in one append, with their guards, agenda and stock changes."""

from __future__ import annotations

import re
import threading
import time
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application, LRUCache

from o2c.engine.drafts import Command, Draft, Loaded, drafted
from o2c.engine.numbering import beyond, numbered, outrun, series_of
from o2c.kernel.event import Fact
from o2c.kernel.frozen import changed
from o2c.kernel.reasons import STREAM as CODES
from o2c.kernel.refusal import IdTaken, Refused
from o2c.kernel.stream import StreamKind, category_of
from o2c.kernel.work import Work
from o2c.store.clock import create_clock
from o2c.store.commands import STALE, Outcome
from o2c.store.database import prepare
from o2c.store.mapper import StoredFact
from o2c.store.reads import Clock, Reads
from o2c.store.recorder import LogFactory, LogRecorder

if TYPE_CHECKING:
    from o2c.kernel.reasons import CodeBook
    from o2c.kernel.records import RecordsWanted, UsageRecord
    from o2c.plan import PlanBook

SIMULATED_START = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW_S = 900
PINNED = re.compile(r"catalogue-[a-z]+@[0-9]+")
"""The name of a catalogue version, such as `catalogue-main@12`. Other stream names may hold an at-sign too, in an id chosen by others."""
KNOWN_STREAMS = 16_384
"""How many streams a process remembers as it last saw them: most decisions are about streams that it wrote a moment ago."""
NUMBERING_TRIES_MAX = 1_000
"""How often papers are numbered anew before they are decided anew; each time, another process has issued one."""
SETTLED_S = 120
SETTLING_S = 0.01
"""`Engine.settled` looks this often whether readers see everything, and gives up after SETTLED_S."""


UNCHANGED_AT = "unchanged_at"
"""In the outcome of a command that wrote no event: the position of the last event that its stream had, as text."""


@dataclass(frozen=True, slots=True)
class Context:
    """The caller of a command: `actor` stands in the log, `channel` is the way the wish came in, `roles` say what the caller may do.

    With `scopes`, only the operations that they name may be used of those that the roles allow; None leaves all of them. `command_id` (a
    UUID of the caller's) makes a wish repeatable: sent again after a lost answer it gets the first answer and does nothing. Left empty, it
    is derived from the wish and from the stream version that the caller saw. `expected` are versions of streams that the caller decided by,
    each (stream, version): when one has moved on, nothing is done.
    """

    actor: str
    channel: str = "desk"
    command_id: str = ""
    roles: tuple[str, ...] = ("operator",)
    scopes: frozenset[str] | None = None
    expected: tuple[tuple[str, int], ...] = ()

    def checked(self) -> Context:
        """The context as it may stand in the log, its command id in one spelling. Raises Refused."""
        for what, text in (("actor", self.actor), ("channel", self.channel)):
            if not text.strip() or not text.isprintable():
                raise Refused(f"the {what} stands in the log for good; give it a name, in printable characters")
        try:
            return replace(self, command_id=self.command_id and str(UUID(self.command_id)))
        except ValueError:
            raise Refused("a command id is a UUID; make one with uuid4 for each wish and keep it for repeats") from None


@dataclass(frozen=True, slots=True)
class Written:
    """The place of a command's last event in the log; `repeated` when an earlier call with the same command id wrote it.

    `unchanged` says that everything was so already: no event was written, and `position` is that of the stream's last event when it was
    seen.
    """

    stream: str
    position: int
    repeated: bool = False
    unchanged: bool = False


class Engine(Application[str]):
    """The engine on one PostgreSQL. `kinds` are the kinds of stream it knows, by category: all of the plan's unless others are given.

    With `reading`, it opens on a standby too, a server that takes no writes: `takes_writes` is False there. So it does for a login of the
    reader role, which does not see the log itself: `sees_log` is False.
    """

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

    def __init__(self, dsn: str, kinds: Mapping[str, StreamKind] | None = None, *, reading: bool = False) -> None:
        self.takes_writes, self.sees_log = prepare(dsn, reading=reading)
        super().__init__({"DSN": dsn})
        self.dsn = dsn
        self._given_kinds = kinds
        self._codes: CodeBook | None = None
        self._documents: tuple[str, ...] = ()
        self._codes_at = 0
        self.log_recorder = cast("LogRecorder", self.recorder)
        self.reads = Reads(self.log_recorder.datastore)
        self.catching_up = threading.Lock()
        """Held by the one thread that brings the projections up to date."""
        self._pinned: dict[str, Loaded] = {}
        self._known: LRUCache[str, Loaded] = LRUCache(KNOWN_STREAMS)
        self._life = 0
        self._real_clock: Clock | None = None
        self._numbering = threading.Lock()
        self._rated_before: datetime | None = None

    # -- the plan, which is imported when a stream is first read: what asks the projections alone starts in half the time

    @cached_property
    def kinds(self) -> Mapping[str, StreamKind]:
        """The kinds of stream that the engine knows, by category."""
        from o2c.plan import KINDS

        return KINDS if self._given_kinds is None else self._given_kinds

    @cached_property
    def book(self) -> PlanBook:
        """The plan that the rules of those kinds read."""
        from o2c.plan import PlanBook

        return PlanBook(catalogue=self._catalogue, loaded_codes=self._codes_in_force)

    # -- the clock

    def create_clock(self, *, kind: str, start: datetime | None = None, seed: int = 0, window_s: int = WINDOW_S) -> None:
        """Give the store its clock, once for life. Raises Refused (conflict) when it has one."""
        begin = start or (SIMULATED_START if kind == "simulated" else datetime.now(UTC))
        create_clock(self.log_recorder.datastore, kind=kind, start=begin, window_s=window_s, seed=seed)

    def clock(self) -> Clock:
        """Give the store's clock; a real one shows the present time, and is read once: a clock is of one kind for life. Raises Refused when
        the store has none yet."""
        clock = self._real_clock or self.reads.clock()
        if clock is None:
            raise Refused("the store has no clock yet; run `o2c init --clock simulated` or `o2c init --clock real` first")
        if clock.kind == "simulated":
            return clock
        self._real_clock = clock
        return replace(clock, now=datetime.now(UTC))

    # -- reading

    def settled(self) -> None:
        """Wait until readers see everything written before this call. Raises Refused (try later) when a transaction elsewhere stays
        open."""
        top = self.reads.last_position()
        deadline = time.monotonic() + SETTLED_S
        while (self.log_recorder.max_notification_id() or 0) < top:
            if time.monotonic() > deadline:
                hint = "end it (see pg_stat_activity.backend_xid and pg_prepared_xacts) and go on"
                raise Refused(
                    f"a transaction on this server has been open for {SETTLED_S} s and holds back readers of the log; {hint}",
                    kind="unavailable",
                )
            time.sleep(SETTLING_S)

    def load(self, streams: Iterable[str], *, remembered: bool = False, seen: Mapping[str, int] | None = None) -> dict[str, Loaded]:
        """Give streams by name, each in one read of its head row; `catalogue-main@12` is the catalogue as it stood at version 12.

        A stream without events is given at version 0, in its initial state.

        The process remembers the streams that it saw last, and the server sends the state of such a stream only if it has changed. With
        `remembered`, a remembered stream is not asked for at all: this is for streams that the same append will write, because that append
        is stale if they have changed. `seen` gives the positions of last events that were read a moment ago; a stream that is remembered at
        its position is not asked for either.
        """
        if self._life != (life := cast("LogFactory", self.factory).life):
            # After a promotion or a restore, a remembered state may hold events that the log has lost.
            self._life, self._pinned = life, {}
            self.forget()
        result: dict[str, Loaded] = {}
        to_confirm: dict[str, Loaded] = {}
        asked: list[str] = []
        for name in set(streams):
            if PINNED.fullmatch(name):
                result[name] = self._at_version(name)
            elif (loaded := self._remembered(name)) is None:
                asked.append(name)
            elif remembered or (seen and seen.get(name) == loaded.position):
                result[name] = loaded
            else:
                to_confirm[name] = loaded
                asked.append(name)
        if asked:
            result |= self._read(sorted(asked), to_confirm)
        return result

    def load_one(self, stream: str) -> Loaded:
        """Give one stream (see `load`)."""
        return self.load([stream])[stream]

    def forget(self) -> None:
        """Forget every remembered stream, so that the next load reads them all."""
        self._known = LRUCache(KNOWN_STREAMS)

    def _remembered(self, stream: str) -> Loaded | None:
        try:
            return self._known.get(stream)
        except KeyError:
            return None

    def _read(self, streams: Sequence[str], to_confirm: Mapping[str, Loaded]) -> dict[str, Loaded]:
        result = {}
        # The reason codes come with every read, so that what is decided next is decided under those in force.
        names = [*streams, *(() if CODES in streams else (CODES,))]
        positions = {name: loaded.position for name, loaded in to_confirm.items()} | ({} if CODES in streams else {CODES: self._codes_at})
        rows = self.reads.heads(names, [positions.get(name, 0) for name in names])
        self._take_codes(rows)
        for row in rows:
            stream = row["stream"]
            if stream not in streams:
                continue
            same = stream in to_confirm and row["last_position"] == to_confirm[stream].position
            result[stream] = to_confirm[stream] if same else self._from_head(row)
            self._known.put(stream, result[stream])
        for stream in streams:
            if stream not in result:
                result[stream] = Loaded(stream, 0, self.kind(stream).initial(stream))
        return result

    def codes(self) -> CodeBook:
        """Give the reason codes as they stand now: the packaged ones, with what the operator loaded over them where the log is seen."""
        if self.sees_log:
            self._take_codes(self.reads.heads([CODES], [self._codes_at]))
        return self._codes_in_force()

    def _take_codes(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take the codes as the head rows have them; without a row nothing is loaded, or a restore took away what was."""
        row = next((row for row in rows if row["stream"] == CODES), None)
        at = row["last_position"] if row else 0
        if at != self._codes_at:
            self._documents, self._codes_at, self._codes = (self._from_head(row).state.documents if row else ()), at, None

    def _codes_in_force(self) -> CodeBook:
        if self._codes is None:
            from o2c.fallout.codes import book_of

            self._codes = book_of(self._documents)
        return self._codes

    def kind(self, stream: str) -> StreamKind:
        """Give the kind of a stream from its name. KeyError for a category that the engine does not know."""
        return self.kinds[category_of(stream)]

    def work(self, stream: str, state: Any, item: str, step: str) -> Work:
        """Give the work of one step of one item, as far as it comes from the item's own stream and the plan."""
        return self.kind(stream).work(state, stream, item, step, self.book)

    def reading(self, work: Work) -> Work:
        """Give a step's work with the streams that its rules read, as they stand now: what the runner gives a row that is due."""
        read = self.book.steps[work.step].read_from(work, lambda stream: self.load_one(stream).begun)
        return changed(work, read=read) if read else work

    def records(self, wanted: RecordsWanted) -> tuple[UsageRecord, ...]:
        """Give records of usage; those in suspense are looked at again first, once for all accounts that are billed up to one time."""
        from o2c.engine.late_usage import bill_late
        from o2c.engine.mediation import rated_again
        from o2c.engine.prepaid_usage import charge_prepaid
        from o2c.store.usage import of_account

        if self._rated_before != wanted.before:
            # While a window is gone through, a simulated clock shows when the one before it ended: a run is not before its own day.
            came, clock = {*rated_again(self)}, self.clock()
            at = max(clock.now, min(wanted.before, clock.window_end or clock.now))
            bill_late(self, came, at)
            charge_prepaid(self, came, at)
            self._rated_before = wanted.before
        return of_account(self.reads, wanted)

    def _catalogue(self, version: int) -> Any:
        from o2c.catalogue.state import STREAM

        return self.load_one(f"{STREAM}@{version}").state

    def _from_head(self, row: dict[str, Any]) -> Loaded:
        stream, version, kept = row["stream"], row["version"], row["state_version"]
        kind = self.kind(stream)
        if row["shape"] != kind.shape_version or row["state"] is None:
            return Loaded(stream, version, self.replay(stream, version), row["last_position"])
        state = kind.restored(row["state"])
        for stored in self.log_recorder.select_events(stream, gt=kept, lte=version) if kept < version else ():
            state = kind.evolve(state, cast("Fact", self.mapper.to_domain_event(stored)).event)
        return Loaded(stream, version, state, row["last_position"], kept, len(row["state"]))

    def replay(self, stream: str, version: int | None = None) -> Any:
        """Fold a state anew from the events, up to a version; the initial state where there are none."""
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
        """Write many commands in one append and give the outcome of each, in their order.

        A stale command wrote nothing and may be decided again. `round_` is the pass of simulated time, 0 in real time.
        """
        if not series_of(commands):
            return self._write(commands, round_)
        # One thread at a time, so that only other processes can take the numbers that were read.
        with self._numbering:
            return self._write_numbered(commands, round_)

    def _write_numbered(self, commands: Sequence[Command], round_: int) -> list[Outcome]:
        """Write commands whose events take numbers of series; those whose number went to another process get the next one. Those for which
        a series has no number left are stale: they were decided by a range that is used up."""
        outcomes: dict[int, Outcome] = {}
        left = dict(enumerate(commands))
        for _ in range(NUMBERING_TRIES_MAX):
            given = dict(zip(left, numbered(list(left.values()), self.reads.last_numbers(series_of(list(left.values())))), strict=True))
            fitting = {place: command for place, command in given.items() if not beyond(command)}
            outcomes |= dict.fromkeys(given, STALE)
            outcomes |= dict(zip(fitting, self._write(list(fitting.values()), round_) if fitting else (), strict=True))
            left = {place: command for place, command in left.items() if outrun(outcomes[place])}
            if not left:
                break
        return [outcomes[place] for place in range(len(commands))]

    def _write(self, commands: Sequence[Command], round_: int) -> list[Outcome]:
        to_stored = self.mapper.to_stored_event
        drafts = self.drafts(commands, {})
        appends = [
            draft.append(command, tuple([cast("StoredFact", to_stored(cast("Any", fact))) for fact in draft.facts]))
            for command, draft in zip(commands, drafts, strict=True)
        ]
        outcomes = self.log_recorder.append(appends, round_=round_)
        for draft, outcome in zip(drafts, outcomes, strict=True):
            self._remember(draft, outcome.first_position if outcome.verdict == "appended" else None)
        return outcomes

    def _remember(self, draft: Draft, first_position: int | None) -> None:
        """Remember the streams as an append left them; forget those of a command that was not written (None)."""
        for stream, loaded in draft.left(first_position or 0).items():
            self._known.put(stream, loaded)
            if first_position is None:
                self._known.get(stream, evict=True)

    def recall(self, stream: str, command_id: str, fingerprint: str) -> Written | None:
        """Give the place that a command id wrote before; None if it is new. Raises Refused (conflict) when it was used for another wish."""
        earlier = self.reads.command(command_id)
        if earlier is None:
            return None
        if earlier["fingerprint"] != fingerprint:
            raise IdTaken(f"{stream}: command id {command_id} was used for something else; give each wish an id of its own")
        seen = earlier["outcome"].get(UNCHANGED_AT)
        return Written(stream, earlier["last_position"] if seen is None else int(seen), repeated=True, unchanged=seen is not None)

    def drafts(self, commands: Sequence[Command], left: dict[str, Loaded]) -> list[Draft]:
        """Fold the events of commands onto their streams; those that follow find them as those before leave them, which is kept in `left`."""
        blind = {h.stream for c in commands for h in c.happened if h.stream not in c.seen}
        # This is for the same append, which is stale if they have changed.
        loaded, drafts = self.load(blind, remembered=True), []
        for command in commands:
            drafts.append(draft := drafted(self.kinds, command, ChainMap(left, loaded) if command.follows else loaded, self.book))
            left |= draft.left()
        return drafts
