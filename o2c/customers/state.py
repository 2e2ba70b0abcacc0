"""A customer as a fold of its stream: its papers, and how it stands with credit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from o2c.customers.events import (
    AccountPlaced,
    CreditCommitted,
    CreditDecided,
    CreditNoticeOwed,
    CreditReleased,
    CustomerContacted,
    CustomerPreferencesStated,
    CustomerRegistered,
    JourneyEnded,
    JourneyNoted,
)
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind

V = TypeVar("V")
CREDIT_NOTICE = "credit-notice"
"""The topic of the contact by which a customer is told of a decision about credit that went against it."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an order commits to, in minor units, up to but not including a day (ISO)."""

    amount_minor: int
    currency: str
    runs_to: str


@dataclass(frozen=True, slots=True)
class Credit:
    """How a customer stands with credit.

    `reports` holds the bureau's last answer by currency, `searches` counts all answers. `commitments` and `notices` (those that are owed,
    with the day by which) stand under the order.
    """

    reports: dict[str, CreditDecided] = field(default_factory=dict, repr=False)
    searches: int = 0
    commitments: dict[str, Commitment] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)

    def used_minor(self, currency: str, on: str, *, but: str = "") -> int:
        """Give what all orders commit to that still runs on a day (ISO), without that of the order `but`."""
        running = (one for order, one in self.commitments.items() if order != but and one.currency == currency and one.runs_to > on)
        return sum(one.amount_minor for one in running)


@dataclass(frozen=True, slots=True)
class CustomerState:
    """A customer as last registered; `papers` is None before that. Of contacts only those about credit leave a trace, for no rule reads
    others. `journeys` are those that an order may still follow. `placed` are the accounts that have a place in its hierarchy, the first
    placed first."""

    papers: CustomerRegistered | None = None
    credit: Credit = Credit()
    journeys: tuple[str, ...] = ()
    preferences: CustomerPreferencesStated | None = None
    placed: dict[str, AccountPlaced] = field(default_factory=dict, repr=False)

    @property
    def is_business(self) -> bool:
        """Whether it is registered as an organisation, and not as an individual."""
        return self.papers is not None and self.papers.kind == "organisation"


def stream_of(customer: str) -> str:
    """Give the name of a customer's stream: `customer-` and the party's id."""
    return f"customer-{customer}"


def tier_of(state: CustomerState | None) -> str:
    """Give the tier of a customer as registered; empty for one who is not."""
    return state.papers.tier if state and state.papers else ""


def evolve(state: CustomerState, event: Event) -> CustomerState:
    if isinstance(event, CustomerRegistered):
        return changed(state, papers=event)
    if isinstance(event, JourneyNoted | JourneyEnded):
        others = tuple(journey for journey in state.journeys if journey != event.journey)
        return changed(state, journeys=(*others, event.journey) if isinstance(event, JourneyNoted) else others)
    if isinstance(event, CustomerPreferencesStated):
        return changed(state, preferences=event)
    if isinstance(event, AccountPlaced):
        return changed(state, placed={**state.placed, event.account: event})
    credit = _credit(state.credit, event)
    return state if credit is state.credit else changed(state, credit=credit)


def _credit(credit: Credit, event: Event) -> Credit:
    match event:
        case CreditDecided():
            decided = changed(credit, searches=credit.searches + 1, reports={**credit.reports, event.currency: event})
            return _committed(decided, event) if event.committed_minor else decided
        case CreditCommitted():
            return _committed(credit, event)
        case CreditReleased():
            return _released(credit, event)
        case CreditNoticeOwed():
            return changed(credit, notices={**credit.notices, event.order: event.owed_by})
        case CustomerContacted(topic=topic, order=order) if topic == CREDIT_NOTICE and order in credit.notices:
            return changed(credit, notices=_without(credit.notices, order))
    return credit


def _committed(credit: Credit, event: CreditDecided | CreditCommitted) -> Credit:
    commitment = Commitment(event.committed_minor, event.currency, event.committed_to)
    return changed(credit, commitments={**credit.commitments, event.order: commitment})


def _released(credit: Credit, event: CreditReleased) -> Credit:
    before = credit.commitments.get(event.order)
    if before is None:
        return credit
    left = changed(before, amount_minor=before.amount_minor - event.released_minor)
    commitments = {**credit.commitments, event.order: left} if left.amount_minor > 0 else _without(credit.commitments, event.order)
    return changed(credit, commitments=commitments)


def _without(entries: Mapping[str, V], key: str) -> dict[str, V]:
    return {name: value for name, value in entries.items() if name != key}


def owner(state: CustomerState) -> tuple[str | None, str | None]:
    """Name no order and this customer for the envelope."""
    return None, state.papers.customer if state.papers else None


KIND = StreamKind(
    category="customer", shape_version=5, state_type=CustomerState, initial=lambda _: CustomerState(), evolve=evolve, owner=owner
)
