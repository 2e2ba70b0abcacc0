"""When units are granted to a session, what of them was used, and when prepaid money comes, pays, expires and goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from o2c.kernel.balances import PrepaidOwed, RefundReserved
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.money import from_minor, half_up
from o2c.kernel.periods import local_date, stamp
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.markets.base import Market, tax_percent, working_day_after
from o2c.markets.currencies import converted_minor
from o2c.quota.events import (
    PREPAID_EXPIRY,
    PrepaidExpired,
    PrepaidReturned,
    PrepaidToppedUp,
    PrepaidUsageCharged,
    QuotaCommitted,
    QuotaDenied,
    QuotaReleased,
    QuotaReserved,
)
from o2c.quota.state import Hold, QuotaState, TopUp, spent
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
    """Pay from the prepaid balance for what came beside the sessions, as far as that goes, and say what it could not pay; nothing new
    changes nothing.

    `cost` is what the prepaid usage of the period comes to with it.
    """
    payment = _payment(state, cost, period_from, at)
    if not payment["charged_minor"] and payment["uncharged_minor"] == state.unpaid.get(period_from, 0):
        return NOTHING
    over = _expired(state, at)
    charged = PrepaidUsageCharged(account=account, customer=customer, currency=currency, period_from=period_from, **payment)
    return just(*((over,) if over.references else ()), charged)


def _payment(state: QuotaState, cost: Cost, period_from: str, at: datetime) -> dict[str, int]:
    """What the balance pays of what a period's usage costs beyond what was paid for it, and what it cannot pay; it never falls below
    zero."""
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


@dataclass(frozen=True, slots=True)
class Leaver:
    """Who asks to have prepaid money back: an account, the lines that it could still pay for (`serving`, as ORDER/ITEM), and the local day
    on which the last of them ended (empty: there never was one)."""

    account: str
    customer: str
    serving: Sequence[str]
    left_on: str


def give_back(
    state: QuotaState, leaver: Leaver, market: Market, give: Callable[[tuple[PrepaidOwed, ...], str], Decision], *, at: datetime
) -> Decision:
    """Give back what is left of prepaid money to a customer who is served no more and asks for it, less what the contract says that this
    costs; once.

    `give` says what the account does that is to pay back what it owes from a local day on. Nothing where all of it went back before. Raises
    Refused: conflict (a line can still use it, a session holds units, the refund costs all of it), missing (nothing is left). Source: the
    `source` of the market's rules for it.
    """
    _refuse_in_use(state, leaver, at)
    left = [one for one in state.top_ups if one.left_minor and (one.expires_at is None or at < one.expires_at)]
    if not left:
        if state.returned:
            return NOTHING
        raise Refused(
            f"account {leaver.account}: nothing is left of prepaid money; see `o2c prepaid show {leaver.account}`", kind="missing"
        )
    today, amount_minor = local_date(at, market.zone), sum(one.left_minor for one in left)
    fee_minor = _fee(market, state.currency, today)
    if fee_minor >= amount_minor:
        has, costs = (from_minor(minor, state.currency) for minor in (amount_minor, fee_minor))
        raise Refused(f"account {leaver.account}: {has} is left, and by the contract a refund costs {costs}", kind="conflict")
    of = {"account": leaver.account, "customer": leaver.customer, "currency": state.currency}
    owed = _owed(of, left, fee_minor)
    given = give(owed, today.isoformat())
    returned = PrepaidReturned(
        **of,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        tax_minor=_tax_within(market, fee_minor, today),
        references=tuple(one.reference for one in left),
        refunds=tuple(event.refund for event in given.events if isinstance(event, RefundReserved)),
        left_on=leaver.left_on,
        asked_on=today.isoformat(),
        refund_by=_refund_by(market, today),
    )
    over, whose = _expired(state, at), account_stream(leaver.account)
    told = (over, returned) if over.references else (returned,)
    return Decision(told, (*((whose, event) for event in (*owed, *given.events)), *given.elsewhere))


def _refuse_in_use(state: QuotaState, leaver: Leaver, at: datetime) -> None:
    """Raises Refused (conflict) while prepaid money may have to pay for something."""
    if leaver.serving:
        raise Refused(
            f"account {leaver.account}: line {leaver.serving[0]} is served still, and its prepaid money pays for that; ask again once it has ended or its number has left",
            kind="conflict",
        )
    if holds := state.held(at):
        until = stamp(max(hold.valid_until for hold in holds))
        raise Refused(f"account {leaver.account}: session {holds[0].session[:60]} holds units; ask again after {until}", kind="conflict")


def _fee(market: Market, currency: str, on: date) -> int:
    fee_minor = market.usage.prepaid_refund.fee_minor
    return converted_minor(fee_minor, market.currency, currency, on) if fee_minor else 0


def _owed(of: Mapping[str, Any], left: Sequence[TopUp], fee_minor: int) -> tuple[PrepaidOwed, ...]:
    """What is owed of each top-up, once the fee is taken off those that would have paid first."""
    rest = (one for one in spent(tuple(left), fee_minor) if one.left_minor)
    return tuple(PrepaidOwed(**of, amount_minor=one.left_minor, method=one.method, reference=one.reference) for one in rest)


def _tax_within(market: Market, gross_minor: int, on: date) -> int:
    """The tax in an amount that includes it, at the standard rate: a fee is for a supply of ours [M]."""
    rate = Fraction(tax_percent(market, "standard", on))
    return half_up(gross_minor * rate / (100 + rate))


def _refund_by(market: Market, asked_on: date) -> str:
    rules = market.usage.prepaid_refund
    if not rules.days:
        return ""
    by = working_day_after(market.calendar, asked_on, rules.days) if rules.working_days else asked_on + timedelta(days=rules.days)
    return by.isoformat()


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
