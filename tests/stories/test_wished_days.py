"""An order wished for a day begins, is promised and is billed by it; a promise that cannot be kept is renewed, and counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.fallout import Correct
from o2c.files.loading import load_stock
from o2c.views.fallouts import list_fallouts
from o2c.views.order_page import order_plan, show_order
from o2c.views.orders import find_order
from o2c.views.reading import caught_up
from o2c.views.status import promises_kept
from tests.promised import claims
from tests.world import ADDRESS, Document, World, at, line, order


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def wished(*items: Document, **days: str) -> Document:
    return {**order("WEB-1", *items), **days}


def expected(world: World, external_id: str, event_type: str) -> list[str | None]:
    """When stock was expected, by each fallout of a type."""
    sql = "SELECT body ->> 'expected_at' AS day FROM o2c.event WHERE stream = %s AND type = %s ORDER BY version"
    return [row["day"] for row in world.app.reads.rows(sql, find_order(world.app, external_id)[0], event_type)]


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


def test_a_line_whose_sim_is_announced_for_the_21st_is_promised_for_what_follows_at_once(world: World) -> None:
    """Two lines, one SIM, and two that come on the 21st: the second line's day moves on the spot, its page and its fallout say so, and it is kept."""
    world.stocked(physical=1)
    world.sims(on=at(21, 9), physical=2)
    world.take(order("WEB-1", line(sim="physical")), order("WEB-2", line(sim="physical"), on=at(5, 11), party="C-2"))
    world.run(at(6))
    caught_up(world.app)
    assert [row["promised_on"] for row in show_order(world.app, "WEB-1")["promises"]] == ["2026-01-08"]
    assert world.told("WEB-2")[-2:] == ["sim.fell-out", "promise.revised"]
    page = show_order(world.app, "WEB-2")
    promises = [("2026-01-08", "the plan"), ("2026-01-26", "sim INV-SIM")]
    assert [(row["promised_on"], row["cause"]) for row in page["promises"]] == promises
    steps = {row["step"]: row["expected_at"] for row in page["steps"]}
    assert (steps["sim"], steps["delivery"][:10]) == ("2026-01-21T09:00:00Z", "2026-01-26")
    [waiting] = list_fallouts(world.app, limit=None)
    assert (waiting["external_id"], waiting["next"]) == ("WEB-2", "wait: expected on 2026-01-21")
    world.run(at(27))
    caught_up(world.app)
    assert world.state("WEB-2") == "completed"
    assert [(row["promised_on"], row["cause"]) for row in show_order(world.app, "WEB-2")["promises"]] == promises
    counted = {(row["step"], row["reason"]): row for row in promises_kept(world.app) if row["offering"] == "*"}
    assert (counted["sim", "INV-SIM"]["broken_first"], counted["sim", "INV-SIM"]["kept_last"]) == (1, 1)
    assert all(claim.good for claim in claims(world.app))


def test_announced_pieces_are_promised_once_each_in_the_order_in_which_the_waiting_are_served(world: World) -> None:
    """None in stock, one announced for the 21st and one for the 28th: the first line has the first, the second the second, the third no day."""
    world.stocked(esims=0)
    world.sims(on=at(28, 9), esim=1)
    world.sims(on=at(21, 9), esim=1)
    world.take(*(order(f"WEB-{n}", line(), on=at(5, 8 + n), party=f"C-{n}") for n in (1, 2, 3)))
    world.run(at(6))
    days = [expected(world, f"WEB-{n}", "sim.fell-out") for n in (1, 2, 3)]
    assert days == [["2026-01-21T09:00:00Z"], ["2026-01-28T09:00:00Z"], [None]]
    world.run(at(30))
    assert [world.state(f"WEB-{n}") for n in (1, 2, 3)] == ["completed", "completed", "pending"]


def test_numbers_of_another_market_or_class_are_no_day_for_a_line(world: World) -> None:
    """Golden numbers are announced for the 14th, Dutch ones for the 15th and normal ones for the 19th: a British line waits for those."""
    world.stocked(numbers=0)
    for day, row in ((14, ("+447700910777", "golden")), (15, ("+31612345678", "normal")), (19, ("+447700910778", "normal"))):
        file = world.written(f"numbers-{day}.csv", [("msisdn", "class"), row])
        load_stock(world.app, world.runner, "numbers", file, at(day, 9))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    assert expected(world, "WEB-1", "number.fell-out") == ["2026-01-19T09:00:00Z"]
