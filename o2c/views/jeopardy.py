"""Which promises are in danger, and which orders without one: by what came of items of before whose steps were open as long, as near to their day, and by how long steps take."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from statistics import median
from typing import Any, cast

from o2c.customers.agreements import Agreement, AgreementBook
from o2c.customers.care import market_of
from o2c.engine.app import Engine
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.views.care import agreed
from o2c.views.reading import Page, plain
from o2c.views.shown import JeopardyScoreShown, JeopardyShown
from projections import promises

LEVELS: Mapping[str, float] = {"critical": 0.5, "hazard": 0.2}
"""From which chance of being late on an item is of a level, the worst first; below them it is `normal`."""
DAMPED = timedelta(hours=6)
"""A level is told once it held for so long, so that it does not come and go with every event; also how often the score looks."""
LOOKS_MAX = 240
"""So many looks before its day, sixty days, an item is learnt from at most."""
LIKE_MIN = 8
"""From so many like items of before on an item is judged by these."""
HELD_BACK = 0.34
"""The score learns from the orders that were captured first and predicts this share of them, the last."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item with its first promise: `due` is the end of that day, `asked` when each step was first asked for, `done` when it was last done.

    `over` is when it was complete; None while it is open, or when it ended without. `beside` are the other items of its order, on which it may rely. With an empty `item` it
    is an order as a whole of which nothing is promised, `due` by the day that is agreed with its customer (`promised_on` is that day).
    """

    order: str
    item: str
    captured_at: datetime
    planned_at: datetime
    promised_on: date
    due: datetime
    asked: Mapping[str, datetime]
    done: Mapping[str, datetime]
    over: datetime | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[Item, ...] = ()

    def is_late(self) -> bool:
        """Whether it was complete after its day, or never."""
        return self.over is None or self.over > self.due

    def open_steps(self, at: datetime) -> Iterator[tuple[str, datetime]]:
        """The steps that were asked for and not done at a time, each with when it was asked for; of an item that has not begun, those it may wait for."""
        begun = any(since <= at for since in self.asked.values())
        for item in (self,) if begun else self.beside:
            for step, since in item.asked.items():
                done = item.done.get(step)
                if since <= at and (done is None or done > at):
                    yield step, since


class Learnt:
    """What came of items of before: whether those were late whose step was open as long and as near to the end of their day, and how long steps took."""

    def __init__(self, items: Iterable[Item], *, least: int = 1) -> None:
        """`least`: of a step that fewer than so many took nothing is said by how long it takes."""
        self._least = least
        took: dict[str, list[float]] = {}
        after: dict[str, list[float]] = {}
        stood: dict[tuple[str, int], list[tuple[float, bool]]] = {}
        for item in items:
            for step, since in item.asked.items():
                if (done := item.done.get(step)) is not None and item.over is not None:
                    took.setdefault(step, []).append((done - since).total_seconds())
                    after.setdefault(step, []).append(max((item.over - done).total_seconds(), 0.0))
            for looks, step, age in _looked_at(item):
                stood.setdefault((step, looks), []).append((age, item.is_late()))
        self._took = {step: sorted(seconds) for step, seconds in took.items()}
        self._after = {step: median(seconds) for step, seconds in after.items()}
        self._stood = {place: _Like.of(rows) for place, rows in stood.items()}

    def chance_late(self, item: Item, at: datetime) -> float:
        """The chance that an item is not complete by its day, seen from a time: that of its open step which is most in danger. 0 where nothing is open, 1 after the day."""
        if at >= item.due:
            return 1.0
        left = item.due - at
        chances = (self._chance(step, left, (at - since).total_seconds()) for step, since in item.open_steps(at))
        return max(chances, default=0.0)

    def _chance(self, step: str, left: timedelta, age: float) -> float:
        """By those that stood the same; of too few, by how long the step takes and what follows it. What takes longer than it ever took is surely late."""
        like = self._stood.get((step, -(-left // DAMPED)))
        if like and (share := like.late(age / 2, age * 2)) is not None:
            return share
        took = self._took.get(step, ())
        if len(took) < self._least:
            return 0.0
        longer = len(took) - bisect_right(took, age)
        most = age + left.total_seconds() - self._after.get(step, 0.0)
        return (len(took) - bisect_right(took, max(most, age))) / longer if longer else 1.0 if took else 0.0

    def violated(self, item: Item, at: datetime) -> Iterator[str]:
        """The open steps of an item that take longer already than nine of ten of theirs took; none of a step that was never seen."""
        for step, since in item.open_steps(at):
            took = self._took.get(step, ())
            if took and (at - since).total_seconds() > took[(len(took) * 9 - 1) // 10]:
                yield step

    def projected(self, item: Item, at: datetime) -> datetime | None:
        """When an item is complete, as half of those are whose step had come as far, with what follows it; None where nothing is open or it was never so slow."""
        found = []
        for step, since in item.open_steps(at):
            took = self._took.get(step, ())
            longer = took[bisect_right(took, (at - since).total_seconds()) :]
            if not longer:
                return None
            found.append(since + timedelta(seconds=longer[(len(longer) - 1) // 2] + self._after[step]))
        return max(found, default=None)


@dataclass(frozen=True, slots=True)
class _Like:
    """Items whose step was open at a moment: for how long (in order), and how many of the first of them were late."""

    ages: Sequence[float]
    late_of: Sequence[int]

    @classmethod
    def of(cls, rows: Iterable[tuple[float, bool]]) -> _Like:
        ranked = sorted(rows)
        return cls([age for age, _ in ranked], [0, *accumulate(int(late) for _, late in ranked)])

    def late(self, least: float, most: float) -> float | None:
        """The share that was late of those open for so long; None of too few."""
        first, last = bisect_left(self.ages, least), bisect_right(self.ages, most)
        return (self.late_of[last] - self.late_of[first]) / (last - first) if last - first >= LIKE_MIN else None


def _looked_at(item: Item) -> Iterator[tuple[int, str, float]]:
    """Every look at an item of before, each six hours nearer to the end of its day: how many are left, which step was open, and for how long (seconds)."""
    done = (each.done.get(step) for each in (item, *item.beside) for step in each.asked)
    last = max((item.due if at is None else at for at in done), default=item.planned_at)
    # After the last step was done nothing is open, and there is nothing to see.
    for looks in range(max((item.due - last) // DAMPED, 1), min((item.due - item.planned_at) // DAMPED + 1, LOOKS_MAX)):
        at = item.due - looks * DAMPED
        yield from ((looks, step, (at - since).total_seconds()) for step, since in item.open_steps(at))


def level_of(chance: float) -> str:
    """The level of a chance of being late."""
    return next((level for level, least in LEVELS.items() if chance >= least), "normal")


def damped(learnt: Learnt, item: Item, at: datetime) -> tuple[str, float]:
    """The level of an item at a time and its chance: the milder one of now and of six hours before; what is past its day is critical for good."""
    now = learnt.chance_late(item, at)
    if at > item.due:
        return "critical", 1.0
    chance = min(now, learnt.chance_late(item, at - DAMPED)) if at - DAMPED >= item.planned_at else now
    return level_of(chance), now


def list_jeopardy(app: Engine, *, level: str = "", limit: int | None = None) -> Page[JeopardyShown]:
    """The open items that are in danger of missing the first day that they were promised, the worst first: `hazard` from a chance of 20 in a hundred on that
    they do, `critical` from 50 on; and so the orders as a whole (`item` empty) of which nothing open is promised, by the day on which what is agreed with the customer
    has them complete (`agreed_on`). Of a customer with an agreement of its own the earlier of both days counts. An order beyond its day never drops from sight.

    Learnt from items that are over: the share that was late of those whose same step was open about as long, as near to the end of their day; of too few like it,
    by how long the step takes and what follows it, so that one which takes longer than it ever did is critical. A level counts
    once it held for six hours. `projected_on` is the day by which half of its like were complete (None: none that was so slow ever was). An item past its day is critical
    until it is over. With `level` those alone. The projections must be caught up. Raises Refused (usage) for a level that is none.
    """
    if level and level not in LEVELS:
        raise Refused(f"a danger is {', '.join(LEVELS)}, not {level}")
    now, told = app.clock().now, []
    for item, learnt in open_items(app):
        stands, chance = damped(learnt, item, now)
        if stands != "normal" and level in ("", stands):
            told.append(_told(item, stands, chance, learnt.projected(item, now), now))
    told.sort(key=lambda row: (list(LEVELS).index(row["level"]), row["lead_h"], row["order"], row["item"]))
    page: Page[JeopardyShown] = Page(cast("JeopardyShown", plain(row)) for row in told[:limit])
    page.more = len(told) - len(page)
    return page


def open_items(app: Engine) -> Iterator[tuple[Item, Learnt]]:
    """Every open item with a promise, and every open order of which nothing open is promised, by when the order was captured, with what came of those that are over."""
    items, book = items_of(app), agreed(app)(app.clock().now)
    learnt = Learnt([item for item in items if item.facts["over"]])
    for item in items:
        if not item.over and item.facts["state"] not in ("failed", "cancelled", "rejected"):
            yield _agreed_of_its_own(app, item, book), learnt
    if waiting := _whole_orders(app, book, is_open=True):
        # A gate is mostly passed at once: of a few that were, one that is not passed says nothing of a day weeks ahead.
        of_whole = Learnt(_whole_orders(app, book, is_open=False), least=LIKE_MIN)
        yield from ((item, of_whole) for item in waiting)


def _agreed_of_its_own(app: Engine, item: Item, book: AgreementBook) -> Item:
    """An item due by the day that its customer's own agreement says, where that is before the one promised."""
    market = app.book.market(item.facts["market"])
    if not (own := book.own_of(item.facts["customer"], market.code)):
        return item
    day, zone = _complete_on(book.own[own], market, item.captured_at)
    return replace(item, due=min(item.due, _end_of(day, zone)), facts={**item.facts, "agreed_on": day})


