"""Devices: stock by SKU, one IMEI for one item, given back, lost, blocked."""

from datetime import timedelta
from pathlib import Path

import pytest

from o2c.checks.conformance import check_conformance
from o2c.desk.act import Context
from o2c.desk.devices import block, unblock
from o2c.fallout.rules import Fail
from o2c.files import loading
from o2c.kernel.partner import Accepted, Failed, Unknown
from o2c.kernel.refusal import Refused
from o2c.views.customers import show_customer
from o2c.views.devices import show_device, stock_levels
from o2c.views.products import list_products
from o2c.views.reading import caught_up
from o2c.views.status import show_status
from tests.handsets import SKU, handset, imei, received, selling
from tests.world import World, at, line, order

ANN = Context("ann")


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return selling(World(dsn, tmp_path).stocked())


def levels(world: World) -> dict[str, int]:
    caught_up(world.app)
    return {row["state"]: row["count"] for row in stock_levels(world.app, kind="device")}


def test_an_ordered_device_is_taken_by_its_sku_and_delivered(world: World) -> None:
    """The item has one IMEI of the SKU it chose, the courier is told which, and the customer's page, products and stock show it."""
    world.take(order("WEB-1", handset()))
    world.run(at(9))

    taken = world.outcome("WEB-1", "1", "device")
    assert (world.state("WEB-1"), taken["sku"]) == ("completed", SKU)
    assert [request.body["imei"] for request in world.scripted.asked("delivery")] == [taken["imei"]]
    assert levels(world) == {"assigned": 1, "available": 2}
    shown = show_device(world.app, taken["imei"])
    assert (shown["state"], shown["order"], shown["item"]) == ("assigned", world.order("WEB-1").order_id, "1")
    assert [told["type"] for told in shown["history"]] == ["device.received", "device.taken"]
    assert [held["imei"] for held in show_customer(world.app, "C-1")["devices"]] == [taken["imei"]]
    assert [product["imei"] for product in list_products(world.app, customers=["C-1"])] == [taken["imei"]]
    assert show_status(world.app)["stock"]["devices"] == {"assigned": 1, "available": 2}


def test_a_device_beside_a_line_goes_its_own_way(world: World) -> None:
    """An order of a line and a device completes both; the line's SIM and the device are two parcels."""
    world.take(order("WEB-1", line("1", sim="physical"), handset("2")))
    world.run(at(9))
    assert world.items("WEB-1") == {"1": "completed", "2": "completed"}
    assert sorted(min({"iccid", "imei"} & set(request.body)) for request in world.scripted.asked("delivery")) == ["iccid", "imei"]


def test_an_empty_shelf_is_waited_for(world: World) -> None:
    """No device of the SKU: the item waits for the supplier, and goes on by itself when one comes; one of another SKU wakes nobody."""
    other = "lark-9-white-128"
    world.take(order("WEB-1", handset(sku=other)))
    world.run(at(6))
    [fallout] = world.fallouts("WEB-1")
    assert (fallout["reason"], fallout["waiting_for"], world.state("WEB-1")) == ("INV-DEVICE", "partner", "pending")

    received(world, imei(70))
    world.run(at(7))
    assert world.state("WEB-1") == "pending"
    received(world, imei(71), sku=other)
    world.run(at(12))
    assert (world.state("WEB-1"), world.outcome("WEB-1", "1", "device")["imei"]) == ("completed", imei(71))


def test_a_device_comes_back_when_its_order_is_cancelled(world: World) -> None:
    """Cancelled before it left the house: it is shelved for a day, on offer again, and nothing is owed."""
    world.scripted.will("delivery", Failed("UNAVAILABLE", at(20)))
    world.take(order("WEB-1", handset()))
    world.run(at(5, 10))
    taken = world.outcome("WEB-1", "1", "device")["imei"]
    world.cancel("WEB-1")
    assert show_device(world.app, taken)["state"] == "returned"
    world.run(at(8))
    assert (show_device(world.app, taken)["state"], show_device(world.app, taken)["order"]) == ("available", None)
    assert world.types("account-BA-C-1") == ["account.opened"]


