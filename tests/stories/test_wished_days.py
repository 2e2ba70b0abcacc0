"""An order wished for a day begins, is promised and is billed by it; a promise that cannot be kept is renewed, and counted."""

from pathlib import Path

import pytest

from o2c.desk.fallout import Correct
from o2c.views.orders import order_plan, show_order
from o2c.views.reading import caught_up
from o2c.views.status import promises_kept
from tests.promised import claims
from tests.world import ADDRESS, Document, World, at, line, order


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


def test_an_address_put_right_in_march_shows_the_renewed_promise_and_its_cause(world: World) -> None:
    """The parcel waits for its address until March: the page of the order says what was promised first, what now, and because of what."""
    world.stocked()
    world.take(order("WEB-1", line(sim="physical", place="nowhere")))
    world.run(at(6, month=3))
    caught_up(world.app)
    [item] = show_order(world.app, "WEB-1")["items"]
    assert item["promised_on"] == "2026-01-08"
    world.resolve("DQ-ADDR", Correct({"place": ADDRESS}))
    caught_up(world.app)
    page = show_order(world.app, "WEB-1")
    assert [(row["promised_on"], row["cause"]) for row in page["promises"]] == [
        ("2026-01-08", "the plan"),
        ("2026-03-11", "delivery DQ-ADDR"),
    ]
    assert page["items"][0]["promised_on"] == "2026-03-11"
    expected = {row["step"]: row["expected_at"] for row in page["steps"]}
    assert expected["activation"].startswith("2026-03-11")
    assert "activation" in {row["step"] for row in order_plan(world.app, "WEB-1") if row["expected_at"]}


def test_promises_are_counted_as_kept_and_broken_by_their_cause(world: World) -> None:
    """One line came in time; another waited for its address until March, which broke the first promise and kept the second."""
    world.stocked()
    world.take(order("WEB-1", line(sim="physical")), order("WEB-2", line(sim="physical", place="nowhere")))
    world.run(at(6, month=3))
    world.resolve("DQ-ADDR", Correct({"place": ADDRESS}))
    world.run(at(12, month=3))
    caught_up(world.app)
    counted = {(row["step"], row["reason"]): row for row in promises_kept(world.app) if row["offering"] == "*"}
    everything, late = counted["*", "*"], counted["delivery", "DQ-ADDR"]
    assert [everything[key] for key in ("promised", "completed", "kept_first", "broken_first", "kept_last", "broken_last")] == [
        2,
        2,
        1,
        1,
        2,
        0,
    ]
    assert (late["promised"], late["broken_first"], late["kept_last"]) == (1, 1, 1)
    assert all(claim.good for claim in claims(world.app))
