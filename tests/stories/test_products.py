"""A product in service: it begins with the order that brought it, is changed by others, rests, and ends."""

from datetime import date
from pathlib import Path

import psycopg
import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.catalogue import announce_rise
from o2c.desk.products import porting_code
from o2c.kernel.partner import Accepted, RefusedBy, Unknown
from o2c.simulation.launch_data import LINE, LINE_ADD_ONS, NEWCOMER, SECOND_LINE
from o2c.views.following import Wanted, find_events
from o2c.views.products import list_products, product_history
from o2c.views.reading import caught_up
from o2c.views.sims import show_sim
from tests.agreeing import disagreements
from tests.lives_of_products import change, in_service, product
from tests.world import ADDRESS, World, at, item, line, order

LATER = at(20)
CALL_GUARD = LINE_ADD_ONS[1]


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with an eSIM, in service since 5 January, of a term of twelve months."""
    return in_service(World(dsn, tmp_path).stocked())


def test_a_completed_item_becomes_a_product(world: World) -> None:
    """With what was sold, what serves it, how it is charged, and the end of its term."""
    made = product(world, "FIRST")

    assert world.state("FIRST") == "completed"
    assert (made.status, made.standing.offering, made.standing.recurring_minor) == ("active", "lark-line", 1850)
    assert made.standing.holds.keys() == {"iccid", "imsi", "sim_kind", "msisdn"}
    assert (made.started_on, made.standing.commitment_ends_on) == ("2026-01-05", "2027-01-05")


def test_another_offering_is_charged_by_days(world: World) -> None:
    """The old charge ends and the new one begins on the same day; SIM and number stay."""
    before = product(world, "FIRST")

    world.take(order("PLAN", change(world, "FIRST", offering=SECOND_LINE), on=LATER))
    world.run(at(21))

    after = product(world, "FIRST")
    assert world.state("PLAN") == "completed"
    assert (after.standing.offering, after.standing.recurring_minor, after.standing.holds) == ("lark-second", 650, before.standing.holds)
    assert after.changing == {}


def test_a_lost_sim_is_replaced(world: World) -> None:
    """The new SIM serves the number; the old one is scrapped."""
    before = product(world, "FIRST")

    world.take(order("SWAP", change(world, "FIRST", simSwap="lost", simType="physical", place=ADDRESS), on=LATER))
    world.run(at(30))

    after = product(world, "FIRST")
    assert world.state("SWAP") == "completed"
    assert after.standing.holds["iccid"] != before.standing.holds["iccid"]
    assert (after.standing.holds["msisdn"], after.standing.holds["sim_kind"]) == (before.standing.holds["msisdn"], "physical")
    assert world.types(f"sim-{before.standing.holds['iccid']}")[-1] == "sim.scrapped"


def test_a_number_is_changed(world: World) -> None:
    """The network serves the SIM by the new one and takes the old one off, which rests; until it says so the product has the old one."""
    before = product(world, "FIRST").standing.holds
    world.scripted.will("service-change", Unknown(at(22)), Accepted("CHG-1", at(23)))
    world.take(order("NUMBER", change(world, "FIRST", numberChange="true"), on=LATER))
    world.run(at(22, 12))
    assert (product(world, "FIRST").standing.holds, world.types(f"number-{before['msisdn']}")[-1]) == (before, "number.taken")

    world.run(at(24))

    after = product(world, "FIRST").standing.holds
    assert (after["msisdn"] != before["msisdn"], after["iccid"]) == (True, before["iccid"])
    [asked] = world.scripted.asked("service-change")
    assert {name: asked.body[name] for name in ("iccid", "msisdn", "replaced")} == {
        "iccid": before["iccid"],
        "msisdn": after["msisdn"],
        "replaced": {"msisdn": before["msisdn"]},
    }
    assert world.types(f"number-{before['msisdn']}")[-1] == "number.quarantined"


def test_a_product_ends(world: World) -> None:
    """SIM and number are given back, the charge ends, and what was to come until the end of the term is charged."""
    before = product(world, "FIRST")

    world.take(order("END", change(world, "FIRST", action="delete"), on=LATER))
    world.run(at(21))

    assert (world.state("END"), product(world, "FIRST").status) == ("completed", "terminated")
    assert world.types(f"number-{before.standing.holds['msisdn']}")[-1] == "number.quarantined"
    sim = show_sim(world.app, before.standing.holds["iccid"])
    assert (sim["stock"], sim["network"], sim["history"][-1]["type"]) == ("scrapped", "deactivated", "sim.scrapped")
    assert world.outcome("END", "1", "inventory")["early_minor"] > 0


@pytest.mark.parametrize(("day", "month", "free"), [(25, 1, True), (10, 3, False)])
def test_who_is_told_of_a_dearer_price_may_leave_without_costs(world: World, day: int, month: int, free: bool) -> None:
    """From the announcement until the day on which it begins; the code to leave with says the same."""
    announce_rise(world.app, Context("ann"), LINE.id, amount="2.00", from_day=date(2026, 3, 9))
    world.run(at(day, month=month))
    told = porting_code(world.app, Context("ann"), product(world, "FIRST").product)
    world.take(order("END", change(world, "FIRST", action="delete"), on=at(day, month=month)))
    world.run(at(day + 1, month=month))

    assert ((told.early_minor == 0), (world.outcome("END", "1", "inventory")["early_minor"] == 0)) == (free, free)


def test_who_came_after_the_announcement_is_bound(world: World) -> None:
    """What was known when the contract was made is no reason to leave it."""
    announce_rise(world.app, Context("ann"), LINE.id, amount="2.00", from_day=date(2026, 3, 9))
    world.take(order("SECOND", line(), on=LATER))
    world.run(at(25))
    world.take(order("END", change(world, "SECOND", action="delete"), on=at(25)))
    world.run(at(26))

    assert world.outcome("END", "1", "inventory")["early_minor"] > 0


def test_a_product_rests_and_serves_again(world: World) -> None:
    """For a season nothing is charged, and the term is longer by those days."""
    world.take(order("REST", change(world, "FIRST", status="suspended", statusReason="seasonal"), on=LATER))
    world.run(at(21))
    assert product(world, "FIRST").status == "suspended"

    world.take(order("BACK", change(world, "FIRST", status="active"), on=at(30)))
    world.run(at(31))

    after = product(world, "FIRST")
    assert (after.status, after.standing.commitment_ends_on) == ("active", "2027-01-15")
    rows = world.app.reads.rows(
        "SELECT body ->> 'starts_on' AS day, body ->> 'since' AS since FROM o2c.event WHERE type = 'account.charge-started' ORDER BY position"
    )
    assert [(row["day"], row["since"]) for row in rows] == [("2026-01-05", ""), ("2026-01-30", "2026-01-05")]


def test_a_rest_is_no_way_around_a_dearer_price(world: World) -> None:
    """Announced before the line rests and begun after it serves again: March costs 18.50 and 2.00 more. Checks, assurance and the oracle say the same."""
    announce_rise(world.app, Context("ann"), LINE.id, amount="2.00", from_day=date(2026, 2, 20))
    world.take(order("REST", change(world, "FIRST", status="suspended", statusReason="seasonal"), on=LATER))
    world.run(at(21))
    world.take(order("BACK", change(world, "FIRST", status="active"), on=at(30)))
    world.run(at(9, month=3))

    [march] = world.app.reads.rows(
        "SELECT (line ->> 'net_minor')::int AS net FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line"
        " WHERE type = 'invoice.issued' AND line ->> 'kind' = 'period' AND line ->> 'from_day' = '2026-03-08'"
    )
    assert march["net"] == 2050
    caught_up(world.app)
    assert check_assurance(world.app) == []
    assert [(check.name, check.detail) for check in run_checks(world.app) if check.state == "failed"] == []
    assert disagreements(event.as_json() for event in find_events(world.app, Wanted())) == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"action": "modify"}, "changes nothing"),
        ({"status": "suspended", "statusReason": "whim"}, "the market knows"),
        ({"offering": NEWCOMER}, "DQ-OFFER"),
    ],
)
def test_what_cannot_be_carried_out_waits_for_the_channel(world: World, asked: dict[str, str], why: str) -> None:
    """With what is wrong, and the product as it was."""
    world.take(order("ODD", change(world, "FIRST", **asked), on=LATER))
    world.run(at(21))

    [row] = world.fallouts("ODD")
    assert why in f"{row['reason']}: {row['detail']}"
    assert product(world, "FIRST").changing == {}


def test_two_orders_do_not_change_the_same_thing(world: World) -> None:
    """The second is told which order is changing it."""
    world.take(
        order("ONE", change(world, "FIRST", offering=SECOND_LINE), on=LATER),
        order("TWO", change(world, "FIRST", offering=SECOND_LINE), on=LATER),
    )
    world.run(at(20, 0, 1))

    assert [row["detail"] for row in world.fallouts("TWO")]


def test_bills_say_what_was_served(world: World) -> None:
    """Over half a year of changes every invoice and every posting is as the oracle says, and no check finds anything."""
    world.take(order("PLAN", change(world, "FIRST", offering=SECOND_LINE), on=LATER))
    world.run(at(20, month=2))
    world.take(order("REST", change(world, "FIRST", status="suspended", statusReason="seasonal"), on=at(20, month=2)))
    world.run(at(11, month=3))
    world.take(order("BACK", change(world, "FIRST", status="active"), on=at(11, month=3)))
    world.run(at(2, month=5))
    world.take(order("END", change(world, "FIRST", action="delete"), on=at(2, month=5)))
    world.run(at(1, month=7))

    caught_up(world.app)
    assert [world.state(name) for name in ("FIRST", "PLAN", "REST", "BACK", "END")] == ["completed"] * 5
    assert disagreements(event.as_json() for event in find_events(world.app, Wanted())) == []
    assert "\n".join(str(leak.row()) for leak in check_assurance(world.app)) == ""
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []


def test_an_account_that_is_terminated_ends_its_products(world: World) -> None:
    """With all that took other pieces' places since: the number that it has now rests, and its SIM is scrapped."""
    world.take(order("PLAN", change(world, "FIRST", offering=SECOND_LINE, numberChange="true"), on=LATER))
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 30)
    world.run(at(21))
    held = product(world, "FIRST").standing.holds

    world.run(at(15, month=6))

    assert (product(world, "FIRST").status, product(world, "FIRST").ended_on != "") == ("terminated", True)
    assert world.types(f"number-{held['msisdn']}")[-1] in ("number.quarantined", "number.rested")
    assert world.types(f"sim-{held['iccid']}")[-1] == "sim.scrapped"


