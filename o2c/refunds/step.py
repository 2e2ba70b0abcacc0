"""Refunds' entry for the plan."""

from __future__ import annotations

from o2c.kernel.step import ByPartner, Step
from o2c.refunds import rules
from o2c.refunds.events import RefundFellOut, RefundRequested

STEP = Step(
    name="refund",
    requested=RefundRequested,
    fell_out=RefundFellOut,
    complete=rules.paid,
    facts=rules.facts,
    ask=ByPartner(partner="payment-provider", payload=rules.demand),
)
