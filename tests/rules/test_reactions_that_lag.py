"""Reactions are asked after together: one that has read less far than what was asked for is asked by itself."""

import pytest

from o2c.engine.reactions import _Came
from o2c.plan import REACTIONS

REACTION = REACTIONS[0]
MINE, OTHER = min(REACTION.types), "of.nobody"


@pytest.mark.parametrize(
    ("position", "last", "concerned"),
    [
        pytest.param(99, {}, True, id="nobody knows what came before"),
        pytest.param(100, {}, False, id="nothing came"),
        pytest.param(100, {OTHER: 150}, False, id="what came is of others"),
        pytest.param(149, {MINE: 150}, True, id="its own came"),
        pytest.param(150, {MINE: 150}, False, id="it has read that"),
    ],
)
def test_a_reaction_is_passed_over_only_when_nothing_of_its_own_came(position: int, last: dict[str, int], concerned: bool) -> None:
    """Of what lies before the events that were asked for nothing is known, and so it is looked at."""
    assert _Came(since=100, top=200, last=last).concerns(REACTION, position) is concerned