def test_a_lost_parcel_is_replaced_by_another_device_and_paid_once(world: World) -> None:
    """The courier lost the first: it is blocked as lost, another IMEI is sent, and one charge stands on the account."""
    world.scripted.will("delivery", Accepted("PCL-1", at(7)), Failed("LOST"))
    world.take(order("WEB-1", handset()))
    world.run(at(13))

    first, second = [request.body["imei"] for request in world.scripted.asked("delivery")]
    assert (world.state("WEB-1"), first != second) == ("completed", True)
    lost = show_device(world.app, first)
    assert (lost["state"], lost["blocked_as"], lost["order"]) == ("blocked", "lost", None)
    assert show_device(world.app, second)["state"] == "assigned"
    assert world.types("account-BA-C-1").count("account.charge-started") == 1
    with pytest.raises(Refused, match="blocked already, as lost"):
        block(world.app, ANN, first, "stolen")


def test_what_was_lost_for_good_is_no_stock_again(world: World) -> None:
    """Three parcels lost one after the other, and a person ends the item: all three devices are blocked, and nothing is owed."""
    world.scripted.will("delivery", *[Accepted("PCL-1", at(7)), Failed("LOST")] * 3)
    world.take(order("WEB-1", handset()))
    world.run(at(20))
    world.resolve("LOG-LOST", Fail())
    assert (world.state("WEB-1"), levels(world)) == ("failed", {"blocked": 3})
    assert {show_device(world.app, imei(n))["blocked_as"] for n in range(3)} == {"lost"}
    assert world.types("account-BA-C-1") == ["account.opened"]


def test_what_the_courier_has_when_its_item_ends_is_blocked(world: World) -> None:
    """The courier never said what came of the parcel, and a person ends the item: the device is not returned, so nobody gets it again."""
    world.scripted.will("delivery", *[lambda request: Unknown(request.at + timedelta(minutes=5))] * 20)
    world.take(order("WEB-1", handset()))
    world.run(at(7))
    taken = world.outcome("WEB-1", "1", "device")["imei"]
    world.resolve("LOG-TMO", Fail())
    assert (show_device(world.app, taken)["blocked_as"], levels(world)) == ("not-returned", {"available": 2, "blocked": 1})


def test_a_stolen_device_stays_with_its_holder_and_one_in_stock_is_offered_to_nobody(world: World) -> None:
    """The mark takes a free one out of its pool; a customer's stays the customer's, and is owed for."""
    for free in range(3):
        block(world.app, ANN, imei(free), "stolen")
    assert block(world.app, ANN, imei(0), "stolen").repeated is False
    world.take(order("WEB-1", handset()))
    world.run(at(6))
    assert (world.state("WEB-1"), levels(world)) == ("pending", {"blocked": 3})

    received(world, imei(9))
    world.run(at(9))
    block(world.app, ANN, imei(9), "stolen")
    shown = show_device(world.app, imei(9))
    assert (shown["state"], shown["blocked_as"], shown["order"]) == ("blocked", "stolen", world.order("WEB-1").order_id)
    caught_up(world.app)
    assert [held["state"] for held in show_customer(world.app, "C-1")["devices"]] == ["blocked"]


def test_a_device_blocked_before_it_came_back_stays_blocked(world: World) -> None:
    """It is not put on offer by being shelved."""
    world.scripted.will("delivery", Failed("UNAVAILABLE", at(20)))
    world.take(order("WEB-1", handset()))
    world.run(at(5, 10))
    taken = world.outcome("WEB-1", "1", "device")["imei"]
    block(world.app, ANN, taken, "stolen")
    world.cancel("WEB-1")
    world.run(at(8))
    assert (show_device(world.app, taken)["state"], levels(world)) == ("blocked", {"available": 2, "blocked": 1})


