"""A message, and how customers are told at all, as folds of their streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind
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
)

STREAM = "messaging-main"
"""The one stream that says how customers are told."""
Standing = Literal["", "due", "sending", "sent", "unknown", "bounced", "withheld"]


@dataclass(frozen=True, slots=True)
class MessageState:
    """A message as it stands; `standing` is empty before it is due, and bounced where no medium is left.

    `medium` is that of the attempt under way or to come, `attempt` the number of the last one, `tries` how often this medium was tried in
    vain, and `failed` the media by which it does not reach the customer.
    """

    told: MessageScheduled | None = None
    standing: Standing = ""
    medium: Medium | Literal[""] = ""
    transport: str = ""
    attempt: int = 0
    tries: int = 0
    failed: tuple[str, ...] = ()
    due_at: datetime | None = None


def evolve(state: MessageState, event: Event) -> MessageState:
    """Fold one event."""
    match event:
        case MessageScheduled():
            return MessageState(event, "due", event.media[0] if event.media else "", due_at=event.due_at)
        case MessageWithheld():
            return changed(state, standing="withheld", due_at=None)
        case MessageBegun():
            return changed(state, standing="sending", medium=event.medium, transport=event.transport, attempt=event.attempt, due_at=None)
        case MessageSent():
            return changed(state, standing="sent", due_at=None)
        case MessageDeferred():
            return changed(state, standing="due", due_at=event.due_at, tries=state.tries + 1)
        case MessageBounced():
            return _bounced(state, event)
        case MessageOutcomeLost():
            return changed(state, standing="unknown", due_at=None)
        case MessageResendAsked():
            # A person knows why: what failed once may be well by now.
            return changed(state, standing="due", medium=event.medium, tries=0, failed=(), due_at=None)
    return state


def _bounced(state: MessageState, event: MessageBounced) -> MessageState:
    failed = (*state.failed, event.medium)
    if not event.then:
        return changed(state, standing="bounced", failed=failed, due_at=None)
    return changed(state, standing="due", medium=event.then, tries=0, failed=failed, due_at=event.due_at)


def owner(state: MessageState) -> tuple[str | None, str | None]:
    """Name the order and the customer for the envelope."""
    return (state.told.order or None, state.told.customer or None) if state.told else (None, None)


@dataclass(frozen=True, slots=True)
class MessagingState:
    """How customers are told: not at all while `started` is None. `documents` are the words that were loaded, the oldest first."""

    started: MessagesStarted | None = None
    documents: tuple[str, ...] = ()

    @property
    def transports(self) -> Mapping[Medium, Transport]:
        """The transport of each medium that is used."""
        return self.started.transports if self.started else {}


def evolve_messaging(state: MessagingState, event: Event) -> MessagingState:
    """Fold one event."""
    match event:
        case MessagesStarted():
            return changed(state, started=event)
        case MessagesStopped():
            return changed(state, started=None)
        case TemplatesLoaded():
            return changed(state, documents=(*state.documents, event.document))
    return state


KIND = StreamKind(
    category="message", shape_version=1, state_type=MessageState, initial=lambda _: MessageState(), evolve=evolve, owner=owner
)
MESSAGING = StreamKind(
    category="messaging", shape_version=1, state_type=MessagingState, initial=lambda _: MessagingState(), evolve=evolve_messaging
)
