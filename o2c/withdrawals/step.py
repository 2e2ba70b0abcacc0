"""Withdrawals' entries for the plan: what was withdrawn from while it was on its way ends, the service is switched off, the goods come
back, the money goes back."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from o2c.kernel.step import ByPartner, Step
from o2c.withdrawals import events, of_orders, rules
from o2c.withdrawals.state import GOODS_RETURN, REFUND, SWITCH_OFF, TO_COME

AWAITED = Step(
    name=TO_COME,
    requested=events.WithdrawalAwaited,
    fell_out=events.WithdrawalToComeFellOut,
    complete=of_orders.come,
    instead=of_orders.still_to_come,
    wanted=of_orders.awaits,
    facts=of_orders.what_is_awaited,
    reads=of_orders.streams_read,
    lead=of_orders.LOOKED_AT_EVERY,
)
OFF = Step(
    name=SWITCH_OFF,
    requested=events.WithdrawalSwitchOffRequested,
    fell_out=events.WithdrawalSwitchOffFellOut,
    complete=rules.switched_off,
    reads=rules.product_read,
    lead=timedelta(seconds=45),
    ask=ByPartner(partner="network", payload=rules.switch_off),
)
RETURN = Step(
    name=GOODS_RETURN,
    requested=events.ReturnLabelRequested,
    fell_out=events.GoodsReturnFellOut,
    complete=rules.received,
    wanted=rules.to_come_back,
    lead=timedelta(minutes=30),
    ask=ByPartner(partner="courier", payload=rules.parcel_back, undertaken=events.ReturnLabelIssued),
)


def refund_step(request: rules.Request) -> Step:
    """The refund, with the rule by which some of what an account holds goes back (`refunds.rules.request`)."""
    return Step(
        name=REFUND,
        requested=events.WithdrawalRefundRequested,
        fell_out=events.WithdrawalRefundFellOut,
        complete=partial(rules.settle, request=request),
        instead=rules.credited_first,
        wanted=rules.to_refund,
        reads=rules.account_read,
        lead=rules.SETTLED_AFTER,
    )
