"""Packs of units that are bought once for a line, beside what its plan includes: when, until when they can be used, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from o2c.kernel.decision import Decision, just
from o2c.kernel.money import from_minor
from o2c.kernel.periods import Period
from o2c.kernel.refusal import Refused
from o2c.rating.allowances import Grant, granted
from o2c.rating.events import PackBought
from o2c.rating.models import NONE
from o2c.rating.rules import Using
from o2c.rating.tariff import Allowance


@dataclass(frozen=True, slots=True)
class Pack:
    """What an offering sells once: units, at a price net of tax, in minor units."""

    offering: str
    allowance: Allowance
    net_minor: int
    tax_group: str


@dataclass(frozen=True, slots=True)
class Spending:
    """What the bill of a period came to so far beyond its recurring prices, and the limit of it (None: none, or the customer agreed to go
    beyond it), in minor units."""

    spent_minor: int
    limit_minor: int | None


def buy(state: Using, pack: Pack, *, owner: str, period: Period, on: date, spending: Spending) -> Decision:
    """Buy a pack for a line (`ORDER/ITEM`) on a local day of a bill period: each time it is another one.

    Its units can be used from that day on, for so many bill periods as the allowance says, the running one counted; nothing of it is
    carried over. Raises Refused (conflict) where the bill would go beyond the customer's limit, which no purchase agrees to (Communications
    Act 2003, s. 124S).
    """
    _refuse_beyond(state, pack, spending)
    number = state.usage.packs_bought + 1
    once = {"periods": 1, "rollover_min": NONE, "rollover_max": NONE, "prorated": False}
    allowance = pack.allowance.model_copy(update={**once, "name": f"{pack.allowance.name} P{number}"})
    order, _, item = owner.rpartition("/")
    return just(
        PackBought(
            account=state.account,
            customer=state.customer,
            order=order,
            item=item,
            offering=pack.offering,
            allowance=allowance,
            net_minor=pack.net_minor,
            currency=state.currency,
            tax_group=pack.tax_group,
            bought_on=on.isoformat(),
            ends=granted(owner, pack.allowance, period, from_day=on).ends.isoformat(),
        )
    )


def _refuse_beyond(state: Using, pack: Pack, spending: Spending) -> None:
    limit_minor = spending.limit_minor
    if limit_minor is not None and spending.spent_minor + pack.net_minor > limit_minor:
        costs, limit = (from_minor(minor, state.currency) for minor in (pack.net_minor, limit_minor))
        raise Refused(
            f"account {state.account}: {pack.offering} costs {costs}, with which the bill would go beyond its limit of {limit}; have the limit changed first",
            kind="conflict",
        )


def grant_of(event: PackBought) -> Grant:
    """Give the units of a pack as they were bought."""
    bought_on, ends = date.fromisoformat(event.bought_on), date.fromisoformat(event.ends)
    return granted(f"{event.order}/{event.item}", event.allowance, Period(bought_on, ends))
