"""When a message is due, who may send it, and what follows from what became of an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from o2c.kernel.decision import NOTHING, Decision, Guard, just
from o2c.kernel.refusal import Refused
from o2c.messages.events import (
    Medium,
    MessageBegun,
    MessageBounced,
    MessageDeferred,
    MessageOutcomeLost,
    MessageResendAsked,
    MessageScheduled,
    MessageSent,
    MessagesStarted,
    MessagesStopped,
    MessageWithheld,
    TemplatesLoaded,
    Transport,
    Withheld,
)
from o2c.messages.hours import allowed_at
from o2c.messages.state import MessageState, MessagingState
from o2c.messages.templates import checked

BACK_OFF = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
"""How long a transport is left alone after each time that it did not take a message; after the last of them the next medium is tried."""
GAVE_UP = "gave-up"
LOST = "sender-died"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: `sent` (the transport took it), `later` (it did not, and may), `refused` (it never will), or `unknown`.

    `word` is the transport's own.
    """

    what: Literal["sent", "later", "refused", "unknown"]
    word: str = ""


def due(state: MessageState, told: MessageScheduled, *, withheld: Withheld | Literal[""] = "") -> Decision:
    """Let a customer be told, once: nothing where that was decided before. A message that is `withheld` is written down with the reason."""
    if state.standing:
        return NOTHING
    guard, holder = told.held()
    events = (told, MessageWithheld(reason=withheld)) if withheld else (told,)
    return Decision(events, takes=(Guard(*guard, holder),))


def withhold(state: MessageState, reason: Withheld, *, at: datetime) -> Decision:
    """Let a message that is to be sent after a time not be sent; nothing where it is not due any more, or was by then."""
    waits = state.standing == "due" and state.due_at is not None and state.due_at > at
    return just(MessageWithheld(reason=reason)) if waits else NOTHING


def begin(state: MessageState, transports: Mapping[Medium, Transport], *, at: datetime) -> Decision:
    """Take the next attempt of a message that is due: whoever writes it makes it. Nothing where the message is not due at the time.

    A medium that has no transport any more is passed over.
    """
    if state.standing != "due" or (state.due_at is not None and state.due_at > at) or not state.medium:
        return NOTHING
    attempt = state.attempt + 1
    if state.medium not in transports:
        return just(_bounced(state, state.medium, attempt, "no-transport", at))
    return just(MessageBegun(medium=state.medium, attempt=attempt, transport=transports[state.medium]))


def ended(state: MessageState, outcome: Outcome, *, attempt: int, at: datetime) -> Decision:
    """Take down what became of an attempt; nothing where the message has moved on since.

    What was unknown is known when the attempt itself says so after all.
    """
    if state.attempt != attempt or state.standing not in ("sending", "unknown") or not state.medium:
        return NOTHING
    of: dict[str, object] = {"medium": state.medium, "attempt": attempt}
    match outcome.what:
        case "sent":
            return just(MessageSent.model_validate({**of, "receipt": outcome.word}))
        case "unknown":
            return NOTHING if state.standing == "unknown" else just(MessageOutcomeLost.model_validate({**of, "word": outcome.word}))
        case "later" if state.tries < len(BACK_OFF):
            again = at + BACK_OFF[state.tries]
            return just(MessageDeferred.model_validate({**of, "code": outcome.word, "due_at": again}))
    return just(_bounced(state, state.medium, attempt, GAVE_UP if outcome.what == "later" else outcome.word, at))


def bounce(state: MessageState, code: str, *, at: datetime, message: str) -> Decision:
    """A message that was sent came back, or did not arrive: it goes by the next medium. Nothing where it came back already.

    Raises Refused (conflict) for one that was not sent, (missing) for one that there is not.
    """
    _known(state, message)
    if state.standing not in ("sent", "unknown") or not state.medium:
        if state.failed:
            return NOTHING
        raise Refused(
            f"message {message} is {state.standing}, so it cannot have come back; see `o2c messages show {message}`", kind="conflict"
        )
    return just(_bounced(state, state.medium, state.attempt, code, at))


def _bounced(state: MessageState, medium: Medium, attempt: int, code: str, at: datetime) -> MessageBounced:
    told = state.told
    left = [other for other in told.media if other != medium and other not in state.failed] if told else []
    due_at = allowed_at(at, told.quiet, told.zone) if told and left else at
    return MessageBounced(medium=medium, attempt=attempt, code=code, then=left[0] if left else "", due_at=due_at)


def resend(state: MessageState, medium: Medium | Literal[""], *, message: str) -> Decision:
    """Ask that a message is sent again, at once: by a medium, or else as it was sent; an occurrence.

    Raises Refused: missing (no such message), usage (no address for that medium), conflict (it is due or under way as it is).
    """
    told = _known(state, message)
    if state.standing in ("due", "sending"):
        raise Refused(f"message {message} is {state.standing} as it is; wait for what becomes of it", kind="conflict")
    wanted = medium or state.medium or (told.media[0] if told.media else "")
    if not wanted or wanted not in told.addresses:
        raise Refused(
            f"message {message}: the customer had no address for {wanted or 'any medium'}; use one of {', '.join(told.media) or 'none'}"
        )
    return just(MessageResendAsked(medium=wanted))


def lost(state: MessageState) -> Decision:
    """What became of the attempt under way is unknown: whoever made it is gone. Nothing where none is under way."""
    if state.standing != "sending" or not state.medium:
        return NOTHING
    return just(MessageOutcomeLost(medium=state.medium, attempt=state.attempt, word=LOST))


def _known(state: MessageState, message: str) -> MessageScheduled:
    if state.told is None:
        raise Refused(f"there is no message {message}; see `o2c messages list`", kind="missing")
    return state.told


def start(state: MessagingState, started: MessagesStarted) -> Decision:
    """Tell customers from now on; nothing where they are told in just this way. Raises Refused (usage) for no medium, or SMTP for other
    than e-mail."""
    if not started.transports:
        raise Refused("messages go by at least one medium: give email, sms or letter a transport")
    if any(transport == "smtp" and medium != "email" for medium, transport in started.transports.items()):
        raise Refused("smtp carries e-mail alone; let sms and letters go by file or webhook")
    if "@" not in started.sender or any(mark.isspace() for mark in started.sender):
        raise Refused("the sender is an e-mail address, which answers go to")
    same = state.started is not None and state.started.model_copy(update={"after": ""}) == started.model_copy(update={"after": ""})
    return NOTHING if same else just(started)


def stop(state: MessagingState) -> Decision:
    """Tell customers nothing more; nothing where that is so."""
    return just(MessagesStopped()) if state.started else NOTHING


def load_templates(state: MessagingState, document: str) -> Decision:
    """Put words of the operator's over the packaged ones; nothing for a file that was loaded already. Raises Refused (usage), see
    `templates.checked`."""
    if document in state.documents:
        return NOTHING
    return just(TemplatesLoaded(version=checked(state.documents, document), document=document))
