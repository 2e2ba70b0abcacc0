"""The figures of orders and fallouts as data: each with its definition, and with the events that it is counted from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.figures import NONE, Counted, Facts, acknowledged, began_at, cost_minor, deeds_of, market_of, seconds, without
from o2c.views.reading import Rows
from o2c.views.shown import FigureShown, HeadlineShown, MetricShown

Dimension = Literal["reason", "origin", "channel", "offering", "product-age", "partner", "currency"]
DIMENSIONS: tuple[str, ...] = get_args(Dimension)
Count = Callable[[Facts], Iterable[Counted]]
PERCENTILES = (50, 90, 99)
PERCENTILE_WORDS = "p50, p90 and p99 are the shortest of these times that so many in a hundred of them do not exceed (nearest rank)"
_OF_ORDERS = ("channel", "offering", "product-age")
_OF_FALLOUTS = ("reason", "origin", "channel", "offering", "product-age", "partner")
_WORKED_OUT = frozenset({"order.completed", "order.partially-completed", "order.failed"})


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: `meaning` in a sentence, `formula` in words, and its two counts; without a denominator it is the sum of its numerator.

    `unit` of a sum of money says no currency where there are several: then it is told by currency. Of a `spread` one, a mean of things of
    different size, percentiles are told, too.
    """

    name: str
    meaning: str
    formula: str
    unit: str
    numerator: Count
    denominator: Count | None
    dimensions: tuple[str, ...]
    spread: bool = False


def _captured(facts: Facts) -> Iterator[Counted]:
    return (Counted(order["captured_event"], keys=facts.keys_of_order(order)) for order in facts.orders)


def _fell_out_orders(facts: Facts) -> Iterator[Counted]:
    for order in facts.orders:
        for row in facts.by_order[order["order_id"]]:
            keys = {**facts.keys_of_fallout(row), "channel": facts.keys_of_order(order)["channel"]}
            yield Counted(row["opened_event"], of=order["order_id"], keys=keys)


def _worked_out(facts: Facts, fit: Callable[[Rows], bool] = lambda fallouts: True) -> Iterator[Counted]:
    """The ends of orders that ended by themselves, neither cancelled nor rejected, and whose fallouts fit."""
    for order in facts.orders:
        if order["ended_by"] in _WORKED_OUT and fit(facts.by_order[order["order_id"]]):
            yield Counted(order["ended_event"], keys=facts.keys_of_order(order))


def _cancelled(facts: Facts, fit: Callable[[Mapping[str, Any]], bool] = lambda cancellation: True) -> Iterator[Counted]:
    """The ends of orders that were cancelled as a whole, by the reason that was said last, where that cancellation fits."""
    for order in facts.orders:
        last = facts.cancellations.get(order["order_id"], {"reason": "", "late": False})
        if order["ended_by"] == "order.cancelled" and fit(last):
            yield Counted(order["ended_event"], keys={**facts.keys_of_order(order), "reason": (last["reason"] or NONE,)})


def _cancelled_late(facts: Facts) -> Iterator[Counted]:
    return _cancelled(facts, lambda last: last["late"] or last["reason"] == "delay")


def _first_pass(facts: Facts) -> Iterator[Counted]:
    completed = {order["ended_event"] for order in facts.orders if order["ended_by"] == "order.completed"}
    return (each for each in _worked_out(facts, lambda fallouts: not fallouts) if each.event in completed)


def _touchless(facts: Facts) -> Iterator[Counted]:
    return _worked_out(facts, lambda fallouts: not any(deeds_of(row) for row in fallouts))


def _fell_out(facts: Facts) -> Iterator[Counted]:
    for row in facts.fallouts:
        yield Counted(row["opened_event"], keys={**facts.keys_of_fallout(row), "currency": (market_of(row).currency,)})


def _repeated(facts: Facts) -> Iterator[Counted]:
    return (Counted(row["opened_event"], keys=facts.keys_of_fallout(row)) for row in facts.fallouts if row["repeated"])


def _touches(facts: Facts) -> Iterator[Counted]:
    return (Counted(deed["event"], keys=facts.keys_of_fallout(row)) for row in facts.fallouts for deed in deeds_of(row))


