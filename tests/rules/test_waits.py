"""Waits for others: when they end, and what is left of a span without them."""

from datetime import datetime, timedelta

import pytest

from o2c.views.figures import waits_of, without
from tests.world import at

CLOSED_AT = at(6, 10)
WAITED = [
    pytest.param((at(5, 12), at(5, 14)), None, (at(5, 12), at(5, 14)), id="over while it was open"),
    pytest.param((at(5, 12), None), None, (at(5, 12), at(9)), id="under way"),
    pytest.param((at(5, 12), None), CLOSED_AT, (at(5, 12), CLOSED_AT), id="closed while we waited"),
    pytest.param((at(5, 12), at(8)), CLOSED_AT, (at(5, 12), CLOSED_AT), id="closed while we waited, and settled later"),
    pytest.param((at(7), at(8)), CLOSED_AT, (at(7), at(8)), id="looked at again"),
]


@pytest.mark.parametrize(("wait", "closed_at", "span"), WAITED)
def test_nobody_waits_about_what_is_closed(
    wait: tuple[datetime, datetime | None], closed_at: datetime | None, span: tuple[datetime, datetime]
) -> None:
    """A wait that nobody ended ends with its fallout: it may not be taken out of what the order's later fallouts took."""
    told = [{"for": "customer", "from": wait[0].isoformat(), "to": wait[1].isoformat() if wait[1] else None}]
    assert waits_of({"waiting": told, "closed_at": closed_at}, at(9)) == [span]


WAITS = [
    pytest.param([], 10, id="none"),
    pytest.param([(2, 4)], 8, id="within"),
    pytest.param([(2, 5), (4, 6)], 6, id="overlapping ones count once"),
    pytest.param([(-3, 1), (9, 30)], 8, id="over both ends"),
    pytest.param([(-3, 30)], 0, id="all of it"),
    pytest.param([(20, 30), (-5, -1)], 10, id="outside"),
]


@pytest.mark.parametrize(("waits", "left"), WAITS)
def test_waits_are_taken_out_of_a_span(waits: list[tuple[int, int]], left: int) -> None:
    """Each part of the span that lies in a wait is not ours, once."""
    hours = [(at(5) + timedelta(hours=begun), at(5) + timedelta(hours=ended)) for begun, ended in waits]
    assert sum(((end - start).total_seconds() for start, end in without((at(5), at(5, 10)), hours)), 0.0) == left * 3600
