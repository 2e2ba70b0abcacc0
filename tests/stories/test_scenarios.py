"""The scenarios of the trade, one story each: how the order ends, what partners have in the end, and what the first bill says.

Seventeen of them are told side by side in one store, through the same two months. The eighteenth, two hours without the network while five hundred orders
come, takes a store of its own: `test_outage_detected.py`, test_scenario_of_an_outage_of_two_hours_with_hundreds_of_orders_in_it. Jane's day, which is several of
them in one, is told in `test_janes_day.py`.
"""

from collections.abc import Iterator
from datetime import date, datetime

import pytest

from o2c.desk.act import Context
from o2c.desk.fallout import Correct, Decide, Fail
from o2c.desk.payments import record
from o2c.desk.products import port_out, porting_code, transfer
from o2c.desk.revising import amend_order
from o2c.desk.withdrawals import withdraw
from o2c.kernel.partner import Accepted, Answered, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import LINE_ADD_ONS, SECOND_LINE
from o2c.views.numbers import show_number
from tests.conftest import database
from tests.handsets import NET_MINOR, handset
from tests.scenarios import HOLD_DAYS, TALES, Customer, WorldOfMany, lived_through, peopled, registered, scenario, wrong_in
from tests.world import ADDRESS, at, item, line, order, ported

ANN, STORE = Context("ann"), Context("dora", channel="store")
ELSEWHERE = "7 Quay Street, Testford, ZZ1 2BB"
CALL_GUARD = LINE_ADD_ONS[1]
CONNECTION, MONTH, SECOND_MONTH = 750, 1850, 650
FIRST_BILL = [("1", "one-time", CONNECTION), ("1", "part-period", 179), ("1", "period", MONTH)]
"""Of a line that is on since the 5th and billed on the 8th: the connection, three of 31 days, and the month ahead; net, in pence."""


# -- new lines


@scenario("new line with a new number")
def a_new_line(us: Customer) -> Iterator[datetime]:
    """Given a card and a number in stock, when the courier has brought the card, then the line is on and charged from that day."""
    us.orders("NEW", line(sim="physical"))
    us.partners_say("NEW", "delivery", Accepted("PCL-1", at(7, 11)))
    yield at(7, 10)
    assert us.items("NEW") == {"1": "inProgress"}

    yield at(9)
    assert us.ended("NEW") == "completed"
    assert us.outside("NEW") == {"1": ["activation", "delivery"]}
    assert us.bills() == {"01-08": [("1", "one-time", CONNECTION), ("1", "part-period", 60), ("1", "period", MONTH)]}


@scenario("new line with port-in: donor under notice, donor of prepaid")
def two_donors(us: Customer) -> Iterator[datetime]:
    """Given two numbers to bring, when one donor lets go at once and the other holds its customer for three more working days, then each comes on its own day, and
    both lines serve meanwhile under numbers of ours, which rest afterwards."""
    us.orders("PREPAID", ported(msisdn="+447700900201"))
    us.orders("POSTPAID", ported(msisdn="+447700900202"))
    us.partners_say("POSTPAID", "porting", Answered({"reference": "PRT-1", "working_days_more": 3}))
    yield at(6, 12)
    assert (us.state("PREPAID"), us.state("POSTPAID")) == ("completed", "inProgress")
    lent = us.outcome("POSTPAID", "number")["msisdn"]
    assert us.when("POSTPAID", "service.activated") < at(5, 12)

    yield at(12)
    assert us.ended("PREPAID", "POSTPAID") == "completed"
    assert [us.when(name, "cutover.number-ported-in") for name in ("PREPAID", "POSTPAID")] == [at(6, 9), at(9, 9)]
    assert us.outside("POSTPAID") == {"1": ["activation", "cutover", "esim", "esim-download", "number-change", "porting"]}
    assert us.last_of("number", lent) == "number.quarantined"
    assert us.bills() == {"01-08": [*FIRST_BILL, *FIRST_BILL]}


