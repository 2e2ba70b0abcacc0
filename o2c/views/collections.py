"""Accounts whose debts are collected: how far that went, and what holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

from o2c.collections.interest import claim_of
from o2c.engine.app import Engine
from o2c.kernel.periods import local_date
from o2c.markets.registry import MARKETS
from o2c.markets.registry import market as of_pin
from o2c.views.reading import Page, part_of
from o2c.views.shown import CollectionShown, LateClaimShown
from projections import collections as collected

Bar = Literal["", "soft", "hard", "ended"]
"""At which level the lines of an account are barred; empty for none, and in a filter for any."""


def hold_kinds(market: str) -> tuple[str, ...]:
    """What collections may be held for under the rules that an account follows (its market's pin); nothing for one that follows none
    yet."""
    rules = of_pin(market)
    return tuple(rules.collections.holds) if rules else ()


def holds_known() -> tuple[str, ...]:
    """What collections may be held for in any market."""
    return tuple(dict.fromkeys(kind for versions in MARKETS.values() for each in versions for kind in each.collections.holds))


def stages_known() -> tuple[str, ...]:
    """The names of the stages of all markets, the worst first."""
    return tuple(dict.fromkeys(stage.name for versions in MARKETS.values() for each in versions for stage in each.collections.stages))


def list_collections(
    app: Engine, *, accounts: Sequence[str] = (), stage: str = "", bar: Bar = "", hold: str = "", offset: int = 0, limit: int = 100
) -> Page[CollectionShown]:
    """Accounts that owe past a due day or whose collections are held, one row a currency, the longest owed first: stage, amounts, bar,
    holds.

    With `accounts` those alone, with `stage` those in it, with `bar` those barred at that level, with `hold` those held by that kind.
    Amounts are minor units; the page says how many more there are. The projections must be caught up. Raises Refused (usage).
    """
    picked = {"accounts": list(accounts), "stage": stage, "bar": bar, "hold": hold}
    found, now = part_of(app, collected.LISTED, collected.LISTED_COUNT, picked, offset, limit), app.clock().now
    page = Page[CollectionShown](_shown(row, now) for row in found)
    page.more = found.more
    return page


def _late(pin: str, kept: Sequence[Mapping[str, Any]], now: datetime) -> list[LateClaimShown]:
    market = of_pin(pin)
    rules = market.collections.late_interest if market else None
    if market is None or rules is None:
        return []
    today = local_date(now, market.zone)
    claims = ((claim_of(late, rules, market.currency, today), late) for late in map(collected.late_of, kept))
    return [
        {
            "invoice": claim.invoice,
            "from_day": claim.from_day.isoformat(),
            "to_day": claim.to_day.isoformat(),
            "days": claim.days,
            "interest_minor": claim.interest_minor,
            "fixed_minor": claim.fixed_minor,
            "charged_minor": sum(late.billed_minor),
        }
        for claim, late in claims
        if claim
    ]


def _shown(row: Mapping[str, Any], now: datetime) -> CollectionShown:
    """A row of the projection with what is owed for paying late by now, under the rules of its market."""
    holds = [f"{kind} until {until}" if until else kind for kind, until in sorted(row["holds"].items())]
    told = {name: value for name, value in row.items() if name != "market"}
    return cast("CollectionShown", {**told, "holds": holds, "late": _late(row["market"], row["late"], now)})
