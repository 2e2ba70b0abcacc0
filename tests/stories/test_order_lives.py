"""Whole lives of orders, from the channel's paper to the end: told with partners that answer as scripted, on the real engine."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.fallout import Correct, Decide, Fail
from o2c.kernel.partner import Accepted, Failed, RefusedBy, Request, Unknown
from o2c.simulation.launch_data import FIBRE, HOME_ADD_ONS, LINE_ADD_ONS
from o2c.views.jeopardy import items_of
from o2c.views.reading import caught_up
from tests.world import ADDRESS, NINE, Document, World, at, item, line, order, ported, site

GATES = [
    "order.captured", "validation.requested", "order.validated", "identity.requested", "identity.passed", "credit.requested", "credit.approved",
    "order.planned", "order.priced", "promise.made",
]  # fmt: skip
BROUGHT = "+447700900123"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def access(number: str = "1", **more: Any) -> Document:
    return item(FIBRE, number, **{"place": ADDRESS, "commitmentMonths": "24", **more})


def test_a_physical_line_from_order_to_paid_invoice(world: World) -> None:
    """SIM, number, parcel, activation, charge, bill run, card: in this order and with the right sum."""
    world.stocked(pays="card")
    world.scripted.will("delivery", lambda request: Accepted("PCL-1", at(7, 11)))
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(7, 10))
    assert world.items("WEB-1") == {"1": "inProgress"}
    world.run(at(10))
    assert world.told("WEB-1") == [
        *GATES, "sim.requested", "number.requested", "number.assigned", "sim.assigned", "delivery.requested", "delivery.handed-over",
        "delivery.delivered", "activation.requested", "service.activated", "charging.requested", "charging.started", "item.taken-into-use",
        "order.completed",
    ]  # fmt: skip
    assert world.state("WEB-1") == "completed"
    # Activated on the 7th, billed on the 8th: connection 7.50, one of 31 days, and the month ahead; 20 % VAT on the sum.
    net_minor = 750 + round(1850 / 31) + 1850
    invoice = world.invoice("BA-C-1-20260108")
    assert invoice.issued is not None
    assert (invoice.issued.net_minor, invoice.issued.total_minor) == (net_minor, net_minor + round(net_minor / 5))
    assert (invoice.open_minor, invoice.overdue) == (0, False)
    [paid] = world.scripted.asked("payment")
    assert paid.at == at(9, 9)


def test_an_esim_serves_under_a_temporary_number_until_the_brought_one_comes(world: World) -> None:
    """The window opens at nine on the next working day; then the brought number is the customer's and the temporary one rests 14 days."""
    world.stocked()
    world.take(order("WEB-1", ported()))
    world.run(at(6, 8, 59))
    assigned = world.outcome("WEB-1", "1", "number")
    temporary = assigned["msisdn"]
    assert assigned["temporary"] is True
    assert world.when("WEB-1", "service.activated") < at(5, 10)
    assert world.scripted.asked("cutover") == []
    world.run(at(6, 10))
    assert world.when("WEB-1", "cutover.number-ported-in") == at(6, 9)
    assert world.told("WEB-1")[-5:-1] == ["cutover.number-ported-in", "number.change-requested", "number.changed", "item.taken-into-use"]
    assert world.types(f"number-{temporary}") == ["number.received", "number.taken", "number.quarantined"]
    assert world.types(f"number-{BROUGHT}") == ["number.brought-in"]
    [resting] = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'number.quarantined'")
    assert resting["body"]["due_at"] == "2026-01-20T09:00:00Z"


def test_a_line_that_brings_its_number_is_switched_on_under_the_temporary_one(world: World) -> None:
    """The brought number is another operator's until the cut-over, so the network is told the temporary one."""
    world.stocked()
    world.take(order("WEB-1", ported()))
    world.run(at(5, 12))
    [switched_on] = world.scripted.asked("activation")
    assert switched_on.body["msisdn"] == world.outcome("WEB-1", "1", "number")["msisdn"]


def test_an_add_on_waits_for_the_access_it_relies_on(world: World) -> None:
    """The access needs a line and a fitter; its add-ons are switched on after it, never before."""
    world.stocked()
    world.scripted.will("appointment", lambda request: Accepted("VIS-1", at(9, 13)))
    world.take(order("WEB-1", access(), *(item(add_on, str(n), relies_on="1") for n, add_on in enumerate(HOME_ADD_ONS[:2], 2))))
    world.run(at(9, 12))
    assert world.items("WEB-1") == {"1": "inProgress", "2": "acknowledged", "3": "acknowledged"}
    world.run(at(10))
    activated = [(request.item, request.at) for request in world.scripted.asked("activation")]
    assert [number for number, _ in activated] == ["1", "2", "3"]
    assert activated[0][1] >= at(9, 13)
    assert activated[0][1] < activated[1][1]
    assert world.state("WEB-1") == "completed"


