"""When a product may go to another customer: its owner agrees, and the other orders it in his own name.

Source: order life cycle, section 3 (move account owner); the days for which the owner's word is good are the market's
(`LifeRules.transfer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from o2c.customers.events import CustomerContacted
from o2c.customers.state import stream_of
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.products.events import Standing, product_stream
from o2c.products.serving import in_service
from o2c.products.state import OWNER, TERMINATION, ProductState
from o2c.products.transfer_events import Commitment, TransferAgreed, TransferWithdrawn


def agree(state: ProductState, market: Market, *, to: str, commitment: Commitment, along: Sequence[str] = (), at: datetime) -> Decision:
    """Let another customer take a product over for some days, with all that relies on it (`along`), and tell its owner at the contact that
    stands; nothing where that was agreed on so and is good.

    Raises Refused: missing (no such product), conflict (it ended, is ending, is being taken over, or relies on another, with which it
    goes), usage (it is his already).
    """
    stands = in_service(state, "there is nothing to take over")
    if to == stands.customer:
        raise Refused(f"product {state.product} is {to}'s already; say another customer")
    if state.relies_on:
        raise Refused(f"product {state.product} goes with {state.relies_on[0]}, which it relies on; transfer that", kind="conflict")
    if why := _in_the_way(state):
        raise Refused(f"product {state.product} {why}; it cannot go to another customer meanwhile", kind="conflict")
    today = local_date(at, market.zone)
    known = transfer_in_force(state, today)
    if known and (known.to, known.commitment, known.along) == (to, commitment, tuple(along)):
        return NOTHING
    agreed = TransferAgreed(
        to=to,
        commitment=commitment,
        agreed_on=today.isoformat(),
        valid_through=(today + timedelta(days=market.life.transfer.valid_days)).isoformat(),
        along=tuple(along),
    )
    return _with_all(state, stands, agreed, along)


def withdraw(state: ProductState, market: Market, *, at: datetime) -> Decision:
    """Keep a product after all; nothing where nobody may take it over.

    Raises Refused: missing (no such product), conflict (it ended, or an order is taking it over).
    """
    stands = in_service(state, "there is nothing to take over")
    if state.relies_on:
        raise Refused(f"product {state.product} goes with {state.relies_on[0]}, which it relies on; withdraw that", kind="conflict")
    if by := state.changing.get(OWNER):
        raise Refused(f"product {state.product} is being taken over by order {by.partition('/')[0]}; cancel that order", kind="conflict")
    if state.transfer is None:
        return NOTHING
    withdrawn = TransferWithdrawn(withdrawn_on=local_date(at, market.zone).isoformat())
    return _with_all(state, stands, withdrawn, state.transfer.along)


def transfer_in_force(state: ProductState, on: date) -> TransferAgreed | None:
    """Give what the owner agreed to, while it is good."""
    agreed = state.transfer
    return agreed if agreed and on.isoformat() <= agreed.valid_through else None


def _in_the_way(state: ProductState) -> str:
    if state.port_out:
        return f"has a number that goes to another operator on {state.port_out.agreed_on}"
    if state.switch_on:
        return f"is switched to another provider on {state.switch_on}"
    if by := state.changing.get(TERMINATION) or state.changing.get(OWNER):
        return f"is being {'ended' if TERMINATION in state.changing else 'taken over'} by order {by.partition('/')[0]}"
    return ""


def _with_all(state: ProductState, stands: Standing, event: Event, along: Sequence[str]) -> Decision:
    """The event, also on what goes along, and the notice of it: whoever did not agree learns in time that somebody did."""
    told = CustomerContacted(customer=stands.customer, medium="courtesy", direction="outbound", topic="contract", order=state.order)
    return Decision((event,), (*((product_stream(one), event) for one in along), (stream_of(stands.customer), told)))
