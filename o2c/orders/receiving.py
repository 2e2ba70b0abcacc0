"""When an order may be captured: what a paper is to what stands under its id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.flow import fields_of
from o2c.kernel.identifiers import order_id
from o2c.kernel.periods import stamp
from o2c.kernel.reasons import Codes
from o2c.orders import events
from o2c.orders.document import SOURCE, differing
from o2c.orders.purchase_order_events import PurchaseOrderGiven
from o2c.orders.revising import captured
from o2c.orders.state import OrderState, suspicion
from o2c.orders.wish import Wish

Reception = Literal["captured", "duplicate", "resubmitted"]
DIFFERENCES_SHOWN = 8
"""How many differing fields the fallout of a resubmission names; the event has them all."""


@dataclass(frozen=True, slots=True)
class SetApart:
    """Whether a paper is a program's (bot) or a test of our own, and by what; false for somebody's who may want to buy."""

    apart: Literal["", "bot", "test"] = ""
    by: str = ""

    def __bool__(self) -> bool:
        return bool(self.apart)


NOT_APART = SetApart()


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a paper came, and what stood then: the line of an intake, the version of the catalogue, the pin of the market whose rules it is
    under, and the time.

    `tier` is that of the customer, empty for one who is not known, and `same_wish` the order by which the customer may have wished the
    same; `apart` says whether it is nobody's who wants to buy.
    """

    intake: str
    line: int
    catalogue_version: int
    market: str
    now: datetime
    tier: str = ""
    same_wish: str = ""
    apart: SetApart = NOT_APART


def receive(
    state: OrderState, wish: Wish, came: Arrival, *, original: str | None, codes: Codes, first_channel: str = ""
) -> tuple[Reception, Decision]:
    """Take down an order, whatever it lacks, or recognise one that came before.

    The same content again is a duplicate and changes nothing; other content under the same external id of the same owner is resubmitted,
    and waits for a person while the first stays in force. `original` is the paper in force and `first_channel` the one that sent it, needed
    only when the content differs; `codes` are the reason codes in force. A repeat of the same line of the same intake (it was killed) gets
    the same reception and no events.

    Source: the table of imperfect orders (design, section 11).
    """
    if not state.external_id:
        return "captured", _capture(wish, came)
    if (state.intake, state.line) == (came.intake, came.line):
        return "captured", NOTHING
    if wish.fingerprint in (state.fingerprint, *state.revisions):
        return "duplicate", NOTHING
    for seen in state.resubmissions:
        if seen.fingerprint == wish.fingerprint:
            return ("resubmitted" if (seen.intake, seen.line) == (came.intake, came.line) else "duplicate"), NOTHING
    resubmitted = events.OrderResubmitted(
        fingerprint=wish.fingerprint,
        intake=came.intake,
        line=came.line,
        differing=differing(*(json.loads(paper, parse_float=str) for paper in (original or "{}", wish.original))),
        original=wish.original,
        order_date=stamp(wish.order_date),
        channel=wish.channel,
    )
    return "resubmitted", just(resubmitted, _suspected(state, resubmitted, first_channel, codes))


def came_at(state: OrderState, wish: Wish, now: datetime) -> datetime:
    """Give the time at which what a paper is to an order happened.

    A sale happened when its channel says so. Anything else happened when it came: now, or at the date that it bears where that is still to
    come on a simulated clock, and never before the order itself.
    """
    return max(now, wish.order_date, state.captured_at) if state.captured_at else wish.order_date


def same_order(state: OrderState, wish: Wish) -> bool:
    """Whether a paper is of an order that was taken down under the same external id, before owners of ids were told apart.

    It is when its content came before, or when its customer is that order's. Of papers without a customer the channel was not kept.
    """
    known = {state.fingerprint, *(seen.fingerprint for seen in state.resubmissions)}
    return bool(state.external_id) and (wish.fingerprint in known or (not state.owner and state.party == wish.party))


def follow_up(state: OrderState, wish: Wish, fingerprint: str, came: Arrival) -> Decision:
    """Take a resubmitted paper, known by its fingerprint, down as an order of its own (`follower`), which names the order it came after."""
    stream = f"order-{follower(state, fingerprint)}"
    return Decision(elsewhere=tuple((stream, event) for event in _capture(wish, came, after=state.order_id).events))


def follower(state: OrderState, fingerprint: str) -> str:
    """Give the id of the order that a changed paper of an order's external id becomes when a person approves it."""
    return order_id(SOURCE, state.owner, state.external_id, fingerprint)


def _capture(wish: Wish, came: Arrival, *, after: str = "") -> Decision:
    event = events.OrderCaptured(
        external_id=wish.external_id,
        source=SOURCE,
        order_date=stamp(wish.order_date),
        category=wish.category,
        priority=wish.priority,
        market=came.market,
        party=wish.party,
        account=wish.account,
        fingerprint=wish.fingerprint,
        intake=came.intake,
        line=came.line,
        catalogue_version=came.catalogue_version,
        lines=tuple(captured(line) for line in wish.lines),
        details=tuple(events.LineDetail(characteristics=x.characteristics, place=x.place) for x in wish.lines),
        original=wish.original,
        owner=wish.owner,
        channel=wish.channel,
        after=after,
        dated_by_us=wish.dated_by_us,
        named_by_us=wish.named_by_us,
        requested_start=wish.requested_start,
        requested_completion=wish.requested_completion,
        agent=wish.agent,
        tier=came.tier,
        prices=wish.prices,
        same_wish=came.same_wish,
        apart=came.apart.apart,
        apart_by=came.apart.by,
    )  # fmt: skip
    bought = (PurchaseOrderGiven(purchase_order=wish.purchase_order),) if wish.purchase_order else ()
    return just(event, *bought, events.ValidationRequested(due_at=max(wish.order_date, came.now)))


def _suspected(state: OrderState, came: events.OrderResubmitted, first_channel: str, codes: Codes) -> Event:
    shown = ", ".join(came.differing[:DIFFERENCES_SHOWN])
    more = f" and {len(came.differing) - DIFFERENCES_SHOWN} more" if len(came.differing) > DIFFERENCES_SHOWN else ""
    first = state.channel or first_channel or "unknown"
    return events.DuplicateSuspected(
        fallout=suspicion(state.order_id, came.fingerprint),
        attempt=len(state.resubmissions) + 1,
        detail=f"came from {came.channel}, first from {first}; differs in {shown or 'order of parts'}{more}",
        **fields_of(codes.reasons["DQ-DUP"]),
    )