def test_what_is_added_to_does_not_end_meanwhile(world: World) -> None:
    """The end waits until the order that adds something is over; then it ends that too."""
    extra = {**item(CALL_GUARD, "2", relies_on="1"), "requestedStartDate": "2026-01-28"}
    world.take(order("EXTRA", change(world, "FIRST", action="noChange"), extra, on=LATER))
    world.run(at(21))
    world.take(order("TOO-SOON", change(world, "FIRST", action="delete"), on=at(21)))
    world.run(at(30))
    world.take(order("END", change(world, "FIRST", action="delete"), on=at(30)))
    world.run(at(31))

    assert [row["detail"] for row in world.fallouts("TOO-SOON")] == [
        f"item 1 (delete) changes what order {world.order('EXTRA').order_id} is changing; send it again when that is over"
    ]
    assert [product(world, of, n).status for of, n in (("FIRST", "1"), ("EXTRA", "2"))] == ["terminated"] * 2
    told = product_history(world.app, product(world, "FIRST").product)
    assert [row["what"] for row in told if row["event"] == "product.relied-on"] == [product(world, "EXTRA", "2").product]


def test_nothing_is_added_to_what_is_ending(world: World) -> None:
    """Who orders it is told so; an order that adds and is cancelled is in nobody's way."""
    extra = item(CALL_GUARD, "2", relies_on="1")
    world.take(order("GIVEN-UP", change(world, "FIRST", action="noChange"), {**extra, "requestedStartDate": "2026-02-20"}, on=LATER))
    world.run(at(21))
    world.cancel("GIVEN-UP")
    world.run(at(22))
    world.take(order("END", {**change(world, "FIRST", action="delete"), "requestedStartDate": "2026-02-10"}, on=at(22)))
    world.run(at(23))
    world.take(order("EXTRA", change(world, "FIRST", action="noChange"), extra, on=at(23)))
    world.run(at(24))

    assert (world.state("END"), product(world, "FIRST").status) == ("inProgress", "pendingTerminate")
    assert ["is changing; send it again" in row["detail"] for row in world.fallouts("EXTRA")] == [True]


