"""Late payment on bills: each day of an invoice that was paid late is charged once, and so is its fixed sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from o2c.checks.assurance_rules import Leak
from o2c.checks.order_to_bill import Evidence, LateLine
from o2c.kernel.lateness import LATE_INTEREST, LATE_SUM, LateOvercharged
from projections.engine.seen import Seen

TYPES = frozenset({LateOvercharged.type_name})
LATE_RULE = ("late-payment-twice", "G-RM-RA-RLk", "No late day of an invoice is charged twice, and its fixed sum no more than once.")


def billed_late(evidence: Evidence, seen: Seen) -> None:
    """Take down the lines of an invoice that charge for paying others late."""
    for line in seen.body["lines"]:
        if late := line.get("of_invoice"):
            told = LateLine(seen.event_id, seen.at, seen.body["number"], seen.body["account"], seen.body["currency"], line)
            evidence.lates.setdefault(late, []).append(told)


def given_back(evidence: Evidence, seen: Seen) -> None:
    """Take away a fixed sum that was charged and turned out not to be owed at all: it may be owed again."""
    lines = evidence.lates.get(seen.body["invoice"], [])
    lines[:] = [each for each in lines if not _all_of(each, seen.body)]


def _all_of(late: LateLine, body: Mapping[str, Any]) -> bool:
    return (late.bill, late.line["kind"], late.line["net_minor"]) == (body["bill"], LATE_SUM, body["fixed_minor"])


def charged_twice(lines: list[LateLine]) -> Iterator[Leak]:
    """What one line about an invoice charges once more that another charged before: days of interest, or the fixed sum."""
    days = sorted(
        (each for each in lines if each.line["kind"] == LATE_INTEREST), key=lambda each: (each.line["from_day"], each.line["to_day"])
    )
    again = [(one, other) for one, other in pairwise(days) if other.line["from_day"] < one.line["to_day"]]
    for one, other in (*again, *pairwise(each for each in lines if each.line["kind"] == LATE_SUM)):
        events = (one.event, other.event)
        yield Leak(LATE_RULE[0], "", "", other.account, other.line["net_minor"], other.currency, other.at[:10], (), events)
