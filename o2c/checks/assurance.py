"""Assurance from order to bill: what fulfilment and billing say of the same service, held against each other, in one pass over the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from zlib import crc32

from o2c.checks.assurance_rules import (
    DEPOSIT_RULE,
    FINAL_BILL_RULE,
    LATE_USAGE_RULE,
    PORT_OUT_RULE,
    RULES,
    Leak,
    kept_too_long,
    leaks_of,
    never_billed,
    never_billed_late,
    never_settled,
    not_as_agreed,
)
from o2c.checks.compensation_to_bill import COMPENSATION_RULE, not_made_good
from o2c.checks.conformance import ABOUT_SO_LONG, SHARE_EVENTS
from o2c.checks.credit_to_return import CREDIT_RULE, never_given_back
from o2c.checks.gathering import TYPES, gathered
from o2c.checks.instalments_billed import INSTALMENT_RULE
from o2c.checks.late_to_bill import LATE_RULE, charged_twice
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
OF_ACCOUNTS = (
    DEPOSIT_RULE,
    FINAL_BILL_RULE,
    LATE_USAGE_RULE,
    INSTALMENT_RULE,
    PORT_OUT_RULE,
    LATE_RULE,
    COMPENSATION_RULE,
    CREDIT_RULE,
    PACK_RULE,
)
ASSURANCE_RULES = (*(rule.name for rule in RULES), *(name for name, _, _ in OF_ACCOUNTS))


def check_assurance(app: Engine, *, rule: str = "", days: int = UNBILLED_DAYS) -> list[Leak]:
    """Hold what fulfilment and billing say of every service against each other: what leaks by every rule, or the one named, with the events of both
    sides. Writes nothing.

    `days` is how long a service may be on before it must be billed. Amounts are minor units. Raises Refused: missing (no such rule), usage (less than no days, or more than DAYS_MAX).
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
        if rule in ("", DEPOSIT_RULE[0]):
            found += [leak for deposit in evidence.deposits.values() for leak in kept_too_long(deposit)]
        if rule in ("", FINAL_BILL_RULE[0]):
            found += [leak for closing in evidence.closings.values() for leak in never_settled(closing, today, days)]
        if rule in ("", LATE_USAGE_RULE[0]):
            found += [leak for closing in evidence.closings.values() for leak in never_billed_late(closing, today, days)]
        if rule in ("", INSTALMENT_RULE[0]):
            found += [leak for closing in evidence.closings.values() for leak in not_as_agreed(closing)]
        if rule in ("", PORT_OUT_RULE[0]):
            found += [leak for gone in evidence.gone for leak in never_billed(gone, today, days)]
        if rule in ("", LATE_RULE[0]):
            found += [leak for lines in evidence.lates.values() for leak in charged_twice(lines)]
        if rule in ("", COMPENSATION_RULE[0]):
            found += [leak for item in evidence.items.values() for leak in not_made_good(item, evidence.organisations)]
        if rule in ("", CREDIT_RULE[0]):
            found += [leak for account, back in evidence.prepaid.items() for leak in never_given_back(account, back, today, days)]
        if rule in ("", PACK_RULE[0]):
            found += [leak for packs in evidence.packs.values() for leak in not_on_one_bill(packs, today, days)]
    return sorted(found, key=lambda leak: (ASSURANCE_RULES.index(leak.rule), leak.since, leak.order, leak.item, leak.events_b))


def assurance_rules_listed() -> list[dict[str, str]]:
    """The rules: name, metric of GB941-D, sentence."""
    rules = [(rule.name, rule.metric, rule.says) for rule in RULES]
    return [{"rule": name, "metric": metric, "says": says} for name, metric, says in (*rules, *OF_ACCOUNTS)]


def _share(share: int, shares: int) -> Callable[[str], bool]:
    return lambda order: shares == 1 or crc32(order.encode()) % shares == share
