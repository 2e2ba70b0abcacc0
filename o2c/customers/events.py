"""Events of a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from o2c.kernel.event import Event, Names, Pii


class CustomerRegistered(Event, name="customer.registered", stream="customer"):
    """A party became known, or its papers changed. Names, birth date and contacts are personal."""

    example = {
        "customer": "C-1001", "kind": "individual", "payment_method": "card", "tier": "standard", "name": "Ada Example",
        "birth_date": "1980-02-29", "email": "ada@example.org", "address": "1 Mill Lane, Testford, ZZ1 1AA",
    }  # fmt: skip
    customer: str
    kind: str
    payment_method: str
    tier: str
    name: Annotated[str, Pii("name")] = ""
    birth_date: Annotated[str, Pii("birth-date")] = ""
    email: Annotated[str, Pii("e-mail")] = ""
    address: Annotated[str, Pii("address")] = ""


class CustomerPreferencesStated(Event, name="customer.preferences-stated", stream="customer"):
    """How a customer wants to be told of his orders, as its papers say it now; what is empty was not said.

    `medium` is the one that he prefers (email, sms, letter), `language` an ISO 639-1 code, `quiet` the hours in which he is not to be
    disturbed (`HH:MM-HH:MM`, local), `refused` the kinds of message that he does not want (`updates`).
    """

    example = {
        "customer": "C-1001",
        "medium": "sms",
        "language": "nl",
        "quiet": "22:00-07:30",
        "refused": ["updates"],
        "phone": "+447700900999",
    }
    customer: str
    medium: str = ""
    language: str = ""
    quiet: str = ""
    refused: tuple[str, ...] = ()
    phone: Annotated[str, Pii("phone")] = ""


class CustomerContacted(Event, name="customer.contacted", stream="customer"):
    """A customer and the operator spoke: a call to ask where the order is, a complaint, a courtesy call. The note of it is personal."""

    example = {
        "customer": "C-1001", "medium": "call", "direction": "inbound", "topic": "where-is-my-order",
        "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "note": "asked when the parcel comes",
    }  # fmt: skip
    customer: str
    medium: str
    direction: Literal["inbound", "outbound"]
    topic: str
    order: str = ""
    note: Annotated[str, Pii("note")] = ""


Level = Literal["entity", "cost-centre", "site"]
"""What a billing account stands for in its customer's hierarchy, from the top down."""
Pays = Literal["itself", "parent"]
"""Who pays what is ordered for an account: it does, or the account above it."""


class AccountPlaced(Event, name="customer.account-placed", stream="customer"):
    """A billing account of the customer got its place in the hierarchy: what it stands for, below which account (`parent`, empty: at the
    top), and who pays what is ordered for it from now on: it `pays` itself, by bills of its own, or the account above it does, whose bills
    say which part is whose.

    `contact` is whom to ask for at a site, and how; it is personal. Source: TMF666 v4.0.0 BillingAccount.accountRelationship,
    .relatedParty.
    """

    example = {
        "customer": "C-1001", "account": "BA-1001-LEEDS", "level": "site", "parent": "BA-1001-SALES", "pays": "parent",
        "contact": "Ada Example",
    }  # fmt: skip
    customer: str
    account: Annotated[str, Names("account")]
    level: Level
    parent: str = ""
    pays: Pays = "parent"
    contact: Annotated[str, Pii("name")] = ""


class CreditDecided(Event, name="credit.decided", stream="customer"):
    """The bureau answered about a customer. The answer holds for all orders of the customer until it expires, as long as the applicant's
    data are the same: `applicant` is a digest of those. Amounts are minor units: what was asked about, a limit or a deposit where the
    result has one, and what the order that asked commits to (0: it was not approved by this answer). The report itself is not kept.
    """

    example = {
        "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "search": "0c1d8a4e-52b7-5e0e-9c41-7d0a4be2f6a3", "result": "limit", "asked_minor": 47976,
        "limit_minor": 60000, "deposit_minor": 0, "currency": "GBP", "committed_minor": 47976, "committed_to": "2027-01-05",
        "expires_at": "2026-02-04T09:00:20Z", "policy": "credit/2026-02", "applicant": "9f86d081884c7d65",
    }  # fmt: skip
    order: str
    search: str
    result: Literal["approved", "limit", "deposit", "refer", "decline"]
    asked_minor: int
    limit_minor: int = 0
    deposit_minor: int = 0
    currency: str
    committed_minor: int = 0
    committed_to: str = ""
    expires_at: datetime
    policy: str
    applicant: Annotated[str, Pii("digest")]


class CreditCommitted(Event, name="credit.committed", stream="customer"):
    """An order was approved without a search of its own: the customer commits to its amount (minor units) up to the day `committed_to`."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "committed_minor": 47976, "currency": "GBP", "committed_to": "2027-01-05"}
    order: str
    committed_minor: int
    currency: str
    committed_to: str


class CreditReleased(Event, name="credit.released", stream="customer"):
    """An order, or a part of it, ended without coming to be: its amount (minor units) takes nothing of a credit limit any more."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "released_minor": 47976}
    order: str
    released_minor: int


class CreditNoticeOwed(Event, name="credit.notice-owed", stream="customer"):
    """A decision about credit went against the customer because of a bureau's report, and the market's law wants the customer to be told by
    the day `owed_by`. A contact about `credit-notice` and the order settles it.
    """

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "reason": "CR-DEPOSIT", "owed_by": "2026-02-04"}
    order: str
    reason: str
    owed_by: str


class JourneyNoted(Event, name="customer.journey-noted", stream="customer"):
    """The customer tries something that no order has followed yet: an order that comes now follows it."""

    example = {"customer": "C-1001", "journey": "3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6"}
    customer: str
    journey: str


class JourneyEnded(Event, name="customer.journey-ended", stream="customer"):
    """What the customer tried has its order, is lost, or goes on as another journey: no later order follows it."""

    example = {"customer": "C-1001", "journey": "3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6"}
    customer: str
    journey: str


class ComplaintNoted(Event, name="customer.complaint-noted", stream="customer"):
    """The customer complained: the complaint has a stream of its own."""

    example = {"customer": "C-1001", "complaint": "0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f"}
    customer: str
    complaint: str
