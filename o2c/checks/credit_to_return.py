"""Prepaid money that a customer asked back: it went to him by the day on which it was due."""

from __future__ import annotations

from collections.abc import Iterator

from o2c.checks.assurance_rules import Leak
from o2c.checks.order_to_bill import Evidence, GivenBack, Said, day_after
from projections.engine.seen import Seen

RETURNED, PAID, GIVEN_UP = "prepaid.returned", "account.money-returned", "account.refund-released"
TYPES = frozenset({RETURNED, PAID, GIVEN_UP})
ANY = "any"
"""Stands for whatever refund the money goes back by, once the one that it was to go by was given up."""
CREDIT_RULE = (
    "prepaid-not-returned",
    "G-RM-RA-RLj",
    "What was left of prepaid money, and was asked back by who left, is with him by the day on which it is due, or within some days where there is no such day.",
)


def given_back(evidence: Evidence, seen: Seen) -> None:
    """Take down what is to go back to the customer of an account, and what went."""
    account, body = seen.body["account"], seen.body
    before = evidence.prepaid.get(account)
    if seen.type == RETURNED:
        owed_minor = body["amount_minor"] - body["fee_minor"] + (before.owed_minor if before else 0)
        refunds = (*(before.refunds if before else ()), *body["refunds"])
        evidence.prepaid[account] = GivenBack(Said(seen.event_id, seen.at, body), owed_minor, refunds)
    elif seen.type == GIVEN_UP:
        if before and body["refund"] in before.refunds:
            evidence.prepaid[account] = before._replace(refunds=(*before.refunds, ANY))
    elif before and (ANY in before.refunds or body.get("refund", "") in ("", *before.refunds)):
        evidence.prepaid[account] = before._replace(owed_minor=before.owed_minor - body["amount_minor"])


def never_given_back(account: str, back: GivenBack, today: str, days: int) -> Iterator[Leak]:
    """What a customer asked back and did not get in time: by the day that was said, or so many days after he asked."""
    asked = back.said.body
    if back.owed_minor > 0 and (asked["refund_by"] or day_after(asked["asked_on"], days)) < today:
        yield Leak(CREDIT_RULE[0], "", "", account, back.owed_minor, asked["currency"], asked["asked_on"], (), (back.said.event,))
