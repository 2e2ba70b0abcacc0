"""The critical path of an order: of all that was waited for at once, what its end really waited for, instant by instant. Pure
(decisions/0052)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

WAITERS = ("us", "channel", "customer", "partner", "regulator")
"""Who can be waited for, in the order of precedence where nothing else tells: what is ours is never excused by somebody else's."""


class Stretch(NamedTuple):
    """A span of time (half-open), who was waited for in it, and for which step: `ITEM/STEP`, `/STEP` for a gate, empty for none."""

    begun: datetime
    ended: datetime
    who: str
    place: str


class _Run(NamedTuple):
    """A time in which a step was under way or stuck without a break: the changes of who was waited for, and when it ended (None: it did
    not)."""

    place: str
    changes: tuple[tuple[datetime, str], ...]
    ended: datetime | None


def critical_path(steps: Mapping[str, Mapping[str, Any]], begun: datetime, ended: datetime) -> list[Stretch]:
    """What an order waited for from `begun` until `ended`, the first first; the stretches follow on one another without a gap.

    Seen from the end: what ended last is what was waited for, as long as it was under way without a break; it began when what it waited for
    was done, and so on back to the capture. Where nothing ended at the moment, as in an order that is open, `_binding` says which of those
    under way it is. Where nothing was under way, we are waited for. Of each step are given its `line` (times, each with who is waited for
    from then on, empty for nobody), what it `waits` for, and when it is `known` to be over.
    """
    runs = [run for place, step in steps.items() for run in _runs(place, step["line"])]
    path: list[Stretch] = []
    at, after = ended, ""
    while at > begun:
        under_way = [run for run in runs if run.changes[0][0] < at and (run.ended is None or run.ended >= at)]
        if under_way:
            run = _binding(under_way, at, steps, after)
            path += _backwards(run, begun, at)
            after = run.place
        else:
            last = max((run.ended for run in runs if run.ended and run.ended < at), default=begun)
            path.append(Stretch(max(last, begun), at, "us", ""))
        at = path[-1].begun
    return path[::-1]


def _runs(place: str, line: Sequence[Sequence[str]]) -> Iterator[_Run]:
    changes: list[tuple[datetime, str]] = []
    for text, who in line:
        at = datetime.fromisoformat(text)
        if who:
            changes.append((at, who))
        elif changes:
            yield _Run(place, tuple(changes), at)
            changes = []
    if changes:
        yield _Run(place, tuple(changes), None)


def _binding(under_way: Sequence[_Run], at: datetime, steps: Mapping[str, Mapping[str, Any]], after: str) -> _Run:
    """The one that what comes next waited for: what ended at this moment, first what the next step waits for. At the end of the path, where
    nothing comes next, what is under way still. Of several what has no known end, then what ends last; then by who is waited for."""
    waits = steps[after]["waits"] if after else ()

    def rank(run: _Run) -> tuple[Any, ...]:
        known = _known(steps[run.place], at)
        binds = run.ended == at if after else run.ended != at
        return (
            not binds, run.place not in waits, known is not None, -known.timestamp() if known else 0.0,
            WAITERS.index(_who(run, at)), run.place,
        )  # fmt: skip

    return min(under_way, key=rank)


def _known(step: Mapping[str, Any], at: datetime) -> datetime | None:
    """When a step is known to be over, if that is still to come."""
    known = datetime.fromisoformat(step["known"]) if step["known"] else None
    return known if known and known > at else None


def _who(run: _Run, at: datetime) -> str:
    """Who is waited for just before a time."""
    return next((who for since, who in reversed(run.changes) if since < at), run.changes[0][1])


def _backwards(run: _Run, begun: datetime, at: datetime) -> Iterator[Stretch]:
    """The stretches of a run that lie between two times, the last first."""
    until = at
    for since, who in reversed(run.changes):
        if since < until:
            yield Stretch(max(since, begun), until, who, run.place)
            until = max(since, begun)
        if until == begun:
            return


def waited_s(path: Sequence[Stretch]) -> dict[str, int]:
    """How many whole seconds each was waited for. They sum to the whole seconds from the start of the path to its end: each bound is cut to
    its second."""
    sums = dict.fromkeys(WAITERS, 0)
    for part in path:
        sums[part.who] += whole_s(part.begun, part.ended)
    return sums


def whole_s(begun: datetime, ended: datetime) -> int:
    """The seconds between two times, each cut to its second, so that spans which follow on one another sum exactly."""
    return int((ended.replace(microsecond=0) - begun.replace(microsecond=0)).total_seconds())
