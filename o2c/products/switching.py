"""One Touch Switch, as the provider that loses the customer: who is matched, what the customer is told, and what ends on the day. The new
provider leads; debt and an open contract are no ground to refuse.

Source: Ofcom General Conditions of Entitlement, C7; TOTSCO, OTS message specification [M]. The market's data: `LifeRules.switching`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast

from o2c.catalogue.events import PriceRiseAnnounced
from o2c.catalogue.rises import announced
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.names import folded
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work, next_attempt
from o2c.markets.addresses import postcode_of
from o2c.markets.base import Market
from o2c.markets.life import AMBIGUOUS, NO_MATCH, SwitchingRules
from o2c.products.bases import ends_charge
from o2c.products.events import ProductTerminated, place_of
from o2c.products.rules import base_ended, charged_early, early_minor, told, with_tax
from o2c.products.serving import in_service
from o2c.products.state import TERMINATION, ProductState
from o2c.products.switch_events import SwitchedOut, SwitchMatched, SwitchOrdered, SwitchTriggered, SwitchWithdrawn

SWITCHED = "switched"
"""Why a product ended whose customer another provider has."""
FIXED = "spec-access"
"""The specification of what can be switched so."""
NOTHING_TO_SWITCH = "there is nothing to switch"
LATE_DAYS_MAX = 31
"""A trigger tells of no day that is longer ago."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fixed service of somebody by the name that was given, or only by its surname (`named`: by all of it): its product, its account, and
    where it is."""

    product: str
    account: str
    address: str = field(repr=False)
    named: bool = True


def match(candidates: Sequence[Candidate], market: Market, *, address: str, account: str = "") -> str:
    """Give the product that a new provider asks for, by the address, and the account where one was given. Whoever has the whole name comes
    before who has its surname.

    Raises Refused, with the hub's code: missing (none fits), conflict (several do, and an account would tell).
    """
    rules, wanted = _rules(market), _place(market, address)
    fitting = [one for one in candidates if _place(market, one.address) == wanted and account in ("", one.account)]
    if not fitting or not all(wanted):
        raise Refused(
            f"{rules.words[NO_MATCH]}: no fixed service fits name and address; ask the customer for both as they stand on our bill",
            kind="missing",
        )
    fitting = [one for one in fitting if one.named] or fitting
    if len(fitting) > 1:
        raise Refused(f"{rules.words[AMBIGUOUS]}: {len(fitting)} services fit name and address; give the account as well", kind="conflict")
    return fitting[0].product


def _place(market: Market, address: str) -> tuple[str, frozenset[str]]:
    """What of an address is held against another: the postcode, and the numbers of house and flat in any order, without case and marks."""
    postcode = postcode_of(market.addresses, address)
    own = {*folded(postcode).split(), folded(postcode).replace(" ", "")}
    numbered = (part for part in folded(address).split() if any(sign.isdigit() for sign in part))
    return postcode, frozenset(part for part in numbered if part not in own)


def _rules(market: Market) -> SwitchingRules:
    rules = market.life.switching
    if rules is None:
        raise Refused(
            f"fixed services are not switched by One Touch Switch in market {market.code}; the customer ends the contract himself"
        )
    return rules


@dataclass(frozen=True, slots=True)
class SwitchWish:
    """What a new provider asks through the hub: its name, and the hub's id of the question."""

    gaining: str
    request: str


def matched(
    state: ProductState,
    market: Market,
    wish: SwitchWish,
    reference: str,
    *,
    owed_minor: int,
    rises: Sequence[PriceRiseAnnounced],
    at: datetime,
) -> Decision:
    """Match a service to a new provider's question: it may order under the reference, and the customer is told at once what switching
    means; nothing for a question that was answered so before.

    Raises Refused: missing (no such product), conflict (it ended, is ending, or another provider's order stands), usage (a market without
    it, nobody named).
    """
    stands, rules, today = in_service(state, NOTHING_TO_SWITCH), _rules(market), local_date(at, market.zone)
    if not wish.gaining.strip() or not wish.request.strip():
        raise Refused(f"product {state.product}: say which provider asks, and the hub's id of the question")
    if state.switching and state.switching.request == wish.request:
        return NOTHING
    _stays(state)
    if state.switch_on:
        raise Refused(f"product {state.product} is switched to another provider on {state.switch_on}; that order stands", kind="conflict")
    early = early_minor(stands, market, today, since=state.priced_from, rises=rises)
    event = SwitchMatched(
        request=wish.request,
        reference=reference,
        gaining=wish.gaining,
        matched_on=today.isoformat(),
        valid_through=(today + timedelta(days=rules.reference_valid_days)).isoformat(),
        told_at=at,
        early_minor=early,
        early_gross_minor=with_tax(stands, market, early, today),
        owed_minor=owed_minor,
        currency=state.currency,
        ends=state.relied_on_by,
    )
    return told(state, stands, event)