@scenario("eSIM only")
def an_esim(us: Customer) -> Iterator[datetime]:
    """Given a line without a card, when its profile is downloaded in the evening, then nothing was sent by post and it is charged from its activation."""
    us.orders("ESIM", line())
    us.partners_say("ESIM", "esim-download", Accepted("DL-1", at(5, 20)))
    yield at(5, 19)
    assert us.items("ESIM") == {"1": "inProgress"}

    yield at(9)
    assert us.ended("ESIM") == "completed"
    assert us.outside("ESIM") == {"1": ["activation", "esim", "esim-download"]}
    assert us.bills() == {"01-08": FIRST_BILL}


@scenario("physical SIM and a device in instalments, credit referred")
def a_telephone(us: Customer) -> Iterator[datetime]:
    """Given a telephone over 24 months beside a line, when the bureau refers and an underwriter approves, then both are delivered, the goods are invoiced whole with their tax, and
    the first bill asks for the first instalment."""
    us.orders("PHONE", handset("1", instalments="24"), line("2", sim="physical"))
    us.partners_say("PHONE", "credit", RefusedBy("REFER"))
    yield at(6, 9)
    assert (us.state("PHONE"), us.waits("PHONE"), us.items("PHONE")) == ("pending", ["CR-REFER"], {})
    us.settles("PHONE", "CR-REFER", Decide(approve=True))

    yield at(9)
    assert us.ended("PHONE") == "completed"
    assert us.outside("PHONE") == {"1": ["delivery"], "2": ["activation", "delivery"]}
    assert us.bills() == {
        "01-06": [("1", "one-time", NET_MINOR)],
        "01-08": [("2", "one-time", CONNECTION), ("2", "part-period", 119), ("2", "period", MONTH), ("1", "instalment", 2496)],
    }


@scenario("bundle of four lines, one port rejected: ended in part, and held open until it is whole")
def four_lines(us: Customer) -> Iterator[datetime]:
    """Given four lines that bring their numbers, when a donor rejects one, then three go on and the order waits; it ends in part where a person gives the fourth up, and whole where
    its code is corrected. Nothing of a line that was given up is charged or stays with anybody."""
    for name, block in (("PART", 300), ("WHOLE", 400)):
        us.orders(name, *(ported(str(n), f"+447700900{block + n}") for n in range(1, 5)))
        us.partners_say(name, "4/porting", RefusedBy("NAME-MISMATCH"))
    yield at(6, 12)
    for name in ("PART", "WHOLE"):
        assert (us.state(name), us.items(name)) == ("pending", {"1": "completed", "2": "completed", "3": "completed", "4": "pending"})
    us.settles("PART", "NP-NAME", Fail())
    us.settles("WHOLE", "NP-NAME", Correct({"portInCode": "GHJ111222"}))

    yield at(9)
    assert (us.state("PART"), us.state("WHOLE")) == ("partial", "completed")
    assert [item for item, steps in us.outside("PART").items() if "porting" in steps] == ["1", "2", "3"]
    assert "porting" in us.outside("WHOLE")["4"]
    given_up = [
        event
        for event in us.world.told(us.id_of("PART"))
        if event in ("service.deactivated", "sim.released", "number.released", "item.failed")
    ]
    assert sorted(given_up) == ["item.failed", "number.released", "service.deactivated", "sim.released"]
    assert sorted(us.bills()["01-08"]) == sorted((item, kind, net) for item in "1231234" for _, kind, net in FIRST_BILL)


# -- lines in service


@scenario("change of plan")
def another_plan(us: Customer) -> Iterator[datetime]:
    """Given a line in service, when another plan is ordered, then SIM and number stay, the old price is credited and the new one charged by days."""
    us.orders("LINE", line())
    yield at(20)
    before = us.product("LINE").standing
    us.orders("PLAN", us.change("LINE", offering=SECOND_LINE))

    yield at(9, month=2)
    after = us.product("LINE").standing
    assert us.ended("LINE", "PLAN") == "completed"
    assert (after.offering, after.holds) == (SECOND_LINE.id, before.holds)
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
    assert us.bills()["02-08"] == [("2", "part-period", 122), ("2", "period", 199), ("1", "period", MONTH)]


