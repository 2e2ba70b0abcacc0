"""Records of usage that are nobody's: looked at again when something about their number or account changed, and ever more seldom without."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from o2c.engine.mediation import Mediation, rated_again
from o2c.views.usage import list_usage
from tests.metered import account_of, load, metered, metered_line, number_of, record, usage_lines
from tests.world import World, order

STRANGER = "+447700999111"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return metered(dsn, tmp_path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parties that somebody looked up."""
    found: list[str] = []
    learn = Mediation.learn
    monkeypatch.setattr(Mediation, "learn", lambda self, parties: learn(self, found.extend(known := [*parties]) or known))
    return found


def test_what_is_nobodys_for_good_is_not_looked_through_each_time(world: World, asked: list[str]) -> None:
    """Once after it came, then after a day, two, four: a file or a bill in between looks at none of it."""
    load(world, *(record(str(n), STRANGER) for n in range(5)))
    rated_again(world.app)
    asked.clear()
    rated_again(world.app)
    load(world, record("mine", number_of(world)))
    assert STRANGER not in asked
    looks = []
    for day in range(10, 26):
        world.run(datetime(2026, 1, day, tzinfo=UTC))
        asked.clear()
        rated_again(world.app)
        looks += [day] if STRANGER in asked else []
    assert looks == [10, 12, 16, 24]


def test_since_when_and_until_when_it_waits_is_listed(world: World) -> None:
    """It came at midnight of the 9th; nothing waits of what is somebody's."""
    load(world, record("1", STRANGER), record("2", number_of(world)))
    rated_again(world.app)
    waits, mine = list_usage(world.app)
    assert (waits["waits_since"], waits["look_at"]) == ("2026-01-09T00:00:00Z", "2026-01-10T00:00:00Z")
    assert (mine["waits_since"], mine["look_at"]) == (None, None)


def test_a_change_of_its_account_is_seen_at_once(world: World) -> None:
    """A record that names an account which is charged later is not due for a week, and is the account's with the next look all the same."""
    other = account_of(world).replace("C-1", "C-2")
    load(world, record("1", other, start="2026-01-26T10:00:00Z"))
    for day in (10, 12, 16, 24):
        world.run(datetime(2026, 1, day, tzinfo=UTC))
        rated_again(world.app)
    [waits] = list_usage(world.app, suspense=True)
    assert waits["look_at"] == "2026-02-01T00:00:00Z"
    world.take(order("TWO", metered_line(), party="C-2", on=datetime(2026, 1, 24, 9, tzinfo=UTC)))
    world.run(datetime(2026, 1, 28, tzinfo=UTC))
    assert rated_again(world.app) == [other]
    assert list_usage(world.app, suspense=True) == []
    [placed] = list_usage(world.app, account=other)
    assert (placed["look_at"], placed["waits_since"]) == (None, "2026-01-09T00:00:00Z")


def test_a_record_that_waits_is_on_the_first_bill_of_whose_it_is(world: World) -> None:
    """The control: nothing but its account's own beginning brings it there."""
    other = account_of(world).replace("C-1", "C-2")
    load(world, record("1", other, start="2026-01-29T10:00:00Z"))
    world.take(order("TWO", metered_line(), party="C-2", on=datetime(2026, 1, 26, 9, tzinfo=UTC)))
    world.run(datetime(2026, 3, 20, tzinfo=UTC))
    assert [net for _, net in usage_lines(world)] == [10]
