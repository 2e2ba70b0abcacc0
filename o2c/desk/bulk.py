"""The desk for many fallouts at once: one action on all that were found, as a job that each of them meets once, however often it is
killed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import uuid4

from o2c.desk.act import Deed, permitted
from o2c.desk.fallout import Way, deed_on, permit
from o2c.desk.jobs import Job
from o2c.engine.app import Context, Engine
from o2c.fallout.rules import Correct
from o2c.jobs.events import JobStarted, Tried
from o2c.kernel.identifiers import digest
from o2c.kernel.refusal import Refused
from o2c.views.fallouts import aged, matching
from o2c.views.orders import find_order
from o2c.views.reading import caught_up

VERB = "fallout.bulk"
THRESHOLD_PERCENT = 20
FAILURES = 10
"""So many of those that failed are told with the answer; the job's own record has all."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which open fallouts: those that fit all that is said. The filters are those of `list_fallouts`; `order` may be an external id."""

    group: str = ""
    queue: str = ""
    reason: str = ""
    order: str = ""
    customer: str = ""
    owner: str = ""
    state: str = ""
    age_days: int = 0

    @classmethod
    def of(cls, filters: Mapping[str, str]) -> Query:
        """The query that filters by their names are, as a person or a form writes them. Raises Refused (usage) for an age that is none."""
        return cls(**{name: aged(value) if name == "age_days" else value for name, value in filters.items()})  # type: ignore[arg-type] # by name


@dataclass(frozen=True, slots=True)
class BulkDone:
    """What became of a job: `matched` fallouts were found, and of them so many are `done`, have `failed`, or were left since it `stopped`.

    `new_since` counts the open ones that fit now and were not found then; the job does not touch them. `job` is empty for a dry run, which
    says what would become of each as it stands. `failures` are the first few of those that failed. `mark` is another for other fallouts.
    """

    job: str
    matched: int
    done: int
    failed: int
    stopped: int
    new_since: int
    failures: tuple[Tried, ...] = ()
    mark: str = ""


def bulk(
    app: Engine,
    context: Context,
    query: Query,
    way: Way,
    *,
    note: str,
    threshold_percent: int = THRESHOLD_PERCENT,
    dry_run: bool = False,
    mark: str = "",
) -> BulkDone:
    """Do the same about every open fallout that a query finds (to reopen: every closed one), as one job.

    The fallouts are those found at the start, by rank. Each is acted on as `resolve` or `work` would, with a command id made of the job's
    and its own; so a job that was cut short goes on when it is called again with the same command id (without one, it gets one that is
    nobody's), and what it did is not done again. With the `mark` of a dry run it begins only if the same fallouts still fit. It stops for
    good when at least `threshold_percent` in a hundred of 20 or more have failed.

    Raises Refused: missing (nothing fits, no such order), usage (an empty query, a filter or threshold that is none), conflict (the command
    id was used for something else, or others fit than those of the mark), forbidden.
    """
    context = permitted(context, "fallout.bulk")
    filters = {name: str(value) for name, value in asdict(query).items() if value}
    if not filters:
        raise Refused("say which fallouts: a group, a queue, a reason, an order, a customer, an owner or an age")
    caught_up(app)
    if query.order:
        filters["order"] = find_order(app, query.order)[1].order_id

    def on(row: Mapping[str, Any]) -> Deed:
        deed = deed_on(app, row, way, note=note, by=context.actor)
        permit(context, way, deed)
        return deed

    job = Job(app, replace(context, command_id=context.command_id or str(uuid4())), VERB, on, dry_run=dry_run)
    _start(job, way, filters, threshold_percent, note, mark)
    job.run()
    caught_up(app)
    new = 0 if dry_run else len(set(matching(app, filters, way.action)[0]) - set(job.state.fallouts))
    state = job.state
    stopped = len(state.left)
    return BulkDone(
        "" if dry_run else job.name, len(state.fallouts), state.done, state.failed, stopped, new,
        tuple(job.failures[:FAILURES]), _mark(state.fallouts),
    )  # fmt: skip


def _mark(fallouts: Collection[str]) -> str:
    """What tells these fallouts from others; their rank, which changes with time, does not count."""
    return digest(" ".join(sorted(fallouts)))


def _start(job: Job, way: Way, filters: Mapping[str, str], threshold_percent: int, note: str, mark: str) -> None:
    """Find the fallouts, unless the job has started before."""
    found, position = ((), 0) if job.state.fallouts else matching(job.app, filters, way.action)
    if mark and not job.state.fallouts and mark != _mark(found):
        raise Refused(f"others fit by now than those that were seen, {len(found)} in all; look at them and decide again", kind="conflict")
    changes = dict(way.changes) if isinstance(way, Correct) else {}
    settings = {} if changes else {name: str(value) for name, value in asdict(way).items()}
    wish = {"action": way.action, "settings": settings, "query": dict(filters), "threshold_percent": threshold_percent}
    personal = {"changes": changes, "note": note}
    job.start(JobStarted.model_validate({**wish, **personal, "fallouts": found, "position": str(position)}), [wish, personal])
