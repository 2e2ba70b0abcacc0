"""The scenarios of the trade, one story each: how the order ends, what partners have in the end, and what the first bill says.

Seventeen of them are told side by side in one store, through the same two months: those of lines in service stand in `tests/scenarios_in_service.py`. The eighteenth, two hours without the network while five hundred orders
come, takes a store of its own: `test_outage_detected.py`, test_scenario_of_an_outage_of_two_hours_with_hundreds_of_orders_in_it. Jane's day, which is several of
them in one, is told in `test_janes_day.py`.
"""

from collections.abc import Iterator
from datetime import datetime

import pytest

import tests.scenarios_in_service  # noqa: F401 - its scenarios are told with these
from o2c.desk.fallout import Correct, Decide, Fail
from o2c.desk.revising import amend_order
from o2c.kernel.partner import Accepted, Answered, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import SECOND_LINE
from o2c.views.numbers import show_number
from tests.conftest import database
from tests.handsets import NET_MINOR, handset
from tests.scenarios import (
    CONNECTION,
    FIRST_BILL,
    MONTH,
    SECOND_MONTH,
    STORE,
    TALES,
    Customer,
    WorldOfMany,
    lived_through,
    peopled,
    scenario,
    wrong_in,
)
from tests.world import ADDRESS, at, line, order, ported

ELSEWHERE = "7 Quay Street, Testford, ZZ1 2BB"


# -- new lines


@scenario("new line with a new number")
def a_new_line(us: Customer) -> Iterator[datetime]:
    """Given a card and a number in stock, when the courier has brought the card, then the line is on and charged from that day."""
    us.orders("NEW", line(sim="physical"))
    us.partners_say("NEW", "delivery", Accepted("PCL-1", at(7, 11)))
    yield at(7, 10)
    assert us.items("NEW") == {"1": "inProgress"}

    yield at(9)
    holds, [parcel], [on] = us.product("NEW").standing.holds, us.asked("delivery", "NEW"), us.asked("activation", "NEW")
    assert (us.ended("NEW"), us.product("NEW").status) == ("completed", "active")
    assert (parcel.body["iccid"], parcel.body["address"]) == (holds["iccid"], ADDRESS)
    assert (on.body["iccid"], on.body["msisdn"]) == (holds["iccid"], holds["msisdn"])
    assert (us.last_of("sim", holds["iccid"]), us.last_of("number", holds["msisdn"])) == ("sim.taken", "number.taken")
    assert us.outside("NEW") == {"1": ["activation", "delivery"]}
    assert us.bills() == {"01-08": [("1", "one-time", CONNECTION), ("1", "part-period", 60), ("1", "period", MONTH)]}


@scenario("new line with port-in: donor under notice, donor of prepaid")
def two_donors(us: Customer) -> Iterator[datetime]:
    """Given two numbers to bring, when one donor lets go at once and the other holds its customer for three more working days, then each comes on its own day, and
    both lines serve meanwhile under numbers of ours, which rest afterwards."""
    brought = {"PREPAID": "+447700900201", "POSTPAID": "+447700900202"}
    for name, msisdn in brought.items():
        us.orders(name, ported(msisdn=msisdn))
    us.partners_say("POSTPAID", "porting", Answered({"reference": "PRT-1", "working_days_more": 3}))
    yield at(6, 12)
    assert (us.state("PREPAID"), us.state("POSTPAID")) == ("completed", "inProgress")
    lent = [us.outcome(name, "number")["msisdn"] for name in brought]
    assert us.when("POSTPAID", "service.activated") < at(5, 12)

    yield at(12)
    assert us.ended("PREPAID", "POSTPAID") == "completed"
    assert [us.when(name, "cutover.number-ported-in") for name in ("PREPAID", "POSTPAID")] == [at(6, 9), at(9, 9)]
    assert us.outside("POSTPAID") == {"1": ["activation", "cutover", "esim", "esim-download", "number-change", "porting"]}
    assert {name: us.product(name).standing.holds["msisdn"] for name in brought} == brought
    assert {show_number(us.world.app, msisdn)["state"] for msisdn in brought.values()} == {"ported_in"}
    assert [us.last_of("number", msisdn) for msisdn in lent] == ["number.quarantined"] * 2
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
    each bill asks for an instalment."""
    us.orders("PHONE", handset("1", instalments="24"), line("2", sim="physical"))
    us.partners_say("PHONE", "credit", RefusedBy("REFER"))
    yield at(6, 9)
    assert (us.state("PHONE"), us.waits("PHONE"), us.items("PHONE")) == ("pending", ["CR-REFER"], {})
    us.settles("PHONE", "CR-REFER", Decide(approve=True))

    yield at(9, month=2)
    assert (us.ended("PHONE"), us.outcome("PHONE", "credit", "")["decided_by"]) == ("completed", "person")
    assert us.last_of("device", us.product("PHONE").standing.holds["imei"]) == "device.taken"
    assert us.outside("PHONE") == {"1": ["delivery"], "2": ["activation", "delivery"]}
    assert us.bills() == {
        "01-06": [("1", "one-time", NET_MINOR)],
        "01-08": [("2", "one-time", CONNECTION), ("2", "part-period", 119), ("2", "period", MONTH), ("1", "instalment", 2496)],
        "02-08": [("2", "period", MONTH), ("1", "instalment", 2496)],
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
    assert [us.product("WHOLE", str(n)).standing.holds["msisdn"] for n in range(1, 5)] == [f"+447700900{400 + n}" for n in range(1, 5)]
    given_up = [
        event
        for event in us.world.told(us.id_of("PART"))
        if event in ("service.deactivated", "sim.released", "number.released", "item.failed")
    ]
    assert sorted(given_up) == ["item.failed", "number.released", "service.deactivated", "sim.released"]
    assert sorted(us.bills()["01-08"]) == sorted((item, kind, net) for item in "1231234" for _, kind, net in FIRST_BILL)


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
    assert (us.waits("ONCE"), us.world.told(us.id_of("ONCE")).count("order.resubmitted")) == (["DQ-DUP"], 1)
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
    store.run(at(1, month=3)).telling.send()
    assert wrong_in(store) == []
