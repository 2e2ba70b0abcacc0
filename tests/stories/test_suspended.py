"""An order is suspended while it is carried out, and resumed: what partners have is finished, the rest waits for whom it says."""

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.desk.act import Context
from o2c.desk.fallout import Decide, resolve
from o2c.desk.suspending import resume_order, suspend_order
from o2c.kernel.partner import Accepted
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Refused
from o2c.views.order_page import show_order
from o2c.views.reading import caught_up
from o2c.views.waiting import waiting_times
from tests.world import World, at, line, order

CARE = Context("dora", channel="store")
DAY_S = 24 * 3600


@pytest.fixture
def suspended(world: World) -> World:
    """A line whose parcel the courier brings on the 7th, suspended on the 6th for its customer, until the 20th."""
    world.stocked(physical=3)
    world.scripted.will("delivery", Accepted("PCL-1", at(7)))
    world.take(order("POST", line(sim="physical")))
    world.run(at(6))
    suspend_order(world.app, CARE, "POST", until=at(20), note="moves in later")
    return world


def test_it_waits_for_its_customer_until_it_is_resumed(suspended: World) -> None:
    """The parcel comes, nothing is switched on; resumed on the 15th it is completed, and the days between were the customer's."""
    suspended.run(at(15))
    assert (suspended.state("POST"), suspended.order("POST").progress.items["1"].steps["delivery"]) == ("pending", "done")
    assert [suspended.scripted.asked("activation"), suspended.fallouts("POST")] == [[], []]
    caught_up(suspended.app)
    shown = show_order(suspended.app, "POST")
    assert (shown["suspended_until"], shown["suspended_for"]) == (stamp(at(20)), "customer")

    resume_order(suspended.app, CARE, "POST", note="the keys came early")
    suspended.run(at(17))
    assert suspended.state("POST") == "completed"
    caught_up(suspended.app)
    assert (show_order(suspended.app, "POST")["suspended_until"], show_order(suspended.app, "POST", at=at(12))["suspended_for"]) == (
        None,
        "customer",
    )
    [waited] = waiting_times(suspended.app, order="POST")
    assert waited["customer_s"] in range(9 * DAY_S - 60, 9 * DAY_S + 60)
    assert check_assurance(suspended.app) == []
    assert [kept.rule for kept in check_conformance(suspended.app) if kept.broken] == []


def test_beyond_its_day_a_person_decides(suspended: World) -> None:
    """It comes to the queue of care and stays as it is until somebody lets it go on."""
    suspended.run(at(22))
    [asked] = suspended.fallouts("POST", reason="ORD-SUSP")
    assert (asked["queue"], suspended.state("POST")) == ("care", "pending")

    resolve(suspended.app, CARE, asked["fallout"], Decide(approve=True), note="she has moved in")
    suspended.run(at(24))
    assert (suspended.state("POST"), suspended.fallouts("POST")) == ("completed", [])
    with pytest.raises(Refused, match="is completed; there is nothing to suspend"):
        suspend_order(suspended.app, CARE, "POST", until=at(28), note="too late")
