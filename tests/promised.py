"""Promises kept and broken, counted from the log alone and held against what the projection says of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from o2c.engine.app import Engine
from o2c.kernel.event import EVENT_TYPES
from o2c.kernel.shapes import Done
from tests.fates import Claim

ZONE = ZoneInfo("Europe/London")
KEPT_WITHOUT_FALLOUT_PERCENT = 98
CAUSES_SHOWN = 6
EVENTS = """SELECT stream, type, occurred_at, body FROM o2c.event WHERE starts_with(stream, 'order-') ORDER BY stream, version"""
SAID = """SELECT completed, kept_first, broken_first, kept_last, broken_last FROM projection.promise_keeping
    WHERE offering = '*' AND step = '*'"""
SAID_BY_CAUSE = """SELECT step, reason, broken_first FROM projection.promise_keeping
    WHERE offering = '*' AND step <> '*' AND broken_first > 0"""


@dataclass(slots=True)
class Item:
    """An item as its events tell it: the steps that are still to do, the days promised, which of them its customer let go in time, and what
    went wrong."""

    steps: set[str]
    bases: tuple[str, ...]
    days: list[str]
    done_at: datetime | None = None
    ended: bool = False
    cause: tuple[str, str] | None = None
    fell_out: tuple[str, str] | None = None
    revised: bool = False
    let_go: set[int] = field(default_factory=set)
    done: set[str] = field(default_factory=set)

    @property
    def completed_on(self) -> date | None:
        """The local day on which the last step was done; None while one is not, or when the item ended otherwise."""
        complete = self.done_at and not self.ended and self.steps <= self.done
        return self.done_at.astimezone(ZONE).date() if complete and self.done_at else None


def read(app: Engine) -> dict[tuple[str, str], Item]:
    items: dict[tuple[str, str], Item] = {}
    for row in app.reads.rows(EVENTS):
        body, kind = row["body"], EVENT_TYPES[row["type"]]
        if row["type"] == "order.planned":
            for planned in body["items"]:
                steps = {step["step"] for step in planned["steps"]}
                items[row["stream"], planned["item"]] = Item(steps, tuple(planned["relies_on"]), [planned["promised_on"]])
            continue
        if row["type"] == "order.revised":
            _plan_anew(items, row["stream"], body["items"])
            continue
        item = items.get((row["stream"], body.get("item", "")))
        if item is None:
            continue
        step = kind.step_name or body.get("step", "")
        if row["type"] == "promise.revised":
            if body.get("by_customer") and not body["cause_reason"] and str(row["occurred_at"].astimezone(ZONE).date()) <= item.days[-1]:
                item.let_go.add(len(item.days) - 1)
            item.days.append(body["promised_on"])
            item.cause = item.cause or (body["cause_step"], body["cause_reason"])
        elif row["type"] in ("item.failed", "item.cancelled"):
            item.ended = True
        elif issubclass(kind, Done) or row["type"] == "step.forced":
            item.done.add(step)
            item.done_at = row["occurred_at"]
        elif kind.shape in ("undone", "renewed", "replanned"):
            item.done.discard(step)
        elif kind.shape == "given-up":
            # What waited for this alone is complete by it.
            item.steps.discard(step)
            item.done_at = row["occurred_at"]
        elif kind.shape == "fell-out":
            item.fell_out = (step, body["reason"])
    return items


def _plan_anew(items: dict[tuple[str, str], Item], stream: str, planned: Iterable[Mapping[str, Any]]) -> None:
    """The paper was changed: items that come are promised for the first time, others have other steps and keep the day that they were promised."""
    for one in planned:
        item = items.setdefault((stream, one["item"]), Item(set(), (), [one["promised_on"]]))
        item.steps, item.bases, item.revised = {step["step"] for step in one["steps"]}, tuple(one["relies_on"]), True


def claims(app: Engine) -> Iterator[Claim]:
    """What was kept and broken, with the causes; and that what nothing happened to is kept nearly always."""
    items = read(app)
    over = {place: item for place, item in items.items() if item.completed_on}
    counted = Counter(dict.fromkeys(("completed", "kept_first", "broken_first", "kept_last", "broken_last"), 0))
    causes: Counter[tuple[str, str]] = Counter()
    smooth: dict[bool, int] = defaultdict(int)
    for (stream, _), item in over.items():
        day = str(item.completed_on)
        kept = day <= item.days[0]
        counted["completed"] += 1
        counted["kept_first" if kept else "broken_first"] += 1
        counted["kept_last" if day <= item.days[-1] else "broken_last"] += 1
        if not kept:
            causes[item.cause or item.fell_out or ("", "")] += 1
        if not any(one.fell_out or one.revised for one in (item, *(items[stream, base] for base in item.bases))):
            smooth[kept] += 1
    [said] = app.reads.rows(SAID)
    by_cause = {(row["step"], row["reason"]): row["broken_first"] for row in app.reads.rows(SAID_BY_CAUSE)}
    causes_told = {cause: count for cause, count in causes.items() if cause[0]}
    shown = ", ".join(
        f"{count} {' '.join(part for part in cause if part) or 'unknown'}" for cause, count in causes.most_common(CAUSES_SHOWN)
    )
    figures = f"{len(items)} promised, {counted['completed']} complete: against the first day {counted['kept_first']} kept and {counted['broken_first']} broken ({shown}); against the last {counted['kept_last']} and {counted['broken_last']}"
    agree = dict(counted) == dict(said) and by_cause == causes_told
    yield Claim(
        "promises kept and broken by cause",
        agree and counted["completed"] > 0,
        figures if agree else f"{figures}; the projection says {dict(said)}, {by_cause}",
    )
    share = 100 * smooth[True] / max(1, sum(smooth.values()))
    told = f"{smooth[True]} of {sum(smooth.values())} ({share:.1f} %)"
    yield Claim("what nothing happened to is there when it was promised", share >= KEPT_WITHOUT_FALLOUT_PERCENT, told)
