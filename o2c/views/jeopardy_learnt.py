"""What is learnt from items that are over, and how likely an open one is to be late by it: those whose steps were open as long, as near to
their day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from statistics import median
from typing import Any

LEVELS: Mapping[str, float] = {"critical": 0.5, "hazard": 0.2}
"""From which chance of being late on an item is of a level, the worst first; below them it is `normal`."""
DAMPED = timedelta(hours=6)
"""A level is told once it held for so long, so that it does not come and go with every event; also how often the score looks."""
LOOKS_MAX = 240
"""So many looks before its day, sixty days, an item is learnt from at most."""
LIKE_MIN = 8
"""From so many like items of before on an item is judged by these, and by all together as if so many of them were usual ones: of eight, two
may be late by chance."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item with its first promise: `due` is the end of that day, `asked` when each step was first asked for, `done` when it was last
    done.

    `over` is when it was complete; None while it is open, or when it ended without. `beside` are the items of its order on which it relies.
    With an empty `item` it is an order as a whole of which nothing is promised, `due` by the day that is agreed with its customer
    (`promised_on` is that day).
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

    def has_begun(self, at: datetime) -> bool:
        """Whether any step of its own was asked for by a time."""
        return any(since <= at for since in self.asked.values())

    def open_steps(self, at: datetime) -> Iterator[tuple[str, datetime]]:
        """The steps that were asked for and not done at a time, each with when it was asked for; of an item that has not begun, those of
        the items it waits for."""
        for item in (self,) if self.has_begun(at) else self.beside:
            for step, since in item.asked.items():
                done = item.done.get(step)
                if since <= at and (done is None or done > at):
                    yield step, since


class Learnt:
    """What came of items of before: whether those were late whose step was open as long and as near to the end of their day, and how long
    steps took."""

    def __init__(self, items: Iterable[Item], *, least: int = 1) -> None:
        """`least`: of a step that fewer than so many took nothing is said by how long it takes."""
        self._least = least
        took: dict[str, list[float]] = {}
        after: dict[str, list[float]] = {}
        stood: dict[tuple[str, int, bool], list[tuple[float, bool]]] = {}
        late = count = 0
        for item in items:
            late, count = late + item.is_late(), count + 1
            for step, since in item.asked.items():
                if (done := item.done.get(step)) is not None and item.over is not None:
                    took.setdefault(step, []).append((done - since).total_seconds())
                    after.setdefault(step, []).append(max((item.over - done).total_seconds(), 0.0))
            for looks, step, age, begun in _looked_at(item):
                stood.setdefault((step, looks, begun), []).append((age, item.is_late()))
        self._usual = late / count if count else 0.0
        self._took = {step: sorted(seconds) for step, seconds in took.items()}
        self._after = {step: median(seconds) for step, seconds in after.items()}
        self._stood = {place: _Like.of(rows) for place, rows in stood.items()}

    def chance_late(self, item: Item, at: datetime) -> float:
        """The chance that an item is not complete by its day, seen from a time: that of its open step which is most in danger. 0 where
        nothing is open, 1 after the day."""
        if at >= item.due:
            return 1.0
        left, begun = item.due - at, item.has_begun(at)
        chances = (self._chance(step, left, (at - since).total_seconds(), begun=begun) for step, since in item.open_steps(at))
        return max(chances, default=0.0)

    def _chance(self, step: str, left: timedelta, age: float, *, begun: bool) -> float:
        """By those that stood the same (what waits for another item's step by what waited so); of too few, by how long the step takes and
        what follows it. What takes longer than it ever took is surely late."""
        like = self._stood.get((step, -(-left // DAMPED), begun))
        if like and (share := like.late(age / 2, age * 2, self._usual)) is not None:
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
        """When an item is complete, as half of those are whose step had come as far, with what follows it; None where nothing is open or it
        was never so slow."""
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

    def late(self, least: float, most: float, usual: float) -> float | None:
        """The share that was late of those open for so long, with some of the usual share among them; None of too few."""
        first, last = bisect_left(self.ages, least), bisect_right(self.ages, most)
        found = self.late_of[last] - self.late_of[first]
        return (found + LIKE_MIN * usual) / (last - first + LIKE_MIN) if last - first >= LIKE_MIN else None


def _looked_at(item: Item) -> Iterator[tuple[int, str, float, bool]]:
    """Every look at an item of before, each six hours nearer to the end of its day: how many are left, which step was open, for how long
    (seconds), and whether it is its own."""
    done = (each.done.get(step) for each in (item, *item.beside) for step in each.asked)
    last = max((item.due if at is None else at for at in done), default=item.planned_at)
    # After the last step was done nothing is open, and there is nothing to see.
    for looks in range(max((item.due - last) // DAMPED, 1), min((item.due - item.planned_at) // DAMPED + 1, LOOKS_MAX)):
        at = item.due - looks * DAMPED
        begun = item.has_begun(at)
        yield from ((looks, step, (at - since).total_seconds(), begun) for step, since in item.open_steps(at))


def level_of(chance: float) -> str:
    """The level of a chance of being late."""
    return next((level for level, least in LEVELS.items() if chance >= least), "normal")


def damped(learnt: Learnt, item: Item, at: datetime) -> tuple[str, float]:
    """The level of an item at a time and its chance: the milder one of now and of six hours before; what is past its day is critical for
    good."""
    now = learnt.chance_late(item, at)
    if at > item.due:
        return "critical", 1.0
    chance = min(now, learnt.chance_late(item, at - DAMPED)) if at - DAMPED >= item.planned_at else now
    return level_of(chance), now
