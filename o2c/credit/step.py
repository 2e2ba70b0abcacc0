"""The credit gate's entry for the plan."""

from __future__ import annotations

from datetime import timedelta

from o2c.credit import rules
from o2c.credit.events import CreditFellOut, CreditRequested
from o2c.kernel.step import Step

STEP = Step(
    name="credit",
    requested=CreditRequested,
    fell_out=CreditFellOut,
    complete=rules.approved,
    partner="credit-bureau",
    payload=rules.search,
    reads=rules.catalogue_read,
    codes={"REFER": "CR-REFER", "DEPOSIT": "CR-DEPOSIT", "DECLINE": "CR-DECLINE", "UNAVAILABLE": "CR-TIMEOUT"},
    silence="CR-TIMEOUT",
    lead=lambda work: timedelta(seconds=20),
    told=rules.asked,
    decide=rules.decide,
    declines=frozenset({"CR-DECLINE"}),
)