@scenario("SIM swap, with the hold against fraud")
def a_lost_sim(us: Customer) -> Iterator[datetime]:
    """Given a line whose SIM is lost, when another is given, then the old one is scrapped, the number stays but may not leave until the hold is over, and nothing is charged."""
    us.orders("LINE", line())
    yield at(12)
    old = us.product("LINE").standing.holds
    us.orders("SWAP", us.change("LINE", simSwap="lost", simType="physical", place=ADDRESS))
    yield at(13)
    new = us.product("LINE").standing.holds
    assert us.ended("SWAP") == "completed"
    assert (new["msisdn"], new["iccid"] == old["iccid"]) == (old["msisdn"], False)
    assert us.last_of("sim", old["iccid"]) == "sim.scrapped"
    assert us.outside("SWAP") == {"1": ["delivery", "service-change"]}
    assert porting_code(us.world.app, ANN, us.product_id("LINE")).refused.startswith("its SIM was changed")

    yield at(12 + HOLD_DAYS, 9)
    assert porting_code(us.world.app, ANN, us.product_id("LINE")).refused == ""
    assert us.bills() == {"01-08": FIRST_BILL}


@scenario("suspended, barred, unbarred")
def barred_and_back(us: Customer) -> Iterator[datetime]:
    """Given a telephone that was lost and found, and bills that are not paid, when they are paid after the bar, then the line serves again and the network heard of each of it once."""
    us.orders("LINE", line())
    us.payments_say(*[RefusedBy("DECLINED")] * 20)
    yield at(12)
    us.orders("LOST", us.change("LINE", status="suspended", statusReason="lost-phone"))
    yield at(14)
    assert us.product("LINE").status == "suspended"
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
    assert us.bills()["01-08"] == FIRST_BILL


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
    assert [request.body["msisdn"] for request in us.asked("service-change", "NUMBER")] == [new["msisdn"]]
    assert us.bills()["02-08"] == [("1", "period", MONTH)]


@scenario("cease")
def a_cease(us: Customer) -> Iterator[datetime]:
    """Given a line with a term of twelve months, when it is ceased after two weeks, then SIM and number are given back and the final bill has the early end and what was paid ahead."""
    us.orders("LINE", line())
    yield at(20)
    held = us.product("LINE").standing.holds
    us.orders("END", us.change("LINE", action="delete"))

    yield at(9, month=2)
    assert (us.ended("END"), us.product("LINE").status) == ("completed", "terminated")
    assert us.last_of("sim", held["iccid"]) == "sim.scrapped"
    assert us.last_of("number", held["msisdn"]) in ("number.quarantined", "number.rested")
    assert [request.body["status"] for request in us.asked("service-change", "END")] == ["terminated"]
    early = us.outcome("END", "inventory")["early_minor"]
    assert early > 0
    assert (us.bills(), us.credited()) == ({"01-08": FIRST_BILL, "02-08": [("1", "one-time", early)]}, [("1", 1134)])


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
    """Given a line that the customer asked to begin at once and that was paid ahead, when she withdraws within two weeks, then only the days that were served stay owed, and all is given back."""
    us.orders("LINE", line())
    yield at(12)
    held = us.product("LINE").standing.holds
    done = withdraw(us.world.app, ANN, us.product_id("LINE"))

    yield at(9, month=2)
    assert (us.ended("LINE"), us.product("LINE").status) == ("completed", "terminated")
    assert us.last_of("sim", held["iccid"]) == "sim.scrapped"
    [off] = us.asked("withdrawal-switch-off", stream=f"withdrawal-{us.product_id('LINE')}")
    assert off.body["status"] == "terminated"
    # Seven of 31 days are owed; the connection and the other days go back.
    assert (us.bills(), us.credited(), done.owed_net_minor) == ({"01-08": FIRST_BILL}, [("1", CONNECTION), ("1", 1611)], 418)


# -- changed on the way