def test_an_add_on_alone_is_asked_about_and_never_charged(world: World) -> None:
    """The price list says what it needs: beside one line it is that line's, without any the channel is asked and nobody pays for nothing."""
    world.stocked()
    pass_alone, pass_named_by_nobody = item(LINE_ADD_ONS[0], "1"), item(LINE_ADD_ONS[0], "2")
    world.take(order("WEB-1", pass_alone), order("WEB-2", line(), pass_named_by_nobody, party="C-2"))
    world.run(at(10))
    assert world.state("WEB-1") == "pending"
    [asked] = world.fallouts("WEB-1")
    assert (asked["reason"], asked["waiting_for"]) == ("DQ-ITEM", "channel")
    assert asked["detail"] == "item 1 (roam-pass) needs one of lark-line, lark-second and names none; add the line or name it with reliesOn"
    assert world.types("account-BA-C-1") == []
    assert world.items("WEB-2") == {"1": "completed", "2": "completed"}
    assert [request.item for request in world.scripted.asked("activation")] == ["1", "2"]
    assert world.order("WEB-2").items["2"].relies_on == ("1",)
    caught_up(world.app)
    # What is in danger is judged by what it relies on, and by nothing else of its order.
    assert {item.item: [base.item for base in item.beside] for item in items_of(world.app)} == {"1": [], "2": ["1"]}


def test_a_rejected_port_of_a_bundle_is_corrected_and_the_bundle_completed(world: World) -> None:
    """Two sites, four lines, one donor says no: everything else goes on, a person corrects the code, the order completes."""
    world.stocked(esims=2, physical=0)
    first = site("1", access("1.1"), ported("1.2"))
    second = site("2", access("2.1"), ported("2.2", "+447700900456", "DEF654321"))
    world.scripted.will("2.2/porting", RefusedBy("NAME-MISMATCH"))
    world.take(order("CALL-1", first, second, priority=2))
    world.run(at(6, 12))
    assert world.items("CALL-1") == {"1.1": "completed", "1.2": "completed", "2.1": "completed", "2.2": "pending"}
    assert world.state("CALL-1") == "pending"
    [rejected] = world.fallouts("CALL-1")
    assert (rejected["item"], rejected["reason"], rejected["queue"]) == ("2.2", "NP-NAME", "porting")
    world.resolve("NP-NAME", Correct({"portInCode": "GHJ111222"}))
    world.run(at(8))
    assert world.scripted.asked("porting")[-1].body == {"msisdn": "+447700900456", "code": "GHJ111222", "market": "GB"}
    assert world.state("CALL-1") == "completed"
    assert world.fallouts("CALL-1") == []


def test_a_failed_base_item_takes_its_dependants_with_it_and_gives_back_what_it_held(world: World) -> None:
    """A person ends a line whose activation cannot be: add-on cancelled, SIM and number back, the other line's end makes the order partial."""
    world.stocked()
    world.scripted.will("1/activation", Failed("PERMANENT"))
    world.take(order("WEB-1", line(), item(LINE_ADD_ONS[0], "2", relies_on="1"), line("3")))
    world.run(at(6))
    held = {step: world.outcome("WEB-1", "1", step) for step in ("sim", "number")}
    assert world.items("WEB-1") == {"1": "held", "2": "acknowledged", "3": "completed"}
    world.resolve("NET-CFG", Fail())
    world.run(at(7))
    assert world.items("WEB-1") == {"1": "failed", "2": "cancelled", "3": "completed"}
    assert world.state("WEB-1") == "partial"
    assert world.told("WEB-1")[-1] == "order.partially-completed"
    assert world.types(f"sim-{held['sim']['iccid']}")[-1] == "sim.returned"
    assert world.types(f"number-{held['number']['msisdn']}")[-1] == "number.quarantined"
    assert world.fallouts("WEB-1") == []


