"""A journey as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from o2c.journeys.events import (
    IncentiveGiven,
    JourneyFollowed,
    JourneyIdentified,
    JourneyJoined,
    JourneyLinked,
    JourneyLookRequested,
    JourneyLost,
    JourneyOrdered,
    JourneySetApart,
    JourneyStarted,
    OfAttempt,
    OutreachMade,
    OutreachOpened,
    ProspectKeyOpened,
    ProspectsForgotten,
)
from o2c.journeys.policy import Loaded
from o2c.journeys.policy_events import JourneyPolicyLoaded
from o2c.kernel.agenda import NEVER, AgendaChange, Dropped, by_shape
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.shapes import OfItem, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, noted

Status = Literal["", "open", "ordered", "recovered", "lost", "followed"]
_AFTER_ORDERS = 8
_NO_TIME = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Outreach:
    """Getting in touch with somebody whom something failed: when, with an incentive of up to how much (minor units), how often it was
    tried, and the last `outcome`. `code` is the voucher that was promised."""

    open_from: datetime
    open_until: datetime
    budget_minor: int
    currency: str
    made: int = 0
    outcome: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class JourneyState:
    """A journey: `status` is empty before it began, open, ordered or recovered (an order followed), lost, or followed (it goes on in
    `into`).

    `attempts` counts what was tried, with what was tried in journeys that joined it, `failed` those of them that failed. `last_at` and
    `failed_at` are when something was tried, and failed, last; `look_at` is when it is lost unless something follows. `identities` are the
    digests by what they are.
    """

    journey: str = ""
    status: Status = ""
    market: str = ""
    began_at: datetime = _NO_TIME
    ends_by: datetime = _NO_TIME
    look_at: datetime = _NO_TIME
    identities: dict[str, str] = field(default_factory=dict, repr=False)
    into: str = ""
    joined: tuple[str, ...] = ()
    customer: str = ""
    apart: str = ""
    attempts: int = 0
    failed: int = 0
    last_at: datetime = _NO_TIME
    failed_at: datetime | None = None
    channels: tuple[str, ...] = ()
    offerings: tuple[str, ...] = ()
    value_minor: int = 0
    currency: str = ""
    outreach: Outreach | None = None
    order: str = ""
    records: dict[str, Record] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether an order may still follow."""
        return self.status == "open"


def evolve(state: JourneyState, event: Event) -> JourneyState:
    """Fold one event."""
    match event:
        case JourneyStarted():
            begun = {"journey": event.journey, "market": event.market, "began_at": event.began_at, "ends_by": event.ends_by}
            return changed(state, status="open", **begun)
        case OfAttempt():
            return _attempted(state, event)
        case JourneyIdentified():
            return changed(state, identities={**state.identities, event.what: event.digest})
        case JourneyJoined():
            counts = {"attempts": state.attempts + event.attempts, "failed": state.failed + event.failed}
            return changed(state, joined=(*state.joined, event.journey), **counts)
        case JourneyFollowed():
            return changed(state, status="followed", into=event.into)
        case JourneyLinked():
            return changed(state, customer=event.customer)
        case JourneySetApart():
            return changed(state, apart=event.apart)
        case JourneyOrdered():
            return changed(state, status="recovered" if event.recovered else "ordered", order=event.order, customer=event.customer)
        case OutreachOpened() | OutreachMade() | IncentiveGiven():
            return changed(state, outreach=_reached(state.outreach, event))
    return _of_look(state, event) if isinstance(event, OfItem) else state


def _attempted(state: JourneyState, event: OfAttempt) -> JourneyState:
    told = (
        {"offerings": event.offerings, "value_minor": event.value_minor, "currency": event.currency}
        if event.offerings or event.value_minor
        else {}
    )
    return changed(
        state,
        attempts=state.attempts + 1,
        failed=state.failed + event.failed,
        last_at=event.tried_at,
        failed_at=event.tried_at if event.failed else state.failed_at,
        channels=tuple(dict.fromkeys((*state.channels, event.channel))),
        **told,
    )


def _reached(outreach: Outreach | None, event: OutreachOpened | OutreachMade | IncentiveGiven) -> Outreach | None:
    if isinstance(event, OutreachOpened):
        return Outreach(event.open_from, event.open_until, event.budget_minor, event.currency)
    if outreach is None:
        return None
    if isinstance(event, OutreachMade):
        return changed(outreach, made=outreach.made + 1, outcome=event.outcome)
    return changed(outreach, code=event.code)


def _of_look(state: JourneyState, event: OfItem) -> JourneyState:
    state = changed(state, records=noted(state.records, event, step_of(event)))
    if isinstance(event, JourneyLookRequested):
        return changed(state, look_at=event.due_at)
    return changed(state, status="lost", records={}) if isinstance(event, JourneyLost) else state


def agenda(state: JourneyState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the look on the agenda, which what follows takes off it."""
    if isinstance(event, JourneyOrdered | JourneyFollowed):
        return (Dropped(stream, "", JourneyLost.step_name),)
    return by_shape(stream, event, priority=_AFTER_ORDERS, since=state.began_at)


def journey_work(state: JourneyState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of the look at a journey."""
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=book.market(state.market))


def _owner(state: JourneyState) -> tuple[str | None, str | None]:
    return state.order or None, state.customer or None


KIND = StreamKind(
    category="journey",
    shape_version=1,
    state_type=JourneyState,
    initial=lambda _: JourneyState(),
    evolve=evolve,
    agenda=agenda,
    work=journey_work,
    owner=_owner,
)


@dataclass(frozen=True, slots=True)
class ProspectsState:
    """The key of a day: its name and market, and whether it is gone."""

    key: str = ""
    market: str = ""
    forgotten: bool = False
    records: dict[str, Record] = field(default_factory=dict)


def evolve_prospects(state: ProspectsState, event: Event) -> ProspectsState:
    """Fold one event."""
    if not isinstance(event, OfItem):
        return state
    state = changed(state, records=noted(state.records, event, step_of(event)))
    if isinstance(event, ProspectKeyOpened):
        return changed(state, key=event.key, market=event.market)
    return changed(state, forgotten=True, records={}) if isinstance(event, ProspectsForgotten) else state


def agenda_of_prospects(state: ProspectsState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the end of the key on the agenda."""
    return by_shape(stream, event, priority=_AFTER_ORDERS, since=NEVER)


def prospects_work(state: ProspectsState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of letting a key go."""
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=book.market(state.market))


PROSPECTS = StreamKind(
    category="prospects",
    shape_version=1,
    state_type=ProspectsState,
    initial=lambda _: ProspectsState(),
    evolve=evolve_prospects,
    agenda=agenda_of_prospects,
    work=prospects_work,
)

POLICY_STREAM = "journeys-main"
"""The one stream of the operator's own policy for journeys."""


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The files of the policy that were loaded, the oldest first."""

    loaded: tuple[Loaded, ...] = ()


def evolve_policy(state: PolicyState, event: Event) -> PolicyState:
    """Fold one event."""
    return PolicyState((*state.loaded, (event.since.isoformat(), event.document))) if isinstance(event, JourneyPolicyLoaded) else state


POLICY = StreamKind(category="journeys", shape_version=2, state_type=PolicyState, initial=lambda _: PolicyState(), evolve=evolve_policy)
