"""The credit gate's entry for the plan, and that of the notice of a decision that went against the customer."""

from __future__ import annotations

from datetime import timedelta

from o2c.credit import reports, rules
from o2c.credit.events import CreditFellOut, CreditNoticeFellOut, CreditNoticeRequested, CreditRequested
from o2c.kernel.step import ByPartner, Ending, Referral, Step

STEP = Step(
    name="credit",
    requested=CreditRequested,
    fell_out=CreditFellOut,
    complete=rules.approved,
    reads=reports.streams_read,
    lead=timedelta(seconds=20),
    ask=ByPartner(
        partner="credit-bureau",
        payload=rules.search,
        fallout_fields=rules.asked,
        key=reports.search_key,
        had=reports.report_had,
        judged=rules.within_limit,
        beside=rules.refused,
    ),
    ending=Ending(
        let_go=rules.release,
    ),
    referral=Referral(
        decide=rules.decide,
        declines=frozenset({"CR-DECLINE"}),
    ),
)
NOTICE = Step(
    name="credit-notice",
    requested=CreditNoticeRequested,
    fell_out=CreditNoticeFellOut,
    complete=rules.noticed,
    forceable=True,
)
