"""What an account holds for its customer once it has ended: it is on its way back to him within some days."""

from __future__ import annotations

from collections.abc import Iterator

from o2c.checks.assurance_rules import Leak
from o2c.checks.order_to_bill import Closing, Evidence, Held, Said, day_after
from projections.engine.seen import Seen

_SIGNS = {
    "account.credit-received": 1, "account.compensated": 1, "account.goodwill-given": 1, "account.prepaid-owed": 1, "account.deposit-freed": 1, "account.refund-released": 1,
    "account.credit-used": -1, "account.credit-taken-back": -1, "account.refund-reserved": -1, "account.money-returned": -1,
}  # fmt: skip
"""What each adds to what an account holds and goes back by no refund yet. Money that a refund paid was taken off as it was set aside."""
TYPES = frozenset({*_SIGNS, "account.refund-wanted", "account.refund-withdrawn"})
LEFT_RULE = (
    "credit-not-returned",
    "G-RM-RA-RLj",
    "What an account holds for its customer pays for its bills or is on its way back to him within some days, once everything is over that was charged to it.",
)


def moved(evidence: Evidence, seen: Seen) -> None:
    """Take down what came to be held on an account, and what is held no more."""
    body = seen.body
    held = evidence.held.setdefault(body["account"], Held())
    if seen.type == "account.refund-wanted":
        held.wanted.add(body["refund"])
        return
    held.wanted.discard(body.get("refund", ""))
    by_refund = seen.type == "account.money-returned" and body.get("refund")
    held.minor += 0 if by_refund else _SIGNS.get(seen.type, 0) * body["amount_minor"]
    held.last = Said(seen.event_id, seen.at, body)


def never_returned(closing: Closing, held: Held, today: str, days: int) -> Iterator[Leak]:
    """Money that an account holds that ended so many days ago, and that last moved so long ago; not where a second person is asked."""
    if held.last is None or held.minor <= 0 or held.wanted or not closing.over_at or closing.goes_on:
        return
    since = max(held.last.at, closing.over_at)[:10]
    if day_after(since, days) <= today:
        yield Leak(LEFT_RULE[0], "", "", closing.account, held.minor, held.last.body["currency"], since, (), (held.last.event,))
