"""Counterfactual: what the orders of a time would have come to under other data. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from o2c.engine.app import Engine
from o2c.fallout import codes
from o2c.fallout.actions import ACTIONS
from o2c.fallout.fix import Fix, fix_of
from o2c.kernel.event import Fact
from o2c.kernel.reasons import STREAM, CodeBook
from o2c.kernel.refusal import Refused
from o2c.views.otherwise import Retelling, Retold
from o2c.views.reading import Rows
from projections import orders

if TYPE_CHECKING:
    from o2c.plan import PlanBook

PAGE_ORDERS = 500
MONTH_DAYS = 30
ALWAYS = "0001-01-01"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What orders would have come to. `minor_by_currency` is defined by `counterfactual`; `otherwise` has a row for each order that came out
    otherwise than in history, or of which nobody knows."""

    policy: str
    since: datetime
    orders: int
    fallouts_before: int
    fallouts_after: int
    unknown: int
    saved: timedelta
    minor_by_currency: Mapping[str, int]
    otherwise: tuple[Mapping[str, Any], ...]

    def row(self) -> dict[str, Any]:
        """The counterfactual in numbers; `minor_saved` is empty where there are several currencies."""
        amounts = dict(self.minor_by_currency)
        return {
            "policy": self.policy,
            "orders": self.orders,
            "fallouts_before": self.fallouts_before,
            "fallouts_after": self.fallouts_after,
            "unknown": self.unknown,
            "days_saved": _days(self.saved),
            "minor_saved": next(iter(amounts.values()), 0) if len(amounts) < 2 else None,
            "minor_by_currency": amounts,
        }

    def rows(self) -> Rows:
        """A row for each order that came out otherwise, or is unknown."""
        return [dict(row) for row in self.otherwise]


def counterfactual(app: Engine, policy: str, *, since: datetime) -> Counterfactual:
    """Tell the orders captured from a time on again under other reason codes, mappings and retries (the text of a file of codes), writing nothing.

    The data counts as in force from the beginning, whatever its `valid_from`. `fallouts_before` and `fallouts_after` count how often a step of
    these orders stopped for somebody. An order is *unknown* from where a request would have been made that history never made, or
    somebody would have had to decide who did not: it counts as it was, on both sides, and saves nothing. `days_saved` are the days by which
    steps that ended alike would have ended earlier (less than none: later), summed over the steps of an item, the most of the items of an order,
    summed over orders. `minor_saved` is the revenue of those days, in minor units without tax: of each item its recurring price times its days, by
    30 days a month. The projections must be caught up. Raises Refused (usage) for data that cannot be tried.
    """
    tried = fix_of(policy)
    if tried.correct or tried.orders:
        raise Refused("a policy corrects no order; prove corrections with `o2c fallout prove`")
    retold = _Sum(app, _book(app, tried))
    for row in _orders(app, since):
        retold.add(row)
    return Counterfactual(
        tried.fingerprint[:12],
        since,
        retold.orders,
        retold.before,
        retold.after,
        retold.unknown,
        retold.saved,
        retold.minor,
        tuple(retold.rows),
    )


def _book(app: Engine, policy: Fix) -> PlanBook:
    app.load([STREAM])  # who does not see the log is told so: nothing can be told again without it
    made = codes.checked(app.codes(), policy.codes, frozenset(ACTIONS))
    tried = CodeBook((replace(made, valid_from=ALWAYS),))
    return replace(app.book, loaded_codes=lambda: tried)


def _orders(app: Engine, since: datetime) -> Iterator[dict[str, Any]]:
    """The orders captured from a time on, a page at a time."""
    after = (since, "")
    while page := app.reads.rows(orders.CAPTURED_FROM, *after, PAGE_ORDERS):
        yield from page
        after = (page[-1]["captured_at"], page[-1]["order"])


class _Sum:
    """The sums over orders, one order in memory at a time."""

    def __init__(self, app: Engine, other: PlanBook) -> None:
        self.app, self.other, self.seed = app, other, app.clock().seed
        self.orders = self.before = self.after = self.unknown = 0
        self.saved = timedelta()
        self.minor: dict[str, int] = {}
        self.rows: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Tell an order again. One in which nothing fell out or was declined read no reason code: it comes out as it was."""
        self.orders += 1
        if not row["touched"]:
            return
        stream = f"order-{row['order']}"
        facts = cast("list[Fact]", list(self.app.events.get(stream)))
        retelling = Retelling(self.app, stream, facts, now=self.app.book, other=self.other, seed=self.seed)
        told = retelling.told()
        self.before += told.before
        self.after += told.after
        self.unknown += bool(told.unknown)
        days = _of_order(told)
        self.saved += days
        for item, planned in retelling.state.items.items() if told.saved else ():
            of_item = told.saved.get("", timedelta()) + told.saved.get(item, timedelta())
            minor = planned.recurring_minor * of_item // (MONTH_DAYS * _DAY)
            self.minor[planned.currency] = self.minor.get(planned.currency, 0) + minor
        if told.otherwise:
            self.rows.append(
                {
                    **{name: row[name] for name in ("order", "external_id")},
                    "fallouts_before": told.before,
                    "fallouts_after": told.after,
                    "days_saved": _days(days),
                    "unknown": told.unknown or None,
                }
            )


def _of_order(told: Retold) -> timedelta:
    """The time that an order saves: that of its gates, and that of the item that saves most (or, where all lose, loses most)."""
    gates, items = told.saved.get("", timedelta()), [saved for item, saved in told.saved.items() if item]
    return gates + (max(items, key=abs) if items else timedelta())


def _days(time: timedelta) -> float:
    return round(time / _DAY, 4)
