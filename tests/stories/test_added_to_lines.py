"""What is added to a line in service: it ends alone, or with that line, whoever pays for it, and the network is told whose it is."""

from pathlib import Path

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.kernel.partner import Answered, RefusedBy
from o2c.simulation.launch_data import LINE_ADD_ONS, SECOND_LINE
from o2c.views.reading import caught_up
from tests.lives_of_products import change, in_service, product
from tests.world import World, at, item, order

LATER = at(20)
CALL_GUARD = LINE_ADD_ONS[1]


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with an eSIM, in service since 5 January."""
    return in_service(World(dsn, tmp_path).stocked())


def test_what_relies_on_it_ends_too_whoever_pays(world: World) -> None:
    """An add-on on an account that is paid ends with the line that is not, and what relies on the add-on; each is billed to its end, on its own account."""
    extra = {**item(CALL_GUARD, "2", relies_on="1"), "billingAccount": {"id": "BA-OWN"}}
    further = {**item(CALL_GUARD, "3", relies_on="2"), "billingAccount": {"id": "BA-OWN"}}
    world.take(order("EXTRA", change(world, "FIRST", action="noChange"), extra, further, on=LATER))
    world.scripted.will("payment", *[lambda asked: Answered() if "OWN" in asked.body["number"] else RefusedBy("DECLINED")] * 60)
    world.run(at(15, month=6))

    base, *added = (product(world, of, n) for of, n in (("FIRST", "1"), ("EXTRA", "2"), ("EXTRA", "3")))
    assert [(each.status, each.ended_on) for each in added] == [("terminated", base.ended_on)] * 2
    line_of = {name: base.standing.holds[name] for name in ("iccid", "imsi", "msisdn")}
    assert [request.body.get("lines") for request in world.scripted.asked("product-off")] == [[line_of]] * 2
    ends = world.app.reads.rows(
        "SELECT body ->> 'ended_on' AS day FROM o2c.event WHERE stream = 'account-BA-OWN' AND type = 'account.charge-withdrawn'"
    )
    assert [row["day"] for row in ends] == [base.ended_on] * 2
    caught_up(world.app)
    assert [str(leak.row()) for leak in check_assurance(world.app)] == []
    assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []


def test_an_add_on_ends_with_its_base(world: World) -> None:
    """It is ordered for a product in service, which the order names and leaves as it is."""
    world.take(order("EXTRA", change(world, "FIRST", action="noChange"), item(CALL_GUARD, "2", relies_on="1"), on=LATER))
    world.run(at(21))
    assert (world.state("EXTRA"), product(world, "EXTRA", "2").status) == ("completed", "active")
    assert product(world, "FIRST").relied_on_by == (product(world, "EXTRA", "2").product,)
    held = product(world, "FIRST").standing.holds
    on = {name: held[name] for name in ("iccid", "imsi", "msisdn")}
    assert world.scripted.asked("activation")[-1].body == {"offering": CALL_GUARD.id, "lines": [on]}

    world.take(order("END", change(world, "FIRST", action="delete"), on=at(25)))
    world.run(at(26))

    assert [product(world, of, n).status for of, n in (("FIRST", "1"), ("EXTRA", "2"))] == ["terminated"] * 2


def test_an_add_on_ends_alone(world: World) -> None:
    """Nobody has to name the line that it needs: that stays; the network is told whose add-on it is to take off."""
    world.take(order("EXTRA", change(world, "FIRST", action="noChange"), item(CALL_GUARD, "2", relies_on="1"), on=LATER))
    world.run(at(21))
    world.take(order("OFF", change(world, "EXTRA", item_of="2", action="delete"), on=at(21)))
    world.run(at(22))

    held = product(world, "FIRST").standing.holds
    [asked] = world.scripted.asked("service-change")
    assert (asked.body["status"], asked.body["lines"]) == ("terminated", [{name: held[name] for name in ("iccid", "imsi", "msisdn")}])
    assert [product(world, of, n).status for of, n in (("FIRST", "1"), ("EXTRA", "2"))] == ["active", "terminated"]


def test_a_plan_is_changed_and_something_added_by_one_order(world: World) -> None:
    """The add-on is the changed line's, is on after the change, and ends with it. It waited for ever: the line of a change is not switched on anew."""
    world.take(order("MORE", change(world, "FIRST", offering=SECOND_LINE), item(CALL_GUARD, "2", relies_on="1"), on=LATER))
    world.run(at(22))

    assert (world.state("MORE"), product(world, "FIRST").standing.offering) == ("completed", SECOND_LINE.id)
    assert product(world, "MORE", "2").relies_on == (product(world, "FIRST").product,)
    assert product(world, "FIRST").relied_on_by == (product(world, "MORE", "2").product,)