@pytest.mark.parametrize("asked", [{"simSwap": "lost"}, {"numberChange": "true"}, {"simType": "physical", "place": ADDRESS}])
def test_a_change_of_what_ended_meanwhile_falls_out(dsn: str, tmp_path: Path, asked: dict[str, str]) -> None:
    """A line that relied on one which another order ends is over: its change waits for a person, and nothing is left in service."""
    world = World(dsn, tmp_path).stocked(esims=5, physical=5)
    world.take(order("FIRST", line(), line("2", offering=SECOND_LINE, relies_on="1")))
    world.run(at(12))
    ends, swaps = change(world, "FIRST", action="delete"), change(world, "FIRST", item_of="2", **asked)
    world.take(order("END", ends, on=LATER), order("SWAP", swaps, on=LATER))
    world.run(at(30))

    caught_up(world.app)
    assert [product(world, "FIRST", number).status for number in ("1", "2")] == ["terminated"] * 2
    assert [(row["reason"], "ended on 2026-01-20" in row["detail"]) for row in world.fallouts("SWAP")] == [("DQ-ACTION", True)]
    assert [leak.row() for leak in check_assurance(world.app)] == []


def test_an_order_that_is_cancelled_leaves_the_product_as_it_was(world: World) -> None:
    """And another order may change it then."""
    world.take(order("PLAN", {**change(world, "FIRST", offering=SECOND_LINE), "requestedStartDate": "2026-02-20"}, on=LATER))
    world.run(at(21))
    assert product(world, "FIRST").changing != {}

    world.cancel("PLAN")
    world.run(at(22))

    assert (world.state("PLAN"), product(world, "FIRST").changing) == ("cancelled", {})
    assert product(world, "FIRST").standing.offering == "lark-line"


