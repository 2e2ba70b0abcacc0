"""The same wish through two channels: the second paper waits until somebody says whether it is one wish or two; nothing is doubled or dropped silently."""

import json

import pytest

from o2c.desk.capture import capture
from o2c.desk.fallout import Correct, Decide
from o2c.desk.journeys import note_attempt
from o2c.engine.app import Context
from tests.world import World, at, line, order

SHOP = Context("shop")


@pytest.fixture
def twice(world: World) -> World:
    """A line on the web on Monday, and in the store on Wednesday."""
    world.take(order("WEB-1", line()), order("SHOP-1", line(), on=at(7, 10), channel="store"))
    return world.run(at(7, 12))


def test_the_second_waits(twice: World) -> None:
    """The first goes on; the second asks its customer, and names the first."""
    assert (twice.state("WEB-1"), twice.state("SHOP-1")) == ("completed", "pending")
    [asked] = twice.fallouts()
    assert (asked["reason"], asked["waiting_for"], asked["step"]) == ("DQ-TWICE", "customer", "validation")
    assert twice.order("WEB-1").order_id in asked["detail"]


def test_two_wishes(twice: World) -> None:
    """Both are carried out, and it is not asked again."""
    twice.resolve("DQ-TWICE", Correct({"wishes": "two"}))
    assert twice.run(at(8)).state("SHOP-1") == "completed"
    assert twice.fallouts() == []


def test_one_wish(twice: World) -> None:
    """The second comes to nothing, and its channel is told why; the first stays as it is."""
    twice.resolve("DQ-TWICE", Decide(approve=False))
    twice.run(at(8))
    assert (twice.state("WEB-1"), twice.state("SHOP-1")) == ("completed", "rejected")
    [row] = twice.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'order.rejected'")
    assert row["body"]["reason"] == "DQ-TWICE"


def test_what_came_to_nothing_is_no_wish(world: World) -> None:
    """Cancelled on the web, ordered again in the store by a service: nobody is asked. Without the cancellation it is."""
    for number, cancelled in ((1, True), (2, False)):
        world.take(order(f"WEB-{number}", line(sim="physical"), party=f"C-{number}"))
        world.run(at(5, 9, number))
        if cancelled:
            world.cancel(f"WEB-{number}")
        capture(world.app, SHOP, json.dumps(order(f"SHOP-{number}", line(), on=at(5, 10), channel="store", party=f"C-{number}")))
    world.run(at(5, 12))
    assert [row["external_id"] for row in world.fallouts(reason="DQ-TWICE")] == ["SHOP-2"]


def test_nobody_is_asked_about_what_nobody_wished(world: World) -> None:
    """A test of our own, or a program, and then the customer, or the other way round: neither waits, by a service or in a file. A person's two do."""
    world.registers("C-4")
    world.run(at(5, 9))
    who = {"test": {"login": "probe@shop.test"}, "bot": {"client": "SomeBot/1.0"}, "person": {}}
    for number, told in enumerate(who.values(), 1):
        journey = note_attempt(world.app, SHOP, "basket", "web", token=f"b-{number}", **told).journey  # type: ignore[arg-type] # login or client
        capture(world.app, SHOP, json.dumps(order(f"WEB-{number}", line(), on=at(5, 9), party=f"C-{number}")), journey=journey)
    world.take(*(order(f"SHOP-{number}", line(), on=at(6, 10), channel="store", party=f"C-{number}") for number in (1, 2, 3)))
    note_attempt(world.app, SHOP, "basket", "web", customer="C-4", client="SomeBot/1.0")
    first = order("SHOP-4", line(), on=at(5, 10), channel="store", party="C-4")
    second = order("WEB-4", line(), on=at(6, 10), party="C-4")
    world.take(first)
    world.take(second)
    world.run(at(7, 12))
    assert [row["external_id"] for row in world.fallouts(reason="DQ-TWICE")] == ["SHOP-3"]
