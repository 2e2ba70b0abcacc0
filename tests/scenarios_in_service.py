"""Scenarios of lines in service: changed, swapped, barred, given away, ended. `tests/stories/test_scenarios.py` tells them with the others."""

from collections.abc import Iterator
from datetime import date, datetime

from o2c.desk.act import Context
from o2c.desk.payments import record
from o2c.desk.products import port_out, porting_code, transfer
from o2c.desk.withdrawals import withdraw
from o2c.kernel.partner import RefusedBy
from o2c.simulation.launch_data import SECOND_LINE
from o2c.views.numbers import show_number
from o2c.views.sims import show_sim
from tests.scenarios import ANN, CALL_GUARD, CONNECTION, FIRST_BILL, HOLD_DAYS, HOME, MONTH, SECOND_MONTH, Customer, registered, scenario
from tests.world import ADDRESS, at, item, line


@scenario("change of plan")
def another_plan(us: Customer) -> Iterator[datetime]:
    """Given a line in service, when another plan is ordered, then SIM and number stay, a term of the new plan begins, the old price is credited and the new one charged by
    days."""
    us.orders("LINE", line())
    yield at(20)
    before = us.product("LINE").standing
    us.orders("PLAN", us.change("LINE", offering=SECOND_LINE))

    yield at(9, month=2)
    after = us.product("LINE").standing
    assert us.ended("LINE", "PLAN") == "completed"
    assert (after.offering, after.holds, after.commitment_ends_on) == (SECOND_LINE.id, before.holds, "2027-01-20")
    assert us.outside("PLAN") == {"1": ["service-change"]}
    # From the 20th to the 8th are 19 of 31 days.
    assert us.credited() == [("1", 1134)]
    assert us.bills()["02-08"] == [("1", "part-period", 398), ("1", "period", SECOND_MONTH)]


@scenario("add-on for a line in service, at once")
def an_add_on(us: Customer) -> Iterator[datetime]:
    """Given a line in service, when an add-on is ordered for it, then it is on within the hour, the line is not touched, and the next bill has its days."""
    us.orders("LINE", line())
    yield at(20)
    us.orders("EXTRA", us.change("LINE", action="noChange"), item(CALL_GUARD, "2", relies_on="1"))
    yield at(20, 1)
    assert us.ended("EXTRA") == "completed"
    assert us.outside("EXTRA") == {"2": ["activation"]}

    yield at(9, month=2)
    assert us.product("LINE").relied_on_by == (us.product_id("EXTRA", "2"),)
    assert us.bills()["02-08"] == [("1", "period", MONTH), ("2", "part-period", 122), ("2", "period", 199)]


@scenario("SIM swap, with the hold against fraud")
def a_lost_sim(us: Customer) -> Iterator[datetime]:
    """Given a line whose SIM is lost, when somebody changes the contact and is given another, then the old contact is told of it at once, the old SIM is off and scrapped, the number
    stays but may neither leave nor be changed until the hold is over, and nothing is charged."""
    us.orders("LINE", line())
    yield at(12)
    old = us.product("LINE").standing.holds
    registered(us.world, us.party, mail="new.example")
    us.orders("SWAP", us.change("LINE", simSwap="lost", simType="physical", place=ADDRESS))
    yield at(13)
    new = us.product("LINE").standing.holds
    assert us.ended("SWAP") == "completed"
    assert (new["msisdn"], new["iccid"] == old["iccid"]) == (old["msisdn"], False)
    assert us.written_to("sim-change") == [("01-12T00", f"{us.party}@{HOME}")]
    assert (us.last_of("sim", old["iccid"]), us.outside("SWAP")) == ("sim.scrapped", {"1": ["delivery", "service-change"]})
    assert [request.body["iccid"] for request in us.asked("service-change", "SWAP")] == [new["iccid"]]
    assert [show_sim(us.world.app, iccid)["network"] for iccid in (old["iccid"], new["iccid"])] == ["deactivated", "activated"]
    assert porting_code(us.world.app, ANN, us.product_id("LINE")).refused.startswith("its SIM was changed")
    us.orders("HASTY", us.change("LINE", numberChange="true"))
    yield at(14)
    assert us.waits("HASTY") == ["DQ-ACTION"]
    us.world.cancel(us.id_of("HASTY"))

    yield at(12 + HOLD_DAYS, 9)
    assert us.ended("HASTY") == "cancelled"
    assert porting_code(us.world.app, ANN, us.product_id("LINE")).refused == ""
    assert us.bills() == {"01-08": FIRST_BILL}


