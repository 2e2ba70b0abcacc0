"""Events of a complaint. What was said is personal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from o2c.kernel.event import Event, Pii, Upcast
from o2c.kernel.shapes import Done, FellOut, Requested

CLOCK = "complaint-clock"
"""The step by which a complaint may be taken outside."""
Topic = Literal["order", "delivery", "port", "service", "bill", "price", "privacy", "other"]
Channel = Literal["web", "app", "call", "chat", "store", "mail"]
Remedy = Literal["apology", "corrected", "credit", "free-period", "goods", "contract-ended", "none"]


class ComplaintRaised(Event, name="complaint.raised", stream="complaint"):
    """A customer said that something went wrong, in a channel, about a topic, and about an `order`, an `invoice` or a `fallout` of it where
    one is meant.

    `answer_by` is when it must have been answered and `outside_from` when the customer may go to the body outside, by the rules of the
    market: None where it knows no such time. The note of it is personal.
    """

    example = {
        "complaint": "0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f", "customer": "C-1001", "topic": "port", "channel": "web", "market": "GB@2026-01",
        "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "answer_by": None, "outside_from": "2026-03-02T09:00:00Z", "note": "the number never came",
    }  # fmt: skip
    complaint: str
    customer: str
    topic: str
    channel: str
    market: str
    order: str = ""
    invoice: str = ""
    fallout: str = ""
    answer_by: datetime | None = None
    outside_from: datetime | None = None
    note: Annotated[str, Pii("note")] = ""


class ComplaintAnswered(Event, name="complaint.answered", stream="complaint"):
    """The customer was answered, in a channel, with what is done about it or offered."""

    example = {"channel": "store", "remedy": "free-period", "note": "a month free"}
    channel: str
    remedy: str
    note: Annotated[str, Pii("note")] = ""


class ComplaintEscalated(Event, name="complaint.escalated", stream="complaint"):
    """The complaint went to somebody who may decide more: a team, by its name."""

    example = {"team": "care-management"}
    team: str


class ComplaintDeadlocked(Event, name="complaint.deadlocked", stream="complaint"):
    """The customer was told in a letter that we will do no more: he may go to the body outside at once."""

    example = {"body": "the operator's scheme for alternative dispute resolution"}
    body: str


class ComplaintResolved(Event, name="complaint.resolved", stream="complaint"):
    """The complaint is over, with what the customer got. Version 2 says which `account` was credited with it, and how much, in minor units
    of its currency; none where nothing was given by that. Version 3 says of which `product` a period is free; empty for an amount."""

    example = {
        "remedy": "free-period", "channel": "store", "account": "BA-1001", "amount_minor": 2220, "currency": "GBP",
        "product": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"account": "", "amount_minor": 0, "currency": ""}), Upcast(defaults={"product": ""}))
    remedy: str
    channel: str
    account: str = ""
    amount_minor: int = 0
    currency: str = ""
    product: str = ""


class OffersLoaded(Event, name="offers.loaded", stream="offers"):
    """From now on the operator's own offers to customers whom we let down are in force, in place of those before. `document` is the file as
    it was loaded (TOML)."""

    example = {
        "version": "own-1",
        "document": 'version = "own-1"\n[[offers]]\nname = "month-free"\nremedy = "free-period"\nwhen = ["complaint-open"]\nreason = "we are sorry"\nheld_out_percent = 10\n',
    }
    version: str
    document: str


class ComplaintClockRequested(Requested, name="complaint.clock-requested", step=CLOCK, stream="complaint"):
    """Unless it is resolved before, the customer may take the complaint outside when it is due."""

    example = {"item": "", "due_at": "2026-03-02T09:00:00Z"}


class ComplaintOpenedOutside(Done, name="complaint.opened-outside", step=CLOCK, stream="complaint"):
    """The time in which we had to resolve it is over: the customer may go to the body outside."""

    example = {"item": "", "body": "the operator's scheme for alternative dispute resolution"}
    body: str


class ComplaintClockFellOut(FellOut, name="complaint.clock-fell-out", step=CLOCK, stream="complaint"):
    """Whether a complaint may be taken outside could not be decided."""

    upcasts = ()
    example = {
        "item": "", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
