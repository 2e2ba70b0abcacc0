"""Making the message of a milestone: to whom, in which words, by which media, when; and why it is not sent, if it is not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from o2c.markets.telling import Telling
from o2c.messages.contact import Contact, History, contact_at, old_contact
from o2c.messages.events import MessageScheduled, Withheld
from o2c.messages.hours import hours_of, told_by
from o2c.messages.milestones import ON_THE_WAY, UPDATES, URGENT, Told, key_of, subject_of
from o2c.messages.state import MessagingState
from o2c.messages.templates import TemplateBook, book_of

Due = tuple[MessageScheduled, Withheld | Literal[""]]
"""A message, and why it is withheld (empty: it is not)."""


@dataclass(frozen=True, slots=True)
class About:
    """What an event is about: its stream and name (`cause`), the order with the channel's own id, the customer, the zone of the market."""

    stream: str
    cause: str
    order: str
    external_id: str
    customer: str
    zone: str


def compose(
    told: Told, body: Mapping[str, Any], about: About, history: History, usual: Telling, state: MessagingState, *, at: datetime
) -> Due:
    """The message of what is told of an event that happened at a time. `usual` is how customers of the market are told."""
    urgent = told.milestone in URGENT
    contact = old_contact(history, at) if urgent else contact_at(history, at)
    quiet = "" if urgent else contact.quiet if hours_of(contact.quiet) else usual.quiet
    book, media = book_of(state.documents), contact.media(state.transports)
    language = _language(told, book, contact.language, usual.language)
    operator = state.started.operator if state.started else ""
    due = MessageScheduled(
        key=key_of(subject_of(about.stream, body), told.milestone, told.about),
        order=about.order,
        customer=about.customer,
        milestone=told.milestone,
        about=told.about,
        cause=about.cause,
        language=language,
        template=book.in_force(language, told.milestone),
        media=media,
        due_at=told_by(max(at, told.not_before or at), quiet, about.zone, told.before),
        quiet=quiet,
        zone=about.zone,
        addresses={medium: contact.addresses[medium] for medium in media},
        values={"order": about.external_id, "name": contact.name, "operator": operator, **told.values, **told.words.get(language, {})},
    )
    return due, _withheld(told, contact, due)


def _language(told: Told, book: TemplateBook, *wanted: str) -> str:
    """The first language that is wanted and has words, its own where it brings such; else the first that it brings."""
    known = [book.language(each, tells=told.milestone) for each in (*wanted, *told.words)]
    return next((each for each in known if each in told.words), book.language(*wanted, tells=told.milestone))


def _withheld(told: Told, contact: Contact, due: MessageScheduled) -> Withheld | Literal[""]:
    if not due.media:
        return "no-address"
    return "not-wanted" if told.milestone in ON_THE_WAY and UPDATES in contact.refused else ""
