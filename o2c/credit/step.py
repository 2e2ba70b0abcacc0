"""The credit gate's entry for the plan."""

from __future__ import annotations

from datetime import timedelta

from o2c.credit import rules
from o2c.credit.events import CreditFellOut, CreditRequested
from o2c.kernel.step import ByPartner, Referral, Step

STEP = Step(
    name="credit",
    requested=CreditRequested,
    fell_out=CreditFellOut,
    complete=rules.approved,
    reads=rules.catalogue_read,
    lead=timedelta(seconds=20),
    ask=ByPartner(
        partner="credit-bureau",
        payload=rules.search,
        codes={"REFER": "CR-REFER", "DEPOSIT": "CR-DEPOSIT", "DECLINE": "CR-DECLINE", "UNAVAILABLE": "CR-TIMEOUT"},
        silence="CR-TIMEOUT",
        fallout_fields=rules.asked,
    ),
    referral=Referral(
        decide=rules.decide,
        declines=frozenset({"CR-DECLINE"}),
    ),
)
