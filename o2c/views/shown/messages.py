"""Messages to customers as they are shown, and the courtesy contacts that are owed."""

from __future__ import annotations

from typing import Any, TypedDict


class MessageShown(TypedDict):
    """A message: of which milestone of which order, and what became of it. `due_at` is there while it is to be sent, `sent_at` once a
    transport took it."""

    message: str
    customer: str
    order: str | None
    external_id: str | None
    milestone: str
    about: str
    state: str
    medium: str
    transport: str
    language: str
    template: str
    attempts: int
    word: str
    made_at: str
    due_at: str | None
    sent_at: str | None


class MessageStepShown(TypedDict):
    """What happened to a message, by whom."""

    at: str
    event: str
    actor: str
    details: dict[str, Any]


class MessageWholeShown(TypedDict):
    """A message with its words as the customer reads them, its media in the order in which they are tried, and what became of it."""

    message: str
    customer: str
    order: str
    milestone: str
    about: str
    cause: str
    language: str
    template: str
    quiet: str
    zone: str
    state: str
    medium: str
    media: list[str]
    attempts: int
    due_at: str | None
    addresses: dict[str, str]
    subject: str
    text: str
    course: list[MessageStepShown]


class TemplateShown(TypedDict):
    """The words that tell a milestone in a language, by the version in force."""

    language: str
    milestone: str
    version: str
    subject: str
    text: str


class SilenceShown(TypedDict):
    """A customer who asked where an order is, and for how long (`silence_s`) he had been told nothing of it."""

    contact: str
    customer: str
    order: str | None
    external_id: str | None
    medium: str
    contacted_at: str
    told_at: str | None
    silence_s: int | None


class CareShown(TypedDict):
    """A courtesy contact that a milestone of an order calls for: open until it is done or missed; `by` is who of us made it, late as it may
    be."""

    customer: str
    tier: str
    order: str
    external_id: str
    milestone: str
    reached_at: str
    due_at: str
    state: str
    by: str | None


class CareAgreementShown(TypedDict):
    """What is agreed with the customers of a tier, or (`customers`) with some of their own: by milestone the working days within which they
    are spoken to, the local hour at which such a day ends, within how many days an order is complete, and after how many working days what
    is delivered is promised (None: as long as it takes); the codes of the markets whose orders it holds for (none: all), that of the market
    whose calendar counts (empty: each order's own), and days on which nobody works besides; by the version of the file."""

    agreement: str
    customers: list[str]
    contacts: dict[str, int]
    until_hour: int
    complete_within_days: int
    promised_working_days: int | None
    markets: list[str]
    calendar: str
    closed_on: list[str]
    version: str