def _complete_on(agreement: Agreement, market: Market, captured_at: datetime) -> tuple[date, str]:
    """The day by which an agreement has an order complete, and the time zone of that day."""
    zone = market_of(agreement, market, captured_at.date()).zone
    return local_date(captured_at, zone) + timedelta(days=agreement.complete_within_days), zone


def _whole_orders(app: Engine, book: AgreementBook, *, is_open: bool) -> list[Item]:
    """Orders as a whole: the open ones of which nothing open is promised, or those that are over."""
    return [_whole(row, book, app.book.market(row["market"])) for row in app.reads.rows(promises.WITHOUT_A_PROMISE, open=is_open)]


def _whole(row: Mapping[str, Any], book: AgreementBook, market: Market) -> Item:
    reached = {name: datetime.fromisoformat(at) for name, at in row["reached"].items()}
    day, zone = _complete_on(book.of(row["customer_id"], row["tier"], market.code), market, row["captured_at"])
    return Item(
        order=row["order_id"],
        item="",
        captured_at=row["captured_at"],
        planned_at=row["captured_at"],
        promised_on=day,
        due=_end_of(day, zone),
        asked=_times(reached, ".requested"),
        done=_times(reached, ".done"),
        over=row["closed_at"] if row["state"] == "completed" else None,
        facts={
            "external_id": row["external_id"],
            "offering": "",
            "state": row["state"],
            "agreed_on": day,
            "over": row["closed_at"] is not None,
        },
    )


