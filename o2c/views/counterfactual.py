"""Counterfactual: what the orders of a time would have come to under other data. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.fallout.rates import RateBook
from o2c.kernel.event import Fact
from o2c.kernel.reasons import STREAM
from o2c.views.figures import cost_minor, deeds_of, market_of
from o2c.views.otherwise import Place, Retelling, Retold
from o2c.views.policies import Policy, policy_of
from o2c.views.rates import rates_in_force
from o2c.views.reading import Rows
from o2c.views.reserved import taken_pieces
from o2c.views.retiming import Retiming, Unknown
from projections import fallout, orders

PAGE_ORDERS = 500
MONTH_DAYS = 30
_DAY = timedelta(days=1)
Days = Mapping[str, timedelta]
"""How much earlier items would have been over, by item; empty name: the gates."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What orders would have come to. Amounts are minor units by currency, and defined by `counterfactual`; `otherwise` has a row for each
    order that came out otherwise than in history, or of which nobody knows."""

    policy: str
    since: datetime
    orders: int
    fallouts_before: int
    fallouts_after: int
    unknown: int
    lost: int
    saved: timedelta
    labour_by_currency: Mapping[str, int]
    revenue_by_currency: Mapping[str, int]
    otherwise: tuple[Mapping[str, Any], ...]

    @property
    def minor_by_currency(self) -> dict[str, int]:
        """What is saved in all: labour and revenue."""
        both = (*self.labour_by_currency.items(), *self.revenue_by_currency.items())
        return {currency: sum(minor for name, minor in both if name == currency) for currency, _ in both}

    def row(self) -> dict[str, Any]:
        """The counterfactual in numbers; amounts are empty where there are several currencies, and told by currency beside that."""
        amounts = self.minor_by_currency
        return {
            "policy": self.policy,
            "orders": self.orders,
            "fallouts_before": self.fallouts_before,
            "fallouts_after": self.fallouts_after,
            "unknown": self.unknown,
            "days_saved": _days(self.saved),
            "minor_saved": sum(amounts.values()) if len(amounts) < 2 else None,
            "labour_minor_saved": sum(self.labour_by_currency.values()) if len(amounts) < 2 else None,
            "revenue_minor_saved": sum(self.revenue_by_currency.values()) if len(amounts) < 2 else None,
            "lost": self.lost,
            "minor_by_currency": amounts,
        }

    def rows(self) -> Rows:
        """A row for each order that came out otherwise, or is unknown."""
        return [dict(row) for row in self.otherwise]


def counterfactual(app: Engine, policy: str, *, since: datetime) -> Counterfactual:
    """Tell the orders captured from a time on again under a policy (the text of its file): other reason codes, mappings and retries,
    another credit policy, other plan data. Nothing is written.

    The data counts as in force from the beginning, whatever its `valid_from`. `fallouts_before` and `fallouts_after` count how often a step
    of these orders stopped for somebody. An order is *unknown* from where a request would have been made that history never made, or
    somebody would have had to decide who did not: it counts as it was, on both sides, and saves nothing. Each order is told beside history
    as it was for all others; one that is judged by a customer whose credit an earlier order would have left otherwise is unknown.

    `days_saved` are the days by which orders would have been over earlier (less than none: later), summed over orders: of each its gates,
    and the most of its items. Under other plan data an item is over with its last step (its port apart); else the days of those of its
    steps that went otherwise are added. What follows a step comes as much sooner as the step.

    `minor_saved` is labour plus revenue, in minor units without tax. *Labour*: what people's deeds cost, by the rate card of their day,
    about fallouts that would not have been, or would have gone on without anybody. *Revenue*: of each item its recurring price times its
    days, by 30 days a month. An order is `lost` that came to be and would have ended instead: it saves nothing. What it would have paid is
    not reckoned.

    The projections must be caught up. Raises Refused (usage) for data that cannot be tried.
    """
    tried = policy_of(policy)
    app.load([STREAM])  # who does not see the log is told so: nothing can be told again without it
    retold = _Sum(app, tried)
    for row in _orders(app, since):
        retold.add(row)
    return Counterfactual(
        tried.fingerprint[:12],
        since,
        retold.orders,
        retold.before,
        retold.after,
        retold.unknown,
        retold.lost,
        retold.saved,
        retold.labour,
        retold.revenue,
        tuple(retold.rows),
    )


def _orders(app: Engine, since: datetime) -> Iterator[dict[str, Any]]:
    """The orders captured from a time on, a page at a time."""
    after = (since, "")
    while page := app.reads.rows(orders.CAPTURED_FROM, *after, PAGE_ORDERS):
        yield from page
        after = (page[-1]["captured_at"], page[-1]["order"])


class _Sum:
    """The sums over orders, one order in memory at a time."""

    def __init__(self, app: Engine, policy: Policy) -> None:
        self.app, self.policy, self.seed = app, policy, app.clock().seed
        self.judging, self.timing = policy.judged(app.book), policy.timed(app.book)
        self.orders = self.before = self.after = self.unknown = self.lost = 0
        self.saved = timedelta()
        self.labour: dict[str, int] = {}
        self.revenue: dict[str, int] = {}
        self.rows: list[dict[str, Any]] = []
        self._doubted: set[str] = set()

    def add(self, row: Mapping[str, Any]) -> None:
        """Tell an order again. Under other codes alone, one in which nothing fell out or was declined comes out as it was: it read none."""
        self.orders += 1
        if not (row["touched"] or self.policy.of_every_order):
            return
        told, days, state = self._told(f"order-{row['order']}")
        self.before += told.before
        self.after += told.after
        self.unknown += bool(told.unknown)
        self.lost += told.lost
        self._doubted |= told.elsewhere
        saved = timedelta() if told.lost else _of_order(days)
        if not told.lost:
            self.saved += saved
            self._earn(state, days)
            self._spare(told.spared)
        if told.otherwise or days:
            self.rows.append(
                {
                    **{name: row[name] for name in ("order", "external_id")},
                    "fallouts_before": told.before,
                    "fallouts_after": told.after,
                    "days_saved": _days(saved),
                    "lost": told.lost,
                    "unknown": told.unknown or None,
                }
            )

    def _told(self, stream: str) -> tuple[Retold, Days, Any]:
        """An order told again, the time that its items save (empty name: its gates), and its state as history left it."""
        facts = cast("list[Fact]", list(self.app.events.get(stream)))
        book = self.app.book
        retelling = Retelling(self.app, stream, facts, now=book, other=self.judging, seed=self.seed, doubted=self._doubted)
        told = retelling.told()
        if told.unknown:
            return told, {}, retelling.state
        if self.timing is book or told.ended:
            return told, _by_item(told.saved), retelling.state
        kind = self.app.kind(stream)
        try:
            timed = Retiming(
                kind,
                stream,
                facts,
                retelling.state,
                now=book,
                other=self.timing,
                saved=told.saved,
                taken=taken_pieces(self.app, facts, book.steps),
            ).sooner()
        except Unknown as why:
            return Retold(told.before, told.before, elsewhere=told.elsewhere, unknown=str(why)), {}, retelling.state
        return told, timed, retelling.state

    def _earn(self, state: Any, days: Days) -> None:
        for item, planned in state.items.items() if days else ():
            of_item = days.get("", timedelta()) + days.get(item, timedelta())
            minor = planned.recurring_minor * of_item // (MONTH_DAYS * _DAY)
            self.revenue[planned.currency] = self.revenue.get(planned.currency, 0) + minor

    def _spare(self, fallouts: Iterable[str]) -> None:
        for row in filter(None, map(self._worked_on.get, sorted(fallouts))):
            currency = market_of(row).currency
            minor = sum(cost_minor(self._rates, row, deed) for deed in deeds_of(row))
            if minor:
                self.labour[currency] = self.labour.get(currency, 0) + minor

    @cached_property
    def _rates(self) -> RateBook:
        return rates_in_force(self.app)

    @cached_property
    def _worked_on(self) -> dict[str, dict[str, Any]]:
        """All fallouts with what people did about them, by id: read once, when the first is spared."""
        return {row["fallout"]: row for row in self.app.reads.rows(fallout.FOR_FIGURES)}


def _by_item(saved: Mapping[Place, timedelta]) -> dict[str, timedelta]:
    found: dict[str, timedelta] = {}
    for (item, _), each in saved.items():
        found[item] = found.get(item, timedelta()) + each
    return found


def _of_order(saved: Days) -> timedelta:
    """The time that an order saves: that of its gates, and that of the item that saves most (or, where all lose, loses most)."""
    items = [each for item, each in saved.items() if item]
    return saved.get("", timedelta()) + (max(items, key=abs) if items else timedelta())


def _days(time: timedelta) -> float:
    return round(time / _DAY, 4)
