"""The identity gate's entry for the plan."""

from __future__ import annotations

from datetime import timedelta

from o2c.identity import rules
from o2c.identity.events import IdentityFellOut, IdentityRequested
from o2c.kernel.step import ByPartner, Referral, Step

STEP = Step(
    name="identity",
    requested=IdentityRequested,
    fell_out=IdentityFellOut,
    complete=rules.passed,
    reads=rules.customer_streams,
    lead=timedelta(seconds=30),
    ask=ByPartner(
        partner="identity-agency",
        payload=rules.papers,
    ),
    referral=Referral(
        decide=rules.decide,
        declines=frozenset({"KYC-MATCH"}),
    ),
)
