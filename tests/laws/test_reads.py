"""What a step reads beside its own stream is named from the state that a process remembers, which may be of long before."""

import pytest

from o2c.kernel.step import no_streams
from o2c.plan import KINDS, STEPS
from tests.given import BOOK

READING = sorted(name for name, step in STEPS.items() if step.reads is not no_streams)


@pytest.mark.parametrize("name", READING)
def test_a_step_names_its_reads_from_a_state_of_before(name: str) -> None:
    """From a stream of which nothing is known yet, no step breaks: another process planned the item since, and the stream is read anew."""
    step = STEPS[name]
    assert step.requested is not None
    kind = KINDS[step.requested.of_stream]
    stream = f"{kind.category}-1"

    named = step.reads(kind.work(kind.initial(stream), stream, "1", name, BOOK))

    assert all(isinstance(each, str) for each in named)
