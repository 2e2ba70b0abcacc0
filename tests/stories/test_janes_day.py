"""Jane's day: a smartphone that is chosen on the web, advised on by telephone, bought in the store, and corrected at home before it is dispatched."""

from o2c.desk.act import Context
from o2c.desk.journeys import note_attempt
from o2c.desk.revising import amend_order
from o2c.desk.winning_back import order_journey
from o2c.kernel.partner import Accepted
from o2c.simulation.launch_data import LINE_ADD_ONS, SECOND_LINE
from o2c.views.assessing import assess_change
from o2c.views.fields import order_fields
from o2c.views.journeys import list_journeys, places_in
from o2c.views.reading import caught_up
from tests.handsets import NET_MINOR, SKU, handset, selling
from tests.scenarios import LINES, SECOND_MONTH
from tests.world import World, at, item, line, order

WEB, CALL, STORE = Context("web-shop", channel="web"), Context("call-centre", channel="call"), Context("dora", channel="store")
LOGIN = "tamsel@example.org"
ACCESSORY = LINE_ADD_ONS[1]


def test_janes_day(world: World) -> None:
    """Given a basket of the morning and a call at noon, when Jane buys in the store and at home takes another plan and an add-on before the courier comes, then she keys in nothing
    twice, the telephone, the SIM and the number stay hers, and she is billed what she wished last."""
    selling(world.stocked(physical=3))
    world.scripted.will("delivery", *[Accepted(f"PCL-{n}", at(9)) for n in range(4)])
    wished = [handset("1", instalments="24"), line("2", sim="physical")]
    paper = {key: value for key, value in order("-", *wished).items() if key in ("productOrderItem", "billingAccount")}
    keyed = {path: value for path, value in places_in(paper) if not path.endswith("quantity")}

    # On the web in the morning, on the telephone at noon.
    world.run(at(5, 9))
    basket = note_attempt(world.app, WEB, "basket", "web", login=LOGIN, offerings=["lark-9", "lark-line"], fields=keyed)
    world.run(at(5, 12))
    advice = note_attempt(world.app, CALL, "resumed", "call", login=LOGIN, customer="C-1")
    # In the store in the afternoon.
    world.run(at(5, 15))
    note_attempt(world.app, STORE, "visit", "store", login=LOGIN, store="S-12")
    bought = order_journey(world.app, STORE, basket.journey, "store", external_id="JANE-1")
    world.run(at(5, 15, 5))
    before = world.order("JANE-1")
    taken = {step: before.record("2", step).outcome for step in ("sim", "number")}
    device = before.record("1", "device").outcome
    # At home in the evening: another plan, and an accessory.
    change = order("JANE-1", wished[0], line("2", sim="physical", offering=SECOND_LINE), item(ACCESSORY, "3", relies_on="2"), channel="web")
    patch = {"productOrderItem": change["productOrderItem"]}
    told = assess_change(world.app, "JANE-1", patch, merge=True)
    done = amend_order(world.app, WEB, "JANE-1", patch, merge=True)
    world.run(at(16))

    assert advice.journey == basket.journey
    assert (told["possible"], {row["verdict"] for row in told["lines"]}) == (True, {"free"})
    assert (done.refused, done.work, done.revision) == ("", [], 1)
    assert (world.state("JANE-1"), set(world.items("JANE-1").values())) == ("completed", {"completed"})
    after = world.order("JANE-1")
    assert {step: after.record("2", step).outcome for step in ("sim", "number")} == taken
    assert (after.record("1", "device").outcome, device["sku"]) == (device, SKU)
    assert [planned.offering for planned in after.items.values()] == ["lark-9", SECOND_LINE.id, ACCESSORY.id]
    caught_up(world.app)
    [journey] = list_journeys(world.app)
    assert (journey["state"], journey["order"], journey["channels"]) == ("ordered", bought.order, ["web", "call", "store"])
    fields = {row["path"]: row for row in order_fields(world.app, world.folder, "JANE-1")}
    by_change = {path for path, row in fields.items() if row["event"] == _changed_by(world)}
    assert "/productOrderItem/1/productOffering/id" in by_change
    assert by_change.isdisjoint(path for path in keyed if "/productOrderItem/0/" in path)
    assert {fields[path]["channel"] for path in keyed.keys() - by_change} == {"web"}
    # The line is on since the 9th and billed on the 15th: six of 31 days of it and of the add-on, and the month ahead of both.
    assert charged(world) == [("1", 2496), ("1", NET_MINOR), ("2", 126), ("2", SECOND_MONTH), ("3", 39), ("3", 199)]


def charged(world: World) -> list[tuple[str, int]]:
    """What her bills ask for."""
    return sorted((row["item"], row["net"]) for row in world.app.reads.rows(LINES, "invoice.issued", "BA-C-1"))


def _changed_by(world: World) -> str:
    """The event by which the paper was changed."""
    [row] = world.app.reads.rows("SELECT event_id::text AS id FROM o2c.event WHERE type = 'order.revised'")
    return str(row["id"])
