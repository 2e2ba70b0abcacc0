"""One wish or two: the same customer, the same offering, another channel, within days."""

import json
from datetime import timedelta
from typing import Any

import pytest

from o2c.orders.document import read
from o2c.orders.same_wish import WITHIN, Earlier, same_wish
from o2c.orders.wish import Wish
from o2c.simulation.launch_data import LINE, SECOND_LINE
from tests.world import NINE, item, line, order

BEFORE = {"order": "first", "channel": "web", "ordered_at": NINE - timedelta(days=2), "offerings": frozenset({LINE.id})}


def paper(*items: Any, channel: str = "store") -> Wish:
    return read(json.dumps(order("SHOP-1", *items, channel=channel)).encode(), now=NINE)


@pytest.mark.parametrize(
    ("differs", "found"),
    [
        pytest.param({}, "first", id="two days later in the store"),
        pytest.param({"channel": "store"}, "", id="the same channel knows what it sent"),
        pytest.param({"offerings": frozenset({"broadband-fibre"})}, "", id="something else"),
        pytest.param({"offerings": frozenset({"broadband-fibre", LINE.id})}, "first", id="the same among others"),
        pytest.param({"ordered_at": NINE - WITHIN}, "first", id="just within the days"),
        pytest.param({"ordered_at": NINE - WITHIN - timedelta(seconds=1)}, "", id="long before"),
        pytest.param({"ordered_at": NINE + timedelta(days=1)}, "first", id="dated after, and taken down before"),
    ],
)
def test_what_may_be_the_same_wish(differs: dict[str, Any], found: str) -> None:
    """Each case differs by one thing from a line that was ordered on the web two days before."""
    assert same_wish(paper(line()), [Earlier(**{**BEFORE, **differs})]) == found


def test_of_several_the_last() -> None:
    """The customer is reminded of what is freshest."""
    others = [Earlier(**{**BEFORE, "order": name, "ordered_at": NINE - timedelta(days=days)}) for name, days in (("a", 1), ("b", 3))]
    assert same_wish(paper(line()), others) == "a"


def test_what_goes_with_another_line_is_no_wish_of_its_own() -> None:
    """A further line that relies on the first is not held against a further line of before."""
    earlier = Earlier(**{**BEFORE, "offerings": frozenset({SECOND_LINE.id})})
    assert same_wish(paper(line("1"), item(SECOND_LINE, "2", relies_on="1")), [earlier]) == ""
    assert same_wish(paper(item(SECOND_LINE, "2")), [earlier]) == "first"
