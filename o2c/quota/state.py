"""The quota and the prepaid money of an account, as a fold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.shapes import OfItem, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, noted
from o2c.quota.events import (
    PREPAID_EXPIRY,
    PrepaidExpired,
    PrepaidExpiryRequested,
    PrepaidReturned,
    PrepaidToppedUp,
    PrepaidUsageCharged,
    QuotaCommitted,
    QuotaReleased,
    QuotaReserved,
)

PERIODS_KEPT = 2
_LAST_OF_THE_DAY = 10


@dataclass(frozen=True, slots=True)
class Hold:
    """Units that are held for a session since `began_at`, until `valid_until`; `owner` is the line, as `ORDER/ITEM`."""

    session: str
    request: int
    owner: str
    party: str
    usage: str
    zone: str
    band: str
    unit: str
    granted: int
    began_at: datetime
    valid_until: datetime
    placed_by: str = ""


@dataclass(frozen=True, slots=True)
class TopUp:
    """What is left of a top-up, in minor units, when it expires (None: never), and how it was paid."""

    reference: str
    amount_minor: int
    left_minor: int
    expires_at: datetime | None
    method: str = ""


@dataclass(frozen=True, slots=True)
class QuotaState:
    """Reservations by session, and the prepaid money; `paid` is what the usage of each of the last periods was paid with: its first day,
    net and tax in minor units; `unpaid` is what the balance could not pay of it. `expiry_at` is when something is to expire that was asked
    for (None: nothing was); `returned` is what went back to its customer, the first first."""

    account: str = ""
    customer: str = ""
    currency: str = ""
    market: str = ""
    holds: dict[str, Hold] = field(default_factory=dict)
    top_ups: tuple[TopUp, ...] = ()
    paid: dict[str, tuple[int, int]] = field(default_factory=dict)
    unpaid: dict[str, int] = field(default_factory=dict)
    expiry_at: datetime | None = None
    records: dict[str, Record] = field(default_factory=dict)
    returned: tuple[PrepaidReturned, ...] = ()

    def balance_minor(self, at: datetime) -> int:
        """What there is to pay with at a time: top-ups that are too old by then are no money any more."""
        return sum(one.left_minor for one in self.top_ups if one.expires_at is None or at < one.expires_at)

    def held(self, at: datetime, *, but: str = "") -> list[Hold]:
        """The reservations that hold units at a time, but that of a session."""
        return [hold for hold in self.holds.values() if at < hold.valid_until and hold.session != but]


def stream_of(account: str) -> str:
    """Give the name of the stream of an account's quota."""
    return f"quota-{account}"


def evolve(state: QuotaState, event: Event) -> QuotaState:
    match event:
        case QuotaReserved():
            return _reserved(state, event)
        case QuotaCommitted():
            return _charged(changed(state, holds=_without(state.holds, event.session)), event)
        case PrepaidUsageCharged():
            return _charged(changed(state, account=event.account, customer=event.customer), event)
        case QuotaReleased():
            return changed(state, holds=_without(state.holds, event.session))
        case PrepaidToppedUp():
            top_up = TopUp(event.reference, event.amount_minor, event.amount_minor, event.expires_at, event.method)
            named = {"account": event.account, "customer": event.customer, "currency": event.currency, "market": event.market}
            return changed(state, **named, top_ups=(*state.top_ups, top_up))
        case PrepaidReturned():
            return changed(state, top_ups=_used_up(state.top_ups, event.references), returned=(*state.returned, event))
    return _of_expiry(state, event) if isinstance(event, OfItem) else state


def _of_expiry(state: QuotaState, event: OfItem) -> QuotaState:
    state = changed(state, records=noted(state.records, event, step_of(event)))
    if isinstance(event, PrepaidExpiryRequested):
        return changed(state, expiry_at=event.due_at)
    if isinstance(event, PrepaidExpired):
        return changed(state, top_ups=_used_up(state.top_ups, event.references), expiry_at=None, records={})
    return state


def _used_up(top_ups: tuple[TopUp, ...], references: tuple[str, ...]) -> tuple[TopUp, ...]:
    return tuple(changed(one, left_minor=0) if one.reference in references else one for one in top_ups)


def _without(holds: dict[str, Hold], *sessions: str) -> dict[str, Hold]:
    return {session: hold for session, hold in holds.items() if session not in sessions}


def _reserved(state: QuotaState, event: QuotaReserved) -> QuotaState:
    told = (event.usage, event.zone, event.band, event.unit, event.granted)
    hold = Hold(
        event.session, event.request, f"{event.order}/{event.item}", event.party, *told, event.began_at, event.valid_until, event.placed_by
    )
    holds = {**_without(state.holds, *event.lapsed), event.session: hold}
    return changed(state, account=event.account, customer=event.customer, holds=holds)


def _charged(state: QuotaState, event: QuotaCommitted | PrepaidUsageCharged) -> QuotaState:
    net, tax = state.paid.get(event.period_from, (0, 0))
    paid = {**state.paid, event.period_from: (net + event.charged_minor - event.tax_minor, tax + event.tax_minor)}
    kept = dict(sorted(paid.items())[-PERIODS_KEPT:]) if event.charged_minor else state.paid
    top_ups = spent(state.top_ups, event.charged_minor) if event.charged_minor else state.top_ups
    unpaid = dict(sorted({**state.unpaid, event.period_from: event.uncharged_minor}.items())[-PERIODS_KEPT:])
    return changed(state, top_ups=top_ups, paid=kept, unpaid=unpaid)


def spent(top_ups: tuple[TopUp, ...], amount_minor: int) -> tuple[TopUp, ...]:
    """Give what is left of top-ups after an amount was paid with them: that which expires first pays first, then the earlier one."""
    order = sorted(range(len(top_ups)), key=lambda place: (top_ups[place].expires_at or NEVER, place))
    left = list(top_ups)
    for place in order:
        part = min(amount_minor, left[place].left_minor)
        if part:
            left[place], amount_minor = changed(left[place], left_minor=left[place].left_minor - part), amount_minor - part
    return tuple(left)


def expiring_at(state: QuotaState) -> datetime | None:
    """Give when the next of what is left expires; None when nothing does."""
    return min((one.expires_at for one in state.top_ups if one.left_minor and one.expires_at), default=None)


def advance(state: QuotaState, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    """Ask for the next expiry of what is left, and for an earlier one where a later top-up expires first."""
    due_at = expiring_at(state)
    if due_at is None or (state.expiry_at is not None and state.expiry_at <= due_at):
        return NOTHING
    work = quota_work(state, stream_of(state.account), "", PREPAID_EXPIRY, book)
    return cast("Decision", book.steps[PREPAID_EXPIRY].request(work, at, due_at=due_at))


def agenda(state: Any, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the expiry on the agenda, after everything else that is due at the same time."""
    return by_shape(stream, event, priority=_LAST_OF_THE_DAY, since=NEVER)


def quota_work(state: QuotaState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of the expiry of prepaid money, under the market of the account."""
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=book.market(state.market))


KIND = StreamKind(
    category="quota",
    shape_version=4,
    state_type=QuotaState,
    initial=lambda _: QuotaState(),
    evolve=evolve,
    agenda=agenda,
    advance=advance,
    work=quota_work,
    owner=lambda state: (None, state.customer or None),
)
