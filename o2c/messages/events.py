"""Events of the messages to customers: each has a stream of its own, and one stream says how, in which words and since when they are
told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from o2c.kernel.event import Event, Pii
from o2c.kernel.identifiers import derived_id
from o2c.kernel.shapes import Guarded

Medium = Literal["email", "sms", "letter"]
Transport = Literal["smtp", "file", "webhook"]
Milestone = Literal[
    "received", "need", "dispatched", "arriving", "port-date", "active", "first-bill", "delay", "cancelled", "declined", "refunded",
    "sim-change", "number-change", "porting-code", "port-out", "switch", "switch-day", "stays", "notice",
]  # fmt: skip
Withheld = Literal["no-address", "not-wanted", "overtaken"]
_ATTEMPT = {"medium": "email", "attempt": 1}


class MessagesStarted(Event, name="messaging.started", stream="messaging"):
    """Customers are told of what happens after the position `after` of the log, from `sender`, each medium by its transport.

    A medium without a transport is not used. `operator` is the name under which we write.
    """

    example = {
        "sender": "orders@example.org",
        "operator": "Example Mobile",
        "transports": {"email": "smtp", "sms": "file"},
        "after": "52107264004",
    }
    sender: str
    operator: str
    transports: dict[Medium, Transport]
    after: str


class MessagesStopped(Event, name="messaging.stopped", stream="messaging"):
    """Customers are told nothing more until messages are started again; what was due and was not sent waits."""

    example = {}


class TemplatesLoaded(Event, name="messaging.templates-loaded", stream="messaging"):
    """The operator put words of his own over the packaged ones. `document` is the file as it was loaded (TOML)."""

    example = {
        "version": "own-1",
        "document": 'version = "own-1"\n[en.messages.received]\nsubject = "Order $order"\ntext = "We have it."\n',
    }
    version: str
    document: str


class MessageScheduled(Guarded, name="message.scheduled", stream="message"):
    """A customer is to be told of a milestone, once: `key` is held by a guard for good. `cause` is the type of the event that it tells of.

    The words are those of the `template` (its version) in the `language`, with the `values`; so the text can be made again. `media` are the
    ways that reach the customer, the one to try first first, each with its address. It is sent at `due_at`, and later not between the hours
    of `quiet` (`HH:MM-HH:MM` in `zone`, empty: at any hour).
    """

    example = {
        "key": "order-6f9619ff-8b86-5d01-b42d-00cf4fc964ff/received/", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "customer": "C-1001",
        "milestone": "received", "about": "", "cause": "order.captured", "language": "en", "template": "2026-12", "media": ["email", "letter"],
        "due_at": "2026-01-05T09:00:00Z", "quiet": "21:00-08:00", "zone": "Europe/London",
        "addresses": {"email": "ada@example.org", "letter": "1 Mill Lane, Testford, ZZ1 1AA"}, "values": {"order": "WEB-1001", "name": "Ada Example", "operator": "Example Mobile"},
    }  # fmt: skip
    key: str
    order: str
    customer: str
    milestone: Milestone
    about: str
    cause: str
    language: str
    template: str
    media: tuple[Medium, ...]
    due_at: datetime
    quiet: str
    zone: str
    addresses: Annotated[dict[str, str], Pii("address")]
    values: Annotated[dict[str, str], Pii("values")]

    def held(self) -> tuple[tuple[str, str], str]:
        """What is told once is held by its message for good."""
        return ("message", self.key), stream_of(self.key)


class MessageWithheld(Event, name="message.withheld", stream="message"):
    """The message is not sent: no way reaches the customer (`no-address`), he does not want such messages, or what it says has been
    overtaken."""

    example = {"reason": "overtaken"}
    reason: Withheld


class OfAttempt(Event):
    """Base of what becomes of an attempt to send a message; the attempts of a message count from 1."""

    medium: Medium
    attempt: int


class MessageBegun(OfAttempt, name="message.begun", stream="message"):
    """From now on the message may reach the customer: whoever wrote this, and nobody else, makes the attempt."""

    example = {**_ATTEMPT, "transport": "smtp"}
    transport: Transport


class MessageSent(OfAttempt, name="message.sent", stream="message"):
    """The transport took the message; `receipt` is its own word for that. An unknown outcome may become this one later."""

    example = {**_ATTEMPT, "receipt": "250"}
    receipt: str


class MessageDeferred(OfAttempt, name="message.deferred", stream="message"):
    """The transport did not take the message, for sure, and may later: it is tried again at `due_at`."""

    example = {**_ATTEMPT, "code": "451", "due_at": "2026-01-05T09:05:00Z"}
    code: str
    due_at: datetime


class MessageBounced(OfAttempt, name="message.bounced", stream="message"):
    """The message does not reach the customer by this medium. It goes by the medium `then` at `due_at`; empty where none is left."""

    example = {**_ATTEMPT, "code": "550", "then": "letter", "due_at": "2026-01-05T09:00:10Z"}
    code: str
    then: Medium | Literal[""]
    due_at: datetime


class MessageOutcomeLost(OfAttempt, name="message.outcome-lost", stream="message"):
    """Nobody knows whether the message reached the customer (`word`: why). It is never sent again by itself."""

    example = {**_ATTEMPT, "word": "connection-lost"}
    word: str


class MessageResendAsked(Event, name="message.resend-asked", stream="message"):
    """A person wants the message sent again, by this medium, at once."""

    example = {"medium": "letter"}
    medium: Medium


def stream_of(key: str) -> str:
    """Give the name of the stream of a message, by what it tells: one thing has one message."""
    return f"message-{derived_id('message', key)}"
