"""Assurance from order to bill: what fulfilment and billing say of the same service, held against each other, in one pass over the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from zlib import crc32

from o2c.checks.accounts_to_bill import (
    DEPOSIT_RULE,
    FINAL_BILL_RULE,
    LATE_USAGE_RULE,
    PORT_OUT_RULE,
    kept_too_long,
    never_billed,
    never_billed_late,
    never_settled,
    not_as_agreed,
)
from o2c.checks.assurance_rules import RULES, Leak, leaks_of
from o2c.checks.compensation_to_bill import COMPENSATION_RULE, not_made_good
from o2c.checks.conformance import ABOUT_SO_LONG, SHARE_EVENTS
from o2c.checks.credit_left import LEFT_RULE, never_returned
from o2c.checks.credit_to_return import CREDIT_RULE, never_given_back
from o2c.checks.gathering import TYPES, gathered
from o2c.checks.instalments_billed import INSTALMENT_RULE
from o2c.checks.late_to_bill import LATE_RULE, charged_twice
from o2c.checks.order_to_bill import Evidence
from o2c.checks.packs_billed import PACK_RULE, not_on_one_bill
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from projections.engine.fold import pages
from projections.engine.seen import START, Reader, Seen, last_mark
from projections.engine.tables import session

__all__ = ["ASSURANCE_RULES", "UNBILLED_DAYS", "Leak", "assurance_rules_listed", "check_assurance", "compared"]

UNBILLED_DAYS = 35
"""After so many days a service that is on must have been billed: a bill comes once a month, and a few days late."""
DAYS_MAX = 36_500
Finder = Callable[[Evidence, str, int], Iterable[Iterable[Leak]]]
"""What a rule finds in the evidence, on a day (ISO) after which a service may be on unbilled for so many days: thing by thing."""
BESIDE_ITEMS: Sequence[tuple[tuple[str, str, str], Finder]] = (
    (DEPOSIT_RULE, lambda of, today, days: map(kept_too_long, of.deposits.values())),
    (FINAL_BILL_RULE, lambda of, today, days: (never_settled(one, today, days) for one in of.closings.values())),
    (LATE_USAGE_RULE, lambda of, today, days: (never_billed_late(one, today, days) for one in of.closings.values())),
    (INSTALMENT_RULE, lambda of, today, days: map(not_as_agreed, of.closings.values())),
    (PORT_OUT_RULE, lambda of, today, days: (never_billed(gone, today, days) for gone in of.gone)),
    (LATE_RULE, lambda of, today, days: map(charged_twice, of.lates.values())),
    (COMPENSATION_RULE, lambda of, today, days: (not_made_good(item, of.organisations) for item in of.items.values())),
    (CREDIT_RULE, lambda of, today, days: (never_given_back(account, back, today, days) for account, back in of.prepaid.items())),
    (PACK_RULE, lambda of, today, days: (not_on_one_bill(packs, today, days) for packs in of.packs.values())),
    (
        LEFT_RULE,
        lambda of, today, days: (never_returned(one, of.held[name], today, days) for name, one in of.closings.items() if name in of.held),
    ),
)
"""The rules that look at more than one item at a time, each with what finds its leaks."""
ASSURANCE_RULES = (*(rule.name for rule in RULES), *(name for (name, _, _), _ in BESIDE_ITEMS))


def check_assurance(app: Engine, *, rule: str = "", days: int = UNBILLED_DAYS) -> list[Leak]:
    """Hold what fulfilment and billing say of every service against each other: what leaks by every rule, or the one named, with the events
    of both sides. Writes nothing.

    `days` is how long a service may be on before it must be billed. Amounts are minor units. Raises Refused: missing (no such rule), usage
    (less than no days, or more than DAYS_MAX).
    """
    if rule and rule not in ASSURANCE_RULES:
        raise Refused(f"no rule is called {rule[:80]}; see `o2c assurance --rules`", kind="missing")
    if not 0 <= days <= DAYS_MAX:
        raise Refused(f"give 0 to {DAYS_MAX:,} days")
    today = app.clock().now.date().isoformat()
    with session(app.dsn) as conn:
        [size] = conn.execute(ABOUT_SO_LONG).fetchall()
        bound = last_mark(conn)

        def read() -> Iterator[Seen]:
            for page, _ in pages(conn, Reader([TYPES]), START.position, bound):
                yield from page

        return compared(read, today, days, rule=rule, shares=1 + size["n"] // SHARE_EVENTS)


def compared(read: Callable[[], Iterable[Seen]], today: str, days: int, *, rule: str = "", shares: int = 1) -> list[Leak]:
    """What the rules find in events of TYPES, which `read` gives in the order of the log, once for each of the `shares` of the orders."""
    found: list[Leak] = []
    for share in range(shares):
        evidence = gathered(read(), _share(share, shares))
        found += [leak for item in evidence.items.values() for leak in leaks_of(item, today, days, rule=rule)]
        for (name, _, _), find in BESIDE_ITEMS:
            if rule in ("", name):
                found += chain.from_iterable(find(evidence, today, days))
    return sorted(found, key=lambda leak: (ASSURANCE_RULES.index(leak.rule), leak.since, leak.order, leak.item, leak.events_b))


def assurance_rules_listed() -> list[dict[str, str]]:
    """The rules: name, metric of GB941-D, sentence."""
    rules = [(rule.name, rule.metric, rule.says) for rule in RULES]
    beside = [rule for rule, _ in BESIDE_ITEMS]
    return [{"rule": name, "metric": metric, "says": says} for name, metric, says in (*rules, *beside)]


def _share(share: int, shares: int) -> Callable[[str], bool]:
    return lambda order: shares == 1 or crc32(order.encode()) % shares == share