@scenario("suspended, barred, unbarred")
def barred_and_back(us: Customer) -> Iterator[datetime]:
    """Given a telephone that was lost and found, and bills that are not paid, when they are paid after the bar, of which there was a warning, then the line serves again, the network
    heard of each of it once, every day is charged, and the term ends when it did."""
    us.orders("LINE", line())
    us.payments_say(*[RefusedBy("DECLINED")] * 20)
    yield at(12)
    us.orders("LOST", us.change("LINE", status="suspended", statusReason="lost-phone"))
    yield at(14)
    term, status = us.product("LINE").standing.commitment_ends_on, us.product("LINE").status
    assert status == "suspended"
    us.orders("FOUND", us.change("LINE", status="active"))
    yield at(9, month=2)
    assert us.product("LINE").status == "active"
    assert [request.body["level"] for request in us.asked("barring", stream=f"collection-{us.account}")] == ["soft"]
    for number, open_minor in us.open_bills().items():
        record(us.world.app, ANN, number, amount=f"{open_minor / 100:.2f}", reference=f"TFR-{number}")

    yield at(10, month=2)
    assert us.ended("LINE", "LOST", "FOUND") == "completed"
    assert [request.body["level"] for request in us.asked("barring", stream=f"collection-{us.account}")] == ["soft", ""]
    assert us.outside("LOST") == us.outside("FOUND") == {"1": ["service-change"]}
    assert [us.asked("service-change", name)[0].body["status"] for name in ("LOST", "FOUND")] == ["suspended", "active"]
    told = [event.removeprefix("collections.") for event in us.world.types(f"collection-{us.account}")]
    assert [event for event in told if event in ("reminded", "warned", "barred", "bar-lifted")] == [
        "reminded",
        "warned",
        "barred",
        "bar-lifted",
    ]
    assert (us.product("LINE").status, us.product("LINE").standing.commitment_ends_on) == ("active", term)
    assert us.bills() == {"01-08": FIRST_BILL, "02-08": [("1", "period", MONTH)]}


@scenario("change of number")
def another_number(us: Customer) -> Iterator[datetime]:
    """Given a line in service, when its number is changed, then the old one rests, the SIM serves the new one, and the bill stays what it is."""
    us.orders("LINE", line())
    yield at(20)
    old = us.product("LINE").standing.holds
    us.orders("NUMBER", us.change("LINE", numberChange="true"))

    yield at(9, month=2)
    new = us.product("LINE").standing.holds
    assert us.ended("NUMBER") == "completed"
    assert (new["iccid"], new["msisdn"] == old["msisdn"]) == (old["iccid"], False)
    assert us.last_of("number", old["msisdn"]) == "number.quarantined"
    assert us.written_to("number-change") == [("01-20T00", f"{us.party}@{HOME}")]
    assert [request.body["msisdn"] for request in us.asked("service-change", "NUMBER")] == [new["msisdn"]]
    assert us.bills()["02-08"] == [("1", "period", MONTH)]


@scenario("cease")
def a_cease(us: Customer) -> Iterator[datetime]:
    """Given a line with a term of twelve months and an add-on, when the line is ceased after two weeks, then the add-on ends with it, SIM and number are given back, and the final bill has
    the early end and what was paid ahead."""
    us.orders("LINE", line())
    yield at(12)
    us.orders("EXTRA", us.change("LINE", action="noChange"), item(CALL_GUARD, "2", relies_on="1"))
    yield at(20)
    held, extra = us.product("LINE").standing.holds, us.product_id("EXTRA", "2")
    us.orders("END", us.change("LINE", action="delete"))

    yield at(9, month=2)
    ended = [us.product("LINE"), us.product("EXTRA", "2")]
    assert (us.ended("END"), [(one.status, one.ended_on) for one in ended]) == ("completed", [("terminated", "2026-01-20")] * 2)
    assert us.last_of("sim", held["iccid"]) == "sim.scrapped"
    assert us.last_of("number", held["msisdn"]) in ("number.quarantined", "number.rested")
    assert [request.body["status"] for request in us.asked("service-change", "END")] == ["terminated"]
    assert [request.body["status"] for request in us.asked("product-off", stream=f"product-{extra}")] == ["terminated"]
    early = us.outcome("END", "inventory")["early_minor"]
    assert early > 0
    # Of the add-on eight of 31 days.
    assert (us.bills(), us.credited()) == (
        {"01-08": FIRST_BILL, "02-08": [("1", "one-time", early), ("2", "part-period", 51)]},
        [("1", 1134)],
    )


