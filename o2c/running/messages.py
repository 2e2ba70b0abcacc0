"""Telling customers: the log is read for what they are to be told, and what is due is handed over, each message at most once.

What is due is written with a guard, so that any number of processes decide it once. Who hands a message over writes that down first, and
nobody else then does: whatever dies, nothing is sent twice, and what nobody knows of is unknown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, cast

import structlog

from o2c.engine.drafts import Command, Loaded, guards_of
from o2c.kernel.carry import Carried
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.markets.telling import telling_of
from o2c.messages import rules
from o2c.messages.composing import About, Due, compose
from o2c.messages.contact import History
from o2c.messages.events import stream_of
from o2c.messages.milestones import Told, concerned, key_of, told_of
from o2c.messages.rules import Outcome
from o2c.messages.state import STREAM, MessageState, MessagingState
from o2c.running.looking import POLL_S, Looker
from o2c.running.mailing import Letter, Mailer, is_put_down, mailer_of, put_down
from o2c.running.session import Session
from o2c.store.clock import move_policy, policy_position
from o2c.store.turns import turn
from o2c.views.following import EventRecord, Mark, Wanted, find_events, last_event
from o2c.views.messages import due_messages, histories, stuck_messages, text_of
from o2c.views.reading import caught_up

logger = structlog.get_logger(__name__)
ACTOR = "messenger"
NAME = "tell-customers"
PAGE_EVENTS = 500
PAGE_MESSAGES = 50
"""So many are taken in hand at once: so many at most are unknown when a messenger dies."""
TRIES_MAX = 20
FOLDER = "outbox"
"""Where messages by file are put, in the data folder: a folder for each medium."""
Rule = Callable[[MessageState], Decision]


class Wish(NamedTuple):
    """What a rule is to decide on a message, under which command id, when it happens, and the event that caused it."""

    stream: str
    command_id: str
    rule: Rule
    at: datetime
    cause: str | None = None


class Messenger(Looker):
    """Tells the customers of a store. One process at a time does; another waits for its turn.

    In simulated time what comes of a message happens when it was due, up to the present: `send` is to be called once time has passed.
    `mailer` is what e-mail by SMTP goes to, as O2C_SMTP_URL says where none is given. `sent` counts the messages that were handed over,
    `begun` is called as `run` begins.
    """

    waits = "messenger_waits_for_the_server"

    def __init__(
        self, session: Session, *, mailer: Mailer | None = None, poll_s: float = POLL_S, begun: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(session.app, poll_s, begun)
        self.home, self._mailer, self._simulated = session.home, mailer, session.simulated
        self.sent = 0

    def look(self) -> None:
        """Tell what is due."""
        self.send()

    def send(self) -> int:
        """Decide what customers are to be told by now, and hand over all that is due; how many messages were handed over.

        Does nothing where messages are not started, or another process has the turn.
        """
        before = self.sent
        with turn(self.app.log_recorder.datastore, NAME) as ours:
            state = self.messaging()
            if ours and state.started:
                self._settle_lost(state)
                self._read_on(state)
                self._hand_over(state)
        if self._mailer:
            # Servers end a connection on which nothing comes.
            self._mailer.close()
        return self.sent - before

    def messaging(self) -> MessagingState:
        """How customers are told now."""
        return cast("MessagingState", self.app.load_one(STREAM).state)

    # -- what is due

    def _read_on(self, state: MessagingState) -> None:
        """Read the log up to what readers see, and write down what customers are to be told; a page that was read before is found told."""
        store, top = self.app.log_recorder.datastore, last_event(self.app).position
        begin = max(policy_position(store, NAME) or 0, int(state.started.after) if state.started else 0)
        wanted = Wanted(types=concerned())
        while begin < top:
            page = list(find_events(self.app, wanted, after=Mark(begin, None), before=top + 1, limit=PAGE_EVENTS))
            self._note(page, state)
            begin = page[-1].position if len(page) == PAGE_EVENTS else top
            move_policy(store, NAME, begin)

    def _note(self, page: Sequence[EventRecord], state: MessagingState) -> None:
        streams = {name for record in page for name in (record.stream, f"order-{record.order}" if record.order else "") if name}
        loaded = self.app.load(streams)
        told = [(record, zone, each) for record in page for zone, each in self._told(record, loaded)]
        people = histories(self.app, {self._customer(record, loaded) for record, _, _ in told})
        due: dict[str, Wish] = {}
        for record, zone, each in told:
            made, withheld = self._due(record, zone, each, state, loaded, people)
            name = stream_of(made.key)
            rule = partial(rules.due, told=made, withheld=withheld)
            due.setdefault(name, Wish(name, derived_id("message-due", name), rule, record.occurred_at, record.id))
        self._write(list(due.values()))
        self._overtake([(record, key_of(record.stream, *what)) for record, _, each in told for what in each.overtakes])

    def _overtake(self, overtaken: Sequence[tuple[EventRecord, str]]) -> None:
        """Let what was to be told later, and is overtaken by then, not be told."""
        for record, key in overtaken:
            rule = partial(rules.withhold, reason="overtaken", at=record.occurred_at)
            self._write([Wish(stream_of(key), derived_id("message-overtaken", key, record.id), rule, record.occurred_at, record.id)])

    def _told(self, record: EventRecord, loaded: Mapping[str, Loaded]) -> list[tuple[str, Told]]:
        """What is told of an event, with the zone of its market; nothing of an event that is read wrongly: it keeps no other from being
        told."""
        pin = self._pin(record, loaded)
        try:
            # What a trigger saw of a customer without an order is of no market.
            zone = self.app.book.market(pin).zone if pin else "UTC"
            return [(zone, told) for told in told_of(record.type, record.data, record.occurred_at, zone)]
        except Exception as error:  # noqa: BLE001 - see above; the values may be personal
            logger.error("message_failed", event_id=record.id, type=record.type, error=type(error).__name__)
            return []

    def _pin(self, record: EventRecord, loaded: Mapping[str, Loaded]) -> str:
        """The market of what an event is about, as it is pinned: in the event, in its stream, or in its order."""
        order = loaded[f"order-{record.order}"].state.market if record.order else ""
        return str(record.data.get("market") or getattr(loaded[record.stream].state, "market", "") or order)

    def _customer(self, record: EventRecord, loaded: Mapping[str, Loaded]) -> str:
        party = loaded[f"order-{record.order}"].state.party if record.order else ""
        return record.customer or str(record.data.get("customer") or "") or party

    def _due(
        self, record: EventRecord, zone: str, told: Told, state: MessagingState, loaded: Mapping[str, Loaded], people: Mapping[str, History]
    ) -> Due:
        customer = self._customer(record, loaded)
        about = About(
            stream=record.stream, order=record.order or "", customer=customer, cause=record.type, zone=zone,
            external_id=loaded[f"order-{record.order}"].state.external_id if record.order else "",
        )  # fmt: skip
        usual = telling_of(self._pin(record, loaded).partition("@")[0])
        return compose(told, record.data, about, people.get(customer, ()), usual, state, at=record.occurred_at)

    def _write(self, wishes: Sequence[Wish]) -> set[str]:
        """Let rules decide on messages, and write all that comes of it in one append; the streams that were written.

        Who was overtaken decides again. What another process decided under the same id is done, and not ours.
        """
        written: set[str] = set()
        for _ in range(TRIES_MAX):
            commands = self._commands(wishes)
            outcomes = self.app.write(list(commands.values())) if commands else []
            verdicts = dict(zip(commands, (outcome.verdict for outcome in outcomes), strict=True))
            written |= {name for name, verdict in verdicts.items() if verdict == "appended"}
            wishes = [wish for wish in wishes if verdicts.get(wish.stream) == "stale"]
            if not wishes:
                return written
        raise Refused("messages are written to by another process without end; try again", kind="unavailable")

    def _commands(self, wishes: Sequence[Wish]) -> dict[str, Command]:
        loaded, commands = self.app.load({wish.stream for wish in wishes}), {}
        for wish in wishes:
            seen = loaded[wish.stream]
            carried = Carried(self.app.kind(wish.stream), wish.stream, seen.state)
            carried.carry(wish.rule(seen.state), wish.at, self.app.book, wish.cause)
            if carried.happened:
                commands[wish.stream] = Command(
                    wish.command_id,
                    wish.stream,
                    tuple(carried.happened),
                    {wish.stream: seen},
                    ACTOR,
                    "engine",
                    guards_of(carried.guards, {}),
                )
        return commands

    # -- handing over

    def _at(self, due_at: datetime | None) -> datetime:
        """When something that was due happens: now, and in simulated time when it was due."""
        now = self.app.clock().now
        return min(due_at, now) if self._simulated and due_at else now

    def _settle_lost(self, state: MessagingState) -> None:
        """What a messenger had in hand that died: we have the turn, so it is there no more.

        A folder can be looked into, and what is told to hooks is told. What went to a mail server is unknown, and is reported.
        """
        self._current()
        at = self._at(None)
        lost = self.app.load(stuck_messages(self.app))
        self._write([Wish(name, derived_id("message-lost", name, str(seen.state.attempt)), self._lost(name, seen.state, at), at) for name, seen in lost.items()])  # fmt: skip
        for name, seen in lost.items():
            logger.warning("message_in_hand", message=name.removeprefix("message-"), transport=seen.state.transport, why=rules.LOST)

    def _lost(self, name: str, message: MessageState, at: datetime) -> Rule:
        if message.transport == "smtp" or not message.medium:
            return rules.lost
        there = message.transport == "webhook" or is_put_down(
            self.home / FOLDER, message.medium, f"{name.removeprefix('message-')}-{message.attempt}"
        )
        outcome = Outcome("sent", message.transport) if there else Outcome("later", rules.LOST)
        return partial(rules.ended, outcome=outcome, attempt=message.attempt, at=at)

    def _current(self) -> None:
        if reason := caught_up(self.app):
            raise Refused(reason, kind="unavailable")

    def _hand_over(self, state: MessagingState) -> None:
        """Hand over what is due, the first due first, until nothing is; what comes due by that, such as the next medium, too."""
        while not self._stopping.is_set():
            self._current()
            names = due_messages(self.app, self.app.clock().now, PAGE_MESSAGES)
            if not names or not self._page(names, state):
                return

    def _page(self, names: Sequence[str], state: MessagingState) -> bool:
        """Take a page in hand and make the attempts that are ours; whether there is reason to go on."""
        seen = self.app.load(names)
        times = {name: self._at(seen[name].state.due_at) for name in names}
        ours = self._write([
            Wish(name, derived_id("message-sending", name, str(seen[name].state.attempt + 1)), partial(rules.begin, transports=state.transports, at=times[name]), times[name])
            for name in names
        ])  # fmt: skip
        begun = {name: each.state for name, each in self.app.load(ours).items() if each.state.standing == "sending"}
        quick, away = [], ""
        for name in (name for name in names if name in begun):
            outcome = (
                Outcome("later", away) if away and begun[name].transport == "smtp" else self._outcome(name, begun[name], state, times[name])
            )
            away = outcome.word if outcome.what == "later" and not outcome.word.isdecimal() else away
            wish = self._ended(name, begun[name], outcome, times[name])
            # What only a mail server knows is written down at once; the rest can be looked up if we die.
            if begun[name].transport == "smtp":
                self._write([wish])
            else:
                quick.append(wish)
        self._write(quick)
        return bool(ours) and not away

    def _ended(self, name: str, message: MessageState, outcome: Outcome, at: datetime) -> Wish:
        self.sent += outcome.what == "sent"
        if outcome.what != "sent":
            logger.warning("message_not_sent", message=name.removeprefix("message-"), outcome=outcome.what, word=outcome.word)
        command_id = derived_id("message-ended", name, str(message.attempt))
        return Wish(name, command_id, partial(rules.ended, outcome=outcome, attempt=message.attempt, at=at), at)

    def _outcome(self, name: str, message: MessageState, state: MessagingState, at: datetime) -> Outcome:
        """Make the attempt."""
        if message.told is None or state.started is None or not message.medium:
            return Outcome("refused", "no-address")
        if message.transport == "webhook":
            # Its event is what hooks are told of, under an id that stays: their outbox does the rest.
            return Outcome("sent", "webhook")
        letter = letter_of(name.removeprefix("message-"), message, state, at)
        if message.transport == "file":
            return put_down(self.home / FOLDER, message.medium, letter)
        self._mailer = self._mailer or mailer_of(os.environ)
        return self._mailer.hand_over(letter)


def letter_of(name: str, message: MessageState, state: MessagingState, at: datetime) -> Letter:
    """An attempt at a message as it is handed over."""
    told, started = message.told, state.started
    assert told is not None
    assert started is not None
    text = text_of(told, state)
    return Letter(
        message=name,
        attempt=message.attempt,
        sender=started.sender,
        operator=started.operator,
        address=told.addresses[message.medium],
        language=told.language,
        subject=text.subject,
        body=text.body,
        at=at,
    )