def _times(reached: Mapping[str, datetime], end: str) -> dict[str, datetime]:
    return {name.removesuffix(end): at for name, at in reached.items() if name.endswith(end)}


def _end_of(day: date, zone: str) -> datetime:
    return local_time(day + timedelta(days=1), 0, 0, zone)


def _told(item: Item, level: str, chance: float, projected: datetime | None, now: datetime) -> dict[str, Any]:
    return {
        "order": item.order,
        "external_id": item.facts["external_id"],
        "item": item.item,
        "offering": item.facts["offering"],
        "level": level,
        "chance": round(chance, 3),
        "promised_on": item.promised_on if item.item else None,
        "agreed_on": item.facts.get("agreed_on"),
        "projected_on": projected.date() if projected else None,
        "lead_h": round((item.due - now).total_seconds() / 3_600, 1),
        "open_steps": list(dict.fromkeys(step for step, _ in item.open_steps(now))),
    }


def score_jeopardy(app: Engine) -> list[JeopardyScoreShown]:
    """How good the levels are, on orders held back: learnt from two thirds of those that are over, the first captured, and told of the last third.

    Every six hours from the plan to the end of the day promised it is looked, with what was known then (but that a step done anew counts as open throughout). `predicted` items reached the level in time, `hit` of them were
    late; `recall` is of all that were `late`. `lead_h_p50` hours before the end of the day half of the hits were known. `baseline` tells by the age of the order alone,
    at that same lead, from the age that was best where it was learnt. `better` where the level's F1 is the higher. The projections must be caught up.
    """
    items = sorted((item for item in items_of(app) if item.facts["over"]), key=lambda item: (item.captured_at, item.order, item.item))
    return [cast("JeopardyScoreShown", row) for row in scored(items)]


