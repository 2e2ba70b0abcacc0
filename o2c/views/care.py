"""Courtesy contacts that are owed to customers who have them agreed: which are open, done or missed, and by whom; and what is agreed."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, cast

from o2c.customers.agreements import STREAM, AgreementsState, Loaded, books, in_force
from o2c.customers.care import Agreed, Owed, Reached, Spoken, owed
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.reading import Page, plain
from o2c.views.shown import CareAgreementShown, CareShown
from projections import care

STATES = ("open", "done", "missed")
COLUMNS = ("customer", "tier", "external_id", "milestone", "reached_at", "due_at", "state", "by")


def care_due(
    app: Engine, *, customer: str = "", tier: str = "", state: str = "", since: datetime | None = None, limit: int | None = None
) -> Page[CareShown]:
    """The courtesy contacts that milestones of orders call for, by what is agreed with the customer, the first due first: each is open,
    done or missed.

    A contact that we made (`customers.contact`, outbound) about the order, or about none, before `due_at` does it; `by` is who made it.
    What was agreed when a milestone was reached counts (`care.agreements`). Milestones `since` a time alone where it is given. Orders of
    programs and of tests of our own only where their `customer` is given. The projections must be caught up. Raises Refused (usage) for a
    tier or state that is none.
    """
    loaded, now = _loaded(app), app.clock().now
    ever = books(loaded)
    for what, value, known in (("tier", tier, sorted({name for book in ever for name in book.tiers})), ("state", state, STATES)):
        if value and value not in known:
            raise Refused(f"there is no {what} {value[:40]}; use one of {', '.join(known)}")
    whose = {
        "tiers": sorted({name for book in ever for name, each in book.tiers.items() if each.contacts}),
        "customers": sorted({one for book in ever for each in book.own.values() if each.contacts for one in each.customers}),
    }
    rows = app.reads.rows(care.REACHED, **whose, tier=tier, customer=customer, since=since)
    spoken = [Spoken(**row) for row in app.reads.rows(care.SPOKEN, sorted({row["customer"] for row in rows}))]
    names = {row["order"]: row["external_id"] for row in rows}
    found = [
        each for each in owed(map(_reached(app), rows), spoken, now=now, agreed=partial(in_force, loaded)) if state in ("", each.state)
    ]
    found.sort(key=lambda each: (each.due_at, each.reached.order, each.reached.milestone))
    page: Page[CareShown] = Page(_shown(each, names) for each in found[:limit])
    page.more = len(found) - len(page)
    return page


def agreed(app: Engine) -> Agreed:
    """What was agreed with customers, by the time of which that is asked."""
    return partial(in_force, _loaded(app))


def _loaded(app: Engine) -> tuple[Loaded, ...]:
    state: AgreementsState = app.load_one(STREAM).state
    return state.loaded


def list_agreements(app: Engine) -> list[CareAgreementShown]:
    """What is agreed with customers now, by tier, and with those who have an agreement of their own: contacts, hours, days, markets and
    calendar, and the version of the file."""
    book = agreed(app)(app.clock().now)
    return [
        {
            "agreement": name,
            "customers": list(each.customers),
            "contacts": dict(each.contacts),
            "until_hour": each.until_hour,
            "complete_within_days": each.complete_within_days,
            "promised_working_days": each.promised_working_days or None,
            "markets": list(each.markets),
            "calendar": each.calendar,
            "closed_on": list(each.closed_on),
            "version": book.version,
        }
        for name, each in {**book.tiers, **book.own}.items()
    ]


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
