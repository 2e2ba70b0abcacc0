"""An order wished for a day: stock is kept at once, the rest waits for the day, and the bill begins with it."""

from pathlib import Path

import pytest

from o2c.desk.fallout import Correct
from tests.world import Document, World, at, line, order


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return World(dsn, tmp_path)


def wished(*items: Document, **days: str) -> Document:
    return {**order("WEB-1", *items), **days}


def test_an_order_for_the_20th_is_active_and_billed_from_the_20th(world: World) -> None:
    """Ordered on the 5th for the 20th: a SIM is kept that day, nobody outside hears of it before the 20th, and the bill of the 22nd begins then."""
    world.stocked(pays="card")
    world.take(wished(line(), requestedStartDate="2026-01-20T00:00:00Z"))
    world.run(at(19, 23, 59))
    assert {"sim.assigned", "number.assigned"} <= set(world.told("WEB-1"))
    assert [world.scripted.asked(step) for step in ("esim", "activation")] == [[], []]
    world.run(at(23))
    assert world.state("WEB-1") == "completed"
    assert world.when("WEB-1", "service.activated").date() == at(20).date()
    assert world.invoice("BA-C-1-20260122").issued is not None


def test_a_day_that_cannot_be_is_asked_about_and_then_followed(world: World) -> None:
    """Wished for a day that does not exist: the channel answers at the desk, and the order begins on the day it names."""
    world.stocked()
    world.take(wished(line(), requestedCompletionDate="2026-02-30"))
    world.run(at(6))
    assert world.state("WEB-1") == "pending"
    world.resolve("DQ-DATE", Correct({"requested_completion": "2026-02-03"}))
    world.run(at(4, month=2))
    assert world.when("WEB-1", "service.activated").date() == at(3, month=2).date()
