"""What figures are counted from: orders and fallouts as the projections have them, and the spans of time between their events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from o2c.engine.app import Engine
from o2c.fallout.rates import RateBook
from o2c.markets.base import Market
from o2c.markets.hours import working_time
from o2c.markets.registry import HOME, MARKETS, market
from o2c.views.rates import rates_in_force
from o2c.views.reading import Rows
from projections import cancellations, captures, fallout, launches

Span = tuple[datetime, datetime]
NONE = "none"
"""The key of what has no value in a dimension: a fallout of no partner."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One thing that counts: the id of its event, how much it counts, and its keys by dimension.

    Several of the same `of` (an order, an item) count once, the first. What has no keys in a dimension counts in each group of it.
    """

    event: str
    amount: float = 1
    of: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Facts:
    """The orders captured, and the fallouts that fell out, from `since` on and before `until` (None: any), as of now; without the orders of
    programs and of tests of our own."""

    def __init__(self, app: Engine, since: datetime | None = None, until: datetime | None = None) -> None:
        self.now = app.clock().now
        self.orders: Rows = app.reads.rows(captures.CAPTURED_BETWEEN, since=since, until=until)
        self.all_fallouts: Rows = [row for row in app.reads.rows(fallout.FOR_FIGURES) if not row["apart"]]
        self.fallouts = [
            row for row in self.all_fallouts if (not since or row["opened_at"] >= since) and (not until or row["opened_at"] < until)
        ]
        self._app = app
        self._keys: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._launched = {row["offering"]: row["launched_at"] for row in app.reads.rows(launches.LAUNCHED)}

    @cached_property
    def rates(self) -> RateBook:
        """The rate card in all its versions."""
        return rates_in_force(self._app)

    @cached_property
    def cancellations(self) -> dict[str, dict[str, Any]]:
        """The last cancellation of each order that was accepted: its `reason`, and whether the order was `late` by then."""
        return {row["order_id"]: row for row in self._app.reads.rows(cancellations.FOR_FIGURES)}

    @cached_property
    def by_order(self) -> dict[str, Rows]:
        """The fallouts of each of the orders, whenever they fell out; those of invoices and accounts are of none."""
        found: dict[str, Rows] = {order["order_id"]: [] for order in self.orders}
        for row in self.all_fallouts:
            if row["stream"].startswith("order-") and row["order_id"] in found:
                found[row["order_id"]].append(row)
        return found

    @cached_property
    def _captures(self) -> dict[str, dict[str, Any]]:
        return {order["order_id"]: order for order in self.orders}

    @cached_property
    def _waits(self) -> dict[str, list[Span]]:
        """The waits for others about any fallout, by the stream that fell out."""
        found: dict[str, list[Span]] = {}
        for row in self.all_fallouts:
            found.setdefault(row["stream"], []).extend(self.waits(row))
        return found

    def keys_of_order(self, order: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
        """The keys of an order: channel, its offerings, and the age in whole months of the youngest of them when it was captured."""
        if known := self._keys.get(order["order_id"]):
            return known
        launched = [self._launched[name] for name in order["offerings"] if name in self._launched]
        age = str(months_between(max(launched), order["captured_at"])) if launched else "unknown"
        self._keys[order["order_id"]] = {
            "channel": (order["channel"] or NONE,),
            "offering": tuple(order["offerings"]) or (NONE,),
            "product-age": (age,),
        }
        return self._keys[order["order_id"]]

    def keys_of_fallout(self, row: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
        """The keys of a fallout; offering and age are those of its item, or for a gate those of its order where that was captured in
        time."""
        if known := self._keys.get(row["fallout"]):
            return known
        order = self._captures.get(row["order_id"] or "")
        of_order = self.keys_of_order(order) if order else {"offering": (NONE,), "product-age": ("unknown",)}
        own = {"offering": (row["offering"],)} if row["offering"] else {}
        self._keys[row["fallout"]] = {
            **of_order,
            **own,
            "channel": (row["channel"] or NONE,),
            "reason": (row["reason"],),
            "origin": (row["origin_now"] or row["origin"],),
            "partner": (row["partner"] or NONE,),
        }
        return self._keys[row["fallout"]]

    def waits(self, row: Mapping[str, Any]) -> list[Span]:
        """When we waited for others about a fallout."""
        return waits_of(row, self.now)

    def waits_about(self, row: Mapping[str, Any]) -> list[Span]:
        """When we waited for others about any fallout of the same order (or invoice)."""
        return self._waits[row["stream"]]


def waits_of(row: Mapping[str, Any], now: datetime) -> list[Span]:
    """When we waited for others about a fallout: a wait under way lasts until now, and no wait longer than the fallout, unless it began
    later (the fallout was looked at again).
    """
    closed_at: datetime | None = row["closed_at"]
    spans = [(_time(wait["from"]), _time(wait["to"]) if wait["to"] else now) for wait in row["waiting"] or ()]
    return [(begun, min(ended, closed_at) if closed_at and begun < closed_at else ended) for begun, ended in spans]


def deeds_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What people did about a fallout, the first first: in its own stream, and where it fell out."""
    return sorted([*row["deeds"], *(row["handled"] or ())], key=lambda deed: int(deed["position"]))


def cost_minor(rates: RateBook, row: Mapping[str, Any], deed: Mapping[str, Any]) -> int:
    """What a deed about a fallout cost, by the rate card of its day, in minor units of the market's currency."""
    return rates.at(_time(deed["at"])).cost_minor(deed["did"], row["reason"], market_of(row).code)


def began_at(row: Mapping[str, Any]) -> datetime | None:
    """When what fell out could first have been seen: when the wrong value was captured, else when the step was due."""
    began: datetime | None = row["origin_at"] or row["due_at"]
    return began


def acknowledged(row: Mapping[str, Any]) -> tuple[datetime, str] | None:
    """When somebody first did anything about a fallout, and the event of it; None where nobody has."""
    return next(((_time(deed["at"]), deed["event"]) for deed in deeds_of(row)), None)


def market_of(row: Mapping[str, Any]) -> Market:
    """The market of a fallout, as pinned by its order or invoice; the home market where it is of neither."""
    return market(row["market"]) or MARKETS[HOME][-1]


def seconds(row: Mapping[str, Any], spans: Sequence[Span], *, working: bool) -> float:
    """How long spans are together, by the clock or (`working`) within the market's office hours."""
    at = market_of(row)
    each = (working_time(at, start, end) if working else end - start for start, end in spans)
    return sum(each, timedelta()).total_seconds()


def without(span: Span, waits: Sequence[Span]) -> Iterator[Span]:
    """What is left of a span without the waits, which may overlap; nothing of a span that ends before it starts."""
    start, end = span
    for begun, ended in sorted(waits):
        if begun > start:
            yield start, max(min(begun, end), start)
        start = max(start, ended)
        if start >= end:
            return
    yield start, max(end, start)


def months_between(start: datetime, at: datetime) -> int:
    """How many whole months (UTC) a time lies after another; negative before it."""
    return (at.year - start.year) * 12 + at.month - start.month - ((at.day, at.time()) < (start.day, start.time()))


def _time(text: Any) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
