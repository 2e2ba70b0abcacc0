"""Payment's entry for the plan."""

from __future__ import annotations

from o2c.kernel.step import ByPartner, Step
from o2c.payments import rules
from o2c.payments.events import PaymentFellOut, PaymentRequested

STEP = Step(
    name="payment",
    requested=PaymentRequested,
    fell_out=PaymentFellOut,
    complete=rules.received,
    due=rules.due,
    open_from=rules.open_from,
    facts=rules.asked_by,
    wanted=rules.wanted,
    ask=ByPartner(
        partner="payment-provider",
        payload=rules.demand,
        beside=rules.again,
    ),
)
