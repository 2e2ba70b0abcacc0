"""A job as a fold of its stream: what it works on, how far it is, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from o2c.jobs.events import ItemsTried, JobFinished, JobStarted, JobStopped
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class JobState:
    """`fallouts` are those of the job in the order in which they are tried, of which `done` and `failed` have been; `over` says how it
    ended."""

    fallouts: tuple[str, ...] = ()
    threshold_percent: int = 0
    done: int = 0
    failed: int = 0
    over: Literal["", "stopped", "finished"] = ""

    @property
    def tried(self) -> int:
        """How many of the fallouts have been tried."""
        return self.done + self.failed

    @property
    def left(self) -> tuple[str, ...]:
        """The fallouts that have not been tried."""
        return self.fallouts[self.tried :]


def evolve(state: JobState, event: Event) -> JobState:
    """Fold one event."""
    match event:
        case JobStarted():
            return JobState(event.fallouts, event.threshold_percent)
        case ItemsTried():
            failed = sum(item.result == "failed" for item in event.items)
            return changed(state, done=state.done + len(event.items) - failed, failed=state.failed + failed)
        case JobStopped():
            return changed(state, over="stopped")
        case JobFinished():
            return changed(state, over="finished")
    return state


def stream_of(job: str) -> str:
    """Give the name of the stream of a job: `job-` and its id, which may be given with or without it."""
    return f"job-{job.removeprefix('job-')}"


KIND = StreamKind(category="job", shape_version=1, state_type=JobState, initial=lambda _: JobState(), evolve=evolve)
