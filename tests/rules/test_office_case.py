"""A case of the simulated back office: what it is counts alike when it is taken in hand and when it is worked on."""

from typing import Any

import pytest

from o2c.simulation.office_case import Case


def case(**row: Any) -> Case:
    """A case of which only its record counts."""
    nothing: Any = None
    return Case({"fallout": "f-1", "acts": 1, **row}, nothing, nothing, nothing, nothing, 7, 5, waits=True)


@pytest.mark.parametrize(
    ("before", "events"),
    [({"waits_for": "", "touches": 4}, 1), ({"waits_for": "customer", "touches": 4}, 2), ({"waits_for": "", "touches": None}, 1)],
    ids=["a claim", "a claim that ends a wait", "the first claim"],
)
def test_a_visit_has_one_number(before: dict[str, Any], events: int) -> None:
    """What an agent promised as he took it in hand, when he would be done, is what he finds then: whether he forgets is drawn by this number."""
    after = case(waits_for="", touches=int(before["touches"] or 0) + events)

    assert case(**before).touches == after.touches - 1
