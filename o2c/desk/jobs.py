"""A job at work: the same kind of deed on many fallouts, each of which meets it once, however often it is killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, cast

from o2c.desk.act import Deed, act, act_on_all, foreseen
from o2c.engine.app import Context, Engine
from o2c.jobs import rules
from o2c.jobs.events import JobStarted, Tried
from o2c.jobs.state import JobState, evolve, stream_of
from o2c.kernel.decision import Decision
from o2c.kernel.event import Fact
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.views.fallouts import rows_of_fallouts

CHUNK = 100
"""So many fallouts are done in one append. The first chunk is smaller, so that a job that goes wrong stops early."""
DeedOn = Callable[[Mapping[str, Any]], Deed]
"""What is to be done about a fallout, by its row. Raises Refused."""


class Job:
    """A job at work: `state` is as far as it is told of. A dry run tells nothing to the log, and does nothing.

    The command id of the context names it for good: with the same one it goes on where it was. What comes of a fallout is written under
    `verb`.
    """

    def __init__(self, app: Engine, context: Context, verb: str, deed_on: DeedOn, *, dry_run: bool = False) -> None:
        self.app, self.context, self.verb, self.deed_on, self.dry_run = app, context, verb, deed_on, dry_run
        self.name = derived_id("job", context.command_id)
        self.stream = stream_of(self.name)
        self.state: JobState = JobState() if dry_run else self._stored()
        self.failures: list[Tried] = []

    @property
    def begun(self) -> JobStarted:
        """How it began, as its stream has it. Raises ValueError for one that has not."""
        facts = cast("list[Fact]", list(self.app.events.get(self.stream)))
        found = next((fact.event for fact in facts if isinstance(fact.event, JobStarted)), None)
        if found is None:
            raise ValueError(f"{self.stream} has not begun")
        return found

    def start(self, begun: JobStarted, wish: Any) -> None:
        """Begin, unless it has before; the same command id with another wish is refused."""
        self._tell(lambda state: rules.start(state, begun), wish, self.context.command_id)

    def run(self) -> None:
        """Try fallouts until there are none left, or too many have failed."""
        while self.state.left and not self.state.over:
            self.go_on()

    def go_on(self) -> None:
        """Try the next fallouts, and tell what came of them."""
        first = not self.state.tried
        tried = self._tried(self.state.left[: rules.TRIED_MIN if first else CHUNK])
        self.failures += [one for one in tried if one.result == "failed"]
        place = ["tried", str(self.state.tried)]
        self._tell(lambda state: rules.report(state, tried), place, derived_id(self.name, *place))

    def _tell(self, rule: Callable[[JobState], Decision], wish: Any, command_id: str) -> None:
        if self.dry_run:
            for event in rule(self.state).events:
                self.state = evolve(self.state, event)
            return

        def at_a_time(state: JobState, at: datetime) -> Decision:
            return rule(state)

        act(self.app, replace(self.context, command_id=command_id), self.verb, Deed(self.stream, (at_a_time,), wish))
        self.state = self._stored()

    def _stored(self) -> JobState:
        state: JobState = self.app.load_one(self.stream).state
        return state

    def _tried(self, fallouts: Sequence[str]) -> list[Tried]:
        """What comes of some fallouts. Of those of one stream each is decided on what the last one left."""
        rows = rows_of_fallouts(self.app, fallouts)
        self.app.load({row["stream"] for row in rows.values()})
        ids = {fallout: item_id(self.name, fallout) for fallout in fallouts}
        before = set() if self.dry_run else self.app.reads.commands_written(list(ids.values()))
        came: dict[str, Refused | None] = {fallout: None for fallout in fallouts if ids[fallout] in before}
        left = [fallout for fallout in fallouts if fallout not in came]
        while left:
            turn = {rows[fallout]["stream"] if fallout in rows else fallout: fallout for fallout in reversed(left)}
            came |= self._done({fallout: ids[fallout] for fallout in left if fallout in turn.values()}, rows)
            left = [fallout for fallout in left if fallout not in came]
        return [_came_of(fallout, came[fallout]) for fallout in fallouts]

    def _done(self, ids: Mapping[str, str], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Refused | None]:
        """Do what is to be done about fallouts of different streams in one append: how each was refused, None for those that were not."""
        deeds: dict[str, Deed] = {}
        came: dict[str, Refused | None] = {}
        for fallout, command_id in ids.items():
            try:
                if fallout not in rows:
                    raise Refused(f"fallout {fallout} is not in the queue's table; see `o2c projections parked`", kind="missing")
                deeds[fallout] = replace(self.deed_on(rows[fallout]), command_id=command_id)
            except Refused as refused:
                came[fallout] = refused
        if self.dry_run:
            outcomes: Sequence[Any] = foreseen(self.app, list(deeds.values()))
        else:
            outcomes = act_on_all(self.app, replace(self.context, command_id=""), self.verb, list(deeds.values()))
        return came | {fallout: outcome if isinstance(outcome, Refused) else None for fallout, outcome in zip(deeds, outcomes, strict=True)}


def item_id(job: str, fallout: str) -> str:
    """The command id of one fallout of a job: the same for ever, so that whoever goes on with the job does nothing twice."""
    return derived_id("job", job, fallout)


def _came_of(fallout: str, refused: Refused | None) -> Tried:
    result: Literal["done", "failed"] = "failed" if refused else "done"
    return Tried(fallout=fallout, result=result, why=str(refused) if refused else "")