@scenario("port-out")
def a_number_that_leaves(us: Customer) -> Iterator[datetime]:
    """Given a customer with a code, when another operator asks for the number with it, then the service is off on the agreed day, the number is theirs, and the final bill is made."""
    us.orders("LINE", line())
    yield at(12)
    held, given = us.product("LINE").standing.holds, porting_code(us.world.app, ANN, us.product_id("LINE"))
    told = port_out(
        us.world.app,
        Context("clearing"),
        held["msisdn"],
        operator="Other Mobile",
        reference="PRT-901",
        code=given.code,
        wished_on=date(2026, 1, 14),
    )
    assert (told.state, told.agreed_on, us.product("LINE").status) == ("authorised", "2026-01-14", "pendingTerminate")
    assert us.written_to("porting-code") == us.written_to("port-out") == [("01-12T00", f"{us.party}@{HOME}")]

    yield at(9, month=2)
    assert (us.ended("LINE"), us.product("LINE").status, us.product("LINE").ended_on) == ("completed", "terminated", "2026-01-14")
    assert show_number(us.world.app, held["msisdn"])["state"] == "ported_out"
    assert us.last_of("sim", held["iccid"]) == "sim.scrapped"
    # From the 14th to the 8th, paid ahead, are 25 of 31 days; the early end is two days nearer to the end of the term than when the code was asked for.
    assert (us.bills(), us.credited()) == (
        {"01-08": FIRST_BILL, "02-08": [("1-port-out", "one-time", given.early_minor - 119)]},
        [("1", 1492)],
    )


@scenario("change of owner")
def another_owner(us: Customer) -> Iterator[datetime]:
    """Given a line that its owner gives away, when the other orders it in his own name, then number, SIM and term stay, the one gets a final bill up to the day and the other his first
    one from it on."""
    registered(us.world, f"{us.party}-B")
    us.orders("LINE", line())
    yield at(20)
    before = us.product("LINE").standing
    transfer(us.world.app, ANN, us.product_id("LINE"), to=f"{us.party}-B")
    us.orders("TAKEN", us.change("LINE"), party=f"{us.party}-B")

    yield at(9, month=2)
    after = us.product("LINE").standing
    assert us.ended("LINE", "TAKEN") == "completed"
    assert (after.account, after.holds, after.commitment_ends_on) == (f"BA-{us.party}-B", before.holds, before.commitment_ends_on)
    assert us.outside("TAKEN") == {}
    # 19 of 31 days, which the one had paid ahead.
    assert (us.bills(), us.credited()) == ({"01-08": FIRST_BILL}, [("1", 1134)])
    # His account is billed on the 22nd: two of 31 days, and the month ahead.
    assert us.bills(f"BA-{us.party}-B") == {"01-22": [("1", "part-period", 119), ("1", "period", MONTH)]}


@scenario("withdrawal within the period, after activation")
def a_withdrawal(us: Customer) -> Iterator[datetime]:
    """Given a line that the customer asked to begin at once and that was paid ahead, when she withdraws within two weeks, then only the days that were served stay owed, the rest is paid
    back in time and she is told of it, and all is given back."""
    us.orders("LINE", line())
    yield at(12)
    held = us.product("LINE").standing.holds
    done = withdraw(us.world.app, ANN, us.product_id("LINE"))

    yield at(9, month=2)
    assert (us.ended("LINE"), us.product("LINE").status) == ("completed", "terminated")
    assert us.last_of("sim", held["iccid"]) == "sim.scrapped"
    assert us.last_of("number", held["msisdn"]) in ("number.quarantined", "number.rested")
    [off] = us.asked("withdrawal-switch-off", stream=f"withdrawal-{us.product_id('LINE')}")
    assert off.body["status"] == "terminated"
    # Seven of 31 days are owed; the connection and the other days go back.
    assert (us.bills(), us.credited(), done.owed_net_minor) == ({"01-08": FIRST_BILL}, [("1", CONNECTION), ("1", 1611)], 418)
    # 23.61 net are 28.33 with their tax.
    assert (us.returned(), done.refund_minor, done.refund_by) == ([("01-13", 2833)], 2833, "2026-01-26")
    assert us.written_to("refunded") == [("01-13T08", f"{us.party}@{HOME}")]
