"""What the network has on, of products in service: a change that fails is taken back there, and what ends with its base is switched off."""

from pathlib import Path

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Fail, Retry
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.simulation.launch_data import LINE_ADD_ONS, SECOND_LINE
from o2c.views.reading import caught_up
from o2c.views.sims import show_sim
from tests.lives_of_products import change, in_service, product
from tests.network import Books
from tests.world import World, at, item, line, order

LATER = at(20)
NOT_DOWNLOADED = RefusedBy("8.8.5-3.8")


def network(world: World) -> Books:
    """The network's own books, by what it was asked where it always answers."""
    books = Books()
    for how, request in world.scripted.heard:
        if request.step in ("activation", "activation-cancel", "service-change", "service-change-cancel", "product-off"):
            books.note(request, Answered(), query=how == "query")
    return books


def on(world: World, of: str, item_of: str = "1") -> str:
    """The SIM by which the network serves what an item of an order became; empty for none."""
    return network(world).on.get(product(world, of, item_of).product, "")


def unchecked(world: World) -> list[str]:
    """What any check has to say of the store."""
    caught_up(world.app)
    return [
        *(str(leak.row()) for leak in check_assurance(world.app)),
        *(check.name for check in run_checks(world.app) if check.state == "failed"),
        *(str(broken.row()) for kept in check_conformance(world.app) for broken in kept.broken),
    ]


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with an eSIM, in service since 5 January."""
    return in_service(World(dsn, tmp_path).stocked())


def test_a_swap_that_nobody_downloads_is_taken_back_at_the_network(world: World) -> None:
    """The network serves the new SIM until the order fails, and the old one again then; the new one is nobody's only after that."""
    before = product(world, "FIRST").standing.holds["iccid"]
    world.scripted.will("esim-download", NOT_DOWNLOADED)
    world.take(order("SWAP", change(world, "FIRST", simSwap="lost"), on=LATER))
    world.run(at(21))
    new = world.outcome("SWAP", "1", "sim")["iccid"]
    assert on(world, "FIRST") == new != before

    world.resolve("SIM-DL-REJ", Fail())
    assert (world.state("SWAP"), show_sim(world.app, new)["stock"]) == ("inProgress", "assigned")
    world.run(at(22))

    [back] = world.scripted.asked("service-change-cancel")
    assert (back.body["iccid"], back.body["status"], back.body["attributes"]) == (before, "active", ["sim"])
    assert (on(world, "FIRST"), product(world, "FIRST").standing.holds["iccid"]) == (before, before)
    assert (world.state("SWAP"), show_sim(world.app, new)["stock"], product(world, "FIRST").changing) == ("failed", "scrapped", {})
    assert unchecked(world) == []


def test_what_ends_with_its_base_is_switched_off(dsn: str, tmp_path: Path) -> None:
    """The second line has a SIM of its own, and an add-on is on as well: the network is asked about each."""
    world = World(dsn, tmp_path).stocked()
    world.take(order("FIRST", line(), line("2", offering=SECOND_LINE, relies_on="1"), item(LINE_ADD_ONS[1], "3", relies_on="1")))
    world.run(at(12))
    assert all(on(world, "FIRST", number) for number in "123")
    world.take(order("END", change(world, "FIRST", action="delete"), on=LATER))

    world.run(at(21))

    assert [product(world, "FIRST", number).status for number in "123"] == ["terminated"] * 3
    asked = {request.body["product"]: request.body.get("iccid") for request in world.scripted.asked("product-off")}
    assert asked == {
        product(world, "FIRST", number).product: product(world, "FIRST", number).standing.holds.get("iccid") for number in "23"
    }
    assert network(world).on == {}
    assert unchecked(world) == []


def _unwilling(request: Request) -> Answer:
    return RefusedBy("REFUSED")


def test_one_that_the_network_leaves_on_is_in_a_queue(dsn: str, tmp_path: Path) -> None:
    """Its product is over, and its SIM is nobody's; that it may be on waits for somebody until the network has it off."""
    world = World(dsn, tmp_path).stocked()
    world.take(order("FIRST", line(), line("2", offering=SECOND_LINE, relies_on="1")))
    world.run(at(12))
    world.scripted.will("product-off", _unwilling)
    world.take(order("END", change(world, "FIRST", action="delete"), on=LATER))
    world.run(at(21))

    [waits] = world.fallouts(reason="NET-CFG")
    assert (waits["step"], waits["queue"], product(world, "FIRST", "2").status) == ("product-off", "network", "terminated")

    world.resolve("NET-CFG", Retry())
    world.run(at(22))

    assert world.fallouts() == []
    assert [request.attempt for request in world.scripted.asked("product-off")] == [1, 2]
