"""The figures of `o2c metrics`, counted again by their written definitions from what `o2c events find` prints, without a projection or a view.

What shape an event has, and of which step it is, the catalogue of events says (docs/events.md); minutes and prices stand in the rate card of the
package: an operator's own would have to be read beside it.
"""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import product
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import holidays

from o2c.kernel.event import types_by_name

Record = Mapping[str, Any]
Span = tuple[datetime, datetime]
ENDS = frozenset({"order.rejected", "order.completed", "order.partially-completed", "order.failed", "order.cancelled"})
WORKED_OUT = ("order.completed", "order.partially-completed", "order.failed")
GATES = frozenset({"validation", "identity", "credit"})
STEP_ENDS = frozenset({"done", "declined", "cancelled", "undone", "given-up"})
ITEM_ENDS = frozenset({"item-failed", "item-cancelled"})
WAITS = frozenset({"fallout.paused", "fallout.information-requested"})
WAIT_ENDS = WAITS | {"fallout.resumed", "fallout.snoozed", "fallout.settled"}
COUNTRIES: Mapping[str, tuple[str, str, str]] = {"GB": ("Europe/London", "GB", "ENG"), "NL": ("Europe/Amsterdam", "NL", "")}
"""By market: its zone, and whose holidays its back office keeps; it works from nine to five."""
OPENS, CLOSES = time(9), time(17)


class Figure(NamedTuple):
    """A figure: the events of its numerator with what each counts, and those of its denominator (None: it is divided by nothing)."""

    above: list[tuple[str, float]]
    below: list[str] | None

    @property
    def numerator(self) -> float:
        return sum(amount for _, amount in self.above)

    def percentile(self, percent: int) -> float:
        """The least amount that so many in a hundred of the amounts do not exceed."""
        amounts = sorted(amount for _, amount in self.above)
        return next(amount for n, amount in enumerate(amounts, 1) if 100 * n >= percent * len(amounts))

    @property
    def value(self) -> float | None:
        if self.below is None:
            return self.numerator
        return self.numerator / len(self.below) if self.below else None


@dataclass
class Fallout:
    """A fallout as its events tell it. `deeds` is what people did about it, each with whether it handed it over."""

    name: str
    stream: str
    item: str
    step: str
    opened: Record
    due_at: datetime | None
    repeated: bool
    reason: str = ""
    queue: str = ""
    closed: Record | None = None
    wrong_since: datetime | None = None
    holder: str = ""
    deeds: list[tuple[Record, bool]] = field(default_factory=list)
    waits: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def waited(self, now: datetime) -> list[Span]:
        """When we waited for others about it: no longer than until it was closed, unless it was looked at again, and until now."""
        over = at(self.closed) if self.closed else now
        return [(begun, min(ended or over, over) if begun < over else ended or now) for begun, ended in self.waits]


@dataclass
class Order:
    """An order as its events tell it: its capture, its end, what its lines are called, and who captured which of its values."""

    captured: Record
    lines: list[str]
    ended: Record | None = None
    prices: dict[str, int] = field(default_factory=dict)
    line_of: dict[str, str] = field(default_factory=dict)
    corrected: dict[str, list[tuple[str, Record]]] = field(default_factory=dict)
    promised: dict[str, list[str]] = field(default_factory=dict)
    zone: str = "UTC"
    cancelling: list[Record] = field(default_factory=list)

    def late_when_cancelled(self) -> bool:
        """Whether the last cancellation named the delay, or a day promised had moved or passed by then."""
        if not self.cancelling:
            return False
        last = self.cancelling[-1]
        day = at(last).astimezone(ZoneInfo(self.zone)).date().isoformat()
        late = any(days[-1] > days[0] or days[-1] < day for days in self.promised.values() if days[0])
        return late or last["data"].get("reason") == "delay"


@cache
def kind(name: str) -> tuple[str, str]:
    """The shape of an event and its step, by the catalogue."""
    event = types_by_name()[name]
    return event.shape, event.step_name


