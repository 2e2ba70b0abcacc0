"""A customer brings a fixed service from another provider: from the order to the day on which the old service ends."""

from pathlib import Path

from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Correct
from o2c.kernel.partner import Answered, RefusedBy
from o2c.simulation.launch_data import COPPER
from o2c.views.reading import caught_up
from tests.world import ADDRESS, World, at, item, order


def test_a_customer_who_is_found_at_the_second_try(dsn: str, tmp_path: Path) -> None:
    """The losing provider has several services there: the order waits for the account, its promise moves with the reason, and once the line is on the old service ends. What was asked names no person."""
    world = World(dsn, tmp_path).stocked(customers=1)
    sor = Answered({"reference": "SOR-1", "implications_by": "letter", "services": ["broadband"]})
    world.scripted.will("switch-match", RefusedBy("AMBIGUOUS"), sor)
    world.take(order("SWITCH", item(COPPER, "1", place=ADDRESS, commitmentMonths="12", switchFrom="Other Fibre")))
    world.run(at(20))
    stream = f"order-{world.order('SWITCH').order_id}"
    assert (world.state("SWITCH"), "appointment.requested" in world.types(stream)) == ("pending", False)

    world.resolve("SW-AMBIG", Correct({"switchAccount": "77-1"}))
    world.run(at(28, month=2))

    assert world.state("SWITCH") == "completed"
    told = world.types(stream)
    assert told.index("switch-order.completed") < told.index("service.activated") < told.index("switch-trigger.completed")
    first, second = world.scripted.asked("switch-match")
    assert (first.body["account"], second.body["account"], second.body["losing"]) == ("", "77-1", "Other Fibre")
    assert "Tamsel" not in str(second.body)
    [trigger] = world.scripted.asked("switch-trigger")
    assert trigger.body["reference"] == "SOR-1"
    caught_up(world.app)
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []
    world.close()
