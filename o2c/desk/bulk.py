"""The desk for many fallouts at once: one action on all that were found, as a job that each of them meets once, however often it is killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from o2c.desk.act import Deed, act, act_on_all, foreseen, permitted
from o2c.desk.fallout import Way, deed_on
from o2c.engine.app import Context, Engine
from o2c.fallout.rules import Correct
from o2c.jobs import rules
from o2c.jobs.events import JobStarted, Tried
from o2c.jobs.state import JobState, evolve, stream_of
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.views.fallouts import matching, rows_of_fallouts
from o2c.views.orders import find_order
from o2c.views.reading import caught_up

VERB = "fallout.bulk"
CHUNK = 100
"""So many fallouts are done in one append. The first chunk is smaller, so that a job that goes wrong stops early."""
THRESHOLD_PERCENT = 20


@dataclass(frozen=True, slots=True)
class Query:
    """Which open fallouts: those that fit all that is said. The filters are those of `list_fallouts`; `order` may be an external id."""

    group: str = ""
    queue: str = ""
    reason: str = ""
    order: str = ""
    customer: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class BulkDone:
    """What became of a job: `matched` fallouts were found, and of them so many are `done`, have `failed`, or were left since it `stopped`.

    `new_since` counts the open ones that fit now and were not found then; the job does not touch them. `job` is empty for a dry run, which says
    what would become of each as it stands. `failures` are the first few of those that failed.
    """

    job: str
    matched: int
    done: int
    failed: int
    stopped: int
    new_since: int
    failures: tuple[Tried, ...] = ()


def bulk(
    app: Engine,
    context: Context,
    query: Query,
    way: Way,
    *,
    note: str,
    threshold_percent: int = THRESHOLD_PERCENT,
    dry_run: bool = False,
) -> BulkDone:
    """Do the same about every open fallout that a query finds, as one job.

    The fallouts are those found at the start, by rank. Each is acted on as `resolve` or `work` would, with a command id made of the job's and its
    own; so a job that was cut short goes on when it is called again with the same command id (without one, it gets one that is nobody's), and what
    it did is not done again. It stops for good when at least `threshold_percent` in a hundred of 20 or more have failed.

    Raises Refused: missing (nothing fits, no such order), usage (an empty query, a filter or threshold that is none), conflict (the command id was used
    for something else), forbidden.
    """
    context = permitted(context, "fallout.bulk")
    filters = {name: value for name, value in asdict(query).items() if value}
    if not filters:
        raise Refused("say which fallouts: a group, a queue, a reason, an order, a customer or an owner")
    caught_up(app)
    if query.order:
        filters["order"] = find_order(app, query.order)[1].order_id
    job = _Job(app, replace(context, command_id=context.command_id or str(uuid4())), way, note, dry_run=dry_run)
    job.start(filters, threshold_percent)
    while job.state.left and not job.state.over:
        job.go_on()
    caught_up(app)
    new = 0 if dry_run else len(set(matching(app, filters)[0]) - set(job.state.fallouts))
    state = job.state
    stopped = len(state.left)
    return BulkDone(
        "" if dry_run else job.name, len(state.fallouts), state.done, state.failed, stopped, new, tuple(job.failures[:FAILURES])
    )


FAILURES = 10
"""So many of those that failed are told with the answer; the job's own record has all."""


class _Job:
    """A job at work: `state` is as far as it is told of. A dry run tells nothing to the log, and does nothing."""

    def __init__(self, app: Engine, context: Context, way: Way, note: str, *, dry_run: bool) -> None:
        self.app, self.context, self.way, self.note, self.dry_run = app, context, way, note, dry_run
        self.name = derived_id("job", context.command_id)
        self.stream = stream_of(self.name)
        self.state: JobState = JobState() if dry_run else self._stored()
        self.failures: list[Tried] = []

    def start(self, filters: Mapping[str, str], threshold_percent: int) -> None:
        """Find the fallouts, unless the job has started before; the same command id with another wish is refused."""
        found, position = ((), 0) if self.state.fallouts else matching(self.app, filters)
        changes = dict(self.way.changes) if isinstance(self.way, Correct) else {}
        settings = {} if changes else {name: str(value) for name, value in asdict(self.way).items()}
        wish = {"action": self.way.action, "settings": settings, "query": dict(filters), "threshold_percent": threshold_percent}
        personal = {"changes": changes, "note": self.note}
        begun = JobStarted.model_validate({**wish, **personal, "fallouts": found, "position": str(position)})
        self._tell(lambda state: rules.start(state, begun), [wish, personal], self.context.command_id)

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

        act(self.app, replace(self.context, command_id=command_id), VERB, Deed(self.stream, (at_a_time,), wish))
        self.state = self._stored()

    def _stored(self) -> JobState:
        state: JobState = self.app.load([self.stream])[self.stream].state
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
        note = self.note
        for fallout, command_id in ids.items():
            try:
                deeds[fallout] = replace(
                    deed_on(self.app, rows[fallout], self.way, note=note, by=self.context.actor), command_id=command_id
                )
            except Refused as refused:
                came[fallout] = refused
            except KeyError:
                came[fallout] = Refused(f"fallout {fallout} is not in the queue's table; see `o2c projections parked`", kind="missing")
        if self.dry_run:
            outcomes: Sequence[Any] = foreseen(self.app, list(deeds.values()))
        else:
            outcomes = act_on_all(self.app, replace(self.context, command_id=""), VERB, list(deeds.values()))
        return came | {fallout: outcome if isinstance(outcome, Refused) else None for fallout, outcome in zip(deeds, outcomes, strict=True)}


def item_id(job: str, fallout: str) -> str:
    """The command id of one fallout of a job: the same for ever, so that whoever goes on with the job does nothing twice."""
    return derived_id("job", job, fallout)


def _came_of(fallout: str, refused: Refused | None) -> Tried:
    result: Literal["done", "failed"] = "failed" if refused else "done"
    return Tried(fallout=fallout, result=result, why=str(refused) if refused else "")
