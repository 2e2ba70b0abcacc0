"""Courtesy contacts: who is owed one at which milestone, by when, and what became of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.agreements import packaged
from o2c.customers.care import Reached, Spoken, due_of, owed
from o2c.markets.registry import current

GB = current("GB", date(2026, 1, 1))
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
MILESTONES = ("received", "delay", "active", "cancelled", "declined")


def reached(tier: str = "key-account", milestone: str = "received", when: datetime = MONDAY, order: str = "A") -> Reached:
    """A milestone of an order of C-1."""
    return Reached("C-1", tier, order, milestone, when, GB)


@pytest.mark.parametrize(
    ("stone", "due_at"),
    [
        pytest.param(reached(), datetime(2026, 1, 6, 18, tzinfo=UTC), id="the next working day"),
        pytest.param(reached(when=datetime(2026, 1, 9, 12, tzinfo=UTC)), datetime(2026, 1, 12, 18, tzinfo=UTC), id="over a weekend"),
        pytest.param(reached(milestone="delay"), datetime(2026, 1, 5, 18, tzinfo=UTC), id="the same day"),
        pytest.param(
            reached(milestone="delay", when=datetime(2026, 1, 5, 19, tzinfo=UTC)), datetime(2026, 1, 6, 18, tzinfo=UTC), id="after hours"
        ),
        pytest.param(
            reached(milestone="delay", when=datetime(2026, 4, 3, 9, tzinfo=UTC)), datetime(2026, 4, 7, 17, tzinfo=UTC), id="Good Friday"
        ),
        pytest.param(reached("priority"), None, id="a tier that has none for it"),
        pytest.param(reached("standard", "delay"), None, id="a one-time client"),
        pytest.param(reached("", "delay"), None, id="nobody we know"),
    ],
)
def test_by_when(stone: Reached, due_at: datetime | None) -> None:
    """The end of a working day of the market; where the tier has none agreed, never."""
    assert due_of(stone, packaged()) == due_at


@pytest.mark.parametrize(
    ("spoken", "hours", "state", "by"),
    [
        pytest.param([], 1, "open", "", id="there is time"),
        pytest.param([], 99, "missed", "", id="nobody did"),
        pytest.param([("A", 1)], 99, "done", "ann", id="about the order"),
        pytest.param([("", 1)], 99, "done", "ann", id="about none in particular"),
        pytest.param([("B", 1)], 99, "missed", "", id="about another order"),
        pytest.param([("A", -1)], 99, "missed", "", id="before it"),
        pytest.param([("A", 50)], 99, "missed", "ann", id="too late"),
        pytest.param([("A", 50)], 2, "open", "", id="not yet"),
    ],
)
def test_what_became_of_it(spoken: list[tuple[str, int]], hours: int, state: str, by: str) -> None:
    """As of a time; who came late is named, and it is missed all the same."""
    contacts = [Spoken("C-1", order, MONDAY + timedelta(hours=after), "ann") for order, after in spoken]
    [each] = owed([reached()], contacts, now=MONDAY + timedelta(hours=hours), agreed=lambda at: packaged())
    assert (each.state, each.by) == (state, by)


STONES = st.builds(
    reached, st.sampled_from(["key-account", "priority", "standard", ""]), st.sampled_from(MILESTONES),
    st.integers(0, 900).map(lambda hours: MONDAY + timedelta(hours=hours)), st.sampled_from("AB"),
)  # fmt: skip
SPOKEN = st.builds(
    Spoken, st.just("C-1"), st.sampled_from(["", "A", "B"]), st.integers(0, 1_000).map(lambda hours: MONDAY + timedelta(hours=hours)),
    st.sampled_from(["ann", "bob"]),
)  # fmt: skip


@hypothesis.given(st.lists(STONES, max_size=12), st.lists(SPOKEN, max_size=6), st.integers(0, 2_000))
def test_every_key_account_is_contacted_or_counted_missed(stones: list[Reached], spoken: list[Spoken], hours: int) -> None:
    """Each milestone of one is there once; done only by a contact in time; nothing stays open beyond its time; a standard customer is owed none."""
    now = MONDAY + timedelta(hours=hours)
    found = list(owed(stones, spoken, now=now, agreed=lambda at: packaged()))
    key: list[Any] = [stone for stone in stones if stone.tier == "key-account"]

    assert [each.reached for each in found if each.reached.tier == "key-account"] == key
    assert {each.reached.tier for each in found} <= {"key-account", "priority"}
    for each in found:
        in_time = [
            one for one in spoken if each.reached.at <= one.at < each.due_at and one.at <= now and one.order in ("", each.reached.order)
        ]
        assert each.state == ("done" if in_time else "missed" if each.due_at <= now else "open")
        assert each.by in {one.by for one in spoken} or (each.state != "done" and not each.by)