def test_another_offering_may_begin_on_the_day_of_the_bill(world: World) -> None:
    """Nothing is credited then, and nothing charged by days."""
    world.take(order("PLAN", change(world, "FIRST", offering=SECOND_LINE, effective="bill-date"), on=LATER))
    world.run(at(1, month=3))

    assert world.outcome("PLAN", "1", "inventory")["effective_on"] == "2026-02-08"


def test_what_is_in_service_is_listed(world: World) -> None:
    """As many as items were completed, without those that ended."""
    world.take(order("SECOND", line(), party="C-2", on=LATER))
    world.run(at(21))
    world.take(order("END", change(world, "FIRST", action="delete"), on=at(22)))
    world.run(at(23))
    caught_up(world.app)

    [row] = list_products(world.app)
    assert (row["customer"], row["status"], row["price_minor"]) == ("C-2", "active", 1850)
    assert [row["status"] for row in list_products(world.app, statuses=["terminated"])] == ["terminated"]
    assert [row["event"] for row in product_history(world.app, product(world, "FIRST").product)] == [
        "product.started",
        "end-notice.awaited",
        "product.change-accepted",
        "product.terminated",
        "step.cancelled",
    ]


def test_orders_that_ended_before_there_were_products_get_theirs(world: World) -> None:
    """Whoever begins to run a store of before starts them, once."""
    stream = f"order-{world.order('FIRST').order_id}"
    with psycopg.connect(world.dsn) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(
            "UPDATE o2c.event SET body = jsonb_set(body::jsonb, '{plan_version}', '\"2026-11\"')::json WHERE type = 'order.planned'"
        )
        conn.execute("DELETE FROM o2c.event WHERE type IN ('item.taken-into-use', 'product.started', 'end-notice.awaited')")
        conn.execute("UPDATE o2c.event SET version = version - 1 WHERE type = 'order.completed'")
        conn.execute("DELETE FROM o2c.head WHERE stream LIKE 'product-%%'")
        conn.execute("UPDATE o2c.head SET state = NULL, version = version - 1 WHERE stream = %s", (stream,))
        conn.execute("DELETE FROM o2c.policy_checkpoint WHERE policy = 'begin-the-products-of-an-order'")
    again = World(world.dsn, world.folder)

    again.run(at(13))

    assert product(again, "FIRST").status == "active"
    assert product(again, "FIRST").standing.commitment_ends_on == "2027-01-05"
    assert again.run(at(14)).types(stream).count("item.taken-into-use") == 1


def test_two_orders_at_once_change_different_things_and_lose_nothing(world: World) -> None:
    """Each was validated before the other was done: the product has both."""
    before = product(world, "FIRST").standing
    world.take(
        order("FORM", change(world, "FIRST", simType="physical", place=ADDRESS), on=LATER),
        order("PLAN", change(world, "FIRST", offering=SECOND_LINE), on=LATER),
    )
    world.run(at(30))

    after = product(world, "FIRST").standing
    assert (world.state("FORM"), world.state("PLAN")) == ("completed", "completed")
    assert (after.offering, after.recurring_minor) == ("lark-second", 650)
    assert (after.holds["sim_kind"], after.characteristics["simType"]) == ("physical", "physical")
    assert after.holds["iccid"] != before.holds["iccid"]
    assert after.charge.startswith(world.order("PLAN").order_id)
