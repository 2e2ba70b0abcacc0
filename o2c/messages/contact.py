"""How a customer is reached: by what stands of him in his stream at a time, or stood before it was changed lately. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from o2c.customers.events import CustomerPreferencesStated, CustomerRegistered
from o2c.kernel.event import Event
from o2c.messages.events import Medium

OLD = timedelta(days=30)
"""Whoever takes a line over changes the contact first: what puts a line at risk is told to a contact that has stood for so long, where
there is one."""
MEDIA: tuple[Medium, ...] = ("email", "sms", "letter")
"""The order in which media are tried where the customer prefers none: the quickest that says most first."""
History = Sequence[tuple[datetime, Event]]
"""What happened to a customer, the oldest first."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer as we write to him. `language` and `quiet` are empty where he has said nothing; `refused` are the messages that he does
    not want."""

    name: str = field(default="", repr=False)
    addresses: Mapping[Medium, str] = field(default_factory=dict, repr=False)
    preferred: str = ""
    language: str = ""
    quiet: str = ""
    refused: tuple[str, ...] = ()

    def media(self, used: Collection[Medium]) -> tuple[Medium, ...]:
        """The media that reach him, of those in use, the preferred one first."""
        found = [medium for medium in MEDIA if medium in used and self.addresses.get(medium)]
        return tuple(sorted(found, key=lambda medium: medium != self.preferred))


def contact_at(history: History, at: datetime) -> Contact:
    """The contact of a customer as it stood at a time; where nothing stood yet, the first that there was."""
    first = history[:1]
    papers, stated = CustomerRegistered(customer="", kind="", payment_method="", tier=""), CustomerPreferencesStated(customer="")
    for _, event in (*first, *(each for each in history if each[0] <= at)):
        papers = event if isinstance(event, CustomerRegistered) else papers
        stated = event if isinstance(event, CustomerPreferencesStated) else stated
    ways: dict[Medium, str] = {"email": papers.email, "sms": stated.phone, "letter": papers.address}
    reached = {medium: address for medium, address in ways.items() if address}
    return Contact(papers.name, reached, stated.medium, stated.language, stated.quiet, stated.refused)


def old_contact(history: History, at: datetime) -> Contact:
    """The contact that stood before the changes of the last OLD days; of a newer customer the first."""
    return contact_at(history, at - OLD)
