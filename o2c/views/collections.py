"""Accounts whose debts are collected: how far that went, and what holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from o2c.collections.interest import claim_of
from o2c.engine.app import Engine
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS
from o2c.markets.registry import market as of_pin
from o2c.views.reading import PART_MAX, Page
from o2c.views.shown import CollectionShown, LateClaimShown, PlanPartShown

if TYPE_CHECKING:
    from o2c.collections.state import CollectionState

PREFIX = "collection-"
AT_ONCE = 500
Bar = Literal["", "soft", "hard", "ended"]
"""At which level the lines of an account are barred; empty for none, and in a filter for any."""


def hold_kinds(market: str) -> tuple[str, ...]:
    """What collections may be held for under the rules that an account follows (its market's pin); nothing for one that follows none yet."""
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
    """Accounts that owe past a due day or whose collections are held, one row a currency, the longest owed first: stage, amounts, bar, holds.

    With `accounts` those alone, with `stage` those in it, with `bar` those barred at that level, with `hold` those held by that kind. Amounts are minor units; the page says how many more there are. Raises Refused (usage).
    """
    if offset < 0 or not 0 <= limit <= PART_MAX:
        raise Refused(f"give an offset of 0 or more, and at most {PART_MAX} rows at once")
    streams = [f"{PREFIX}{account}" for account in accounts] or app.reads.streams_like(PREFIX)
    states = (state for state in _states(app, streams) if bar in ("", state.bar) and (not hold or hold in state.holds))
    now = app.clock().now
    found = [row for state in states for row in _rows(state, now) if stage in ("", row["stage"])]
    found.sort(key=lambda row: (row["due_on"] or "9999", row["account"], row["currency"]))
    page = Page[CollectionShown](found[offset : offset + limit])
    page.more = max(len(found) - offset - len(page), 0)
    return page


def _states(app: Engine, streams: Sequence[str]) -> Iterator[CollectionState]:
    for start in range(0, len(streams), AT_ONCE):
        yield from (loaded.state for loaded in app.load(streams[start : start + AT_ONCE]).values())


def _plan(state: CollectionState, currency: str) -> list[PlanPartShown]:
    plan = state.plan
    if plan is None or plan.currency != currency:
        return []
    return [{"due_on": due_on, "amount_minor": minor, "kept": number < plan.kept} for number, (due_on, minor) in enumerate(plan.parts)]


def _late(state: CollectionState, currency: str, now: datetime) -> list[LateClaimShown]:
    market = of_pin(state.market)
    rules = market.collections.late_interest if market else None
    if market is None or rules is None:
        return []
    today = local_date(now, market.zone)
    lates = (late for _, late in sorted(state.late.items()) if late.currency == currency)
    claims = ((claim_of(late, rules, market.currency, today), late) for late in lates)
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


def _rows(state: CollectionState, now: datetime) -> Iterator[CollectionShown]:
    currencies = {arrear.currency for arrear in state.arrears.values()} | set(state.stages)
    for currency in sorted(currencies or ({""} if state.holds else ())):
        arrears = [arrear for arrear in state.arrears.values() if arrear.currency == currency]
        promised = state.promise if state.promise and state.promise.currency == currency else None
        yield {
            "account": state.account,
            "customer": state.customer,
            "currency": currency,
            "stage": state.stages.get(currency, ""),
            "open_minor": sum(arrear.open_minor for arrear in arrears),
            "disputed_minor": sum(arrear.disputed_minor for arrear in arrears),
            "due_on": min((arrear.due_on for arrear in arrears), default=None),
            "invoices": sorted(arrear.invoice for arrear in arrears),
            "bar": state.bar,
            "notices": sum(notice.currency == currency for notice in state.notices),
            "holds": [f"{kind} until {until}" if until else kind for kind, until in sorted(state.holds.items())],
            "promised_on": promised.by_on if promised else None,
            "promised_minor": promised.amount_minor if promised else 0,
            "plan": _plan(state, currency),
            "late": _late(state, currency, now),
        }