def _hand_overs(facts: Facts) -> Iterator[Counted]:
    for row in facts.fallouts:
        yield from (Counted(deed["event"], keys=facts.keys_of_fallout(row)) for deed in deeds_of(row) if deed.get("handed_over"))


def _cost(facts: Facts) -> Iterator[Counted]:
    for row in facts.fallouts:
        keys = {**facts.keys_of_fallout(row), "currency": (market_of(row).currency,)}
        yield from (Counted(deed["event"], cost_minor(facts.rates, row, deed), keys=keys) for deed in deeds_of(row))


def _held(facts: Facts) -> Iterator[Counted]:
    for row in facts.fallouts:
        if row["state"] == "open" and row["revenue_minor"]:
            keys = {**facts.keys_of_fallout(row), "currency": (row["currency"],)}
            yield Counted(row["opened_event"], row["revenue_minor"], of=f"{row['stream']}/{row['item']}", keys=keys)


def _detected(row: dict[str, Any]) -> tuple[datetime, datetime, str] | None:
    began = began_at(row)
    return (min(began, row["opened_at"]), row["opened_at"], row["opened_event"]) if began else None


def _acknowledged(row: dict[str, Any]) -> tuple[datetime, datetime, str] | None:
    first = acknowledged(row)
    return (row["opened_at"], *first) if first else None


def _resolved(row: dict[str, Any]) -> tuple[datetime, datetime, str] | None:
    return (row["opened_at"], row["closed_at"], row["closed_event"]) if row["state"] == "closed" else None


Timed = Callable[[dict[str, Any]], tuple[datetime, datetime, str] | None]
"""From a fallout to the start and end of a span and the event that ended it; None where it has not both."""


def _time(timed: Timed, *, working: bool, waiting: bool, about_all: bool) -> Count:
    def count(facts: Facts) -> Iterator[Counted]:
        for row in facts.fallouts:
            if span := timed(row):
                waits = facts.waits_about(row) if about_all else facts.waits(row)
                spans = list(without(span[:2], () if waiting else waits))
                yield Counted(span[2], seconds(row, spans, working=working), of=row["fallout"], keys=facts.keys_of_fallout(row))

    return count


def _timed_ones(timed: Timed) -> Count:
    return lambda facts: (Counted(row["opened_event"], keys=facts.keys_of_fallout(row)) for row in facts.fallouts if timed(row))


_TIMES: tuple[tuple[str, Timed, str], ...] = (
    (
        "detect",
        _detected,
        "from when the wrong value was captured (where a correction told which), else from when the step was due, until it fell out",
    ),
    ("acknowledge", _acknowledged, "from when it fell out until somebody first did anything about it"),
    ("resolve", _resolved, "from when it fell out until it was closed"),
)


def _times() -> Iterator[Metric]:
    """The twelve times: by the clock and in office hours, with and without the waits for others."""
    for what, timed, words in _TIMES:
        for working in (False, True):
            for waiting in (True, False):
                about_all = what == "detect"
                hours = ", in office hours on working days of the market" if working else ""
                less = "" if waiting else f", without the waits for others about {'any fallout of its order' if about_all else 'it'}"
                yield Metric(
                    f"{'working-' if working else ''}time-to-{what}{'' if waiting else '-without-waiting'}",
                    f"How long it takes on average to {what} a fallout{hours}{less}: {words}.",
                    f"sum of the seconds of each fallout{hours}{less} / fallouts of which both ends are known; {PERCENTILE_WORDS}",
                    "seconds",
                    _time(timed, working=working, waiting=waiting, about_all=about_all),
                    _timed_ones(timed),
                    _OF_FALLOUTS,
                    spread=True,
                )