@scenario("another address before the parcel is handed over")
def another_address(us: Customer) -> Iterator[datetime]:
    """Given a card that the courier has not fetched, when the customer names another address, then the parcel goes there, SIM and number stay, and the price is what it was."""
    us.orders("POST", line(sim="physical"))
    yield at(5, 9, 5)
    before = us.world.order(us.id_of("POST"))
    done = amend_order(
        us.world.app, STORE, us.id_of("POST"), order(us.id_of("POST"), line(sim="physical", place=ELSEWHERE), party=us.party)
    )
    assert (done.refused, [(row["action"], row["step"]) for row in done.work]) == ("", [("redo", "delivery")])

    yield at(9)
    after = us.world.order(us.id_of("POST"))
    assert us.ended("POST") == "completed"
    assert [after.record("1", step).outcome for step in ("sim", "number")] == [
        before.record("1", step).outcome for step in ("sim", "number")
    ]
    assert [request.body["address"] for request in us.asked("delivery", "POST")] == [ELSEWHERE]
    assert us.outside("POST") == {"1": ["activation", "delivery"]}
    assert us.bills() == {"01-08": FIRST_BILL}


@scenario("another plan after activation, which takes an order of its own")
def too_late_for_this_order(us: Customer) -> Iterator[datetime]:
    """Given an order that is complete, when its paper is changed, then it stays and says what to order instead; that order changes the plan of the product."""
    us.orders("LINE", line())
    yield at(7)
    with pytest.raises(Refused, match="what is in service"):
        amend_order(us.world.app, STORE, us.id_of("LINE"), order(us.id_of("LINE"), line(offering=SECOND_LINE), party=us.party))
    us.orders("FOLLOWS", us.change("LINE", offering=SECOND_LINE))

    yield at(9)
    assert us.ended("LINE", "FOLLOWS") == "completed"
    assert us.product("LINE").standing.offering == SECOND_LINE.id
    assert (us.outside("LINE"), us.outside("FOLLOWS")) == ({"1": ["activation", "esim", "esim-download"]}, {"1": ["service-change"]})
    # Two of 31 days under the one price, one under the other.
    assert us.bills() == {
        "01-08": [("1", "one-time", CONNECTION), ("1", "part-period", 119), ("1", "part-period", 21), ("1", "period", SECOND_MONTH)]
    }


@scenario("one order from two channels")
def twice_the_same(us: Customer) -> Iterator[datetime]:
    """Given an order of the web, when the store sends it again and then with a longer term, then it is one order by its first paper, and a person says what to do with the other one."""
    us.orders("ONCE", line())
    us.orders("ONCE", line(), channel="store")
    yield at(6)
    assert (us.state("ONCE"), us.waits("ONCE")) == ("completed", [])
    us.orders("ONCE", line(term="24"), channel="store")
    yield at(7)
    assert us.waits("ONCE") == ["DQ-DUP"]
    us.settles("ONCE", "DQ-DUP", Decide(approve=False))

    yield at(9)
    assert (us.ended("ONCE"), us.waits("ONCE")) == ("completed", [])
    assert us.world.order(us.id_of("ONCE")).items["1"].characteristics["commitmentMonths"] == "12"
    assert us.outside("ONCE") == {"1": ["activation", "esim", "esim-download"]}
    assert us.bills() == {"01-08": FIRST_BILL}


@pytest.fixture(scope="module")
def store(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldOfMany]:
    """Stock for all, a telephone on sale, and a market with a hold after another SIM."""
    with database(server_dsn, opened_once) as dsn, peopled(dsn, tmp_path_factory.mktemp("scenarios")) as world:
        yield world


@pytest.fixture(scope="module")
def told(store: WorldOfMany) -> dict[str, Exception]:
    """What went wrong in each of the stories, all of which are told."""
    return lived_through(store, TALES)


@pytest.mark.parametrize("name", TALES)
def test_scenario(told: dict[str, Exception], name: str) -> None:
    """Each is told to its end."""
    if name in told:
        raise told[name]


def test_all_scenarios_together_leave_nothing_wrong(store: WorldOfMany, told: dict[str, Exception]) -> None:
    """Given all of them in one store, when it is March, then the oracle, the declared rules, assurance, every check and every projection agree."""
    assert (len(TALES), told) == (17, {})
    assert wrong_in(store.run(at(1, month=3))) == []