def test_an_order_of_one_failed_item_fails(world: World) -> None:
    """Nothing completed and one item failed: the order failed, under the reason of its fallout, and nothing is charged."""
    world.stocked()
    world.scripted.will("activation", Failed("PERMANENT"))
    world.take(order("WEB-1", line(), item(LINE_ADD_ONS[0], "2", relies_on="1")))
    world.run(at(6))
    world.resolve("NET-CFG", Fail())
    world.run(at(1, month=3))
    assert (world.items("WEB-1"), world.state("WEB-1")) == ({"1": "failed", "2": "cancelled"}, "failed")
    assert world.types("account-BA-C-1") == ["account.opened"]
    assert world.app.reads.rows("SELECT body ->> 'reason' AS reason FROM o2c.event WHERE type = 'item.failed'") == [{"reason": "NET-CFG"}]


def test_a_referred_identity_is_approved_by_a_person(world: World) -> None:
    """The order is pending until the papers are seen, then goes on with the gate's decision on record."""
    world.stocked()
    world.scripted.will("identity", RefusedBy("REFER"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    assert (world.state("WEB-1"), [found["reason"] for found in world.fallouts("WEB-1")]) == ("pending", ["KYC-DOC"])
    world.resolve("KYC-DOC", Decide(approve=True))
    assert world.outcome("WEB-1", "", "identity") == {"decided_by": "person"}
    world.run(at(7))
    assert (world.state("WEB-1"), world.fallouts("WEB-1")) == ("completed", [])


def test_a_declined_credit_rejects_the_order_without_a_fallout(world: World) -> None:
    """The bureau's final no ends the order with its code; nothing was planned, nothing waits for anybody."""
    world.stocked()
    world.scripted.will("credit", RefusedBy("DECLINE"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    assert world.told("WEB-1")[-3:] == ["credit.requested", "credit.declined", "order.rejected"]
    assert (world.state("WEB-1"), world.fallouts("WEB-1")) == ("rejected", [])


def test_a_delivery_wakes_waiting_orders_by_priority_then_age(world: World) -> None:
    """Three wait; two SIMs come: the urgent one and the older of the others get them, the last waits on."""
    world.stocked(esims=0, physical=0)
    world.sims(on=at(12, 8), esim=2)
    world.take(
        order("OLD", line(), on=at(5, 9), party="C-1"),
        order("YOUNG", line(), on=at(6, 9), party="C-2"),
        order("URGENT", line(), on=at(7, 9), party="C-3", priority=0),
    )
    world.run(at(12, 8))
    assert [found["reason"] for found in world.fallouts()] == ["INV-SIM"] * 3
    assert {world.state(name) for name in ("OLD", "YOUNG", "URGENT")} == {"pending"}
    world.run(at(13))
    assert [world.state(name) for name in ("OLD", "YOUNG", "URGENT")] == ["completed", "pending", "completed"]
    assert [found["reason"] for found in world.fallouts()] == ["INV-SIM"]


def test_stock_that_is_there_at_once_wakes_who_waits_though_nothing_else_is_due(world: World) -> None:
    """A person loads SIMs on a quiet day: the order goes on from that day."""
    world.stocked(esims=0, physical=0)
    world.take(order("WEB-1", line()))
    world.run(at(7, 8))
    assert world.state("WEB-1") == "pending"
    world.sims(esim=1)
    world.run(at(7, 9))
    assert world.state("WEB-1") == "completed"
    assert at(7, 8) < world.when("WEB-1", "order.completed") < at(7, 9)


def test_three_of_a_line_are_three_lines(world: World) -> None:
    """Quantity three: each has its own SIM, number and charge, and one account is billed for all."""
    world.stocked(pays="invoice")
    world.take(order("WEB-1", line(quantity=3)))
    world.run(at(9))
    assert world.items("WEB-1") == {"1#1": "completed", "1#2": "completed", "1#3": "completed"}
    for step, name in (("sim", "iccid"), ("number", "msisdn")):
        assert len({world.outcome("WEB-1", f"1#{n}", step)[name] for n in (1, 2, 3)}) == 3
    issued = world.invoice("BA-C-1-20260108").issued
    assert issued is not None
    assert [charged.item for charged in issued.lines if charged.kind == "one-time"] == ["1#1", "1#2", "1#3"]


def test_a_number_is_brought_by_one_order_only(world: World) -> None:
    """The second to ask for it is told so, brings another, and both complete; the list of items has what each brought, not what its paper says."""
    world.stocked()
    world.take(order("FIRST", ported(), on=NINE), order("SECOND", ported(), on=NINE + timedelta(minutes=1), party="C-2"))
    world.run(at(6, 12))
    assert world.state("FIRST") == "completed"
    assert [found["reason"] for found in world.fallouts("SECOND")] == ["NP-NOTPORT"]
    world.resolve("NP-NOTPORT", Correct({"portInNumber": "+447700900124"}))
    world.run(at(9))
    assert world.state("SECOND") == "completed"
    assert [world.outcome(name, "1", "cutover")["msisdn"] for name in ("FIRST", "SECOND")] == [BROUGHT, "+447700900124"]
    caught_up(world.app)
    rows = world.app.reads.rows("SELECT brings FROM projection.items ORDER BY captured_at")
    assert [row["brings"] for row in rows] == [BROUGHT, "+447700900124"]


def test_a_changed_resubmission_changes_nothing_and_waits_for_a_person(world: World) -> None:
    """The first paper stays in force and is fulfilled as it was; a person settles the second."""
    world.stocked()
    world.take(order("WEB-1", line(term="12")))
    counts = world.take(order("WEB-1", line(term="24"), channel="store"), name="again.jsonl")
    assert (counts.captured, counts.resubmitted) == (0, 1)
    world.run(at(6))
    assert world.state("WEB-1") == "completed"
    assert world.order("WEB-1").items["1"].characteristics["commitmentMonths"] == "12"
    [suspected] = world.fallouts("WEB-1")
    assert (suspected["reason"], suspected["step"]) == ("DQ-DUP", "duplicate")
    world.resolve("DQ-DUP", Decide(approve=False))
    assert world.fallouts("WEB-1") == []
    assert world.state("WEB-1") == "completed"


def test_a_declined_card_is_corrected_to_another_method_and_paid(world: World) -> None:
    """The customer gives a direct debit instead, which is collected when the invoice is due."""
    world.stocked(pays="card")
    world.scripted.will("payment", RefusedBy("DECLINED"))
    world.take(order("WEB-1", line()))
    world.run(at(10))
    assert world.invoice("BA-C-1-20260108").open_minor > 0
    world.resolve("PAY-AUTH", Correct({"method": "direct-debit"}))
    world.run(at(31))
    declined, paid = world.scripted.asked("payment")
    assert (declined.body["method"], paid.body["method"]) == ("card", "direct-debit")
    assert declined.key != paid.key
    assert (world.invoice("BA-C-1-20260108").open_minor, world.fallouts()) == (0, [])


def test_an_unpaid_invoice_is_overdue_the_day_after_it_was_due(world: World) -> None:
    """A bank transfer that does not come: looked at when its fourteen days are over, and late is late even if it is paid then."""

    def comes_late(request: Request) -> Accepted:
        return Accepted("PMT-1", at(28, 10))

    world.stocked(pays="invoice")
    world.scripted.will("payment", comes_late)
    world.take(order("WEB-1", line()))
    world.run(at(23))
    assert not world.invoice("BA-C-1-20260108").overdue
    world.run(at(24))
    assert world.invoice("BA-C-1-20260108").overdue
    world.run(at(29))
    assert world.invoice("BA-C-1-20260108").open_minor == 0


def test_a_silent_network_is_queried_and_an_outage_retried(world: World) -> None:
    """An outage is tried again by itself, silence is asked about until somebody answers, and the fallout closes with the success."""
    world.stocked()
    world.scripted.will("activation", Failed("UNAVAILABLE"))
    world.scripted.will("activation", lambda request: Unknown(request.at + timedelta(minutes=5)), Failed("UNAVAILABLE"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    told = world.told("WEB-1")
    assert [name for name in told if name in ("partner.silent", "activation.fell-out", "retry.scheduled", "activation.requested")] == [
        "activation.requested", "activation.fell-out", "retry.scheduled", "activation.requested", "partner.silent", "partner.silent",
    ]  # fmt: skip
    assert (len(world.scripted.asked("activation")), len(world.scripted.asked("activation", "query"))) == (2, 2)
    assert (world.state("WEB-1"), world.fallouts()) == ("completed", [])


def test_a_partner_that_wants_to_be_asked_at_once_is_asked_a_minute_later(world: World) -> None:
    """Under way "until now", three times: time goes on between the questions, and the order comes to its end."""
    world.stocked()
    world.scripted.will("activation", *[lambda request: Accepted("ACT-1", request.at)] * 3)
    world.take(order("WEB-1", line()))
    world.run(at(6))
    asked = [request.at for request in world.scripted.asked("activation", "query")]
    assert [later - sooner for sooner, later in itertools.pairwise(asked)] == [timedelta(minutes=1)] * 2
    assert world.state("WEB-1") == "completed"