def scored(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The score of each level on items that are over, in the order of their capture; nothing of fewer than two. Pure."""
    cut = int(len(items) * (1 - HELD_BACK))
    begun, held = items[:cut], items[cut:]
    if not begun:
        return []
    until = held[0].captured_at
    # What was not over by then was not known to be late, but for what was past its day.
    learnt = Learnt([item for item in begun if item.due <= until])
    return [_score(level, learnt, begun, held) for level in LEVELS]


def _score(level: str, learnt: Learnt, begun: Sequence[Item], held: Sequence[Item]) -> dict[str, Any]:
    leads = {place: lead for place, item in enumerate(held) if (lead := _lead(level, learnt, item)) is not None}
    hits = [lead for place, lead in leads.items() if held[place].is_late()]
    late = sum(item.is_late() for item in held)
    lead = timedelta(seconds=median(hit.total_seconds() for hit in hits)) if hits else timedelta(hours=24)
    told = _rated(len(leads), len(hits), late)
    baseline = _baseline(begun, held, lead)
    counts = {"trained_on": len(begun), "tested_on": len(held), "late": late}
    lead_h = round(lead.total_seconds() / 3_600, 1) if hits else None
    return {
        "level": level,
        **counts,
        **told,
        "lead_h_p50": lead_h,
        "baseline": baseline,
        "better": (told["f1"] or 0) > (baseline["f1"] or 0),
    }


def _lead(level: str, learnt: Learnt, item: Item) -> timedelta | None:
    """How long before the end of its day an item was first known to be of a level or worse; None where it never was."""
    least = LEVELS[level]
    at = item.planned_at + DAMPED
    before = 0.0
    while at <= item.due and (item.over is None or at < item.over):
        chance = learnt.chance_late(item, at)
        if min(chance, before) >= least:
            return item.due - at
        before, at = chance, at + DAMPED
    return None


def _rated(predicted: int, hit: int, late: int) -> dict[str, Any]:
    precision, recall = hit / predicted if predicted else None, hit / late if late else None
    f1 = 2 * precision * recall / (precision + recall) if precision and recall else 0.0 if predicted or late else None
    rounded = {
        name: None if value is None else round(value, 3) for name, value in (("precision", precision), ("recall", recall), ("f1", f1))
    }
    return {"predicted": predicted, "hit": hit, **rounded}


def _baseline(begun: Sequence[Item], held: Sequence[Item], lead: timedelta) -> dict[str, Any]:
    """By age alone: late is what is open at the lead and at least so old, from the age that was best where it is learnt."""
    ages = sorted({round(_age_h(item, lead)) for item in begun if _is_open(item, lead)})
    steps = ages[:: max(len(ages) // 50, 1)] or [0]
    best = max(steps, key=lambda least: _by_age(begun, lead, least)["f1"] or 0)
    return {"age_h": best, **_by_age(held, lead, best)}


def _by_age(items: Sequence[Item], lead: timedelta, least_h: float) -> dict[str, Any]:
    predicted = [item for item in items if _is_open(item, lead) and _age_h(item, lead) >= least_h]
    return _rated(len(predicted), sum(item.is_late() for item in predicted), sum(item.is_late() for item in items))


def _is_open(item: Item, lead: timedelta) -> bool:
    at = item.due - lead
    return item.captured_at <= at and (item.over is None or item.over > at)


def _age_h(item: Item, lead: timedelta) -> float:
    return (item.due - lead - item.captured_at).total_seconds() / 3_600


def items_of(app: Engine) -> list[Item]:
    """Every item with a promise, by when its order was captured."""
    items = [_item(row) for row in app.reads.rows(promises.WITH_MILESTONES)]
    by_order: dict[str, list[Item]] = {}
    for item in items:
        by_order.setdefault(item.order, []).append(item)
    return [replace(item, beside=tuple(other for other in by_order[item.order] if other is not item)) for item in items]


def _item(row: Mapping[str, Any]) -> Item:
    reached = {name: datetime.fromisoformat(at) for name, at in row["reached"].items()}
    promised_on: date = row["first_promised_on"]
    ended = row["state"] in ("completed", "failed")
    facts = {
        **{name: row[name] for name in ("external_id", "offering", "state", "danger", "zone", "market")},
        "customer": row["customer_id"],
        "over": ended,
    }
    return Item(
        order=row["order_id"],
        item=row["item"],
        captured_at=reached["captured"],
        planned_at=reached.get("planned", reached["captured"]),
        promised_on=promised_on,
        due=_end_of(promised_on, row["zone"]),
        asked=_times(reached, ".requested"),
        done=_times(reached, ".done"),
        over=reached.get("completed") if row["state"] == "completed" else None,
        facts=facts,
    )
