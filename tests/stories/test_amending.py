"""An order is changed while it is carried out: what is touched is taken back and done anew, and the rest goes on."""

import json
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.revising import Amended, amend_order
from o2c.desk.vouchers import issue_vouchers
from o2c.kernel.partner import Accepted, Answered
from o2c.kernel.refusal import Lost, Refused
from o2c.markets.gb import GB
from o2c.orders.rollup import order_state
from o2c.simulation.launch_data import FIBRE, LINE, LINE_ADD_ONS, SECOND_LINE
from o2c.views.assessing import assess_change
from o2c.views.documents import list_documents
from o2c.views.order_page import show_order
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from o2c.views.vouchers import show_vouchers
from tests.agreeing import disagreements
from tests.world import Document, World, at, item, line, order, ported

STORE, WEB = Context("dora", channel="store"), Context("ann", channel="web")
ELSEWHERE = "7 Quay Street, Testford, ZZ1 2BB"
CALL_GUARD = LINE_ADD_ONS[1]
BEFORE_THE_COURIER = at(5, 9, 5)


@pytest.fixture
def physical(world: World) -> World:
    """A line whose SIM and number are taken; the courier comes for the parcel half an hour later, and brings it on the 9th."""
    world.stocked(physical=3)
    world.scripted.will("delivery", Accepted("PCL-1", at(9)))
    world.take(order("POST", line(sim="physical")))
    return world.run(BEFORE_THE_COURIER)


def amended(world: World, *items: Document, of: str = "POST", who: Context = STORE, base: int | None = None, **top: Any) -> Amended:
    """Make an order this one."""
    return amend_order(world.app, who, of, {**order(of, *items), **top}, base_version=base)


def vouched(code: str, number: str = "1", **more: Any) -> Document:
    """A line that names a voucher."""
    made = line(number, **more)
    made["product"]["productCharacteristic"].append({"name": "voucher", "value": code})
    return made


def version(world: World, of: str = "POST") -> int:
    """The version of an order, as its page says it."""
    caught_up(world.app)
    return show_order(world.app, of)["version"]


def work(done: Amended) -> list[tuple[str, str, str]]:
    return [(row["action"], row["item"], row["step"]) for row in done.work]


def test_another_address_takes_the_parcel_back(physical: World) -> None:
    """The parcel goes to the new place; the SIM and the number stay, and the order ends as one that was placed so."""
    before = physical.order("POST")
    done = amended(physical, line(sim="physical", place=ELSEWHERE))

    assert (work(done), done.refused, done.revision) == ([("redo", "1", "delivery")], "", 1)
    physical.run(at(12))
    after = physical.order("POST")
    assert (order_state(after.progress), after.items["1"].place) == ("completed", ELSEWHERE)
    assert after.record("1", "sim").outcome == before.record("1", "sim").outcome
    assert [request.body["address"] for request in physical.scripted.asked("delivery")] == [ELSEWHERE]


def test_another_plan_before_the_service_is_on_is_charged(physical: World) -> None:
    """Nothing that has begun is touched, and the price is the other one's."""
    done = amended(physical, line(sim="physical", offering=SECOND_LINE))

    assert (work(done), done.state) == ([], "inProgress")
    physical.run(at(12))
    assert (physical.state("POST"), physical.order("POST").items["1"].offering) == ("completed", SECOND_LINE.id)


def test_another_form_of_sim_gives_the_card_back(physical: World) -> None:
    """The parcel is let go, the card lies in stock again, the profile comes; the number stays."""
    number = physical.outcome("POST", "1", "number")
    card = physical.outcome("POST", "1", "sim")["iccid"]
    done = amended(physical, line(sim="esim"))

    assert work(done) == [("undo", "1", "delivery"), ("redo", "1", "sim")]
    physical.run(at(12))
    assert physical.state("POST") == "completed"
    assert physical.outcome("POST", "1", "number") == number
    assert physical.outcome("POST", "1", "sim")["iccid"] != card
    assert "delivery" not in physical.order("POST").progress.items["1"].steps
    assert physical.scripted.asked("delivery") == []


