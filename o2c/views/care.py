"""Courtesy contacts that are owed to customers of the tiers that have them: which are open, done or missed, and by whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from o2c.customers.care import AGREEMENTS, Owed, Reached, Spoken, owed
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.reading import Page, plain
from o2c.views.shown import CareShown
from projections import care

STATES = ("open", "done", "missed")
COLUMNS = ("customer", "tier", "external_id", "milestone", "reached_at", "due_at", "state", "by")


def care_due(
    app: Engine, *, customer: str = "", tier: str = "", state: str = "", since: datetime | None = None, limit: int | None = None
) -> Page[CareShown]:
    """The courtesy contacts that milestones of orders call for, by the tier of the customer, the first due first: each is open, done or missed.

    A contact that we made (`customers.contact`, outbound) about the order, or about none, before `due_at` does it; `by` is who made it. Milestones
    `since` a time alone where it is given. The projections must be caught up. Raises Refused (usage) for a tier or state that is none.
    """
    for what, value, known in (("tier with courtesy contacts", tier, tuple(AGREEMENTS)), ("state", state, STATES)):
        if value and value not in known:
            raise Refused(f"there is no {what} {value[:40]}; use one of {', '.join(known)}")
    rows = app.reads.rows(care.OF_TIERS, tiers=[tier] if tier else list(AGREEMENTS), customer=customer, since=since)
    spoken = [Spoken(**row) for row in app.reads.rows(care.SPOKEN, sorted({row["customer"] for row in rows}))]
    names = {row["order"]: row["external_id"] for row in rows}
    found = [each for each in owed(map(_reached(app), rows), spoken, now=app.clock().now) if state in ("", each.state)]
    found.sort(key=lambda each: (each.due_at, each.reached.order, each.reached.milestone))
    page: Page[CareShown] = Page(_shown(each, names) for each in found[:limit])
    page.more = len(found) - len(page)
    return page


def _reached(app: Engine) -> Any:
    def made(row: dict[str, Any]) -> Reached:
        market = app.book.market(row["market"])
        return Reached(row["customer"], row["tier"], row["order"], row["milestone"], row["reached_at"], market)

    return made


def _shown(each: Owed, names: dict[str, str]) -> CareShown:
    stone = each.reached
    told = {
        "customer": stone.customer, "tier": stone.tier, "order": stone.order, "external_id": names[stone.order], "milestone": stone.milestone,
        "reached_at": stone.at, "due_at": each.due_at, "state": each.state, "by": each.by or None,
    }  # fmt: skip
    return cast("CareShown", plain(told))
