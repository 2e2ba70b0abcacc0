"""The credit gate's entry for the plan, and that of the notice of a decision that went against the customer."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from o2c.credit import reports, rules
from o2c.credit.events import CreditFellOut, CreditNoticeFellOut, CreditNoticeRequested, CreditRequested
from o2c.credit.policy import PACKAGED, CreditPolicies
from o2c.kernel.step import ByPartner, Ending, Referral, Step


def credit_step(policies: CreditPolicies) -> Step:
    """The gate under credit policies: every rule of it that reads them is given them."""
    return Step(
        name="credit",
        requested=CreditRequested,
        fell_out=CreditFellOut,
        complete=partial(rules.approved, policies=policies),
        reads=reports.streams_read,
        lead=timedelta(seconds=20),
        ask=ByPartner(
            partner="credit-bureau",
            payload=rules.search,
            fallout_fields=rules.asked,
            key=reports.search_key,
            had=reports.report_had,
            judged=partial(rules.judged, policies=policies),
            beside=partial(rules.refused, policies=policies),
        ),
        ending=Ending(
            let_go=rules.release,
        ),
        referral=Referral(
            decide=rules.decide,
            declines=frozenset({"CR-DECLINE"}),
        ),
    )


STEP = credit_step(PACKAGED)
NOTICE = Step(
    name="credit-notice",
    requested=CreditNoticeRequested,
    fell_out=CreditNoticeFellOut,
    complete=rules.noticed,
    forceable=True,
)