def test_a_form_that_is_changed_back_has_its_parcel_again(physical: World) -> None:
    """What was given up by one change is taken up again by the next."""
    amended(physical, line(sim="esim"))
    done = amended(physical, line(sim="physical"))

    physical.run(at(12))
    assert (done.revision, physical.state("POST"), physical.items("POST")) == (2, "completed", {"1": "completed"})
    assert len(physical.scripted.asked("delivery")) == 1


def test_a_line_that_comes_relies_on_what_is_there(physical: World) -> None:
    """It is planned, promised and charged."""
    amended(physical, line(sim="physical"), item(CALL_GUARD, "2", relies_on="1"))

    physical.run(at(12))
    assert physical.items("POST") == {"1": "completed", "2": "completed"}
    assert physical.order("POST").items["2"].promised_on > ""


def test_a_line_that_goes_is_left_out(world: World) -> None:
    """All that was taken for it lies in stock again, and the order is complete without it."""
    world.stocked(physical=3)
    world.take(order("TWO", line(sim="physical"), line("2", sim="physical")))
    world.run(BEFORE_THE_COURIER)
    done = amended(world, line(sim="physical"), of="TWO")

    assert done.refused == ""
    world.run(at(12))
    assert (world.state("TWO"), world.items("TWO")) == ("completed", {"1": "completed", "2": "cancelled"})
    assert {world.order("TWO").progress.items["2"].steps[step] for step in ("sim", "number")} == {"undone"}


def test_another_number_to_bring_asks_the_donor_anew(world: World) -> None:
    """The clearing house drops the old port before the new one is asked for; the line goes on meanwhile."""
    world.stocked()
    world.take(order("PORT", ported(msisdn="+447700900123")))
    world.run(at(5, 12))
    done = amended(world, ported(msisdn="+447700900188"), of="PORT")

    assert ("redo", "1", "porting") in work(done)
    world.run(at(20))
    assert world.state("PORT") == "completed"
    dropped = [request.body for request in world.scripted.asked("porting-cancel")]
    assert [body["msisdn"] for body in dropped] == ["+447700900123"]
    assert [request.body["msisdn"] for request in world.scripted.asked("porting")] == ["+447700900123", "+447700900188"]


def test_a_number_that_stays_with_the_donor(world: World) -> None:
    """A paper that brings no number any more cancels the port; the line keeps the number that it has from us."""
    world.stocked()
    world.take(order("PORT", ported()))
    world.run(at(5, 12))
    amended(world, line(), of="PORT")

    world.run(at(20))
    assert world.state("PORT") == "completed"
    assert "porting" not in world.order("PORT").progress.items["1"].steps


def test_what_is_handed_over_is_past(physical: World) -> None:
    """Nothing is changed, the log says why, and whoever asks is told."""
    physical.run(at(6))
    before = physical.order("POST")
    done = amended(physical, line(sim="physical", place=ELSEWHERE))

    assert "past the point of no return (item 1:" in done.refused
    assert physical.types("order-" + before.order_id)[-1] == "order.revision-refused"
    assert physical.order("POST").items == before.items


def test_two_channels_that_change_different_things_lose_nothing(physical: World) -> None:
    """Both decided by the same version; the second finds the first one's change where it stands."""
    seen = version(physical)
    amended(physical, line(sim="physical", place=ELSEWHERE), who=STORE, base=seen)
    amended(physical, line(sim="physical", offering=SECOND_LINE), who=WEB, base=seen)

    stands = physical.order("POST").items["1"]
    assert (stands.place, stands.offering) == (ELSEWHERE, SECOND_LINE.id)
    physical.run(at(12))
    assert physical.state("POST") == "completed"


def test_two_channels_that_change_the_same_are_told(physical: World) -> None:
    """The second is refused with who was first, when, where, and how it stands."""
    seen = version(physical)
    amended(physical, line(sim="esim"), who=STORE, base=seen)
    with pytest.raises(Lost, match="simType of item 1 was changed since") as told:
        amended(physical, line(sim="physical", simType="none"), who=WEB, base=seen)

    [row] = told.value.lost
    assert (row["item"], row["attribute"], row["by"], row["channel"], row["value_now"]) == ("1", "simType", "dora", "store", "esim")