_TABLE = (
    Metric("fallout-rate", "The share of the orders captured that had a fallout of their own, then or later.",
           "orders captured with at least one fallout / orders captured", "share", _fell_out_orders, _captured, _OF_FALLOUTS),
    Metric("fallouts-per-order", "How many fallouts an order that was captured had on average, then or later.",
           "fallouts of orders captured / orders captured", "fallouts per order",
           lambda facts: (Counted(each.event, keys=each.keys) for each in _fell_out_orders(facts)), _captured, _OF_FALLOUTS),
    Metric("first-pass-yield", "The share of the orders worked to their end that were completed as a whole without any fallout. Cancelled and "
           "rejected ones do not count.", "orders completed without fallout / orders completed, partially completed or failed", "share",
           _first_pass, _worked_out, _OF_ORDERS),
    Metric("touchless-share", "The share of the orders worked to their end about whose fallouts, if any, no person did anything. Cancelled and "
           "rejected ones do not count.", "orders ended without a deed about a fallout / orders completed, partially completed or failed", "share",
           _touchless, _worked_out, _OF_ORDERS),
    Metric("cancellation-rate", "The share of the orders captured that were cancelled as a whole, then or later, for whatever reason.",
           "orders cancelled / orders captured", "share", _cancelled, _captured, ("reason", *_OF_ORDERS)),
    Metric("cancelled-late-share", "The share of the cancelled orders that were late: the delay was said to be the reason, or a day promised had moved or passed.",
           "orders cancelled that were late / orders cancelled", "share", _cancelled_late, _cancelled, ("reason", *_OF_ORDERS)),
    Metric("repeat-fallouts", "The share of the fallouts that came of a step of an item which had fallen out before and been closed.",
           "fallouts of a step of an item after a closed one of the same / fallouts", "share", _repeated, _fell_out, _OF_FALLOUTS),
    *_times(),
    Metric("touches-per-fallout", "How often people did something about a fallout on average, whatever it was.", "deeds about fallouts / fallouts",
           "touches per fallout", _touches, _fell_out, _OF_FALLOUTS),
    Metric("handovers-per-fallout", "How often a fallout went from one person to another, or to another queue, on average.",
           "claims and assignments that handed over / fallouts", "hand-overs per fallout", _hand_overs, _fell_out, _OF_FALLOUTS),
    Metric("fallout-cost", "What people's deeds about fallouts cost by the rate card: minutes of labour, replacement kits, truck rolls.",
           "sum over deeds of minutes x price of a minute + what the deed uses up", "minor units", _cost, None, (*_OF_FALLOUTS, "currency")),
    Metric("cost-per-fallout", "What a fallout cost on average by the rate card.", "cost of the deeds about fallouts / fallouts",
           "minor units per fallout", _cost, _fell_out, (*_OF_FALLOUTS, "currency")),
    Metric("revenue-held", "The prices (a period's and the one-time ones, net) of planned items that an open fallout holds up, each item once. What "
           "waits at a gate has no plan and no price yet.", "sum of the prices of items with an open fallout", "minor units", _held, None,
           (*_OF_FALLOUTS, "currency")),
)  # fmt: skip
METRICS = {metric.name: metric for metric in _TABLE}
"""Every figure by its name."""
HEADLINES = (
    ("fallout-rate", ""), ("first-pass-yield", ""), ("touchless-share", ""), ("repeat-fallouts", ""), ("time-to-acknowledge", ""),
    ("time-to-resolve", ""), ("cost-per-fallout", ""), ("revenue-held", ""), ("fallout-cost", "reason"),
)  # fmt: skip
"""The figures of an overview, in its order, each with what it is told by."""
WINDOW = "Orders count by when they were captured, fallouts by when they fell out; those of programs and of tests of our own count in none."


def list_metrics() -> list[MetricShown]:
    """The figures that there are: name, meaning in a sentence, formula, unit, and by what each can be told (`by`)."""
    return [
        {"name": each.name, "meaning": each.meaning, "formula": each.formula, "unit": each.unit, "by": list(each.dimensions)}
        for each in METRICS.values()
    ]


def explain_metric(app: Engine, name: str, *, by: str = "", since: datetime | None = None, until: datetime | None = None) -> FigureShown:
    """One figure with its definition, its value, and the ids of the events of its numerator and denominator.

    `value` is None where nothing is counted to divide by, and for money of several currencies, which is told by currency. A time has `p50`,
    `p90` and `p99` beside its mean, whose events are those of the numerator. With `by`, `rows` has the same for each key of a dimension.
    Orders count that were captured from `since` on and before `until`, fallouts that fell out then. The projections must be caught up.
    Raises Refused: missing (no such figure), usage (a dimension that it does not have).
    """
    metric = METRICS.get(name)
    if metric is None:
        raise Refused(f"there is no metric {name}; see `o2c metrics list`", kind="missing")
    if by and by not in metric.dimensions:
        raise Refused(f"{name} is not told by {by}; use one of {', '.join(metric.dimensions)}")
    _checked(name, since, until)
    found = _explained(metric, Facts(app, since, until), by)
    if by not in ("", found.get("by")):
        currencies = " and ".join(row["key"] for row in found["rows"])
        raise Refused(f"{name}: there are amounts in {currencies}, so it is told by currency only")
    return cast("FigureShown", found)


