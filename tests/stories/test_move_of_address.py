"""A fixed access in service moves to another address: qualified and fitted there first, served there from the day of the visit on, and charged on as before."""

from datetime import timedelta
from pathlib import Path

import pytest

from o2c.desk.fallout import Correct, Fail
from o2c.desk.switching import switch_match
from o2c.engine.app import Context
from o2c.kernel.partner import Accepted, Answered, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import COPPER
from o2c.views.following import Wanted, find_events
from tests.lives_of_products import change, product
from tests.network import Books
from tests.scenarios import wrong_in
from tests.world import ADDRESS, World, at, item, order

ELSEWHERE = "7 Quay Street, Testford, ZZ1 2BB"
NOWHERE = "Quay Street"
OLD, NEW = "LINE-0000000001", "LINE-0000000002"
MOVING_ON, VISIT = at(2, month=2), at(6, 10, month=2)


@pytest.fixture
def world(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A fixed access that is on at the old address, of a term of twelve months, and a fitter who comes to the new one on the sixth."""
    monkeypatch.setenv("O2C_LOOKUP_KEY", "0" * 64)
    made = World(dsn, tmp_path).stocked(customers=1)
    made.scripted.will("qualification", Answered({"line_id": OLD}), Answered({"line_id": NEW}))
    made.take(order("FIRST", item(COPPER, "1", place=ADDRESS, commitmentMonths="12")))
    made.run(at(28))
    made.scripted.will("appointment", Accepted("VIS-2", VISIT))
    return made


def moving(world: World, place: str = ELSEWHERE) -> World:
    world.take(order("MOVE", change(world, "FIRST", place=place), on=MOVING_ON))
    return world


def on(world: World) -> str:
    """The line by which the network serves the product, by its own books."""
    books = Books()
    for how, request in world.scripted.heard:
        if request.step in ("activation", "service-change", "service-change-cancel"):
            books.note(request, Answered(), query=how == "query")
    return books.on[product(world, "FIRST").product]


def found_at(world: World, address: str) -> bool:
    """Whether another provider finds the customer at an address."""
    by = Context("hub")
    try:
        told = switch_match(world.app, world.folder, by, gaining="Other Fibre", request=address, name="Tamsel Holmquay", address=address)
    except Refused:
        return False
    return told.product == product(world, "FIRST").product


def charges(world: World) -> list[str]:
    """What began and ended on the account, in its order."""
    wanted = Wanted(types=("account.charge-started", "account.charge-withdrawn"))
    return [event.as_json()["type"] for event in find_events(world.app, wanted)]


def test_it_serves_at_the_new_address_from_the_visit_on(world: World) -> None:
    """Until the fitter was there the old line serves, whatever the new one is called; then the product has the new one. Its charge, price and term go on as they were."""
    before = product(world, "FIRST").standing
    moving(world).run(VISIT - timedelta(hours=1))
    assert (world.state("MOVE"), product(world, "FIRST").standing.holds["line_id"], on(world)) == ("inProgress", OLD, OLD)
    assert [request.body["address"] for request in world.scripted.asked("appointment")] == [ADDRESS, ELSEWHERE]

    world.run(at(20, month=3))

    after = product(world, "FIRST")
    assert (world.state("MOVE"), after.status, after.changing) == ("completed", "active", {})
    assert (after.standing.holds["line_id"], on(world)) == (NEW, NEW)
    [asked] = world.scripted.asked("service-change")
    assert (asked.body["attributes"], asked.body["line_id"], "status" in asked.body) == (["place"], NEW, False)
    kept = ("charge", "recurring_minor", "commitment_ends_on", "account", "offering")
    assert [getattr(after.standing, name) for name in kept] == [getattr(before, name) for name in kept]
    assert charges(world) == ["account.charge-started"]
    assert (found_at(world, ADDRESS), found_at(world, ELSEWHERE)) == (False, True)
    assert wrong_in(world) == []


def test_an_address_that_lacks_something_waits_for_the_customer(world: World) -> None:
    """Nobody is sent anywhere meanwhile; with the whole address the move goes on."""
    moving(world, NOWHERE).run(at(3, month=2))
    [row] = world.fallouts("MOVE")
    assert (row["reason"], row["waiting_for"], world.state("MOVE")) == ("DQ-ADDR", "customer", "pending")
    assert len(world.scripted.asked("qualification")) == 1

    world.resolve("DQ-ADDR", Correct({"place": ELSEWHERE}))
    world.run(at(20, month=2))

    assert (world.state("MOVE"), product(world, "FIRST").standing.holds["line_id"], on(world)) == ("completed", NEW, NEW)
    assert found_at(world, ELSEWHERE)


def test_who_stays_keeps_everything(world: World) -> None:
    """Cancelled before the visit: the fitter is called off, and the product is as it was, where it was."""
    before = product(world, "FIRST").standing
    moving(world).run(at(4, month=2))
    world.cancel("MOVE")
    world.run(at(20, month=3))

    assert (world.state("MOVE"), product(world, "FIRST").standing, product(world, "FIRST").changing) == ("cancelled", before, {})
    assert (len(world.scripted.asked("appointment-cancel")), world.scripted.asked("service-change"), on(world)) == (1, [], OLD)
    assert (found_at(world, ADDRESS), wrong_in(world)) == (True, [])


def test_a_place_that_is_not_served_leaves_him_where_he_is(world: World) -> None:
    """The access network has no line there: a person gives the move up, and another order may change the product."""
    world.scripted.sayings["qualification"] = [RefusedBy("REFUSED")]
    moving(world).run(at(3, month=2))
    [row] = world.fallouts("MOVE")
    world.resolve(row["reason"], Fail())
    world.run(at(5, month=2))

    assert (world.state("MOVE"), product(world, "FIRST").changing, on(world)) == ("failed", {}, OLD)
    assert "service-change-cancel.requested" not in world.told("MOVE")
    assert wrong_in(world) == []
