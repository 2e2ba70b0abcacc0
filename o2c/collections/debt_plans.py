"""Plans by which a debt is paid in parts: agreed to the penny, kept or broken by what came, and what they hold meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from o2c.collections.events import PlanAgreed, PlanBroken, PlanKept, PlanPart, PlanPartKept
from o2c.collections.state import Arrear, CollectionState, DebtPlan
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.collecting import CollectionRules

Part = tuple[date, int]
"""The last day of a part, and how much it is in minor units."""


def agree(
    state: CollectionState, parts: Sequence[Part], *, currency: str, note: str, today: date, market: Market, of: Mapping[str, str]
) -> Decision:
    """Agree with the customer how all that is owed in a currency is paid in parts; until it is broken nothing becomes worse.

    The same plan once more changes nothing. Raises Refused: conflict (nothing is owed, a promise or another plan stands, something is in
    dispute, an agency collects it, too many plans were broken), usage (days that are over, too far off or out of order, too few or many
    parts, another sum).
    """
    plan, rests = state.plan, state.collected(currency)
    wished = tuple((day.isoformat(), amount_minor) for day, amount_minor in parts)
    if plan and (plan.currency, plan.parts) == (currency, wished):
        return just()
    if against := _against(state, currency, rests, market.collections):
        raise Refused(f"account {of['account']}: {against}", kind="conflict")
    if amiss := _amiss(parts, currency, rests, today, market.collections):
        raise Refused(f"account {of['account']}: {amiss}")
    agreed = [PlanPart(due_on=due_on, amount_minor=amount_minor) for due_on, amount_minor in wished]
    invoices = [arrear.invoice for arrear in rests]
    return just(PlanAgreed.model_validate({**of, "currency": currency, "parts": agreed, "invoices": invoices, "note": note}))


def _against(state: CollectionState, currency: str, rests: Sequence[Arrear], rules: CollectionRules) -> str:
    """What stands against any plan; empty for nothing."""
    disputed = [arrear.disputed_minor > 0 for arrear in state.arrears.values() if arrear.currency == currency]
    if any(disputed):
        return f"{'a part of the debt' if rests else 'all of the debt'} is in dispute; settle that first"
    if not rests:
        return f"it owes nothing in {currency} that is past its due day; there is nothing to plan"
    if agencies := {state.placed[arrear.invoice] for arrear in rests if arrear.invoice in state.placed}:
        return f"the debt is with {min(agencies)}, which agrees with the customer how it is paid"
    if state.promise:
        return f"a promise for {state.promise.by_on} stands; wait for its day"
    if state.plan:
        return f"a plan up to {state.plan.parts[-1][0]} stands; another is agreed when it is over"
    if state.plans_broken >= rules.plans_max:
        return f"{state.plans_broken} plans were broken; none more is agreed"
    return ""


def _amiss(parts: Sequence[Part], currency: str, rests: Sequence[Arrear], today: date, rules: CollectionRules) -> str:
    """What is wrong with the parts of a plan; empty for nothing."""
    days, last = [day for day, _ in parts], today + timedelta(days=rules.plan_days_max)
    if not 2 <= len(parts) <= rules.plan_parts_max:
        return f"a plan has 2 to {rules.plan_parts_max} parts; for one, take down a promise"
    if days != sorted(set(days)) or not today <= days[0] or days[-1] > last:
        return f"the days of a plan are between {today} and {last}, each after the one before"
    if min(amount_minor for _, amount_minor in parts) <= 0:
        return "each part of a plan is more than nothing"
    if sum(amount_minor for _, amount_minor in parts) != (owed := sum(arrear.open_minor for arrear in rests)):
        return f"the parts of a plan are the whole debt to the penny; they must sum to {from_minor(owed, currency)} {currency}"
    return ""


def judged(state: CollectionState, rules: CollectionRules, today: str) -> Iterator[Event]:
    """What has come of the plan by this local day: parts that were kept, then all of it kept, or broken."""
    plan = state.plan
    if plan is None:
        return
    paid_minor, said = _paid(state, plan), {"currency": plan.currency}
    for number, (due_on, amount_minor) in enumerate(plan.parts[plan.kept :], plan.kept + 1):
        if plan.due_minor(number) <= paid_minor:
            yield PlanPartKept.model_validate({**said, "number": number, "due_on": due_on, "amount_minor": amount_minor})
    if paid_minor >= plan.debt_minor:
        yield PlanKept.model_validate({**said, "amount_minor": plan.debt_minor})
    elif broken := _broken(state, plan, rules, today):
        yield PlanBroken.model_validate({**said, "paid_minor": paid_minor, **broken})


def _paid(state: CollectionState, plan: DebtPlan) -> int:
    """How much of the debt is gone, in minor units, by money or by credit; what a chargeback took back is owed again."""
    open_minor = sum(arrear.open_minor for arrear in _planned(state, plan))
    return max(plan.debt_minor - open_minor, 0)


def _broken(state: CollectionState, plan: DebtPlan, rules: CollectionRules, today: str) -> Mapping[str, Any]:
    """How a plan is broken on a local day; nothing while it is not. What is in dispute is not late."""
    covered = _paid(state, plan) + sum(arrear.disputed_minor for arrear in _planned(state, plan))
    for number, (due_on, _) in enumerate(plan.parts, 1):
        if plan.due_minor(number) > covered and _last(due_on, rules) < today:
            return {"cause": "late", "due_on": due_on, "due_minor": plan.due_minor(number)}
    for arrear in _further(state, plan):
        if _last(arrear.due_on, rules) < today:
            return {"cause": "further-debt", "due_on": arrear.due_on, "due_minor": arrear.collected_minor, "invoice": arrear.invoice}
    return {}


def _planned(state: CollectionState, plan: DebtPlan) -> list[Arrear]:
    return [arrear for arrear in state.arrears.values() if arrear.invoice in plan.invoices]


def _further(state: CollectionState, plan: DebtPlan) -> list[Arrear]:
    """What became overdue since the plan was agreed: who keeps it also pays what falls due beside it."""
    return [arrear for arrear in state.collected(plan.currency) if arrear.invoice not in plan.invoices]


def days_of_plan(state: CollectionState, rules: CollectionRules) -> Iterator[str]:
    """The local days on which the plan could turn out to be broken."""
    if state.plan is None:
        return
    dues = [due_on for due_on, _ in state.plan.parts] + [arrear.due_on for arrear in _further(state, state.plan)]
    yield from (_later(due_on, rules.plan_late_days + 1) for due_on in dues)


def _last(due_on: str, rules: CollectionRules) -> str:
    return _later(due_on, rules.plan_late_days)


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
