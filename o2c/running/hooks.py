"""Telling hooks of events: the log is read into the outbox, and what stands there is sent until it was taken, or given up."""

from __future__ import annotations

import contextlib
import fnmatch
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, Protocol

import structlog

from o2c.desk.act import Deed, taken_down
from o2c.engine.app import Context
from o2c.hooks.rules import suspend
from o2c.hooks.signing import delivery_id, next_try, secret_of, signature
from o2c.hooks.state import HookState, stream_of
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import category_of
from o2c.running.looking import PAUSE_LONGEST_S, POLL_S, is_waited_for
from o2c.running.sending import Sent, send
from o2c.running.session import Session
from o2c.store import outbox
from o2c.store.connection import Connection
from o2c.store.database import connect
from o2c.store.outbox import Attempt, Delivery
from o2c.store.passing import passing
from o2c.views.cloud_events import MEDIA_TYPE, as_bytes, cloud_event
from o2c.views.event_types import event_types
from o2c.views.following import EventRecord, Mark, Wanted, events_at, find_events, last_event
from o2c.views.hooks import KEY, hook_states, is_open
from o2c.views.ownership import begun_by

__all__ = ["NATIVE", "Deliverer", "Delivery", "EventRecord", "HookState", "Message", "Session", "Teller", "beside"]