def test_a_paper_that_came_later_becomes_the_change(physical: World) -> None:
    """Whoever is asked what it is settles that so; what others changed since it came stays, and it is decided once."""
    physical.take(order("POST", line(sim="physical", offering=SECOND_LINE)), name="store.jsonl")
    [asked] = physical.fallouts("POST", reason="DQ-DUP")
    amended(physical, line(sim="physical", place=ELSEWHERE))
    told = assess_change(physical.app, "POST", resubmission=asked["fallout"][:8])
    done = amend_order(physical.app, STORE, "POST", resubmission=asked["fallout"])

    assert [(row["attribute"], row["to"]) for row in told["diff"]] == [("offering", SECOND_LINE.id)]
    stands = physical.order("POST").items["1"]
    assert (done.refused, done.revision, stands.place, stands.offering) == ("", 2, ELSEWHERE, SECOND_LINE.id)
    assert physical.fallouts("POST") == []
    with pytest.raises(Refused, match="was decided already"):
        amend_order(physical.app, STORE, "POST", resubmission=asked["fallout"])


def test_a_paper_that_came_too_late_waits_for_a_person(physical: World) -> None:
    """The parcel is handed over: nothing is changed, and what to do with the paper is asked still."""
    physical.run(at(6))
    physical.take(order("POST", line(sim="physical", place=ELSEWHERE)), name="store.jsonl")
    [asked] = physical.fallouts("POST", reason="DQ-DUP")
    done = amend_order(physical.app, STORE, "POST", resubmission=asked["fallout"])

    assert "past the point of no return" in done.refused
    assert len(physical.fallouts("POST")) == 1


def test_a_visit_that_is_moved_is_charged_once(world: World) -> None:
    """A fitter who was booked is sent another day: what that costs is told first, stands on the next bill and is not given back by the end of the order."""
    world.stocked()
    world.scripted.will("appointment", Accepted("V-1", at(9)), Accepted("V-2", at(12)))
    world.take(order("FIBRE", item(FIBRE, "1", place="7 Weir Lane, Quenleigh, ZX3 4AB", commitmentMonths="24")))
    world.run(at(5, 12))
    told = assess_change(world.app, "FIBRE", order("FIBRE", item(FIBRE, "1", place=ELSEWHERE, commitmentMonths="24")))
    done = amended(world, item(FIBRE, "1", place=ELSEWHERE, commitmentMonths="24"), of="FIBRE")

    assert told["price"]["penalty_minor"] == done.penalty_minor == GB.life.change_penalties_minor["appointment"]
    world.run(at(9, month=2))
    lines = [row for row in world.app.reads.rows(LINES) if row["offering"] == "late-change"]
    assert [(row["net"], row["item"]) for row in lines] == [(2500, "1-change-1")]
    assert check_assurance(world.app) == []
    assert [kept.rule for kept in check_conformance(world.app) if kept.broken] == []


LINES = """SELECT line ->> 'offering' AS offering, line ->> 'item' AS item, (line ->> 'net_minor')::int AS net
FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line WHERE type = 'invoice.issued' ORDER BY position"""
"""The lines of all invoices."""


def test_the_changed_paper_sent_again_is_the_order(physical: World) -> None:
    """A channel that repeats either paper is told that it is known."""
    amended(physical, line(sim="physical", place=ELSEWHERE))
    counts = physical.take(order("POST", line(sim="physical", place=ELSEWHERE)), order("POST", line(sim="physical")), name="again.jsonl")

    assert (counts.duplicates, counts.resubmitted) == (2, 0)


def test_an_order_that_is_changed_can_be_cancelled(physical: World) -> None:
    """Nothing of either paper stays with anybody."""
    amended(physical, line(sim="esim"))
    physical.run(at(5, 9, 6))
    physical.cancel("POST")

    physical.run(at(12))
    assert physical.state("POST") == "cancelled"


def test_an_order_of_which_nothing_that_began_is_left_begins_anew(physical: World) -> None:
    """Two lines in place of one: what was taken for that is given back, the order is as one of which nothing has begun, and no declared rule is broken."""
    done = amended(physical, line(sim="physical", quantity=2))
    assert done.refused == ""

    physical.run(at(12))
    assert physical.state("POST") == "completed"
    assert [name for name, state in physical.items("POST").items() if state == "completed"] == ["1#1", "1#2"]


