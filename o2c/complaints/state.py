"""A complaint as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from o2c.complaints.events import (
    CLOCK,
    ComplaintAnswered,
    ComplaintDeadlocked,
    ComplaintEscalated,
    ComplaintOpenedOutside,
    ComplaintRaised,
    ComplaintResolved,
    OffersLoaded,
)
from o2c.kernel.agenda import NEVER, AgendaChange, Dropped, by_shape
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.shapes import OfItem, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, noted

Status = Literal["", "open", "answered", "resolved"]
_AFTER_ORDERS = 8


@dataclass(frozen=True, slots=True)
class ComplaintState:
    """A complaint as it was raised, and how it stands: open, answered (the customer has not said that it is over) or resolved. `outside`
    says that the customer may go to the body outside, `team` to whom it was escalated, `remedy` what was offered or given last, and
    `given_minor` how much of it an account was credited with, for a period of `free` where that is a product. `channels` are all in which
    it was spoken of."""

    raised: ComplaintRaised | None = None
    status: Status = ""
    answers: int = 0
    team: str = ""
    remedy: str = ""
    given_minor: int = 0
    free: str = ""
    outside: bool = False
    channels: tuple[str, ...] = ()
    records: dict[str, Record] = field(default_factory=dict)


def stream_of(complaint: str) -> str:
    """Give the name of a complaint's stream: `complaint-` and its id."""
    return f"complaint-{complaint}"


def evolve(state: ComplaintState, event: Event) -> ComplaintState:
    """Fold one event."""
    match event:
        case ComplaintRaised():
            return changed(state, raised=event, status="open", channels=(event.channel,))
        case ComplaintAnswered():
            told = {"status": "answered", "answers": state.answers + 1, "remedy": event.remedy}
            return changed(state, channels=_with(state, event.channel), **told)
        case ComplaintEscalated():
            return changed(state, team=event.team)
        case ComplaintDeadlocked():
            return changed(state, outside=True)
        case ComplaintResolved():
            told = {"status": "resolved", "remedy": event.remedy, "given_minor": event.amount_minor, "free": event.product}
            return changed(state, channels=_with(state, event.channel), **told)
    if not isinstance(event, OfItem):
        return state
    state = changed(state, records=noted(state.records, event, step_of(event)))
    return changed(state, outside=True, records={}) if isinstance(event, ComplaintOpenedOutside) else state


def _with(state: ComplaintState, channel: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*state.channels, channel)))


def agenda(state: ComplaintState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the clock on the agenda; what ends the complaint, or opens the way outside before, takes it off."""
    if isinstance(event, ComplaintResolved | ComplaintDeadlocked):
        return (Dropped(stream, "", CLOCK),)
    return by_shape(stream, event, priority=_AFTER_ORDERS, since=NEVER)


def complaint_work(state: ComplaintState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of the clock of a complaint, under the market in which it was raised."""
    pin = state.raised.market if state.raised else ""
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=book.market(pin))


def owner(state: ComplaintState) -> tuple[str | None, str | None]:
    """Name the order and the customer for the envelope."""
    return (state.raised.order or None, state.raised.customer) if state.raised else (None, None)


KIND = StreamKind(
    category="complaint",
    shape_version=3,
    state_type=ComplaintState,
    initial=lambda _: ComplaintState(),
    evolve=evolve,
    agenda=agenda,
    work=complaint_work,
    owner=owner,
)

OFFERS_STREAM = "offers-main"
"""The one stream of the operator's own offers."""


@dataclass(frozen=True, slots=True)
class OffersState:
    """The files of offers that were loaded, as text, the oldest first; the last one is in force."""

    documents: tuple[str, ...] = ()


def evolve_offers(state: OffersState, event: Event) -> OffersState:
    """Fold one event."""
    return OffersState((*state.documents, event.document)) if isinstance(event, OffersLoaded) else state


OFFERS = StreamKind(category="offers", shape_version=1, state_type=OffersState, initial=lambda _: OffersState(), evolve=evolve_offers)
