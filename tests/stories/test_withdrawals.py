"""Consumers who withdraw from a contract within its period: what ends, what stays owed, what comes back, and the money."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.withdrawals import grade, proven_sent, withdraw, withdraw_order
from o2c.engine.app import Context
from o2c.kernel.money import half_up
from o2c.kernel.partner import Accepted, Answered, Failed
from o2c.kernel.refusal import Refused
from o2c.orders.in_life import product_of
from o2c.simulation.launch_data import LINE_ADD_ONS
from o2c.views.cancellations import list_cancellations
from o2c.views.devices import show_device
from o2c.views.numbers import show_number
from o2c.views.reading import caught_up
from o2c.views.withdrawals import list_withdrawals, show_right, show_withdrawal
from projections.engine import operations as engine
from tests.agreeing import disagreements
from tests.balances import unlike_the_books
from tests.console import console
from tests.desk import Desk
from tests.handsets import GROSS_MINOR, handset, selling
from tests.histories import differing
from tests.lives_of_products import change, in_service, product
from tests.world import World, at, item, line, order, ported

ANN = Context("ann")


@pytest.fixture
def world(dsn: str, tmp_path: Path, desk: Desk) -> Iterator[World]:
    """Goods are on sale; at the end oracle, books, assurance, conformance and all checks agree."""
    made = selling(World(dsn, tmp_path).stocked())
    yield made
    caught_up(made.app)
    assert disagreements(desk.sees("events", "find")) == []
    assert unlike_the_books(made.app) == []
    assert [leak.row() for leak in check_assurance(made.app)] == []
    engine.catch_up(dsn)
    assert differing(dsn) == []
    assert [check for check in run_checks(made.app) if check.state == "failed"] == []
    assert [kept.rule for kept in check_conformance(made.app) if kept.broken] == []
    made.close()


def of(world: World, name: str = "FIRST", item_of: str = "1") -> str:
    """The product of an item of an order."""
    return product_of(world.order(name).order_id, item_of)


def held(world: World, name: str) -> dict[str, str]:
    """What identifies the product that an order brought."""
    standing = product(world, name).standing
    assert standing is not None
    return standing.holds


def net_paid(world: World, account: str = "BA-C-1") -> int:
    """What the customer paid in all, without what went back."""
    rows = world.app.reads.rows(
        "SELECT type, sum((body->>'amount_minor')::bigint) AS minor FROM o2c.event WHERE type IN ('payment.received', 'payment.part-received', 'account.money-returned') GROUP BY type"
    )
    return sum(row["minor"] * (-1 if row["type"] == "account.money-returned" else 1) for row in rows)


def billed(world: World) -> list[dict[str, Any]]:
    """The lines of all invoices and notes, these below zero."""
    found = world.app.reads.rows(
        "SELECT type, body FROM o2c.event WHERE type IN ('invoice.issued', 'credit-note.issued') ORDER BY position"
    )
    sign = {"invoice.issued": 1, "credit-note.issued": -1}
    return [{**line, "net_minor": sign[row["type"]] * line["net_minor"]} for row in found for line in row["body"]["lines"]]


def test_a_line_that_was_billed_in_advance(world: World) -> None:
    """It ends on the day; days that were served stay owed, all else goes back by the card within two weeks, the SIM is scrapped and the number rests."""
    in_service(world)
    world.run(at(12))
    holds, told = held(world, "FIRST"), show_right(world.app, of(world))
    assert (told["may"], told["last_day"], told["asked_to_start"], told["asked_by"]) == (True, "2026-01-19", True, "channel")

    done = withdraw(world.app, ANN, of(world))
    again = withdraw(world.app, ANN, of(world))

    assert again.written.unchanged
    assert (done.owed_net_minor, done.refund_minor, done.refund_by) == (told["owed_net_minor"], told["refund_minor"], "2026-01-26")
    assert (product(world, "FIRST").status, product(world, "FIRST").ended_on) == ("terminated", "2026-01-12")
    world.run(at(14))
    assert show_number(world.app, holds["msisdn"])["state"] == "quarantined"
    assert world.types(f"sim-{holds['iccid']}")[-1] == "sim.scrapped"
    [off] = world.scripted.asked("withdrawal-switch-off")
    assert (off.body["status"], off.body["msisdn"]) == ("terminated", holds["msisdn"])
    world.run(at(1, month=3))
    assert sum(line["net_minor"] for line in billed(world)) == done.owed_net_minor
    assert net_paid(world) == half_up(Fraction(done.owed_net_minor * 120, 100))
    row = show_withdrawal(world.app, of(world))
    assert (row["state"], row["refund_minor"], row["refunded_on"], row["late"]) == ("settled", done.refund_minor, "2026-01-13", False)


def test_a_line_whose_service_was_not_asked_to_begin(world: World) -> None:
    """Taken by telephone, where nobody ticks a box: nothing of it is owed, and all that was paid goes back."""
    world.take(order("FIRST", line(), channel="call-centre"))
    world.run(at(12))

    done = withdraw(world.app, ANN, of(world))

    assert done.owed_net_minor == 0
    world.run(at(1, month=3))
    assert (sum(line["net_minor"] for line in billed(world)), net_paid(world)) == (0, 0)


def test_a_line_that_was_on_no_bill_yet(world: World) -> None:
    """Its final bill has the days that were served and nothing else: not what is charged once, nor an early end."""
    world.take(order("FIRST", line()))
    world.run(at(7))

    done = withdraw(world.app, ANN, of(world))
    world.run(at(1, month=3))

    assert [(line["kind"], line["net_minor"]) for line in billed(world)] == [("part-period", done.owed_net_minor)]
    assert (done.owed_net_minor, net_paid(world)) == (119, 143)


def test_what_depends_on_it_ends_too(world: World) -> None:
    """An add-on ends with its line, by a withdrawal of its own; only the days of both stay owed."""
    in_service(world)
    world.take(order("ADD", change(world, "FIRST", action="noChange", number="0"), item(LINE_ADD_ONS[0], "1", relies_on="0"), on=at(12)))
    world.run(at(13))

    done = withdraw(world.app, ANN, of(world))
    world.run(at(1, month=3))

    assert done.ended == (of(world), of(world, "ADD"))
    assert {row["product"]: row["ended_with"] for row in list_withdrawals(world.app)} == {of(world): None, of(world, "ADD"): of(world)}
    assert sum(line["net_minor"] for line in billed(world)) == done.owed_net_minor


def test_a_number_that_was_brought_along(world: World) -> None:
    """It rests, so that its customer may take it elsewhere, and goes back to the holder of its range."""
    world.take(order("FIRST", ported()))
    world.run(at(14))
    msisdn = held(world, "FIRST")["msisdn"]

    withdraw(world.app, ANN, of(world))
    world.run(at(16))
    assert show_number(world.app, msisdn)["state"] == "quarantined"
    world.run(at(1, month=12))

    assert show_number(world.app, msisdn)["state"] == "returned"


def phone(world: World, *, instalments: str = "24", until: int = 9) -> str:
    """A customer has a handset, paid in instalments, since 6 or 7 January."""
    world.scripted.will("goods-return", lambda request: Accepted("PCL-1", request.at + timedelta(days=2)), Answered({"reference": "PCL-1"}))
    world.take(order("PHONE", handset(instalments=instalments)))
    world.run(at(until))
    return of(world, "PHONE")


@pytest.mark.parametrize(
    ("found", "kept_minor", "stock"),
    [pytest.param("as-new", 0, "available", id="as-new"), pytest.param("used", 9983, "scrapped", id="used")],
)
def test_a_handset_in_instalments_goes_back(world: World, found: str, kept_minor: int, stock: str) -> None:
    """A label is asked of the courier, the parcel comes back, somebody looks at it: the agreement ends, what was kept is paid, the rest goes back; only one as new is sold again."""
    bought = phone(world)
    imei = held(world, "PHONE")["imei"]
    done = withdraw(world.app, ANN, bought)
    assert (done.owed_net_minor, done.refund_by, done.send_back_by) == (0, "", "2026-01-23")
    world.run(at(14))
    row = show_withdrawal(world.app, bought)
    assert (row["state"], row["received_on"], row["refund_by"], row["refund_minor"]) == ("received", "2026-01-11", "2026-01-25", 0)

    grade(world.app, ANN, bought, found)
    world.run(at(1, month=4))

    row = show_withdrawal(world.app, bought)
    assert (row["state"], row["grade"], row["kept_net_minor"], row["late"]) == ("settled", found, kept_minor, False)
    assert sum(line["net_minor"] for line in billed(world) if line["tax_group"] != "instalment") == kept_minor
    assert net_paid(world) == half_up(Fraction(kept_minor * 120, 100))
    assert show_device(world.app, imei)["state"] == stock


def test_a_handset_that_was_paid_at_once(world: World) -> None:
    """The whole price goes back by the way in which it came, once it is back."""
    bought = phone(world, instalments="1", until=8)
    withdraw(world.app, ANN, bought)
    world.run(at(25))
    assert net_paid(world) == GROSS_MINOR
    grade(world.app, ANN, bought, "as-new")
    world.run(at(1, month=3))
    assert (net_paid(world), show_withdrawal(world.app, bought)["refund_minor"]) == (0, GROSS_MINOR)


def test_a_return_that_the_courier_lost(world: World) -> None:
    """The customer proved to have sent it: the money goes back in time though nobody finds the parcel, and the handset is blocked once it is given up."""
    bought = phone(world, instalments="1", until=8)
    world.scripted.sayings["goods-return"] = [Accepted("PCL-1", at(12)), Failed("LOST")]
    imei = held(world, "PHONE")["imei"]
    withdraw(world.app, ANN, bought)
    world.run(at(14))
    [lost] = world.fallouts("PHONE", reason="LOG-RETURN")
    assert (lost["step"], lost["queue"]) == ("goods-return", "logistics")

    proven_sent(world.app, ANN, bought, sent_on=date(2026, 1, 9), reference="PCL-1")
    assert show_withdrawal(world.app, bought)["refund_by"] == "2026-01-23"
    world.run(at(2, month=2))

    row = show_withdrawal(world.app, bought)
    assert (row["state"], row["refunded_on"], row["late"], row["refund_minor"]) == ("settled", "2026-01-22", False, GROSS_MINOR)
    grade(world.app, ANN, bought, "lost")
    world.run(at(3, month=2))
    assert world.fallouts("PHONE", reason="LOG-RETURN") == []
    assert (show_device(world.app, imei)["state"], net_paid(world)) == ("blocked", 0)


def test_money_that_is_late_is_found(dsn: str, tmp_path: Path) -> None:
    """The payment provider refuses it, and two weeks go by: the list shows it, and a check says so until somebody paid it."""
    world = in_service(World(dsn, tmp_path).stocked())
    world.scripted.sayings["refund"] = [Failed("PERMANENT")]
    withdraw(world.app, ANN, of(world))
    world.run(at(26))
    assert [row["late"] for row in list_withdrawals(world.app)] == [False]
    world.run(at(28))

    [row] = list_withdrawals(world.app, late=True)
    [check] = [check for check in run_checks(world.app) if check.name == "money of withdrawals goes back in time"]
    assert (row["state"], row["refunded_on"], check.state) == ("settled", None, "failed")
    assert f"withdrawal-{of(world)} by 2026-01-26" in check.detail
    world.close()


def test_who_may_not(world: World) -> None:
    """After the last day, and what is being ended already: each in a line that says what to do."""
    in_service(world)
    world.run(at(20))
    told = show_right(world.app, of(world))
    assert (told["may"], told["last_day"], told["why"]) == (False, "2026-01-19", "the period is over; its end can be ordered")
    with pytest.raises(Refused, match=r"its end can be ordered \(it ran through 2026-01-19\)"):
        withdraw(world.app, ANN, of(world))


def test_the_console_shows_the_right_and_carries_it_out(world: World) -> None:
    """The customer's page and the product's say through which day; an agent withdraws, takes down the proof and grades, each by a button."""
    bought = phone(world)
    path = f"/console/products/{bought.replace(':', '%3A')}"
    caught_up(world.app)
    with console(world, world.folder) as site, site.by("ann", "agent") as ann:
        assert "19 Jan 2026" in ann.opens("/console/customers/C-1").text
        page = ann.opens(path)
        assert "The customer may withdraw through" in page.text
        page = ann.sends(page, f"{path}/withdraw")
        page = ann.sends(page, f"{path}/sent", {"sent_on": "2026-01-09", "reference": "PCL-1"})
        page = ann.sends(page, f"{path}/grade", {"grade": "damaged"})
        assert page.alerts == []
    row = show_withdrawal(world.app, bought)
    assert (row["state"], row["sent_on"], row["grade"], row["kept_net_minor"]) == ("graded", "2026-01-09", "damaged", 24959)
    world.run(at(1, month=3))


def test_an_order_under_way_is_withdrawn_from_by_the_same_verb(world: World) -> None:
    """What is under way is cancelled for that reason, what is in service ends, one by one verb; once more changes nothing, and nothing is paid."""
    world.take(order("FIRST", ported(), item(LINE_ADD_ONS[0], "2", relies_on="1")))

    done = withdraw_order(world.app, ANN, "FIRST", note="changed his mind")
    again = withdraw_order(world.app, ANN, "FIRST", note="changed his mind")

    assert (done.state, done.ended, done.to_come, done.owed_net_minor) == ("cancelled", (), (), 0)
    assert again.written.unchanged
    world.run(at(1, month=2))
    assert (world.state("FIRST"), billed(world), net_paid(world)) == ("cancelled", [], 0)
    caught_up(world.app)
    [row] = [row for row in list_cancellations(world.app) if row["external_id"] == "FIRST"]
    assert row["reason"] == "withdrawal"


def test_an_order_in_service(world: World) -> None:
    """The line ends with the days that were served: by the same verb."""
    in_service(world)
    world.run(at(12))

    done = withdraw_order(world.app, ANN, "FIRST")

    assert done.ended == (of(world),)
    assert (done.cancelled, done.to_come) == ((), ())
    world.run(at(1, month=3))
    assert sum(line["net_minor"] for line in billed(world)) == done.owed_net_minor


def test_what_can_be_stopped_no_more_ends_once_it_is_there(world: World) -> None:
    """A handset on its way comes, and is to be sent back: the declaration holds for the day on which it was made."""
    world.scripted.will("delivery", lambda request: Accepted("PCL-9", at(9)), Answered({"reference": "PCL-9"}))
    world.take(order("PHONE", handset(instalments="1")))
    world.run(at(8))
    assert "delivery.handed-over" in world.types(f"order-{world.order('PHONE').order_id}")

    done = withdraw_order(world.app, ANN, "PHONE")
    declared_on = world.app.clock().now.date().isoformat()

    assert (done.cancelled, done.ended, done.to_come) == ((), (), ("1",))
    assert withdraw_order(world.app, ANN, "PHONE").written.position == done.written.position
    [listed] = list_withdrawals(world.app, states=["to-come"])
    assert (listed["product"], listed["declared_on"], listed["goods"], listed["late"]) == (of(world, "PHONE"), declared_on, True, False)
    assert show_withdrawal(world.app, of(world, "PHONE"))["state"] == "to-come"
    world.run(at(25))
    assert list_withdrawals(world.app, states=["to-come"]) == []
    row = show_withdrawal(world.app, of(world, "PHONE"))
    assert (row["declared_on"], row["state"] in ("awaiting-goods", "received"), row["refund_minor"]) == (declared_on, True, 0)
    grade(world.app, ANN, of(world, "PHONE"), "as-new")
    world.run(at(1, month=3))
    assert net_paid(world) == 0


def test_goods_that_are_not_sent_back_in_time(world: World) -> None:
    """Nothing goes back while nobody has seen them or proof of it: the list names them as overdue, and by their state."""
    bought = phone(world, instalments="1", until=8)
    world.scripted.sayings["goods-return"] = [Accepted("PCL-1", at(28, month=2))]
    withdraw(world.app, ANN, bought)
    world.run(at(20))
    assert [(row["goods_state"], row["overdue"]) for row in list_withdrawals(world.app)] == [("label", False)]

    world.run(at(25))

    [row] = list_withdrawals(world.app, overdue=True, goods_states=["label"])
    assert (row["send_back_by"], row["refund_by"], row["late"]) == ("2026-01-22", None, False)
    assert net_paid(world) == GROSS_MINOR
    proven_sent(world.app, ANN, bought, sent_on=date(2026, 1, 25), reference="PCL-1")
    assert list_withdrawals(world.app, overdue=True) == []
    grade(world.app, ANN, bought, "used")
    assert [row["goods_state"] for row in list_withdrawals(world.app)] == ["scrapped"]
    world.run(at(1, month=3))


def test_an_order_that_nobody_may_withdraw_from(world: World) -> None:
    """Bought in a store, or after its period: in a line that says what to do, and nothing is done."""
    world.take(order("STORE", line(), channel="store"), order("LATE", line(), party="C-3"))
    with pytest.raises(Refused, match="order STORE: nobody may withdraw from it; it was bought in person"):
        withdraw_order(world.app, ANN, "STORE")
    world.run(at(25))
    with pytest.raises(Refused, match="the period is over"):
        withdraw_order(world.app, ANN, "LATE")
    with pytest.raises(Refused, match="has no item 9"):
        withdraw_order(world.app, ANN, "LATE", items=["9"])
    assert world.state("LATE") == "completed"