def headlines(app: Engine, *, since: datetime | None = None, until: datetime | None = None) -> list[HeadlineShown]:
    """The figures at the top of an overview, counted together in one reading: each as `metrics.explain` tells it, without its events.

    What fallouts cost is told by reason. What is of several currencies is told by currency, as `by` says. The window is that of
    `metrics.explain`. The projections must be caught up. Raises Refused (usage) for a time that is none.
    """
    _checked("the headlines", since, until)
    facts = Facts(app, since, until)
    return cast("list[HeadlineShown]", [_without_events(_explained(METRICS[name], facts, by)) for name, by in HEADLINES])


def _checked(name: str, since: datetime | None, until: datetime | None) -> None:
    if since and until and since >= until:
        raise Refused(f"{name}: a time from {since:%Y-%m-%dT%H:%MZ} to {until:%Y-%m-%dT%H:%MZ} is none")


def _without_events(told: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in told.items() if not key.startswith("events_")}
    return {**found, "rows": [_without_events(row) for row in told["rows"]]} if "rows" in told else found


def _explained(metric: Metric, facts: Facts, by: str) -> dict[str, Any]:
    """A figure of some facts, by a dimension where one is said; money of several currencies by currency, whatever was said."""
    above, below = list(metric.numerator(facts)), list(metric.denominator(facts)) if metric.denominator else None
    currencies = sorted({key for each in above for key in each.keys.get("currency", ())}) if "currency" in metric.dimensions else []
    told = _figure(metric, above, below)
    if len(currencies) > 1:
        told, by = {**told, "value": None, "numerator": None}, "currency"
    found = {
        "name": metric.name,
        "meaning": metric.meaning,
        "formula": metric.formula,
        "window": WINDOW,
        "unit": metric.unit.replace("minor units", f"minor units of {currencies[0]}") if len(currencies) == 1 else metric.unit,
        **told,
    }
    if not by:
        return found
    rows = [{"key": key, **_figure(metric, _of(above, by, key), _of(below, by, key))} for key in _keys(above, below, by)]
    return {**found, "by": by, "rows": rows}


def _figure(metric: Metric, above: list[Counted], below: list[Counted] | None) -> dict[str, Any]:
    counted, divided = _once(above), _once(below or [])
    numerator = round(sum(each.amount for each in counted), 3)
    denominator = len(divided)
    value = numerator if below is None else round(numerator / denominator, 6) if denominator else None
    return {
        "value": value,
        **({f"p{percent}": percentile([each.amount for each in counted], percent) for percent in PERCENTILES} if metric.spread else {}),
        "numerator": numerator,
        "denominator": None if below is None else denominator,
        "events_numerator": [each.event for each in counted],
        "events_denominator": [each.event for each in divided],
    }


def percentile(amounts: Sequence[float], percent: int) -> float | None:
    """The smallest of some amounts that so many in a hundred of them do not exceed: the nearest rank. None for none."""
    ranked = sorted(amounts)
    return round(ranked[-(-len(ranked) * percent // 100) - 1], 3) if ranked else None


def _once(counted: list[Counted]) -> list[Counted]:
    """Each thing once: the first that counts for it."""
    found: dict[str, Counted] = {}
    for each in counted:
        found.setdefault(each.of or each.event, each)
    return list(found.values())


def _of(counted: list[Counted] | None, by: str, key: str) -> Any:
    return None if counted is None else [each for each in counted if key in each.keys.get(by, (key,))]


def _keys(above: list[Counted], below: list[Counted] | None, by: str) -> list[str]:
    found = {key for each in (*above, *(below or ())) for key in each.keys.get(by, ())}
    return sorted(found, key=lambda key: (not key.lstrip("-").isdigit(), int(key) if key.lstrip("-").isdigit() else 0, key))