logger = structlog.get_logger(__name__)
ACTOR = "webhooks"
NEVER_TOLD = frozenset({"access", "hook", "issuers", "key"})
"""Kinds of stream that nobody outside is told of: who looked at what, who is let in, and where others are told."""
CONTROLS = ("hook.resend-requested", "hook.resumed")
PAGE_EVENTS = 500
PENDING_MAX = 20_000
"""Of a hook no more than so many deliveries are in the outbox: what is behind them waits in the log."""
LAG = 64 * 65536
"""How far the place of a hook may stay behind, in positions, when nothing came that it is told of (some 64 transactions)."""
AT_ONCE = 8
"""So many messages to a hook are under way at once, each of another stream."""
LOOKED_AT = 200
"""So many are looked up together, each the first of its stream, so that a look at a long queue serves many of them."""
HOOKS_AT_ONCE = 8
TURN_S = 20.0
"""After so long a hook that has still more to be told waits its turn again."""
PAUSE_FIRST_S = 0.5
KEPT = timedelta(days=7)
"""What was delivered is shown for so long."""
FORGET_EVERY_S = 600.0
GONE = 410


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent of an event: its media type and its bytes."""

    media_type: str
    body: bytes


class Teller(Protocol):
    """How events are told in a format."""

    def types(self, state: HookState) -> tuple[str, ...]:
        """The stored names of the events that are read for a hook; none for all."""

    def kinds(self, session: Session, state: HookState, events: Sequence[EventRecord]) -> Iterable[tuple[EventRecord, str]]:
        """What is told of which events, in their order, each with the name of what is told; an event may make several messages."""

    def message(self, session: Session, hook: str, state: HookState, delivery: Delivery, event: EventRecord) -> Message:
        """The message of a delivery; the same however often it is asked for."""


class Native:
    """Events as CloudEvents, one message for each."""

    def types(self, state: HookState) -> tuple[str, ...]:
        """Those that the hook names, by name or pattern."""
        known = [cls.type_name for cls in event_types()]
        return () if "*" in state.types else tuple(dict.fromkeys(name for wanted in state.types for name in fnmatch.filter(known, wanted)))

    def kinds(self, session: Session, state: HookState, events: Sequence[EventRecord]) -> Iterable[tuple[EventRecord, str]]:
        """Each event by its type."""
        return [(event, event.type) for event in events]

    def message(self, session: Session, hook: str, state: HookState, delivery: Delivery, event: EventRecord) -> Message:
        """The event, its identifiers masked unless the hook is told them in full."""
        return Message(MEDIA_TYPE, as_bytes(cloud_event(event if state.unmasked else event.masked())))


NATIVE: Mapping[str, Teller] = {"native": Native()}
Send = Callable[..., Sent]


class Deliverer:
    """Tells the hooks of a store. Any number of them, in any processes, share the hooks: one at a time tells a hook, so that its order is
    kept.

    Whatever dies, nothing is lost: what a hook is to be told is put into the outbox with how far the log was read, and stays there until it
    was taken. A message that was taken just before a death is sent again, under its id. `tellers` are the formats that this process knows;
    hooks in others are left to processes that do. `begun` is called as `run` begins.
    """

    def __init__(
        self,
        session: Session,
        tellers: Mapping[str, Teller] = NATIVE,
        *,
        send: Send = send,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        poll_s: float = POLL_S,
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        self.session, self.app, self.tellers = session, session.app, tellers
        self.poll_s = poll_s
        self.attended = 0
        self._send, self._clock, self._begun = send, clock, begun
        self._stopping = threading.Event()
        self._seen: dict[str, tuple[int, int]] = {}  # The place of a hook as it is stored, and how far was read from there.
        self._busy: set[str] = set()
        self._forget_at = 0.0
        self._hooks = ThreadPoolExecutor(HOOKS_AT_ONCE, thread_name_prefix="hook")
        self._sends = ThreadPoolExecutor(HOOKS_AT_ONCE * AT_ONCE, thread_name_prefix="send")

    def stop(self) -> None:
        """End after what is under way. Another thread calls this."""
        self._stopping.set()

    def run(self, until: datetime | None = None, *, whatever_comes: bool = False) -> None:
        """Tell hooks until `stop` is called, or until a time. A database that goes away is waited for, and so is any other error
        `whatever_comes`."""
        pause_s = 0.0
        self._begun()
        while not self._over(until):
            try:
                self._look()
                pause_s = 0.0
            except Exception as error:
                if not is_waited_for(error) and not whatever_comes:
                    raise
                pause_s = min(pause_s * 2, PAUSE_LONGEST_S) or PAUSE_FIRST_S
                if is_waited_for(error):
                    logger.warning("webhooks_wait_for_the_server", error=type(error).__name__)
                else:
                    logger.error("webhooks_failed", error=type(error).__name__)
            self._stopping.wait(pause_s or self.poll_s)
        self.close()

    def close(self) -> None:
        """Wait for what is under way."""
        self._hooks.shutdown()
        self._sends.shutdown()

    def _over(self, until: datetime | None) -> bool:
        return self._stopping.is_set() or (until is not None and self._clock() >= until)

    def _look(self) -> None:
        """Let each hook that has something to be told be told of it; one that is slow holds up no other."""
        for hook in self._with_work():
            if hook not in self._busy:
                self._busy.add(hook)
                self._hooks.submit(self._attended, hook)

    def _with_work(self) -> list[str]:
        states = self._states()
        if not states:
            return []
        standing = {hook: state for hook, state in states.items() if is_open(state) and state.format in self.tellers}
        top, at = last_event(self.app).position, self._clock()
        with self._connected() as conn:
            self._forget(conn, [hook for hook, state in states.items() if not state.standing], at)
            places = outbox.places(conn)
            new = {hook for hook, state in standing.items() if top > self._read_to(hook, places.get(hook, state.after))}
            return [hook for hook in standing if hook in new or outbox.due(conn, hook, at, 1)]

    def _states(self) -> dict[str, HookState]:
        """Every hook. One whose stream cannot be read is left out, and keeps no other from being told."""
        try:
            return hook_states(self.app)
        except Exception as error:
            if passing(error) or isinstance(error, Refused):
                raise
        states = {}
        for stream in self.app.reads.streams_like("hook-"):
            try:
                states[stream.removeprefix("hook-")] = self.app.load_one(stream).state
            except Exception as error:
                if passing(error) or isinstance(error, Refused):
                    raise
                logger.error("hook_failed", hook=stream.removeprefix("hook-"), error=type(error).__name__)
        return states

    def _read_to(self, hook: str, stored: int) -> int:
        """How far the log was read for a hook. What was read beyond another place than the stored one is read again: rows may have gone
        with it."""
        place, to = self._seen.get(hook, (stored, stored))
        return to if place == stored else stored

    def _forget(self, conn: Connection, ended: Sequence[str], at: datetime) -> None:
        if time.monotonic() >= self._forget_at:
            self._forget_at = time.monotonic() + FORGET_EVERY_S
            with outbox.unflushed(conn):
                outbox.forget(conn, at - KEPT, ended)

    def _attended(self, hook: str) -> None:
        try:
            self.attend(hook)
        except Exception as error:  # noqa: BLE001 - one hook's trouble is no other's; the values may be personal
            level = logger.warning if passing(error) or isinstance(error, Refused) else logger.error
            level("hook_failed", hook=hook, error=type(error).__name__)
        finally:
            self._busy.discard(hook)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with connect(self.app.dsn) as conn:
            yield conn

    # -- one hook

    def attend(self, hook: str) -> int:
        """Tell a hook what may be told now, unless another process does; how many messages were sent."""
        with self._connected() as conn, outbox.turn_of(conn, hook) as ours:
            state = self.app.load_one(stream_of(hook)).state
            if not ours or not is_open(state):
                return 0
            self._read_on(conn, hook, state)
            sent = self._tell(conn, hook, state)
        self.attended += sent
        return sent

    def _read_on(self, conn: Connection, hook: str, state: HookState) -> None:
        """Read the log up to what readers see now, and put what the hook is to be told of into the outbox, with how far was read."""
        stored = outbox.place_of(conn, hook, state.after)
        begin = self._read_to(hook, stored)
        last = last_event(self.app).position
        while begin < last and outbox.pending(conn, hook) < PENDING_MAX and not self._stopping.is_set():
            page = list(find_events(self.app, self._wanted(state), after=Mark(begin, None), before=last + 1, limit=PAGE_EVENTS))
            to = page[-1].position if len(page) == PAGE_EVENTS else last
            rows = self._rows(hook, state, page)
            controls = [event for event in page if event.stream == stream_of(hook) and event.type in CONTROLS]
            if rows or controls or to > stored + LAG:
                with outbox.writing(conn):
                    at = self._clock()
                    for event in controls:
                        _follow(conn, hook, event, at)
                    outbox.put(conn, hook, rows, at)
                    if not outbox.move(conn, hook, seen=stored, to=to):
                        raise Refused(f"hook {hook}: another process reads for it too", kind="unavailable")
                stored = to
            begin, self._seen[hook] = to, (stored, to)

    def _wanted(self, state: HookState) -> Wanted:
        """What is read for a hook: what it is told of, and what was asked about itself."""
        types = self.tellers[state.format].types(state)
        if not types and state.types and "*" not in state.types:
            return Wanted(types=CONTROLS)
        return Wanted(types=(*types, *CONTROLS) if types else ())

    def _rows(self, hook: str, state: HookState, page: Sequence[EventRecord]) -> list[tuple[int, int, str, str, str]]:
        concerned = [event for event in page if category_of(event.stream) not in NEVER_TOLD]
        if state.customer:
            concerned = [event for event in concerned if event.customer == state.customer]
        if state.captured_by:
            own = begun_by(self.app, state.captured_by, {f"order-{event.order}" for event in concerned if event.order})
            concerned = [event for event in concerned if f"order-{event.order}" in own]
        rows: list[tuple[int, int, str, str, str]] = []
        for event, kind in self.tellers[state.format].kinds(self.session, state, concerned) if concerned else ():
            part = rows[-1][1] + 1 if rows and rows[-1][0] == event.position else 0
            rows.append((event.position, part, event.id, event.stream, kind))
        return rows

    def _tell(self, conn: Connection, hook: str, state: HookState) -> int:
        """Send what is due, the first of each stream at once, until nothing is; how many messages were sent."""
        end, count = time.monotonic() + TURN_S, 0
        key = KEY.of(self.session.home)
        while not self._stopping.is_set() and time.monotonic() < end:
            deliveries = outbox.due(conn, hook, self._clock(), LOOKED_AT)
            if not deliveries:
                break
            events = events_at(self.app, {delivery.position for delivery in deliveries})
            for place in range(0, len(deliveries), AT_ONCE):
                if self._stopping.is_set() or time.monotonic() >= end:
                    break
                attempts = list(self._sends.map(partial(self._tried, key, state, events), deliveries[place : place + AT_ONCE]))
                with outbox.unflushed(conn):
                    outbox.tell(conn, hook, attempts)
                count += len(attempts)
                if reason := self._hopeless(conn, hook, attempts):
                    self._suspend(hook, reason)
                    return count
        return count

    def _tried(self, key: bytes, state: HookState, events: Mapping[int, EventRecord], delivery: Delivery) -> Attempt:
        """Make a delivery once, and say what came of it."""
        began = self._clock()
        name = delivery_id(delivery.hook, delivery.event_id, delivery.part)
        try:
            message = self.tellers[state.format].message(self.session, delivery.hook, state, delivery, events[delivery.position])
            headers = {
                "Content-Type": message.media_type,
                "webhook-id": name,
                "webhook-timestamp": str(int(began.timestamp())),
                "webhook-signature": signature(secrets_of(key, delivery.hook, state, began), name, began, message.body),
            }
            sent = self._send(state.url, headers, message.body, private=state.private_allowed)
        except Exception as error:
            if passing(error):
                raise
            logger.error("message_failed", hook=delivery.hook, event_id=delivery.event_id, error=type(error).__name__)
            sent = Sent(None, "defect", 0)
        return _outcome(delivery, name, sent, began, self._clock())

    def _hopeless(self, conn: Connection, hook: str, attempts: Sequence[Attempt]) -> Literal["", "gone", "dead"]:
        """Why a hook is told nothing more for now: its endpoint is gone, or something was given up and nothing was taken since it was to be
        told."""
        if any(attempt.status == GONE for attempt in attempts):
            return "gone"
        given_up = [attempt.delivery.made_at for attempt in attempts if attempt.state == "dead"]
        return "dead" if given_up and not outbox.has_taken_since(conn, hook, min(given_up)) else ""

    def _suspend(self, hook: str, reason: Literal["gone", "dead"]) -> None:
        def rule(state: HookState, at: datetime) -> Decision:
            return suspend(state, reason)

        [done] = taken_down(self.app, Context(ACTOR, channel="engine"), [Deed(stream_of(hook), (rule,), ["suspend", reason])])
        logger.warning("hook_suspended", hook=hook, reason=reason, refused=isinstance(done, Refused))


def secrets_of(key: bytes, hook: str, state: HookState, at: datetime) -> list[str]:
    """The secrets that sign what a hook is told: the one in force, and for a day after a rotation the one before it."""
    both = state.old_until is not None and at < state.old_until
    return [secret_of(key, hook, generation) for generation in ((state.generation, state.generation - 1) if both else (state.generation,))]


def _outcome(delivery: Delivery, name: str, sent: Sent, began: datetime, ended: datetime) -> Attempt:
    if not sent.word:
        state, next_at = "delivered", ended
    elif sent.status == GONE:
        state, next_at = "pending", ended
    else:
        again = next_try(name, delivery.attempts + 1, ended)
        state, next_at = ("pending", again) if again else ("dead", ended)
    return Attempt(delivery, state, next_at, began, sent.status, sent.word, sent.latency_ms)


def _follow(conn: Connection, hook: str, event: EventRecord, at: datetime) -> None:
    """Do what was asked about a hook: try again what waits, or what was given up."""
    if event.type == "hook.resumed":
        outbox.hurry(conn, hook, at)
        return
    wanted, since = event.data["delivery"], event.data["since"]
    begin = datetime.fromisoformat(since) if since else None
    again = [
        (position, part)
        for position, part, event_id, made_at in outbox.given_up(conn, hook)
        if (begin is not None and made_at >= begin) or delivery_id(hook, event_id, part) == wanted
    ]
    outbox.make_again(conn, hook, again, at)


@contextmanager
def beside(deliverer: Deliverer) -> Iterator[None]:
    """Let hooks be told by a thread of this process while the block lasts; no error ends it, for nobody would notice."""
    thread = threading.Thread(target=partial(deliverer.run, whatever_comes=True), name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        deliverer.stop()
        thread.join()
        with contextlib.suppress(RuntimeError):
            deliverer.close()
