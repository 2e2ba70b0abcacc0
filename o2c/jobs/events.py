"""Events of a job: one action on many fallouts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.event import Event, Pii, Upcast

_FALLOUT = "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"


class JobStarted(Event, name="job.started", stream="job"):
    """Somebody began to act on many fallouts: on these, as they were found at `position`, and on no other.

    `action` is one of the table of actions, with its `settings`; `changes` are the values that it corrects. `query` says by what the
    fallouts were found. The job stops when at least `threshold_percent` in a hundred of those tried have failed.

    Version 2: the action may be `apply-fix`, whose settings say which fix and what its proof counted; `versions` are then those of the
    streams that the proof saw, one for each fallout. No other job has any.
    """

    example = {
        "action": "correct", "settings": {}, "query": {"group": "5c1f09ab34"}, "position": "52107264004", "fallouts": [_FALLOUT],
        "threshold_percent": 20, "changes": {"portInCode": "ABC123456"}, "note": "the donor sent a list", "versions": [],
    }  # fmt: skip
    upcasts = (Upcast(defaults={"versions": ()}),)
    action: str
    settings: dict[str, str]
    query: dict[str, str]
    position: str
    fallouts: tuple[str, ...]
    threshold_percent: int
    changes: Annotated[dict[str, str], Pii("correction")]
    note: Annotated[str, Pii("note")] = ""
    versions: tuple[int, ...] = ()


class Tried(BaseModel):
    """What came of one fallout of a job: it is done as the table of actions says, or it failed, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    fallout: str
    result: Literal["done", "failed"]
    why: str = ""


class ItemsTried(Event, name="job.items-tried", stream="job"):
    """The job tried the next of its fallouts, in the order in which they were found."""

    example = {"items": [{"fallout": _FALLOUT, "result": "done", "why": ""}]}
    items: tuple[Tried, ...]


class JobStopped(Event, name="job.stopped", stream="job"):
    """Too many of those tried had failed: the job left the others alone, for good."""

    example = {"done": 12, "failed": 8, "left": 480}
    done: int
    failed: int
    left: int


class JobFinished(Event, name="job.finished", stream="job"):
    """The job tried every one of its fallouts."""

    example = {"done": 499, "failed": 1}
    done: int
    failed: int
