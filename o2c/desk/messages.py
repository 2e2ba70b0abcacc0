"""The desk for messages to customers: whether they are told at all, in which words, and what is sent again or came back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, cast

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.messages import rules
from o2c.messages.events import Medium, MessagesStarted, Transport
from o2c.messages.state import STREAM, MessageState, MessagingState
from o2c.views.following import Wanted, beginning_at, last_event

BY: tuple[Medium, ...] = ("email", "sms", "letter")
TRANSPORTS: tuple[Transport, ...] = ("smtp", "file", "webhook")
Way = Literal["", "smtp", "file", "webhook"]


def start_messages(
    app: Engine, context: Context, *, sender: str, operator: str, email: Way = "", sms: Way = "", letter: Way = "", after: str = ""
) -> Written:
    """Tell customers of their orders from now on, or of what happened after a position of the log: each milestone once.

    E-mail, texts and letters each go by a way, or not at all (empty): `smtp` is the server of O2C_SMTP_URL and carries e-mail alone, `file`
    a folder that another program empties, `webhook` the hooks that are told of `message.sent`. `sender` is the address that answers go to,
    `operator` the name under which we write. Messages are sent by `o2c messages work`. Raises Refused: usage, conflict (a position that is
    not of this log).
    """
    asked = {"email": email, "sms": sms, "letter": letter}
    if unknown := [way for way in asked.values() if way and way not in TRANSPORTS]:
        raise Refused(f"messages go by {', '.join(TRANSPORTS)}, not by {unknown[0][:40]}")
    ways = cast("Mapping[Medium, Transport]", {medium: way for medium, way in asked.items() if way})
    started = MessagesStarted(sender=sender, operator=operator, transports=dict(ways), after=str(_begins(app, after)))

    def rule(state: MessagingState, at: datetime) -> Decision:
        return rules.start(state, started)

    return act(app, context, "messages.start", Deed(STREAM, (rule,), ["start", sender, operator, asked, after]))


def _begins(app: Engine, after: str) -> int:
    if not after:
        return last_event(app).position
    mark, wanted = beginning_at(app, after, Wanted())
    if wanted.since is not None:
        raise Refused("messages begin after a position of the log, POSITION or POSITION:ID; leave it out to begin now")
    return mark.position


def stop_messages(app: Engine, context: Context) -> Written:
    """Tell customers nothing more until messages are started again; what is due waits, and what happens meanwhile is never told."""

    def rule(state: MessagingState, at: datetime) -> Decision:
        return rules.stop(state)

    return act(app, context, "messages.stop", Deed(STREAM, (rule,), ["stop"]))


def load_templates(app: Engine, context: Context, *, templates: str) -> Written:
    """Put words of the operator's own (the text of a TOML file) over the packaged ones; what they do not have stays as it was.

    Messages that are due keep the version that they pinned. Loaded again unchanged, it does nothing. Raises Refused (usage) with the first
    thing that is wrong; then nothing of it is loaded.
    """

    def rule(state: MessagingState, at: datetime) -> Decision:
        return rules.load_templates(state, templates)

    return act(app, context, "messages.load-templates", Deed(STREAM, (rule,), ["load templates", templates]))


def resend(app: Engine, context: Context, message: str, *, medium: str = "") -> Written:
    """Send a message again, at once, by the medium named or as it was sent: the way on from an unknown outcome, which is never sent again
    by itself.

    Raises Refused: missing, usage (no address for the medium), conflict (it is due or under way as it is).
    """
    by = _medium(medium)

    def rule(state: MessageState, at: datetime) -> Decision:
        return rules.resend(state, by, message=message)

    return act(app, context, "messages.resend", Deed(_stream(message), (rule,), ["resend", medium]))


def bounced(app: Engine, context: Context, message: str, *, code: str) -> Written:
    """Take down that a message came back or never arrived, with the code of whoever says so: it goes by the customer's next medium.

    Raises Refused: missing, usage (a code that is none), conflict (it was not sent).
    """
    if not 1 <= len(code) <= 40 or not code.isascii() or not code.isprintable():
        raise Refused("a code has 1 to 40 printable letters of ASCII, such as 5.1.1")

    def rule(state: MessageState, at: datetime) -> Decision:
        return rules.bounce(state, code, at=at, message=message)

    return act(app, context, "messages.bounced", Deed(_stream(message), (rule,), ["bounced", code]))


def _stream(message: str) -> str:
    return f"message-{message.removeprefix('message-')}"


def _medium(name: str) -> Medium | Literal[""]:
    found = next((medium for medium in BY if medium == name), "")
    if name and not found:
        raise Refused(f"there is no medium {name[:40]}; use one of {', '.join(BY)}")
    return cast('Medium | Literal[""]', found)
