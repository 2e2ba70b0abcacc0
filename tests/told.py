"""Messages on which each rule about them can be tried, and a store whose customers are told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.messages import start_messages
from o2c.engine.app import Context, Engine
from o2c.kernel.event import Event
from o2c.messages.events import MessageBegun, MessageScheduled, MessageSent, MessagesStarted, TemplatesLoaded
from o2c.messages.rules import Outcome, begin, bounce, due, ended, load_templates, lost, start, stop, withhold
from o2c.messages.state import KIND, MESSAGING, MessageState, MessagingState
from o2c.running.mailing import Mailer
from o2c.running.messages import Messenger
from o2c.running.session import Session
from o2c.views.messages import list_messages
from o2c.views.reading import caught_up

ADMIN = Context("olga")
DUE = MessageScheduled.model_validate(MessageScheduled.example)
STARTED = MessagesStarted.model_validate(MessagesStarted.example)
SENDING = MessageBegun(medium="email", attempt=1, transport="smtp")
SENT = MessageSent(medium="email", attempt=1, receipt="250")
DOCUMENT = str(TemplatesLoaded.example["document"])
TRANSPORTS = {"email": "smtp", "letter": "file"}


def message(*events: Event) -> MessageState:
    """A message to which these happened."""
    state: MessageState = KIND.initial("")
    for event in events:
        state = KIND.evolve(state, event)
    return state


def messaging(*events: Event) -> MessagingState:
    """How customers are told once these happened."""
    state: MessagingState = MESSAGING.initial("")
    for event in events:
        state = MESSAGING.evolve(state, event)
    return state


def _param(kind: Any, state: Any, rule: Any, name: str) -> Any:
    return pytest.param(kind, state, rule, id=name)


OF_MESSAGES = [
    _param(KIND, message(), lambda s: due(s, DUE), "a-message-is-due"),
    _param(KIND, message(DUE), lambda s: begin(s, TRANSPORTS, at=DUE.due_at), "a-message-in-hand"),
    _param(KIND, message(DUE), lambda s: withhold(s, "overtaken", at=DUE.due_at - timedelta(hours=1)), "a-message-overtaken"),
    _param(KIND, message(DUE, SENDING), lambda s: ended(s, Outcome("sent", "250"), attempt=1, at=DUE.due_at), "a-message-sent"),
    _param(KIND, message(DUE, SENDING), lost, "a-message-lost"),
    _param(KIND, message(DUE, SENDING, SENT), lambda s: bounce(s, "550", at=DUE.due_at, message="m"), "a-message-bounced"),
    _param(MESSAGING, messaging(), lambda s: start(s, STARTED), "messages-started"),
    _param(MESSAGING, messaging(STARTED), stop, "messages-stopped"),
    _param(MESSAGING, messaging(), lambda s: load_templates(s, DOCUMENT), "templates-loaded"),
]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""


class Telling:
    """A messenger on the store of an engine."""

    def __init__(self, app: Engine, home: Path, *, mailer: Mailer | None = None) -> None:
        self.app, self.home = app, home
        self.messenger = Messenger(Session(app, home), mailer=mailer)

    def start(self, **ways: Any) -> None:
        """Tell customers of all that stands in the log, by e-mail unless said otherwise."""
        ways = ways or {"email": "file"}
        start_messages(self.app, ADMIN, sender="orders@example.org", operator="Example Mobile", after="0", **ways)

    def send(self) -> int:
        """Send what is due; how many messages were sent."""
        return self.messenger.send()

    def rows(self, **filters: Any) -> list[Any]:
        """Messages as they stand, the first first."""
        caught_up(self.app)
        return list_messages(self.app, **filters)[::-1]

    def states(self, **filters: Any) -> dict[str, str]:
        """How the message of each milestone stands."""
        return {row["milestone"]: row["state"] for row in self.rows(**filters)}
