"""One Touch Switch, as the provider that gains the customer: when the losing one is asked, ordered from, and told that our service is on.

We lead: the customer speaks to nobody else, and the losing provider tells him what switching means. Nothing is switched on before it has
taken our order, and its own service ends when ours is on.
Source: Ofcom General Conditions of Entitlement, C7; TOTSCO, OTS message specification [M]. The market's data: `LifeRules.switching`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.orders.wish import SWITCH_ACCOUNT, SWITCH_FROM
from o2c.switching.events import SwitchInCancelled, SwitchInMatched, SwitchInOrdered, SwitchInTriggered


def flaw(work: Work, at: datetime) -> str:
    """Give the first reason why nobody can be asked; empty when there is none. SW-NONE: fixed services are not switched so in this
    market."""
    if work.market.life.switching is None:
        return f"SW-NONE: fixed services are not switched in market {work.market.code}; the customer ends the old contract himself"
    return ""


def question(work: Work) -> Mapping[str, Any]:
    """Give the body of the question to the hub: the `losing` provider, our `customer` (whose name the hub's client adds, so that it stands
    in no record), the `address`, and the `account` with the losing provider where the customer told it."""
    told = work.subject.characteristics
    return {
        "losing": str(told.get(SWITCH_FROM, "")),
        "customer": work.state.party,
        "address": work.subject.place,
        "account": str(told.get(SWITCH_ACCOUNT, "")),
    }


def matched(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the losing provider has the customer. Its reference is good for the days of the market."""
    assert work.market.life.switching is not None
    through = local_date(at, work.market.zone) + timedelta(days=work.market.life.switching.reference_valid_days)
    event = SwitchInMatched(
        item=work.item,
        attempt=work.attempt,
        reference=str(data.get("reference", "")),
        losing=str(work.subject.characteristics.get(SWITCH_FROM, "")),
        valid_through=through.isoformat(),
        implications_by=str(data.get("implications_by", "")),
        services=tuple(str(one) for one in data.get("services", ())),
    )
    return just(event)


def too_old(work: Work, at: datetime) -> str:
    """Give SW-EXPIRED where the reference is good no more on this day; empty when it is."""
    through = str(_match(work).get("valid_through", ""))
    over = through < local_date(at, work.market.zone).isoformat()
    return f"SW-EXPIRED: the reference was good through {through}" if over else ""


def _match(work: Work) -> Mapping[str, Any]:
    found: Mapping[str, Any] = work.outcomes.get("switch-match", {})
    return found


def under_reference(work: Work) -> Mapping[str, Any]:
    """Give the body of every later message: the `losing` provider and its `reference`."""
    known = _match(work)
    return {"losing": known.get("losing", ""), "reference": known.get("reference", "")}


def planned_day(work: Work, at: datetime) -> Mapping[str, Any]:
    """Give the day for which the switch is ordered (`planned_on`): that for which the service is promised, and none that is over."""
    return {"planned_on": _planned_on(work, at).isoformat()}


def _planned_on(work: Work, at: datetime) -> date:
    today = local_date(at, work.market.zone)
    return max(today, date.fromisoformat(work.subject.promised_on)) if work.subject.promised_on else today


def ordered(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the losing provider took the order, for the day that it names or that was asked for."""
    planned_on = str(data.get("planned_on") or _planned_on(work, at).isoformat())
    reference = str(_match(work).get("reference", ""))
    promised_on = work.subject.promised_on
    return just(SwitchInOrdered(item=work.item, attempt=work.attempt, reference=reference, planned_on=planned_on, promised_on=promised_on))


def promised_otherwise(work: Work) -> bool:
    """Whether our service, which is not on yet, is promised for another day by now than when the switch was ordered: the losing provider is
    told, so that its customer hears one day from both."""
    told = work.outcomes.get("switch-order", {}).get("promised_on", "")
    return bool(told) and not work.outcomes.get("activation") and told != work.subject.promised_on


def since(work: Work, at: datetime) -> Mapping[str, Any]:
    """Give the day since which our service is on (`activated_on`)."""
    return {"activated_on": _activated_on(work, at)}


def _activated_on(work: Work, at: datetime) -> str:
    return str(work.outcomes.get("activation", {}).get("starts_on") or local_date(at, work.market.zone).isoformat())


def triggered(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the losing provider ends its service."""
    reference = str(_match(work).get("reference", ""))
    return just(SwitchInTriggered(item=work.item, attempt=work.attempt, reference=reference, activated_on=_activated_on(work, at)))


def is_ours(work: Work) -> bool:
    """Whether the losing provider was told that our service is on, so that nothing is left to call off."""
    return bool(work.outcomes.get("switch-trigger"))


def called_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the losing provider keeps the customer."""
    return just(SwitchInCancelled(item=work.item, attempt=work.attempt))
