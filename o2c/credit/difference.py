"""What an order that is changed in flight commits to more or less, settled with its customer's credit before the change is accepted.

Source: order life cycle, section 4 (rule g: a price difference is settled before an amendment takes effect).
"""

from __future__ import annotations

from datetime import datetime

from o2c.credit.policy import PACKAGED, CreditPolicies
from o2c.customers.events import CreditCommitted
from o2c.customers.state import CustomerState, stream_of
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.money import from_minor
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.orders.state import OrderState


def settle_difference(
    state: OrderState, customer: CustomerState, committed_minor: int, at: datetime, market: Market, policies: CreditPolicies = PACKAGED
) -> Decision:
    """Commit the customer to what the changed order comes to (net, in minor units) in place of what it came to; nothing where that is the
    same.

    Raises Refused (conflict): it is more, and beyond the limit of the credit decision, or a person or a deposit carried the order as it
    was.
    """
    decided = state.record("", "credit").outcome
    before_minor = int(decided.get("committed_minor", 0))
    if committed_minor == before_minor:
        return NOTHING
    if committed_minor > before_minor:
        _refuse_beyond(state, customer, committed_minor, at, market, policies)
    held = customer.credit.commitments.get(state.order_id)
    committed_to = held.runs_to if held else local_date(at, market.zone).isoformat()
    event = CreditCommitted(order=state.order_id, committed_minor=committed_minor, currency=market.currency, committed_to=committed_to)
    return Decision(elsewhere=((stream_of(state.party), event),))


def _refuse_beyond(
    state: OrderState, customer: CustomerState, committed_minor: int, at: datetime, market: Market, policies: CreditPolicies
) -> None:
    decided = state.record("", "credit").outcome
    more = f"order {state.external_id} would come to {from_minor(committed_minor, market.currency)} {market.currency} in all"
    if decided.get("decided_by") != "bureau":
        raise Refused(f"{more}, more than was approved by hand or by a deposit; send what is more as an order of its own", kind="conflict")
    limit_minor = int(decided.get("limit_minor", 0))
    used_minor = customer.credit.used_minor(market.currency, local_date(at, market.zone).isoformat(), but=state.order_id)
    if limit_minor and (used_minor + committed_minor) * 100 > limit_minor * policies.of(market.code).limit_percent:
        raise Refused(f"{more}, beyond the customer's credit limit; send what is more as an order of its own", kind="conflict")
