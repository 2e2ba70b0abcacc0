"""Complaints, and the context of a customer for whoever speaks to him next, as they are shown."""

from typing import NotRequired, TypedDict

from o2c.views.shown.customers import PromisedShown
from o2c.views.shown.fallouts import FalloutShown
from o2c.views.shown.journeys import JourneyShown
from o2c.views.shown.orders import OrderOfCustomer


class ComplaintShown(TypedDict):
    """A complaint: `state` is open, answered or resolved; `outside` says that the customer may go to the body outside, `outside_from` from
    when at the latest."""

    complaint: str
    customer: str
    topic: str
    state: str
    channels: list[str]
    raised_at: str
    answer_by: str | None
    outside_from: str | None
    outside: bool
    answers: int
    team: str
    remedy: str
    order: str
    invoice: str
    fallout: str
    note: NotRequired[str | None]


class StepOfComplaint(TypedDict):
    """Something that happened about a complaint: where (empty for nowhere), by whom, with what remedy, to which team, how much an account
    was credited with (0 for nothing), and of which product a period is free for that (empty for none)."""

    at: str
    type: str
    channel: str
    actor: str
    remedy: str
    team: str
    account: str
    amount_minor: int
    currency: str
    product: str
    note: NotRequired[str]


class ComplaintPage(ComplaintShown):
    """One complaint with everything that happened about it, the first thing first."""

    steps: list[StepOfComplaint]


class OfferShown(TypedDict):
    """An offer in force: what may be offered when all of the grounds are there, and what share of the customers never gets it; by the
    version of the file."""

    offer: str
    remedy: str
    when: list[str]
    reason: str
    held_out_percent: int
    version: str


class OfferDueShown(TypedDict):
    """What may be offered to the customer, and why."""

    offer: str
    remedy: str
    reason: str


class ContextShown(TypedDict):
    """What whoever speaks to a customer next should know: what is open, what was broken, and what may be offered."""

    customer: str
    journeys: list[JourneyShown]
    orders: list[OrderOfCustomer]
    open_fallouts: list[FalloutShown]
    complaints: list[ComplaintShown]
    broken_promises: list[PromisedShown]
    offers: list[OfferDueShown]


class OfferEffectShown(TypedDict):
    """What an offer comes to: customers for whom there were grounds at least `days` ago, how many of them ended a product within those
    days, and the same of those who were held out of it. `kept_points` is by how many percentage points fewer left with the offer: None
    where one of the groups is empty."""

    offer: str
    remedy: str
    days: int
    eligible: int
    left: int
    held_out: int
    held_out_left: int
    kept_points: str | None
