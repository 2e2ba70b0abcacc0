"""What customers were told of their orders, are to be told, or were not told, and in which words; and the silence before they asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast, get_args

from o2c.engine.app import Engine
from o2c.kernel.event import types_by_name, upcast
from o2c.kernel.refusal import Refused
from o2c.messages.contact import History
from o2c.messages.events import MessageScheduled, Milestone
from o2c.messages.state import STREAM, MessageState, MessagingState, Standing
from o2c.messages.templates import MILESTONES as WITH_WORDS
from o2c.messages.templates import TemplateBook, Text, book_of
from o2c.views.orders import find_order
from o2c.views.reading import Page, page_of, plain
from o2c.views.shown import MessageShown, MessageWholeShown, SilenceShown, TemplateShown
from projections import messages

MILESTONES: tuple[str, ...] = get_args(Milestone)
STATES: tuple[str, ...] = tuple(state for state in get_args(Standing) if state)
COLUMNS = ("message", "customer", "external_id", "milestone", "state", "medium", "language", "attempts", "word", "due_at", "sent_at")
HIDDEN = "***"

HISTORIES = """SELECT stream, occurred_at, type, schema_version, body || coalesce(personal, '{}'::jsonb) AS body FROM o2c.event
WHERE stream = ANY(%s) AND type IN ('customer.registered', 'customer.preferences-stated') ORDER BY stream, version"""
"""How some customers were to be reached in the course of time, the oldest first. Parameter: their streams."""

COURSE = """SELECT occurred_at AS at, type AS event, actor, body - 'media' - 'key' AS details FROM o2c.event WHERE stream = %s ORDER BY version"""
"""What became of a message, the first first. Parameter: its stream."""


def histories(app: Engine, customers: Collection[str]) -> dict[str, History]:
    """How customers were to be reached in the course of time, personal as that is; nothing of those who are not registered."""
    found: dict[str, list[Any]] = {}
    for row in app.reads.rows(HISTORIES, sorted(f"customer-{customer}" for customer in customers)):
        body = upcast(row["type"], row["schema_version"], row["body"])
        event = types_by_name()[row["type"]].model_validate(body)
        found.setdefault(row["stream"].removeprefix("customer-"), []).append((row["occurred_at"], event))
    return cast("dict[str, History]", found)


def due_messages(app: Engine, at: datetime, limit: int) -> list[str]:
    """The streams of the messages that are to be sent by a time, the first due first. The projections must be caught up."""
    return [f"message-{row['message']}" for row in app.reads.rows(messages.DUE, at, limit)]


def stuck_messages(app: Engine) -> list[str]:
    """The streams of the messages that somebody has in hand. The projections must be caught up."""
    return [f"message-{row['message']}" for row in app.reads.rows(messages.STUCK)]


def text_of(told: MessageScheduled, state: MessagingState) -> Text:
    """The words of a message, made again of the version that it pinned and of its values."""
    return book_of(state.documents).text(told.template, told.language, told.milestone, told.values)


def list_messages(
    app: Engine, *, customer: str = "", order: str = "", milestone: str = "", state: str = "", limit: int | None = None
) -> Page[MessageShown]:
    """What customers were told, are to be told, or were not told, the last first; the page says how many more there are.

    `state` is due, sending, sent, unknown (nobody knows whether it arrived, and it is never sent again by itself), bounced (by every
    medium) or withheld; `word` is the last of the transport, or why it was withheld. The projections must be caught up. Raises Refused:
    usage (a milestone or state that is none), missing (no such order).
    """
    for what, value, known in (("milestone", milestone, MILESTONES), ("state", state, STATES)):
        if value and value not in known:
            raise Refused(f"there is no {what} {value[:40]}; use one of {', '.join(known)}")
    order_id = find_order(app, order)[1].order_id if order else ""
    return page_of(app.reads.rows(messages.LISTED, customer=customer, order=order_id, milestone=milestone, state=state, limit=limit), "n")


def show_message(app: Engine, message: str, *, personal: bool = False) -> MessageWholeShown:
    """One message: to whom, by which media, in which words, and what became of it. Addresses and words only with `personal`. Raises Refused
    (missing)."""
    stream = f"message-{message.removeprefix('message-')}"
    loaded = app.load([stream, STREAM])
    state: MessageState = loaded[stream].state
    if (told := state.told) is None:
        raise Refused(f"there is no message {message[:80]}; see `o2c messages list`", kind="missing")
    text = text_of(told, loaded[STREAM].state) if personal else Text(HIDDEN, HIDDEN)
    shown = {
        "message": stream.removeprefix("message-"),
        **{
            name: getattr(told, name)
            for name in ("customer", "order", "milestone", "about", "cause", "language", "template", "quiet", "zone")
        },
        "state": state.standing,
        "medium": state.medium,
        "media": list(told.media),
        "attempts": state.attempt,
        "due_at": state.due_at,
        "addresses": dict(told.addresses) if personal else {},
        "subject": text.subject,
        "text": text.body,
        "course": app.reads.rows(COURSE, stream),
    }
    return cast("MessageWholeShown", plain(shown))


def list_templates(app: Engine, *, language: str = "", milestone: str = "") -> list[TemplateShown]:
    """The words in force by language and milestone, with the version that has them; those of one language or milestone where it is named.

    Raises Refused (usage) for a milestone that there is not.
    """
    if milestone and milestone not in WITH_WORDS:
        raise Refused(f"no words tell {milestone[:40]}; use one of {', '.join(WITH_WORDS)}")
    state: MessagingState = app.load_one(STREAM).state
    book = book_of(state.documents)
    languages = [language] if language else sorted({code for each in book.versions.values() for code in each if code != "version"})
    names = [milestone] if milestone else WITH_WORDS
    return [_template(book, code, name) for code in languages for name in names if book.language(code, tells=name) == code]


def _template(book: TemplateBook, language: str, milestone: str) -> TemplateShown:
    version = book.in_force(language, milestone)
    words: Mapping[str, str] = book.versions[version][language]["messages"][milestone]
    return {"language": language, "milestone": milestone, "version": version, "subject": words["subject"], "text": words["text"]}


def silences(app: Engine, *, customer: str = "", order: str = "", limit: int | None = None) -> Page[SilenceShown]:
    """Who asked where an order is, and the silence before: how long the customer had been told nothing of it; the last first.

    `told_at` is when a message was sent or somebody of us spoke with the customer about the order; where nobody had, `silence_s` counts
    from its capture. A contact that names no order is about all that the customer has. The projections must be caught up. Raises Refused
    (missing).
    """
    order_id = find_order(app, order)[1].order_id if order else ""
    return page_of(app.reads.rows(messages.SILENCES, customer=customer, order=order_id, limit=limit), "n")