def test_more_than_its_credit_is_refused(world: World) -> None:
    """What it costs more has to fit the limit that the bureau gave; what fits takes its part of that."""
    world.stocked(physical=3)
    world.scripted.will("credit", lambda request: Answered({"limit_minor": request.body["commitment_minor"] * 3 // 2}))
    world.scripted.will("delivery", Accepted("PCL-1", at(9)))
    world.take(order("POST", line(sim="physical")))
    world.run(BEFORE_THE_COURIER)
    with pytest.raises(Refused, match="beyond the customer's credit limit"):
        amended(world, line(sim="physical"), line("2", sim="physical"), line("3", sim="physical"))

    before = committed(world)
    amended(world, line(sim="physical"), item(CALL_GUARD, "2", relies_on="1"))
    assert committed(world) > before
    world.run(at(12))
    assert world.state("POST") == "completed"


def committed(world: World) -> int:
    """What the customer's credit is used for by the order, in minor units."""
    [customer] = world.app.load(["customer-C-1"]).values()
    return customer.state.credit.commitments[world.order("POST").order_id].amount_minor


@pytest.mark.parametrize("personal", [False, True])
def test_it_is_found_by_what_its_paper_says_by_now(physical: World, personal: bool) -> None:
    """By the offering, the item and the account of its paper in force, and no more by those of the paper that came first."""
    amended(physical, line(sim="physical", offering=SECOND_LINE), item(CALL_GUARD, "2", relies_on="1"), billingAccount={"id": "BA-OTHER"})
    caught_up(physical.app)

    def found(**picked: Any) -> list[str]:
        return [row["external_id"] for row in list_documents(physical.app, personal=personal, **picked)]

    now = [{"offerings": [SECOND_LINE.id]}, {"offerings": [CALL_GUARD.id]}, {"items_named": ["2"]}, {"accounts_named": ["BA-OTHER"]}]
    before = [{"offerings": [LINE.id]}, {"accounts_named": ["BA-C-1"]}, {"items_named": ["3"]}]
    assert [found(**picked) for picked in now] == [["POST"]] * len(now)
    assert [found(**picked) for picked in before] == [[]] * len(before)


def test_a_word_of_its_paper_is_one_of_the_paper_in_force(physical: World) -> None:
    """An address that it had before is nowhere in it."""
    amended(physical, line(sim="physical", place=ELSEWHERE))
    caught_up(physical.app)
    found = {word: len(list_documents(physical.app, personal=True, mentioning=[word])) for word in (ELSEWHERE, "Mill Lane")}
    assert found == {ELSEWHERE: 1, "Mill Lane": 0}


def test_its_voucher_is_judged_anew(physical: World) -> None:
    """Of a budget that one line fits in: named by a change it is reserved, for two lines it is refused and nothing is changed, named no more it is another's."""
    issue_vouchers(physical.app, STORE, "SPRING", percent="50", months=2, budget="20.00")
    named, both = vouched("SPRING", sim="physical"), vouched("SPRING", "2", sim="physical")

    def standing() -> tuple[int, int]:
        [shown] = show_vouchers(physical.app, campaign="SPRING")
        return shown["reserved_minor"], len(shown["codes"][0]["orders"])

    priced = assess_change(physical.app, "POST", order("POST", named))["price"]["recurring_minor"]
    amended(physical, named)
    assert (priced, standing()) == (-925, (1850, 1))
    with pytest.raises(
        Refused, match=r"DQ-VOUCHER: the voucher of item 1, 2 can come to 18\.50 GBP more, and its budget has 1\.50 GBP left"
    ):
        amended(physical, named, both)
    assert standing() == (1850, 1)
    amended(physical, line(sim="physical"), base=version(physical))
    assert standing() == (0, 0)
    physical.take(order("WEB-2", vouched("SPRING"), party="C-2", on=at(5, 10)))
    physical.run(at(12))

    assert {name: physical.state(name) for name in ("POST", "WEB-2")} == {"POST": "completed", "WEB-2": "completed"}
    ends = ["voucher.reserved", "voucher.released", "voucher.reserved", "voucher.redeemed"]
    assert physical.types("voucher-SPRING")[1:] == ends
    assert [check for check in run_checks(physical.app) if check.state == "failed"] == []
    assert (
        disagreements([json.loads(json.dumps(event)) for name in ("POST", "WEB-2") for event in order_timeline(physical.app, name)]) == []
    )
