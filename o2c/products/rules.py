"""When a product ends that no order ends, its account was terminated; and what a customer is given who takes its number to another operator.

Source: porting facts, section 3.1 (UK mobile: code within a minute, with charge and balance, good for 30 days; debt is no ground) and 3.3 (port-out).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from o2c.customers.events import CustomerContacted
from o2c.customers.state import stream_of
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.money import part_of
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.life import LEAVING, SIM_SWAP
from o2c.products.events import PortingCodeIssued, PortingCodeRefused, ProductTerminated, Standing
from o2c.products.state import TERMINATION, ProductState


def terminate(state: ProductState, *, cause: str, ended_on: str) -> Decision:
    """End a product that is in service, with all that it holds; nothing for one that ended already, or that there is not."""
    if state.standing is None or state.ended_on:
        return NOTHING
    return just(ProductTerminated(cause=cause, ended_on=ended_on, gives_back=state.standing.pieces))


def early_minor(stands: Standing, market: Market, today: date) -> int:
    """Give what an end on a day costs before the term is over, net, in minor units: the market's share of the recurring prices of the months that were still to
    come, a begun one by its days; 0 for a contract without a term, or after it."""
    if not stands.commitment_ends_on or not stands.recurring_minor or today.isoformat() >= stands.commitment_ends_on:
        return 0
    end, left_minor = date.fromisoformat(stands.commitment_ends_on), 0
    for own in stands.terms.recurrence.periods(today, since=today, through=end):
        days = min(own.end, end) - own.start
        left_minor += part_of(stands.recurring_minor, max(days.days, 0), own.days)
    return int(left_minor * market.life.early_percent // 100)


def good_code(state: ProductState, on: date) -> PortingCodeIssued | None:
    """Give the code that was given for the product's number, while it is good."""
    code = state.porting_code
    return code if code and on.isoformat() <= code.valid_through else None


def porting_code(state: ProductState, market: Market, code: str, *, owed_minor: int, at: datetime) -> Decision:
    """Give a code for the number of a product, or refuse one on a ground of the market, and tell the customer at the contact that stands; nothing while an earlier
    code is good, or for a no that was said on the same day.

    Raises Refused: missing (no such product), conflict (it ended, or has no number), usage (the market ports without a code).
    """
    stands = state.standing
    if stands is None:
        raise Refused("there is no such product; see `o2c products list`", kind="missing")
    if state.ended_on or "msisdn" not in stands.holds:
        why = f"ended on {state.ended_on}" if state.ended_on else "has no number"
        raise Refused(f"product {state.product} {why}; there is no code for it", kind="conflict")
    rules, today = market.life.port_out, local_date(at, market.zone)
    if not rules.code_digits:
        raise Refused(f"product {state.product}: numbers of {market.code} are ported without a code; the new operator asks for it")
    if ground := _ground(state, market, today):
        refused = PortingCodeRefused.model_validate({"ground": ground, "asked_on": today.isoformat()})
        return NOTHING if state.code_refused == refused else _told(state, stands, refused)
    if good_code(state, today):
        return NOTHING
    valid_through = (today + timedelta(days=rules.code_valid_days)).isoformat()
    early = early_minor(stands, market, today)
    issued = PortingCodeIssued(
        code=code,
        issued_on=today.isoformat(),
        valid_through=valid_through,
        early_minor=early,
        owed_minor=owed_minor,
        currency=state.currency,
    )
    return _told(state, stands, issued)


def _ground(state: ProductState, market: Market, today: date) -> str:
    """The first ground of the market on which no code is given; empty for none."""
    hold = timedelta(days=market.life.sim_swap_hold_days)
    swapped_on = date.fromisoformat(state.sim_changed_on) if state.sim_changed_on else date.min
    stands_in_the_way = {LEAVING: TERMINATION in state.changing, SIM_SWAP: bool(state.sim_changed_on) and today < swapped_on + hold}
    return next((ground for ground in market.life.port_out.grounds if stands_in_the_way[ground]), "")


def _told(state: ProductState, stands: Standing, answer: PortingCodeIssued | PortingCodeRefused) -> Decision:
    """The answer, and the notice of it: whoever did not ask for a code learns in time that somebody did."""
    notice = CustomerContacted(customer=stands.customer, medium="courtesy", direction="outbound", topic="port", order=state.order)
    return Decision((answer,), ((stream_of(stands.customer), notice),))
