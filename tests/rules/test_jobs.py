"""A job by its rules alone: every fallout is tried at most once, in order, and it stops neither early nor late."""

import hypothesis
from hypothesis import strategies as st

from o2c.jobs.events import JobFinished, JobStarted, JobStopped, Tried
from o2c.jobs.rules import TRIED_MIN, report, start
from o2c.jobs.state import JobState, evolve
from o2c.kernel.decision import NOTHING


def begun(count: int, threshold_percent: int) -> JobStarted:
    fallouts = [f"f-{n}" for n in range(count)]
    return JobStarted.model_validate({**JobStarted.example, "fallouts": fallouts, "threshold_percent": threshold_percent})


@hypothesis.given(
    came=st.lists(st.booleans(), min_size=1, max_size=90),
    threshold_percent=st.integers(1, 100),
    chunks=st.lists(st.integers(1, 30), min_size=1),
)
def test_what_is_done_failed_and_left_is_what_was_found(came: list[bool], threshold_percent: int, chunks: list[int]) -> None:
    """Whatever comes of each and in whatever chunks: the counts sum, the end is said once, and the threshold is what stops it."""
    state = JobState()
    for event in start(state, begun(len(came), threshold_percent)).events:
        state = evolve(state, event)
    turn = 0
    while state.left and not state.over:
        names = state.left[: chunks[turn % len(chunks)]]
        items = [Tried(fallout=name, result="done" if came[int(name[2:])] else "failed") for name in names]
        told = report(state, items).events
        for event in told:
            state = evolve(state, event)
        assert report(state, items) == NOTHING
        assert state.done + state.failed + len(state.left) == len(came)
        reached = state.tried >= TRIED_MIN and state.failed > 0 and state.failed * 100 >= threshold_percent * state.tried
        assert isinstance(told[-1], JobFinished) == (not state.left)
        assert isinstance(told[-1], JobStopped) == (bool(state.left) and reached)
        turn += 1
    assert state.failed == came[: state.tried].count(False)
    assert state.over == ("stopped" if state.left else "finished")