def at(record: Record) -> datetime:
    return moment(record["occurred_at"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Recount:
    """What a log comes to, record by record in its order."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.orders: dict[str, Order] = {}
        self.fallouts: dict[str, Fallout] = {}
        self._of_stream: defaultdict[str, list[Fallout]] = defaultdict(list)
        self._markets: dict[str, str] = {}
        self._due: dict[tuple[str, str, str], datetime] = {}
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        name, body, stream = record["type"], record["data"], record["stream"]
        shape, step = kind(name)
        place = (stream, body.get("item", ""), step or body.get("step", ""))
        if name == "order.captured":
            lines = [line["item"] for line in body["lines"]]
            self.orders[stream] = Order(record, lines)
            self._markets[stream] = _country(body)
        elif name == "invoice.issued":
            self._markets[stream] = _country(body)
        elif name in ("order.planned", "order.revised"):
            order = self.orders[stream]
            order.prices |= {item["item"]: item.get("recurring_minor", 0) + item.get("one_time_minor", 0) for item in body["items"]}
            order.line_of |= {item["item"]: item["line"] for item in body["items"]}
            for item in body["items"]:
                order.promised.setdefault(item["item"], [item.get("promised_on", "")])
        elif name in ("promise.made", "promise.revised", "cancellation.requested"):
            self._promised(self.orders[stream], record)
        elif stream.startswith("fallout-"):
            self._handled(record)
        elif shape in ("requested", "recall"):
            self._due[place] = moment(body["due_at"])
        elif shape == "fell-out":
            self._fell_out(record, place)
        elif shape == "resumed":
            self._resolved(record)
        else:
            self._ended(record, shape, place)

    @staticmethod
    def _promised(order: Order, record: Record) -> None:
        body = record["data"]
        if record["type"] == "promise.made":
            order.zone = body["zone"]
        elif record["type"] == "promise.revised":
            order.promised[body["item"]].append(body["promised_on"])
        elif not body.get("part"):
            order.cancelling.append(record)

    def _fell_out(self, record: Record, place: tuple[str, str, str]) -> None:
        name, (stream, item, step) = record["data"]["fallout"], place
        if name not in self.fallouts:
            again = any(one.closed and (one.item, one.step) == (item, step) for one in self._of_stream[stream])
            self.fallouts[name] = Fallout(name, stream, item, step, record, self._due.get(place), again)
            self._of_stream[stream].append(self.fallouts[name])
        fallout = self.fallouts[name]
        fallout.closed, fallout.reason = None, record["data"]["reason"]
        fallout.queue = fallout.queue or record["data"]["queue"]

    def _ended(self, record: Record, shape: str, place: tuple[str, str, str]) -> None:
        stream, item, step = place
        if record["type"] in ENDS:
            self.orders[stream].ended = record
        if shape == "done":
            self._due.pop(place, None)
        named = record["data"].get("fallout", "")
        for fallout in self._of_stream.get(stream, ()):
            of_step = shape in STEP_ENDS and (fallout.item, fallout.step) == (item, step) and named in ("", fallout.name)
            of_item = shape in ITEM_ENDS and fallout.item == item
            of_order = record["type"] in ENDS and not fallout.item and fallout.step in GATES
            if not fallout.closed and (of_step or of_item or of_order):
                fallout.closed = record

    # -- what people did

    def _handled(self, record: Record) -> None:
        fallout, name, body = self.fallouts[record["data"]["fallout"]], record["type"], record["data"]
        to = {"fallout.claimed": body.get("by"), "fallout.assigned": body.get("to")}.get(name) or ""
        queue = body.get("queue", "") if name == "fallout.assigned" else ""
        handed = bool(to and fallout.holder and to != fallout.holder) or bool(queue and queue != fallout.queue)
        fallout.holder, fallout.queue = to or fallout.holder, queue or fallout.queue
        fallout.deeds.append((record, handed))
        if name in WAIT_ENDS and fallout.waits and fallout.waits[-1][1] is None:
            fallout.waits[-1] = (fallout.waits[-1][0], at(record))
        if name in WAITS:
            fallout.waits.append((at(record), None))

    def _resolved(self, record: Record) -> None:
        fallout = self.fallouts.get(record["data"].get("fallout", ""))
        if fallout is None:
            return
        fallout.deeds.append((record, False))
        order = self.orders.get(record["stream"])
        fields = record["data"].get("corrected") or ()
        if order and fields and record["type"] == "fallout.correction-applied":
            wrong = [self._wrong(order, _field(order, fallout.item, name), fallout.name) for name in fields]
            fallout.wrong_since = at(max(wrong, key=lambda capture: int(capture["position"])))
            for name in fields:
                order.corrected.setdefault(_field(order, fallout.item, name), []).append((fallout.name, record))
            order.lines = [line for n, line in enumerate(order.lines, 1) if f"line.{n}.drop" not in fields]

    @staticmethod
    def _wrong(order: Order, name: str, fallout: str) -> Record:
        """Who captured the value that stood before this fallout's own corrections."""
        others = [record for of, record in order.corrected.get(name, ()) if of != fallout]
        return others[-1] if others else order.captured

    def market(self, fallout: Fallout) -> str:
        """The market of its order or invoice; what is of neither counts at home."""
        return self._markets.get(fallout.stream) or "GB"


def _country(body: Mapping[str, Any]) -> str:
    return str(body.get("market", "")).partition("@")[0]


def _field(order: Order, item: str, name: str) -> str:
    """A value by its line, however it is called before and after the plan."""
    if item:
        return f"{order.line_of.get(item, item)}/{name}"
    parts = name.split(".", 2)
    if len(parts) == 3 and parts[0] == "line" and parts[1].isdecimal() and 0 < int(parts[1]) <= len(order.lines):
        return f"{order.lines[int(parts[1]) - 1]}/{parts[2]}"
    return name


# -- the figures


def figures(count: Recount, now: datetime) -> dict[str, Figure]:
    """Every figure by its name, as of `now`."""
    return {**_of_orders(count), **_of_fallouts(count), **dict(_times(count, now))}


def _of_orders(count: Recount) -> dict[str, Figure]:
    own: dict[str, list[Fallout]] = {}
    for fallout in count.fallouts.values():
        own.setdefault(fallout.stream, []).append(fallout)
    captured = [order.captured["id"] for order in count.orders.values()]
    ended = [(stream, order.ended) for stream, order in count.orders.items() if order.ended and order.ended["type"] in WORKED_OUT]
    fell = [own[stream] for stream in count.orders if stream in own]
    first = [end["id"] for stream, end in ended if end["type"] == "order.completed" and stream not in own]
    touchless = [end["id"] for stream, end in ended if not any(one.deeds for one in own.get(stream, ()))]
    below = [end["id"] for _, end in ended]
    cancelled = [order for order in count.orders.values() if order.ended and order.ended["type"] == "order.cancelled"]
    late = [order.ended["id"] for order in cancelled if order.ended and order.late_when_cancelled()]
    over = [order.ended["id"] for order in cancelled if order.ended]
    return {
        "cancellation-rate": Figure([(end, 1) for end in over], captured),
        "cancelled-late-share": Figure([(end, 1) for end in late], over),
        "fallout-rate": Figure([(some[0].opened["id"], 1) for some in fell], captured),
        "fallouts-per-order": Figure([(one.opened["id"], 1) for some in fell for one in some], captured),
        "first-pass-yield": Figure([(end, 1) for end in first], below),
        "touchless-share": Figure([(end, 1) for end in touchless], below),
    }


def _of_fallouts(count: Recount) -> dict[str, Figure]:
    all_, held = list(count.fallouts.values()), dict[tuple[str, str], tuple[str, float]]()
    below = [one.opened["id"] for one in all_]
    for one in all_:
        price = count.orders[one.stream].prices.get(one.item, 0) if one.stream in count.orders else 0
        if not one.closed and price:
            held.setdefault((one.stream, one.item), (one.opened["id"], price))
    costs = [(deed["id"], _cost(deed, one.reason, count.market(one))) for one in all_ for deed, _ in one.deeds]
    return {
        "repeat-fallouts": Figure([(one.opened["id"], 1) for one in all_ if one.repeated], below),
        "touches-per-fallout": Figure([(deed["id"], 1) for one in all_ for deed, _ in one.deeds], below),
        "handovers-per-fallout": Figure([(deed["id"], 1) for one in all_ for deed, handed in one.deeds if handed], below),
        "fallout-cost": Figure(costs, None),
        "cost-per-fallout": Figure(costs, below),
        "revenue-held": Figure(list(held.values()), None),
    }


def _times(count: Recount, now: datetime) -> Iterator[tuple[str, Figure]]:
    """The twelve times."""
    waits: defaultdict[str, list[Span]] = defaultdict(list)
    for one in count.fallouts.values():
        waits[one.stream] += one.waited(now)
    for (hours, what), waiting in product(product(("", "working-"), SPANS), (True, False)):
        above, below = [], []
        for one in count.fallouts.values():
            if not (span := SPANS[what](one)):
                continue
            start, end, event = span
            theirs = [] if waiting else waits[one.stream] if what == "detect" else one.waited(now)
            measure = worked_s if hours else _clock_s
            market = count.market(one)
            above.append((event, sum(measure(market, *part) for part in left((start, end), theirs))))
            below.append(one.opened["id"])
        yield f"{hours}time-to-{what}{'' if waiting else '-without-waiting'}", Figure(above, below)


def _detected(one: Fallout) -> tuple[datetime, datetime, str] | None:
    began, opened = one.wrong_since or one.due_at, at(one.opened)
    return (min(began, opened), opened, one.opened["id"]) if began else None


def _acknowledged(one: Fallout) -> tuple[datetime, datetime, str] | None:
    return (at(one.opened), at(one.deeds[0][0]), one.deeds[0][0]["id"]) if one.deeds else None


def _resolved(one: Fallout) -> tuple[datetime, datetime, str] | None:
    return (at(one.opened), at(one.closed), one.closed["id"]) if one.closed else None


SPANS: Mapping[str, Callable[[Fallout], tuple[datetime, datetime, str] | None]] = {
    "detect": _detected, "acknowledge": _acknowledged, "resolve": _resolved,
}  # fmt: skip


def left(span: Span, waits: Iterable[Span]) -> list[Span]:
    """What is left of a span when the waits are cut out of it, one after another."""
    parts = [span]
    for begun, ended in waits:
        cut = [((start, min(end, begun)), (max(start, ended), end)) for start, end in parts]
        parts = [(start, end) for pair in cut for start, end in pair if start < end]
    return parts


def _clock_s(market: str, start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def worked_s(market: str, start: datetime, end: datetime) -> float:
    """The seconds of a span from nine to five on working days."""
    zone = ZoneInfo(COUNTRIES[market][0])
    day, total = start.astimezone(zone).date(), 0.0
    while day <= end.astimezone(zone).date():
        if is_worked(market, day):
            opens, closes = (datetime.combine(day, clock, zone).astimezone(UTC) for clock in (OPENS, CLOSES))
            total += max((min(end, closes) - max(start, opens)).total_seconds(), 0.0)
        day += timedelta(days=1)
    return total


@cache
def is_worked(market: str, day: date) -> bool:
    _, country, subdivision = COUNTRIES[market]
    return day.weekday() < 5 and day not in holidays.country_holidays(country, subdiv=subdivision or None, years=day.year)


@cache
def rate_card() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("o2c.fallout").joinpath("rates.toml").read_text(encoding="utf-8"))


ACTIONS = {
    "fallout.claimed": "claim", "fallout.assigned": "assign", "fallout.released": "release", "fallout.snoozed": "snooze", "fallout.paused": "wait",
    "fallout.resumed": "resume", "fallout.information-requested": "request-information", "fallout.escalated": "escalate", "fallout.noted": "note",
    "fallout.ticket-linked": "link-ticket", "fallout.origin-changed": "change-origin", "fallout.reopened": "reopen", "fallout.settled": "settle",
    "fallout.force-proposed": "force",
}  # fmt: skip
DECIDED = {"approve": "decide", "decline": "decide", "amend": "decide", "fail": "fail-item"}


def _cost(deed: Record, reason: str, market: str) -> int:
    """The minutes of an action, and what it uses up."""
    card, body = rate_card(), deed["data"]
    action = ACTIONS.get(deed["type"]) or DECIDED.get(body.get("decision", ""), body.get("decision", ""))
    if deed["type"] == "fallout.correction-applied":
        action = "correct" if body.get("corrected") or body.get("corrected") is None else "retry"
    prices = card["markets"][market]
    used = [use["what"] for use in card["uses"] if use["action"] == action and use.get("reason", reason) == reason]
    beside: int = prices[f"{used[0]}_minor"] if used else 0
    return int(card["minutes"].get(action, 0)) * int(prices["labour_minute_minor"]) + beside
