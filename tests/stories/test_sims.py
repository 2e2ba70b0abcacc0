"""A SIM has three states, which are told apart: ours, the SIM platform's, and the network's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.fallout.rules import Fail
from o2c.kernel.partner import Accepted, Failed
from o2c.kernel.refusal import Refused
from o2c.views.sims import show_sim, states
from tests.world import World, at, line, order

ICCID, OTHER = "8944770000000000009", "8944770000000000017"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def three(world: World, iccid: str) -> tuple[Any, ...]:
    shown = show_sim(world.app, iccid)
    return shown["stock"], shown["platform"], shown["network"]


def test_a_line_in_service_has_its_profile_on_a_device(world: World) -> None:
    """The SIM of an active line is assigned, installed and activated; a free one is available at all three."""
    world.stocked()
    world.take(order("WEB-1", line()))
    world.run(at(6))
    taken = world.outcome("WEB-1", "1", "sim")["iccid"]
    assert three(world, taken) == ("assigned", "Installed", "activated")
    [free] = world.app.reads.rows("SELECT body->>'iccid' AS iccid FROM o2c.event WHERE type = 'sim.received' AND body->>'iccid' <> %s"
                                  " AND body->>'kind' = 'esim' LIMIT 1", taken)  # fmt: skip
    assert three(world, free["iccid"]) == ("available", "Available", "not activated")
    with pytest.raises(Refused, match="not known"):
        show_sim(world.app, ICCID)


def test_a_lost_sim_is_scrapped_and_was_never_in_the_network(world: World) -> None:
    """The courier lost the first parcel: its SIM is scrapped, the second one is in service, and the loss is in the first one's history."""
    world.stocked()
    world.scripted.will("delivery", Accepted("PCL-1", at(7)), Failed("LOST"))
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(13))
    first, second = [
        row["iccid"]
        for row in world.app.reads.rows("SELECT body->>'iccid' AS iccid FROM o2c.event WHERE type = 'sim.assigned' ORDER BY position")
    ]
    assert world.state("WEB-1") == "completed"
    assert three(world, first) == ("scrapped", None, "not activated")
    assert three(world, second) == ("assigned", None, "activated")
    assert [told["type"] for told in show_sim(world.app, first)["history"]] == ["sim.received", "sim.taken", "sim.scrapped"]


def test_a_sim_that_was_lost_for_good_is_no_stock_again(world: World) -> None:
    """Three parcels lost one after the other, and a person ends the item: all three SIMs are scrapped as lost, the last one too."""
    world.stocked()
    world.scripted.will("delivery", *[Accepted("PCL-1", at(7)), Failed("LOST")] * 3)
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(20))
    world.resolve("LOG-LOST", Fail())
    sent = [request.body["iccid"] for request in world.scripted.asked("delivery")]
    assert (world.state("WEB-1"), len(set(sent))) == ("failed", 3)
    assert {show_sim(world.app, iccid)["stock"] for iccid in sent} == {"scrapped"}
    scrapped = world.app.reads.rows("SELECT body ->> 'cause' AS cause FROM o2c.event WHERE type = 'sim.scrapped'")
    assert [row["cause"] for row in scrapped] == ["lost"] * 3


TAKEN = ("1", "sim.assigned", {"iccid": ICCID})
SERVES = (TAKEN, ("1", "service.activated", {}))


@pytest.mark.parametrize(
    ("told", "network", "platform"),
    [
        pytest.param([], "not activated", "Available", id="never-taken"),
        pytest.param([TAKEN, ("1", "esim.confirmed", {})], "not activated", "Released", id="released"),
        pytest.param([TAKEN, ("2", "service.activated", {})], "not activated", "Available", id="another-item"),
        pytest.param(
            [TAKEN, ("1", "esim.confirmed", {}), ("1", "service.activated", {})], "activated", "Released", id="not-downloaded-yet"
        ),
        pytest.param(
            [TAKEN, ("1", "service.activated", {}), ("1", "esim.downloaded", {"state": "Enabled"}), ("1", "service.deactivated", {})],
            "not activated",
            "Enabled",
            id="a-downloaded-profile-is-never-available-again",
        ),
        pytest.param(
            [TAKEN, ("1", "service.activated", {}), ("1", "activation-cancel.confirmed", {})],
            "not activated",
            "Available",
            id="switched-off",
        ),
        pytest.param([TAKEN, ("1", "service.changed", {})], "activated", "Available", id="in-another-ones-place"),
        pytest.param(
            [TAKEN, ("1", "service.changed", {}), ("1", "service-change-cancel.confirmed", {})],
            "not activated",
            "Available",
            id="taken-back-again",
        ),
        pytest.param([*SERVES, ("1", "item.ceased", {"steps": ["number", "sim"]})], "deactivated", "Available", id="its-product-ended"),
        pytest.param([*SERVES, ("1", "item.ceased", {})], "deactivated", "Available", id="its-item-ended-before-there-were-products"),
        pytest.param([*SERVES, ("1", "item.ceased", {"steps": ["number"]})], "activated", "Available", id="another-number"),
        pytest.param(
            [*SERVES, ("1", "item.ceased", {"steps": ["sim"]}), ("1", "reactivation.completed", {})],
            "deactivated",
            "Available",
            id="what-happens-to-the-product-after-another-sim-took-its-place",
        ),
        pytest.param([*SERVES, ("1", "port-out.switched-off", {})], "deactivated", "Available", id="its-number-leaves"),
        pytest.param(
            [*SERVES, ("1", "port-out.switched-off", {}), ("1", "reactivation.completed", {})],
            "activated",
            "Available",
            id="its-number-did-not-leave",
        ),
        pytest.param(
            [*SERVES, ("1", "product-off.requested", {}), ("1", "item.ceased", {"steps": ["sim"]})],
            "activated",
            "Available",
            id="ended-with-its-base-and-still-on",
        ),
        pytest.param(
            [*SERVES, ("1", "withdrawal-switch-off.requested", {}), ("1", "item.ceased", {}), ("1", "withdrawal-switch-off.completed", {})],
            "deactivated",
            "Available",
            id="withdrawn-from-and-off",
        ),
        pytest.param([TAKEN, ("1", "esim-cancel.confirmed", {"reusable": True})], "not activated", "Available", id="asked-back-in-time"),
        pytest.param(
            [TAKEN, ("1", "esim-cancel.confirmed", {"reusable": False})], "not activated", "Unavailable", id="asked-back-for-good"
        ),
        pytest.param(
            [TAKEN, ("1", "sim.assigned", {"iccid": OTHER}), ("1", "service.activated", {})], "not activated", "Available", id="replaced"
        ),
    ],
)
def test_the_states_follow_what_happened_while_the_sim_was_the_items(told: list[Any], network: str, platform: str) -> None:
    """What happens to an item concerns the SIM that it has at that time, and no other."""
    assert states(ICCID, told) == (network, platform)
