"""A product that goes to another customer: both agree, number and SIM stay, and each pays up to and from the day."""

from datetime import date, datetime
from pathlib import Path

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.catalogue import announce_rise
from o2c.desk.products import transfer
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import LINE, LINE_ADD_ONS
from o2c.views.following import Wanted, find_events
from o2c.views.products import list_products, product_history
from o2c.views.reading import caught_up
from tests.agreeing import disagreements
from tests.lives_of_products import change, in_service, product
from tests.metered import load, metered, number_of, record
from tests.world import World, at, item, order

LATER = at(20)
CALL_GUARD = LINE_ADD_ONS[1]


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line of C-1 with an eSIM, in service since 5 January, of a term of twelve months."""
    return in_service(World(dsn, tmp_path).stocked())


def agreed(world: World, *, to: str = "C-2", **more: str) -> None:
    """The owner of the line agrees."""
    transfer(world.app, Context("ann"), product(world, "FIRST").product, to=to, **more)  # type: ignore[arg-type] # a word for the term


def taken_over(world: World, name: str = "TAKEN", *, party: str = "C-2", on: datetime = LATER, **values: str) -> None:
    """The other orders it in his own name."""
    world.take(order(name, change(world, "FIRST", **values), party=party, on=on))


def billed(world: World, account: str) -> list[tuple[str, bool]]:
    """The bill runs of an account, and whether each was the final one."""
    sql = "SELECT body ->> 'run_on' AS day, (body ->> 'final')::bool AS final FROM o2c.event WHERE stream = %s AND type = 'account.billed' ORDER BY version"
    return [(row["day"], row["final"]) for row in world.app.reads.rows(sql, f"account-{account}")]


def whole(world: World) -> None:
    """Every bill is as the oracle says, and no check finds anything."""
    caught_up(world.app)
    assert disagreements(event.as_json() for event in find_events(world.app, Wanted())) == []
    assert [leak.row() for leak in check_assurance(world.app)] == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []


def test_a_line_goes_to_another_customer(world: World) -> None:
    """Number, SIM, price and term stay; he who leaves it gets a final bill up to the day, the other is billed from it on, and what a rise made of the price stays."""
    before = product(world, "FIRST").standing
    announce_rise(world.app, Context("ann"), LINE.id, amount="2.00", from_day=date(2026, 3, 9))
    world.run(at(20, month=3))
    agreed(world)
    taken_over(world, on=at(20, month=3))
    world.run(at(1, month=6))

    after = product(world, "FIRST").standing
    assert (world.state("TAKEN"), after.customer, after.account) == ("completed", "C-2", "BA-C-2")
    assert (after.holds, after.commitment_ends_on, after.recurring_minor) == (
        before.holds,
        before.commitment_ends_on,
        before.recurring_minor,
    )
    assert billed(world, "BA-C-1") == [("2026-01-08", False), ("2026-02-08", False), ("2026-03-08", False), ("2026-04-08", True)]
    assert [final for _, final in billed(world, "BA-C-2")] == [False] * 3
    whole(world)


def test_what_is_used_after_the_day_is_the_new_owner_s(dsn: str, tmp_path: Path) -> None:
    """By the number, which stays: what was used before stays with him who used it, whenever its record comes."""
    world = metered(dsn, tmp_path)
    transfer(world.app, Context("ann"), product(world, "ONE").product, to="C-2")
    world.take(order("TAKEN", change(world, "ONE"), party="C-2", on=LATER))
    world.run(at(25))

    load(world, *(record(f"r-{day}", number_of(world), start=f"2026-01-{day}T12:00:00Z") for day in (18, 20, 22)))
    world.run(at(9, month=3))

    rows = world.app.reads.rows("SELECT account, owner FROM o2c.usage_record ORDER BY started_at")
    taken = f"{world.order('TAKEN').order_id}/1"
    assert [(row["account"], row["owner"] == taken) for row in rows] == [("BA-C-1", False), ("BA-C-2", True), ("BA-C-2", True)]
    whole(world)


def test_without_the_owner_s_word_nobody_takes_it_over(world: World) -> None:
    """He is told of no such product; two orders at once are one, and the other is told that it comes too late."""
    taken_over(world, "STOLEN")
    world.run(at(21))
    agreed(world)
    world.take(*(order(name, change(world, "FIRST"), party="C-2", on=at(21)) for name in ("ONE", "TWO")))
    world.run(at(22))

    assert [row["detail"] for row in world.fallouts("STOLEN")] == ["item 1 (modify) names a product that is not in the inventory"]
    assert (world.state("ONE"), world.state("TWO"), product(world, "FIRST").standing.customer) == ("completed", "pending", "C-2")
    with pytest.raises(Refused, match="is not known"):
        agreed(world, to="NOBODY")


def test_a_term_may_end_at_the_cost_of_him_who_leaves_it(world: World) -> None:
    """The charge is on his final bill; the other is bound to nothing."""
    agreed(world, commitment="ended")
    taken_over(world, commitment="ended")
    world.run(at(1, month=4))

    told = world.outcome("TAKEN", "1", "inventory")
    assert (told["early_minor"] > 0, told["early_charge"]) == (True, f"{world.order('TAKEN').order_id}/1-early")
    assert product(world, "FIRST").standing.commitment_ends_on == ""
    lines = "SELECT line ->> 'item' AS item FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line WHERE stream = 'invoice-BA-C-1-20260208'"
    assert [row["item"] for row in world.app.reads.rows(lines)] == ["1-early"]
    assert billed(world, "BA-C-1")[-1] == ("2026-02-08", True)
    whole(world)


def test_the_new_owner_s_credit_is_a_gate(world: World) -> None:
    """A bureau that says no leaves the product with its owner, whose word is good still; it is asked about what is left of the term."""
    world.scripted.will("credit", RefusedBy("DECLINE"))
    agreed(world)
    taken_over(world)
    world.run(at(22))

    assert world.scripted.asked("credit")[-1].body["commitment_minor"] > 0
    assert (world.state("TAKEN"), product(world, "FIRST").standing.customer, product(world, "FIRST").changing) == ("rejected", "C-1", {})
    assert product(world, "FIRST").transfer is not None


def test_what_relies_on_it_goes_along(world: World) -> None:
    """Both lines stand in the order; afterwards both are the new owner's, and the old one pays for neither."""
    world.take(order("EXTRA", change(world, "FIRST", action="noChange"), item(CALL_GUARD, "2", relies_on="1"), on=at(14)))
    world.run(LATER)
    agreed(world)
    extra = change(world, "EXTRA", number="2", item_of="2")
    world.take(order("TAKEN", change(world, "FIRST"), extra, party="C-2", on=LATER))
    world.run(at(1, month=4))

    assert [product(world, of, n).standing.account for of, n in (("FIRST", "1"), ("EXTRA", "2"))] == ["BA-C-2"] * 2
    whole(world)


def test_each_sees_his_own(world: World) -> None:
    """The list of the new owner has it and that of the old one has not; what happened to it before he had it is not in his history; its number rests for him in the end."""
    agreed(world)
    taken_over(world)
    world.run(at(21))
    world.take(order("END", change(world, "FIRST", action="delete"), party="C-2", on=at(25)))
    name, msisdn = product(world, "FIRST").product, product(world, "FIRST").standing.holds["msisdn"]
    caught_up(world.app)
    listed = [[row["product"] for row in list_products(world.app, customers=[whose])] for whose in ("C-1", "C-2")]
    world.run(at(27))

    assert listed == [[], [name]]
    mine, his = (product_history(world.app, name, customer=whose) for whose in ("C-1", "C-2"))
    assert ("product.started" in [row["event"] for row in mine], "product.started" in [row["event"] for row in his]) == (True, False)
    assert ("product.terminated" in [row["event"] for row in mine], "product.terminated" in [row["event"] for row in his]) == (False, True)
    [row] = world.app.reads.rows(
        "SELECT body ->> 'customer' AS customer FROM o2c.event WHERE type = 'number.quarantined' AND stream = %s", f"number-{msisdn}"
    )
    assert row["customer"] == "C-2"