def _stays(state: ProductState) -> None:
    """Raise Refused (conflict) for a service that an order is ending."""
    if by := state.changing.get(TERMINATION):
        raise Refused(f"product {state.product} is being ended by order {by.partition('/')[0]}; {NOTHING_TO_SWITCH}", kind="conflict")


def _under(state: ProductState, reference: str) -> SwitchMatched:
    """What was matched under a reference. Raises Refused: missing."""
    if state.switching is None or state.switching.reference != reference:
        raise Refused(f"product {state.product} has no switch {reference[:60]}; match the customer first", kind="missing")
    return state.switching


def ordered(state: ProductState, market: Market, reference: str, planned_on: date, *, at: datetime) -> Decision:
    """Take the order of a new provider for a day, or move it to another; nothing where it stands so. The customer is told of the day.

    Raises Refused: missing (no such switch), conflict (the product ended or is ending, the reference is too old, the day was triggered),
    usage (a day that is over).
    """
    stands, known, today = in_service(state, NOTHING_TO_SWITCH), _under(state, reference), local_date(at, market.zone)
    if state.switched_on:
        raise Refused(f"switch {reference}: the new service is on since {state.switched_on}", kind="conflict")
    if planned_on.isoformat() == state.switch_on:
        return NOTHING
    if planned_on < today:
        raise Refused(f"switch {reference}: {planned_on} is over; say a later day")
    if not state.switch_on and today.isoformat() > known.valid_through:
        raise Refused(f"switch {reference}: it was good through {known.valid_through}; match the customer anew", kind="conflict")
    _stays(state)
    return told(state, stands, SwitchOrdered(reference=reference, planned_on=planned_on.isoformat()))


def withdrawn(state: ProductState, reference: str) -> Decision:
    """Call a switch off; nothing for one that was called off before.

    Raises Refused: missing (no such switch), conflict (the new service is on).
    """
    stands = in_service(state, NOTHING_TO_SWITCH)
    if state.switch_called_off == reference:
        return NOTHING
    _under(state, reference)
    if state.switched_on:
        raise Refused(f"switch {reference}: the new service is on since {state.switched_on}; it cannot be called off", kind="conflict")
    return told(state, stands, SwitchWithdrawn(reference=reference))


def triggered(state: ProductState, market: Market, reference: str, activated_on: date, *, at: datetime) -> Decision:
    """End the service, because the new provider's is on since a day; nothing where that was told before.

    Raises Refused: missing (no such switch), conflict (it was not ordered, the product ended), usage (a day to come, or too long ago).
    """
    today = local_date(at, market.zone)
    if state.switching and state.switching.reference == reference and state.switched_on == activated_on.isoformat():
        return NOTHING
    in_service(state, NOTHING_TO_SWITCH)
    _under(state, reference)
    if not state.switch_on:
        raise Refused(f"switch {reference} was not ordered; order it for a day first", kind="conflict")
    if state.switched_on:
        raise Refused(f"switch {reference}: it was triggered for {state.switched_on}", kind="conflict")
    if not today - timedelta(days=LATE_DAYS_MAX) <= activated_on <= today:
        raise Refused(
            f"switch {reference}: {activated_on} is no day of the last {LATE_DAYS_MAX}; say the day since which the new service is on"
        )
    event = SwitchTriggered(
        attempt=next_attempt(state.records, "switch-out"), due_at=at, reference=reference, activated_on=activated_on.isoformat()
    )
    return just(event)


def leaving(work: Work) -> bool:
    """Whether the customer is with the new provider, and our product is still there."""
    return bool(work.state.switched_on) and not work.state.ended_on


def said(work: Work) -> Mapping[str, Any]:
    """Give the reference and the day of the switch, for the request to the network."""
    switching = work.state.switching
    return {"reference": switching.reference if switching else "", "activated_on": work.state.switched_on}


def switched_out(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the service is off: product and charges end on the day on which the new one began, with all that relies on it; what the
    early end of a contract costs is charged once."""
    state = cast("ProductState", work.state)
    assert state.standing is not None
    assert state.switching is not None
    day = max(date.fromisoformat(state.switched_on), date.fromisoformat(state.started_on))
    early = early_minor(state.standing, work.market, day, since=state.priced_from, rises=announced(work))
    done = SwitchedOut(
        attempt=work.attempt,
        gaining=state.switching.gaining,
        activated_on=day.isoformat(),
        early_minor=early,
        early_charge=place_of(state.order, f"{state.item}-switch-out") if early else "",
    )
    ended = ProductTerminated(cause=SWITCHED, ended_on=day.isoformat(), gives_back=state.standing.pieces)
    charges = (*charged_early(state, early, day, "switch-out"), *ends_charge(state, day), *base_ended(work, day, at))
    return Decision((done, ended), charges)
