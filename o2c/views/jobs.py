"""A job: what became of each of its fallouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.jobs.events import ItemsTried, Tried
from o2c.jobs.state import JobState, stream_of
from o2c.kernel.event import Fact
from o2c.kernel.refusal import Refused
from o2c.views.fallouts import rows_of_fallouts
from o2c.views.shown import JobItemShown


def show_job(app: Engine, job: str) -> list[JobItemShown]:
    """What became of each fallout of a job, in the order in which they are tried. The projections must be caught up.

    `result` is done, failed (`why` says how it was refused), stopped (left alone when the job stopped) or waiting (the job is not over);
    `state` is how the fallout stands now, open or closed, for what was done is not yet what came of it. Raises Refused (missing).
    """
    stream = stream_of(job)
    loaded = app.load_one(stream)
    if not loaded.version:
        raise Refused(f"no job {job}; `o2c events find --type job.started` has them all", kind="missing")
    state: JobState = loaded.state
    rows = rows_of_fallouts(app, state.fallouts)
    results = {tried.fallout: (tried.result, tried.why) for tried in _tried(app, stream)}
    rest = ("stopped" if state.over == "stopped" else "waiting", "")
    return [_row(fallout, *results.get(fallout, rest), rows.get(fallout, {})) for fallout in state.fallouts]


def _tried(app: Engine, stream: str) -> Iterator[Tried]:
    for fact in app.events.get(stream):
        event = cast("Fact", fact).event
        yield from event.items if isinstance(event, ItemsTried) else ()


def _row(fallout: str, result: str, why: str, row: Mapping[str, Any]) -> JobItemShown:
    return {"fallout": fallout, "result": result, "why": why, "state": row.get("state", ""), "order": row.get("order_id")}
