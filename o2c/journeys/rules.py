"""When something that was tried begins or continues a journey, when it is lost, what is promised to win it back, and which order follows
it.

Source: order life cycle, section 2 (intent): what was tried, outreach and its outcome, attempts stitched to the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

from o2c.customers.events import JourneyEnded, JourneyNoted
from o2c.customers.state import CustomerState
from o2c.customers.state import stream_of as customer_stream
from o2c.journeys.events import (
    GIVEN,
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
    Outcome,
    OutreachMade,
    OutreachOpened,
    ProspectKeyOpened,
    ProspectsForgotten,
    journey_stream,
)
from o2c.journeys.policy import ApartRule, JourneyPolicy, checked
from o2c.journeys.policy_events import JourneyPolicyLoaded
from o2c.journeys.state import JourneyState, Outreach, PolicyState, ProspectsState
from o2c.kernel.decision import NOTHING, Decision, Guard, just
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.vouchers.events import VouchersIssued
from o2c.vouchers.state import CampaignState, Uses

MEDIA = ("call", "mail", "e-mail", "text-message", "chat")
"""How somebody is got in touch with."""
OUTCOMES: tuple[Outcome, ...] = ("reached", "no-answer", "not-wanted", "wrong-contact")


def attempt(
    state: JourneyState,
    tried: OfAttempt,
    *,
    journey: str,
    market: str,
    kept_days: int,
    at: datetime,
    policy: JourneyPolicy,
    apart: ApartRule | None = None,
) -> Decision:
    """Take down what somebody tried, an occurrence: it begins a journey, or goes on with one, and moves the time at which that is lost.

    What failed opens an outreach, once a journey. `policy` is the one in force at that time; its version stands in what it decided.
    `market` is the pin of the rules, by which what is personal is kept for `kept_days`. `apart` is the rule by which this is nobody that
    wants to buy. Raises Refused (conflict) for a journey that is over.
    """
    if state.status not in ("", "open"):
        raise Refused(f"journey {journey} is over ({state.status}); begin another one", kind="conflict")
    begun = not state.status
    ends_by = at + timedelta(days=kept_days) if begun else state.ends_by
    decision = NOTHING
    if begun:
        decision += just(JourneyStarted(journey=journey, market=market, began_at=at, ends_by=ends_by, policy=policy.version))
    decision += just(tried)
    if apart and not state.apart:
        decision += just(JourneySetApart(apart=apart.apart, rule=apart.name, because=apart.reason))
    look_at = min(at + policy.lost_after, ends_by)
    decision += just(JourneyLookRequested(attempt=state.attempts + 1, due_at=look_at, policy=policy.version))
    if tried.failed and state.outreach is None and not (apart or state.apart):
        decision += just(_opened(market.partition("@")[0], tried.currency or state.currency, at, ends_by, policy))
    return decision


def _opened(market: str, currency: str, at: datetime, ends_by: datetime, policy: JourneyPolicy) -> OutreachOpened:
    until, budget_minor = min(at + policy.reach_within, ends_by), policy.budget_minor.get(market, 0)
    return OutreachOpened(open_from=at + policy.reach_after, open_until=until, budget_minor=budget_minor, currency=currency)


def identify(state: JourneyState, found: JourneyIdentified) -> Decision:
    """Say who is on a journey; nothing when that is known."""
    return NOTHING if state.identities.get(found.what) == found.digest else just(found)


def link(state: JourneyState, customer: str, known: CustomerState | None) -> Decision:
    """Say which customer is on a journey, so that the next order of that one follows it; nothing when that is known.

    Raises Refused: missing (a customer who is not registered), conflict (the journey is another customer's).
    """
    if state.customer == customer:
        return NOTHING
    if state.customer:
        raise Refused(f"journey {state.journey} is of customer {state.customer}, not of {customer}; look who is on it", kind="conflict")
    if known is None or known.papers is None:
        raise Refused(f"no customer {customer}; journeys are linked to registered customers, register this one first", kind="missing")
    noted = JourneyNoted(customer=customer, journey=state.journey)
    return Decision((JourneyLinked(customer=customer),), ((customer_stream(customer), noted),))


def join(state: JourneyState, other: JourneyState) -> Decision:
    """Let another open journey of the same person go on in this one: what was tried there counts here. Nothing when it does already."""
    if other.journey in state.joined or not other.is_open:
        return NOTHING
    joined = JourneyJoined(journey=other.journey, attempts=other.attempts, failed=other.failed)
    decision = Decision((joined,), ((journey_stream(other.journey), JourneyFollowed(into=state.journey)),))
    return decision + _over(other) if other.customer else decision


def reach(state: JourneyState, *, medium: str, outcome: Outcome, at: datetime, policy: JourneyPolicy) -> Decision:
    """Take down that we got in touch with who is on a journey, an occurrence.

    Raises Refused: usage (no such medium or outcome), conflict (nothing failed, too early, too late, tried as often as the policy says, not
    wanted).
    """
    outreach = reachable(state, at)
    if medium not in MEDIA or outcome not in OUTCOMES:
        raise Refused(f"journey {state.journey}: say how ({', '.join(MEDIA)}) and what came of it ({', '.join(OUTCOMES)})")
    if outreach.made >= policy.tries_max:
        raise Refused(f"journey {state.journey} was tried {outreach.made} times, as often as the policy allows; leave it", kind="conflict")
    return just(OutreachMade(medium=medium, outcome=outcome, turn=outreach.made + 1, policy=policy.version))


def reachable(state: JourneyState, at: datetime) -> Outreach:
    """Give the outreach of a journey that may be made now. Raises Refused (conflict) where there is none."""
    of, outreach = f"journey {state.journey}", state.outreach
    if not state.is_open:
        raise Refused(f"{of} is {state.status or 'not begun'}; there is nobody to get in touch with", kind="conflict")
    if outreach is None:
        raise Refused(f"{of}: nothing failed, so there is nothing to get in touch about", kind="conflict")
    if not outreach.open_from <= at < outreach.open_until:
        raise Refused(
            f"{of}: get in touch from {outreach.open_from:%Y-%m-%d %H:%M} to {outreach.open_until:%Y-%m-%d %H:%M} UTC", kind="conflict"
        )
    if outreach.outcome == "not-wanted":
        raise Refused(f"{of}: the person does not want to be got in touch with; leave it", kind="conflict")
    return outreach


def promise(state: JourneyState, code: str, campaign: CampaignState | None, at: datetime) -> Decision:
    """Promise a voucher to who is on a journey, within the budget of its outreach; nothing when this one was promised.

    The code is to be used once and by nobody yet; a guard keeps it from being promised twice. Raises Refused: conflict (no outreach now,
    another code was promised, the code is used, over budget), usage (no such code, one for several uses, one whose worth cannot be told).
    """
    outreach = reachable(state, at)
    if outreach.code == code:
        return NOTHING
    if outreach.code:
        raise Refused(f"journey {state.journey} was promised {outreach.code} already; one is all that there is", kind="conflict")
    issued = campaign.issued if campaign else None
    if campaign is None or issued is None or code not in issued.codes:
        raise Refused(f"journey {state.journey}: no voucher {code[:40]}; see `o2c vouchers show`", kind="missing")
    if issued.uses_max != 1:
        raise Refused(f"journey {state.journey}: {code} may be used {issued.uses_max} times; promise one that is used once")
    if campaign.uses.get(code, Uses()).taken:
        raise Refused(f"journey {state.journey}: {code} is used; promise another one", kind="conflict")
    worth_minor = _worth_minor(issued, state.value_minor)
    if worth_minor > outreach.budget_minor:
        raise Refused(
            f"journey {state.journey}: {code} is worth {worth_minor} minor units, and {outreach.budget_minor} may be given; promise a smaller one",
            kind="conflict",
        )
    given = IncentiveGiven(journey=state.journey, code=code, amount_minor=worth_minor, currency=issued.currency)
    return Decision((given,), takes=(Guard(GIVEN, code, journey_stream(state.journey)),))


def _worth_minor(issued: VouchersIssued, value_minor: int) -> int:
    """What a voucher is worth for a wish of a value: its amount, or its percentage of that value, for each month of its term, a part of a
    unit as one."""
    discount = issued.discount
    times = max(discount.lasts_length, 1)
    if not discount.percent:
        return discount.amount_minor * times
    if not value_minor:
        raise Refused(
            f"{issued.campaign} takes off a percentage, and nobody said what the journey is worth; promise a voucher of an amount"
        )
    return int((Decimal(value_minor) * Decimal(discount.percent) / 100 * times).to_integral_value(ROUND_CEILING))


def ordered(
    state: JourneyState,
    *,
    order: str,
    customer: str,
    found_by: Literal["named", "customer"],
    sources: Mapping[str, str] | None = None,
    policy: str = "",
) -> Decision:
    """Say that an order followed a journey, and by which version of the policy where it was found by that; nothing when one has.

    It is recovered when something had failed and we had got in touch before. One that was lost is found again only by an order that names
    it.
    """
    if state.order or not (state.is_open or (state.status == "lost" and found_by == "named")):
        return NOTHING
    recovered = bool(state.failed and state.outreach and state.outreach.made)
    told = {
        "order": order,
        "customer": customer,
        "recovered": recovered,
        "found_by": found_by,
        "sources": dict(sources or {}),
        "policy": policy,
    }
    followed = JourneyOrdered.model_validate(told)
    return Decision((followed,)) + (_over(state) if state.customer and state.is_open else NOTHING)


def _over(state: JourneyState) -> Decision:
    return Decision(elsewhere=((customer_stream(state.customer), JourneyEnded(customer=state.customer, journey=state.journey)),))


def follows(state: JourneyState, *, ordered_at: datetime, policy: JourneyPolicy) -> bool:
    """Whether an order of the customer of a journey follows it: it came after the journey began, and soon enough after the last that was
    tried."""
    return state.is_open and state.began_at <= ordered_at <= state.last_at + policy.follows_within


def lose(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Give up a journey that nothing followed."""
    state: JourneyState = work.state
    lost = just(JourneyLost(attempt=work.attempt, attempts=state.attempts, failed=state.failed))
    return lost + _over(state) if state.customer else lost


def open_key(state: ProspectsState, *, key: str, market: str, at: datetime, kept_days: int) -> Decision:
    """Open the key of a day, to be let go when the day's journeys were kept as long as the market allows; nothing when it is open.

    Raises Refused (conflict) for a key that is gone: nothing is sealed under that any more.
    """
    if state.forgotten:
        raise Refused(f"the key {key} is gone; nothing is kept under it any more", kind="conflict")
    if state.key:
        return NOTHING
    next_day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return just(ProspectKeyOpened(key=key, market=market, due_at=next_day + timedelta(days=kept_days)))


def of_key(work: Work) -> Mapping[str, Any]:
    """The key and its market: what a request for its end says."""
    return {"key": work.state.key, "market": work.state.market}


def forget(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Let the key of a day go: the store destroys it as it writes this down."""
    return just(ProspectsForgotten(attempt=work.attempt, key=work.state.key))


def load_policy(state: PolicyState, document: str, at: datetime) -> Decision:
    """Put a policy of the operator's own in force from a time on; nothing for the file that is. Raises Refused (usage), see
    `policy.checked`."""
    if state.loaded and state.loaded[-1][1] == document:
        return NOTHING
    return just(JourneyPolicyLoaded(version=checked(state.loaded, document).version, document=document, since=at))
