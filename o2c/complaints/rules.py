"""When a complaint is raised, answered, escalated and resolved, and when it may be taken outside.

Source: the rules of each market for complaints (`markets/care.py`); for Great Britain the Ofcom Approved Complaints Code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, get_args

from o2c.complaints.events import (
    Channel,
    ComplaintAnswered,
    ComplaintClockRequested,
    ComplaintDeadlocked,
    ComplaintEscalated,
    ComplaintOpenedOutside,
    ComplaintRaised,
    ComplaintResolved,
    OffersLoaded,
    Remedy,
    Topic,
)
from o2c.complaints.offers import checked
from o2c.complaints.state import ComplaintState, OffersState
from o2c.customers.events import ComplaintNoted
from o2c.customers.state import CustomerState
from o2c.customers.state import stream_of as customer_stream
from o2c.kernel.balances import GoodwillGiven
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.markets.care import ComplaintRules

TOPICS: tuple[str, ...] = get_args(Topic)
CHANNELS: tuple[str, ...] = get_args(Channel)
REMEDIES: tuple[str, ...] = get_args(Remedy)
GIVEN = ("credit", "free-period")
"""The remedies that an account can be credited with."""


def raise_complaint(
    state: ComplaintState, raised: ComplaintRaised, known: CustomerState | None, *, at: datetime, clock: ComplaintRules
) -> Decision:
    """Take a complaint down, by the clock of its market; nothing when it was raised so.

    Raises Refused: missing (the customer is not registered), usage (no such topic or channel), conflict (its id is another complaint's).
    """
    _said(("topic", raised.topic, TOPICS), ("channel", raised.channel, CHANNELS))
    if known is None or known.papers is None:
        raise Refused(f"no customer {raised.customer}; a complaint is a registered customer's, register this one first", kind="missing")
    if state.raised is not None:
        if state.raised.model_copy(update={"answer_by": None, "outside_from": None}) != raised:
            raise Refused(f"complaint {raised.complaint} was raised otherwise; it stands as it is", kind="conflict")
        return NOTHING
    answer_by = at + timedelta(days=clock.answer_days) if clock.answer_days else None
    outside_from = at + timedelta(days=clock.outside_days) if clock.outside_days else None
    timed = raised.model_copy(update={"answer_by": answer_by, "outside_from": outside_from})
    noted = ComplaintNoted(customer=raised.customer, complaint=raised.complaint)
    decision = Decision((timed,), ((customer_stream(raised.customer), noted),))
    return decision + just(ComplaintClockRequested(due_at=outside_from)) if outside_from else decision


def answer(state: ComplaintState, *, channel: str, remedy: str, note: str = "") -> Decision:
    """Take down an answer, an occurrence. Raises Refused: usage (no such channel or remedy), conflict (it is over), missing."""
    _standing(state, over=False)
    _said(("channel", channel, CHANNELS), ("remedy", remedy, REMEDIES))
    return just(ComplaintAnswered(channel=channel, remedy=remedy, note=note))


def escalate(state: ComplaintState, *, team: str, deadlock: bool, clock: ComplaintRules) -> Decision:
    """Give a complaint to a team, or send the letter of deadlock, by which the customer may go outside at once; nothing when that is so
    already.

    Raises Refused: usage (neither or both, a market without such letters), conflict (it is over), missing.
    """
    raised = _standing(state, over=False)
    if bool(team.strip()) == deadlock:
        raise Refused(f"complaint {raised.complaint}: name a team, or say that it is deadlocked")
    if not deadlock:
        return NOTHING if state.team == team else just(ComplaintEscalated(team=team))
    if not clock.deadlock_letter:
        raise Refused(
            f"complaint {raised.complaint}: market {raised.market} knows no letter of deadlock; answer it, or escalate it to a team"
        )
    return NOTHING if state.outside else just(ComplaintDeadlocked(body=clock.body))


def resolve(
    state: ComplaintState, *, remedy: str, channel: str, gives: Callable[[], tuple[GoodwillGiven, int]] | None = None, free: str = ""
) -> Decision:
    """End a complaint with what the customer got, and credit an account with what is given of it; nothing when it ended so. `gives` works
    out the credit, and how much of that one person may give in minor units; `free` is the product of which it makes a period free, which
    is told again by its name: what a period costs may be another amount by then.

    Raises Refused: missing, usage (no such channel or remedy, nothing to give), conflict (it ended otherwise, the account is another
    customer's, or that is more than one person may give).
    """
    raised = _standing(state, over=True)
    _said(("channel", channel, CHANNELS), ("remedy", remedy, REMEDIES))
    if state.status == "resolved":
        given_minor = gives()[0].amount_minor if gives and not free else 0
        if (state.remedy, state.free) == (remedy, free) and (free or state.given_minor == given_minor):
            return NOTHING
        raise Refused(
            f"complaint {raised.complaint} was resolved with {state.remedy}; raise another one if that is not so", kind="conflict"
        )
    if gives is None:
        return just(ComplaintResolved(remedy=remedy, channel=channel))
    given, alone_minor = gives()
    _may_be_given(raised, remedy, given, alone_minor)
    how = {"account": given.account, "amount_minor": given.amount_minor, "currency": given.currency, "product": free}
    ended = ComplaintResolved.model_validate({"remedy": remedy, "channel": channel, **how})
    return Decision((ended,), ((account_stream(given.account), given),))


def _may_be_given(raised: ComplaintRaised, remedy: str, gives: GoodwillGiven, alone_minor: int) -> None:
    """Refuse a credit that a complaint cannot be resolved with."""
    named, currency = f"complaint {raised.complaint}", gives.currency
    if remedy not in GIVEN:
        raise Refused(f"{named}: what an account is credited with is {' or '.join(GIVEN)}, not {remedy}")
    if gives.amount_minor <= 0:
        raise Refused(f"{named}: there is nothing to give; say more than 0.00 {currency}, or a product that has a recurring price")
    if gives.customer != raised.customer:
        raise Refused(f"{named}: account {gives.account} is not of customer {raised.customer}; name one that is", kind="conflict")
    if gives.amount_minor > alone_minor:
        given, alone = (from_minor(minor, currency) for minor in (gives.amount_minor, alone_minor))
        why = f"{given} {currency} is more than the {alone} that one person may give"
        raise Refused(f"{named}: {why}; issue a credit note, which a second person approves", kind="conflict")


def open_outside(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Say that the customer may go to the body outside."""
    return just(ComplaintOpenedOutside(attempt=work.attempt, body=work.market.care.complaints.body))


def unresolved(work: Work) -> bool:
    """Whether the complaint is not over."""
    state: ComplaintState = work.state
    return state.status != "resolved"


def _standing(state: ComplaintState, *, over: bool) -> ComplaintRaised:
    if state.raised is None:
        raise Refused("there is no such complaint; see `o2c complaints list`", kind="missing")
    if state.status == "resolved" and not over:
        raise Refused(f"complaint {state.raised.complaint} is resolved; raise another one", kind="conflict")
    return state.raised


def _said(*told: tuple[str, str, tuple[str, ...]]) -> None:
    for what, value, allowed in told:
        if value not in allowed:
            raise Refused(f"a complaint has no such {what}; use one of {', '.join(allowed)}")


def load_offers(state: OffersState, document: str) -> Decision:
    """Put offers of the operator's own in force; nothing for the file that is. Raises Refused (usage), see `offers.checked`."""
    if state.documents[-1:] == (document,):
        return NOTHING
    return just(OffersLoaded(version=checked(state.documents, document).version, document=document))
