"""When a job starts, goes on, stops and ends."""

from __future__ import annotations

from collections.abc import Sequence

from o2c.jobs.events import ItemsTried, JobFinished, JobStarted, JobStopped, Tried
from o2c.jobs.state import JobState, evolve
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused

TRIED_MIN = 20
"""A job is not stopped before so many were tried: of two, one that fails is chance."""
FALLOUTS_MAX = 10_000
"""The most fallouts of one job: their ids stand in its first event."""


def start(state: JobState, begun: JobStarted) -> Decision:
    """Start a job on the fallouts that were found; nothing where it has started already.

    Raises Refused: missing where none was found, usage for more than a job takes and for a threshold that is none.
    """
    if state.fallouts:
        return NOTHING
    if not 1 <= begun.threshold_percent <= 100:
        raise Refused(f"a threshold is between 1 and 100 % of those tried, not {begun.threshold_percent}")
    if not begun.fallouts:
        raise Refused(f"no open fallout has {_words(begun)}; see `o2c fallout groups --open` and `o2c fallout list`", kind="missing")
    if len(begun.fallouts) > FALLOUTS_MAX:
        raise Refused(f"{len(begun.fallouts):,} fallouts have {_words(begun)}, and a job takes {FALLOUTS_MAX:,} at most; ask for fewer")
    return just(begun)


def report(state: JobState, items: Sequence[Tried]) -> Decision:
    """Take down what came of the next fallouts of a job, and end it after the last of them or when too many have failed.

    Nothing where the job is over, or where these are not its next ones: somebody else has taken them down.
    """
    names = tuple(item.fallout for item in items)
    if state.over or not names or names != state.left[: len(names)]:
        return NOTHING
    told = ItemsTried(items=tuple(items))
    after = evolve(state, told)
    if not after.left:
        return just(told, JobFinished(done=after.done, failed=after.failed))
    if after.tried >= TRIED_MIN and after.failed and after.failed * 100 >= after.threshold_percent * after.tried:
        return just(told, JobStopped(done=after.done, failed=after.failed, left=len(after.left)))
    return just(told)


def _words(begun: JobStarted) -> str:
    return ", ".join(f"{name} {value}" for name, value in begun.query.items())
