"""When units are granted to a session, what of them was used, and when prepaid money comes, pays and expires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.quota.events import (
    PREPAID_EXPIRY,
    PrepaidExpired,
    PrepaidToppedUp,
    PrepaidUsageCharged,
    QuotaCommitted,
    QuotaDenied,
    QuotaReleased,
    QuotaReserved,
)
from o2c.quota.state import Hold, QuotaState
from o2c.rating.room import Cost, Room

KEPT_LAPSED = timedelta(days=1)
"""How long a reservation that is not valid any more is remembered, so that what was used under it can still be committed."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks in which request of a session, for which line and kind of usage; `unit` is the base unit of `wanted`."""

    account: str
    customer: str
    owner: str
    party: str
    session: str
    request: int
    usage: str
    zone: str
    band: str
    unit: str
    wanted: int
    placed_by: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """What the events of it say alike."""
        return {
            "account": self.account, "customer": self.customer, "session": self.session, "request": self.request, "usage": self.usage,
            "zone": self.zone, "band": self.band, "unit": self.unit, "wanted": self.wanted,
        }  # fmt: skip


def reserve(state: QuotaState, asking: Asking, room: Room, *, valid: timedelta, at: datetime) -> Decision:
    """Hold what there is room for, for as long as it is valid; deny it where there is none."""
    if room.why:
        return just(QuotaDenied(**asking.told, why=room.why))
    order, _, item = asking.owner.rpartition("/")
    lapsed = tuple(hold.session for hold in state.holds.values() if hold.valid_until + KEPT_LAPSED <= at and hold.session != asking.session)
    line: dict[str, Any] = {
        "order": order,
        "item": item,
        "party": asking.party,
        "began_at": at,
        "valid_until": at + valid,
        "lapsed": lapsed,
        "placed_by": asking.placed_by,
    }
    return just(QuotaReserved(**asking.told, **line, granted=room.granted, final_unit=room.final))


def hold_of(state: QuotaState, session: str) -> Hold:
    """Give what is held for a session, or was until lately. Raises Refused (missing) when nothing is."""
    hold = state.holds.get(session)
    if hold is None:
        raise Refused(
            f"session {session[:60]} holds no units; reserve some first, or send what was used with `usage take` under the session as its key",
            kind="missing",
        )
    return hold


def commit(
    state: QuotaState, hold: Hold, *, request: int, used: int, cost: Cost, period_from: str, currency: str, at: datetime
) -> Decision:
    """Record what was used of what a session held, and pay for it from the prepaid balance as far as that goes; it never falls below zero.

    `cost` is what the prepaid usage of the period comes to with it.
    """
    over = _expired(state, at)
    return just(
        *((over,) if over.references else ()),
        QuotaCommitted(
            account=state.account,
            customer=state.customer,
            session=hold.session,
            request=request,
            unit=hold.unit,
            used=used,
            freed=max(hold.granted - used, 0),
            currency=currency,
            period_from=period_from,
            **_payment(state, cost, period_from, at),
        ),
    )


def charge_records(
    state: QuotaState, *, account: str, customer: str, cost: Cost, period_from: str, currency: str, at: datetime
) -> Decision:
    """Pay from the prepaid balance for what came beside the sessions, as far as that goes, and say what it could not pay; nothing new changes nothing.

    `cost` is what the prepaid usage of the period comes to with it.
    """
    payment = _payment(state, cost, period_from, at)
    if not payment["charged_minor"] and payment["uncharged_minor"] == state.unpaid.get(period_from, 0):
        return NOTHING
    over = _expired(state, at)
    charged = PrepaidUsageCharged(account=account, customer=customer, currency=currency, period_from=period_from, **payment)
    return just(*((over,) if over.references else ()), charged)


def _payment(state: QuotaState, cost: Cost, period_from: str, at: datetime) -> dict[str, int]:
    """What the balance pays of what a period's usage costs beyond what was paid for it, and what it cannot pay; it never falls below zero."""
    left_minor, paid = state.balance_minor(at), Cost(*state.paid.get(period_from, (0, 0)))
    due, charge = cost.over(paid, max(cost.gross_minor, 0)), cost.over(paid, left_minor)
    return {
        "charged_minor": charge.gross_minor,
        "tax_minor": charge.tax_minor,
        "balance_minor": left_minor - charge.gross_minor,
        "uncharged_minor": due.gross_minor - charge.gross_minor,
    }


def release(state: QuotaState, *, session: str, request: int) -> Decision:
    """Let go what is held for a session of which nothing was used; what is free already changes nothing."""
    if session not in state.holds:
        return NOTHING
    return just(QuotaReleased(account=state.account, customer=state.customer, session=session, request=request))


def top_up(state: QuotaState, topped_up: PrepaidToppedUp) -> Decision:
    """Take money in that pays for usage; the same reference is the same payment. Raises Refused: usage, conflict (another amount)."""
    if topped_up.amount_minor <= 0:
        raise Refused(f"account {topped_up.account}: a top-up is more than nothing; say how much came")
    for known in state.top_ups:
        if known.reference == topped_up.reference:
            if known.amount_minor != topped_up.amount_minor:
                raise Refused(f"account {topped_up.account}: a top-up of that reference came with another amount", kind="conflict")
            return NOTHING
    return just(topped_up)


def expire(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Let expire what is left of the top-ups that are too old."""
    return just(_expired(work.state, at))


def _expired(state: QuotaState, at: datetime) -> PrepaidExpired:
    """What is too old at a time and can pay for nothing any more."""
    over = [one for one in state.top_ups if one.left_minor and one.expires_at is not None and one.expires_at <= at]
    record = state.records.get(PREPAID_EXPIRY)
    return PrepaidExpired(
        attempt=record.attempt if record else 1,
        account=state.account,
        currency=state.currency,
        amount_minor=sum(one.left_minor for one in over),
        references=tuple(one.reference for one in over),
    )