def test_a_device_that_was_found_is_its_holders_again_or_goes_back_to_the_shelf(world: World) -> None:
    """A holder keeps it; a free one is looked at for a day and then sold; who found it, and why, stands in its history. Twice is once."""
    world.take(order("WEB-1", handset()))
    world.run(at(9))
    held = world.outcome("WEB-1", "1", "device")["imei"]
    free, other = (imei(n) for n in range(3) if imei(n) != held)
    for each in (held, free):
        block(world.app, ANN, each, "stolen")
    for each in (held, free, free, other):
        unblock(world.app, Context("sue"), each, "found")

    told = show_device(world.app, held)
    assert (told["state"], told["blocked_as"], told["order"]) == ("assigned", None, world.order("WEB-1").order_id)
    assert [(each["type"], each["actor"]) for each in show_device(world.app, free)["history"]][-2:] == [
        ("device.unblocked", "sue"),
        ("device.returned", "sue"),
    ]
    assert levels(world) == {"available": 1, "assigned": 1, "returned": 1}
    assert [kept["state"] for kept in show_customer(world.app, "C-1")["devices"]] == ["assigned"]

    world.run(at(12))
    assert levels(world) == {"available": 2, "assigned": 1}
    world.take(order("WEB-2", handset()), order("WEB-3", handset()))
    world.run(at(14))
    assert {world.outcome(ref, "1", "device")["imei"] for ref in ("WEB-2", "WEB-3")} == {free, other}
    assert [kept.rule for kept in check_conformance(world.app) if kept.broken] == []


def test_a_device_that_was_kept_and_came_back_is_sold_again(world: World) -> None:
    """Given up as not returned when its item ended, then sent in: looked at, then offered."""
    world.scripted.will("delivery", *[lambda request: Unknown(request.at + timedelta(minutes=5))] * 20)
    world.take(order("WEB-1", handset()))
    world.run(at(7))
    taken = world.outcome("WEB-1", "1", "device")["imei"]
    world.resolve("LOG-TMO", Fail())
    unblock(world.app, ANN, taken, "came-back")
    assert (show_device(world.app, taken)["order"], levels(world)) == (None, {"available": 2, "returned": 1})
    world.run(at(20))
    assert levels(world) == {"available": 3}


def test_a_device_found_while_it_comes_back_is_offered_once_it_is_shelved(world: World) -> None:
    """Blocked with its holder, sent back with its order, found on the way: nothing holds it back any more, and the day of the shelf stays."""
    world.scripted.will("delivery", Failed("UNAVAILABLE", at(20)))
    world.take(order("WEB-1", handset()))
    world.run(at(5, 10))
    taken = world.outcome("WEB-1", "1", "device")["imei"]
    block(world.app, ANN, taken, "stolen")
    world.cancel("WEB-1")
    unblock(world.app, ANN, taken, "blocked-in-error")
    assert levels(world) == {"available": 2, "returned": 1}
    world.run(at(8))
    assert levels(world) == {"available": 3}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        pytest.param((imei(50)[:-1] + str((int(imei(50)[-1]) + 1) % 10), SKU), "row 1: .*its check digit is wrong", id="check-digit"),
        pytest.param((imei(50)[:14], SKU), "row 1: .*not an IMEI: 15 digits", id="without-check-digit"),
        pytest.param((imei(50) + "01", SKU), "row 1: .*not an IMEI: 15 digits", id="with-software-version"),
        pytest.param((imei(50), "black 128"), "row 1: sku is no SKU", id="sku"),
        pytest.param((imei(50), ""), "row 1: sku is no SKU", id="no-sku"),
        pytest.param((imei(0), SKU), "row 1: .* is in the store already", id="known"),
    ],
)
def test_a_delivery_with_a_wrong_row_is_refused_whole(world: World, row: tuple[str, str], why: str) -> None:
    """The row is named and nothing of the file is taken in (3GPP TS 23.003, Annex B for the check digit)."""
    path = world.written("wrong.csv", [("imei", "sku"), row, (imei(51), SKU)])
    with pytest.raises(Refused, match=why):
        loading.load_stock(world.app, world.runner, "devices", path, None)
    with pytest.raises(Refused, match="not known"):
        show_device(world.app, imei(51))


def test_who_asks_for_a_device_wrongly_is_told(world: World) -> None:
    """No IMEI, one that is not in the store, and a cause that there is not."""
    for wrong, why in (("123", "15 digits"), (imei(60), "not known")):
        with pytest.raises(Refused, match=why):
            show_device(world.app, wrong)
    with pytest.raises(Refused, match="no such cause; use one of lost, stolen, not-returned"):
        block(world.app, ANN, imei(0), "broken")
    with pytest.raises(Refused, match="no such reason; use one of found, came-back, blocked-in-error"):
        unblock(world.app, ANN, imei(0), "sorry")
    with pytest.raises(Refused, match="not known"):
        unblock(world.app, ANN, imei(60), "found")
