"""A change of a product in service is changed while it is under way, beside other orders of the same product."""

from pathlib import Path

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.desk.act import Context
from o2c.desk.revising import amend_order
from o2c.fallout.rules import Retry
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import SECOND_LINE
from o2c.views.assessing import assess_change
from o2c.views.following import Wanted, find_events
from o2c.views.reading import caught_up
from tests.agreeing import disagreements
from tests.lives_of_products import change, in_service, product
from tests.world import Document, World, at, order

STORE = Context("dora", channel="store")
LATER = at(20)


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line in service, and an order by which it has another plan from its next bill on."""
    world = in_service(World(dsn, tmp_path).stocked(physical=2, numbers=4))
    world.take(order("PLAN", change(world, "FIRST", offering=SECOND_LINE, effective="bill-date"), on=LATER))
    return world.run(at(21))


def test_what_a_changed_paper_gives_up_is_free_for_another_order(world: World) -> None:
    """Another number in place of the other plan, and a day later: the order for another plan that waited goes on as soon as somebody tries it again."""
    world.take(order("SECOND", change(world, "FIRST", offering=SECOND_LINE), on=at(21)))
    world.run(at(22))
    assert world.state("SECOND") == "pending"
    number = change(world, "FIRST", numberChange="true")

    shown = assess_change(world.app, "PLAN", _paper("PLAN", number))
    assert {row["item"]: row["verdict"] for row in shown["lines"]} == {"1": "soft"}
    done = amend_order(world.app, STORE, "PLAN", _paper("PLAN", number))
    assert (done.refused, done.revision) == ("", 1)
    second = world.order("SECOND")
    world.resolve("DQ-ACTION", Retry(), of="SECOND")
    world.run(at(24))

    stands = product(world, "FIRST")
    assert stands.standing is not None
    assert (world.state("PLAN"), world.state("SECOND"), stands.changing) == ("completed", "completed", {})
    assert (stands.standing.offering, stands.standing.charge) == (SECOND_LINE.id, f"{second.order_id}/1")
    assert stands.standing.pieces["number"] == f"{world.order('PLAN').order_id}/1"
    _nothing_wrong(world)


def test_what_another_order_is_changing_is_refused(world: World) -> None:
    """It is told by which one, and nothing is written."""
    world.take(order("NUMBER", {**change(world, "FIRST", numberChange="true"), "requestedStartDate": "2026-01-28"}, on=at(21)))
    world.run(at(22))
    with pytest.raises(Refused, match=f"changes what order {world.order('NUMBER').order_id} is changing"):
        amend_order(world.app, STORE, "PLAN", _paper("PLAN", change(world, "FIRST", numberChange="true")))
    with pytest.raises(Refused, match="item 1 names another product than before"):
        amend_order(world.app, STORE, "PLAN", _paper("PLAN", {**change(world, "FIRST"), "product": {"id": "another"}}))
    assert product(world, "FIRST").changing == {
        "offering": f"{world.order('PLAN').order_id}/1",
        "number": f"{world.order('NUMBER').order_id}/1",
    }


def _paper(name: str, *items: Document) -> Document:
    return order(name, *items, on=LATER)


def _nothing_wrong(world: World) -> None:
    caught_up(world.app)
    assert [str(leak.row()) for leak in check_assurance(world.app)] == []
    assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []
    assert disagreements(event.as_json() for event in find_events(world.app, Wanted())) == []
