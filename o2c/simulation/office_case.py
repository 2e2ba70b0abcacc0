"""One open fallout as an agent of the simulated back office sees it, and what he does about it: what its code's usual actions say, or a
mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from o2c.kernel.chance import draw
from o2c.kernel.reasons import Reason
from o2c.kernel.step import Step
from o2c.kernel.work import LONG_SINCE, Work
from o2c.simulation.office_table import Table

SNOOZED_ONCE = 3
"""Touches after which a fallout was left alone once: claimed, snoozed, given back."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Chance by seed, fallout, purpose and count: the same in any process."""

    seed: int
    fallout: str

    def share(self, what: str, n: int = 0) -> float:
        """A number from 0 up to 1."""
        return draw(self.seed, f"desk/{self.fallout}", n, what)

    def happens(self, percent: float, what: str, n: int = 0) -> bool:
        """Whether something comes true, with a chance in percent."""
        return self.share(what, n) * 100 < percent


@dataclass(frozen=True)
class Case:
    """A fallout with its step's work. `row` is of `projections.fallout.WORKLIST`; `crew` counts the agents on duty; `waits` says that its
    step waits for somebody."""

    row: Mapping[str, Any]
    work: Work
    step: Step
    reason: Reason
    table: Table
    seed: int
    crew: int
    waits: bool

    @property
    def fallout(self) -> str:
        """Its id."""
        return str(self.row["fallout"])

    @property
    def chance(self) -> Chance:
        """Its chances."""
        return Chance(self.seed, self.fallout)

    @property
    def deeds(self) -> int:
        """How often somebody tried to resolve it."""
        return int(self.row["acts"])

    @property
    def touches(self) -> int:
        """How often somebody did anything about it beside that, before it is taken in hand; the end of a wait, with which that begins,
        counts."""
        return int(self.row["touches"] or 0) + bool(self.row["waits_for"])

    @property
    def wrong(self) -> bool:
        """Whether the next try to resolve it will be a mistake."""
        return self._mistaken(self.deeds)

    @cached_property
    def ready_at(self) -> datetime | None:
        """From when somebody may work on it again: when what it waits for has come, or nobody waits any longer; None for not by itself."""
        if self.row["waits_for"]:
            waits = self.row["waiting"]
            asked_at = datetime.fromisoformat(waits[-1]["from"])
            answered_at = self._answered_at(len(waits) - 1, asked_at)
            ends: datetime | None = self.row["waits_until"]
            return min(answered_at, ends) if answered_at and ends else answered_at or ends
        # What goes on by itself, when the stock that it waits for is due, is left alone until then.
        # A paper that is taken in before its day may have fallen out for a day to come: then nobody has seen it yet.
        opened_at: datetime = self.row["opened_at"]
        return max(self.row["snoozed_until"] or LONG_SINCE, self.work.retry_at or LONG_SINCE, opened_at)

    # -- what is done

    @cached_property
    def next_act(self) -> str:
        """The name of what is done next."""
        row, ways, mistakes = self.row, self.table.ways, self.table.mistakes
        if row["proposed_by"]:
            return "force"
        if self.touches + self.deeds >= ways.visits_max:
            return "pause"
        if row["queue_now"] != row["queue"]:
            return "assign"
        if not self.touches and row["queue"] != mistakes.misrouted_to and self.chance.happens(mistakes.misrouted_percent, "misrouted"):
            return "assign"
        good = sum(not self._mistaken(n) for n in range(self.deeds))
        answered, unanswered = self._answers()
        if good >= ways.deeds_max or unanswered >= self.table.answers.asked_max:
            return self._given_up()
        if self.crew > 1 and self.step.forceable and self.chance.happens(ways.force_percent, "forced"):
            return "force"
        return next((act for name in self._plan() if (act := self._due(name, answered > good))), "pause")

    def _plan(self) -> tuple[str, ...]:
        return self.table.actions.get(self.reason.code, self.reason.actions)

    def _due(self, name: str, answered: bool) -> str:
        """What an action of the code comes to as things stand; empty where it is done already."""
        match name:
            case "request-information":
                return "" if answered else "retry" if self.wrong else name
            case "escalate":
                return "" if self.row["level"] else name
            case "link-ticket":
                return "" if self.row["tickets"] else "retry" if self.wrong else name
            case "snooze":
                return name if self.touches < SNOOZED_ONCE or len(self._plan()) == 1 else ""
            case "assign":
                return ""
            case "fail-item" if not self.work.item:
                return self._given_up()
            case "force" if self.crew == 1 or not self.step.forceable:
                return "retry"
        return name

    def _given_up(self) -> str:
        if not self.work.stream.startswith("order-"):
            return "pause"
        if not self.work.item:
            return "cancel"
        return "cancel-port" if self.step.part else "fail-item"

    def minutes(self, speed_percent: float) -> float:
        """How long what is done next takes, by the speed of who does it and a quarter more or less."""
        return self._usual_minutes * speed_percent / 100 * self._luck

    @cached_property
    def _usual_minutes(self) -> float:
        return self.table.minutes.get(self.next_act, self.table.minutes["snooze"])

    @cached_property
    def _luck(self) -> float:
        return 0.75 + self.chance.share("minutes", self.touches + self.deeds) / 2

    def forgotten(self, visit: int) -> bool:
        """Whether who claimed it as its act number `visit` forgets that he did."""
        return self.chance.happens(self.table.mistakes.forgotten_percent, "forgotten", visit)

    # -- chance

    def _mistaken(self, n: int) -> bool:
        return self.chance.happens(self.table.mistakes.deed_percent, "mistake", n)

    def _answers(self) -> tuple[int, int]:
        """How many of those who were asked answered, and how many did not."""
        over = [n for n, wait in enumerate(self.row["waiting"] or ()) if wait["to"]]
        answered = sum(self._answered_at(n, LONG_SINCE) is not None for n in over)
        return answered, len(over) - answered

    def _answered_at(self, n: int, asked_at: datetime) -> datetime | None:
        """When who was asked answers, the `n`-th time; None for never, or later than anybody waits for it."""
        rules = self.table.answers
        if self.chance.happens(rules.never_percent, "never", n):
            return None
        # More answer soon: the share is squared.
        hours = rules.first_hours + (rules.last_hours - rules.first_hours) * self.chance.share("answer", n) ** 2
        return asked_at + timedelta(hours=hours) if hours <= rules.patience_hours else None
