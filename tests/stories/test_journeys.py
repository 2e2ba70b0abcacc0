"""What people try before there is an order: it spins, it waits, it is won back or lost; and what is personal in it goes by itself."""

import json
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.capture import capture
from o2c.desk.journeys import load_policy, note_attempt
from o2c.desk.vouchers import issue_vouchers
from o2c.desk.winning_back import order_journey, reach_journey
from o2c.engine.app import Context
from o2c.kernel.refusal import Refused
from o2c.views.journeys import list_journeys, places_in, show_journey, show_policy
from o2c.views.reading import caught_up
from tests.tried import accounted, keyed_once
from tests.world import World, at, line, order

WEB, CALL, ANN = Context("web-shop", channel="web"), Context("call-centre", channel="call"), Context("ann")
LOGIN, PHONE = "tamsel@example.org", "+44 7700 900123"
_PAPER = {key: value for key, value in order("-", line()).items() if key in ("productOrderItem", "billingAccount")}
KEYED = {path: value for path, value in places_in(_PAPER) if not path.endswith("quantity")}
"""What a customer keys in to order a line."""


def spun(world: World, **more: Any) -> str:
    """A web order that spun for a minute and a half and came to nothing."""
    told = {"login": LOGIN, "offerings": ["lark-line"], "value": "24.00", "fields": KEYED, "error": "HTTP-504", "waited_s": 94, **more}
    return note_attempt(world.app, WEB, "failed", "web", **told).journey


def test_the_web_order_that_spun_is_won_back_and_completed_next_day(world: World) -> None:
    """Given a web order that spun, a call that waited and hung up, and an apology with a voucher, when the customer orders by telephone the next day, then nothing is keyed in again,
    the voucher is redeemed once, every field says which channel it came from, and the journey is recovered."""
    issue_vouchers(world.app, ANN, "SORRY", amount="5.00", months=1, codes=["SORRY-A1", "SORRY-B2"])
    world.run(at(5, 9))
    journey = spun(world)
    world.run(at(5, 9, 30))
    called = note_attempt(
        world.app, CALL, "abandoned-call", "call", phone=PHONE, login=LOGIN, customer="C-1", ivr_s=75, hold_s=1260
    ).journey
    world.run(at(5, 11))
    reach_journey(world.app, ANN, journey, medium="call", outcome="reached", voucher="SORRY-A1")
    world.run(at(6, 10))
    again = note_attempt(world.app, CALL, "resumed", "call", phone="+447700900123").journey
    captured = order_journey(world.app, CALL, journey, "call", external_id="TEL-1")
    world.run(at(6, 14))

    assert called == again == journey
    caught_up(world.app)
    [row] = list_journeys(world.app)
    assert (row["state"], row["customer"], row["attempts"], row["channels"], row["outreach"], row["order"], row["value_minor"]) == (
        "recovered", "C-1", 3, ["web", "call"], "reached", captured.order, 2400,
    )  # fmt: skip
    assert world.state("TEL-1") == "completed"
    assert [name for name in world.types("voucher-SORRY") if name != "voucher.issued"] == ["voucher.reserved", "voucher.redeemed"]
    fields = keyed_once(world, "TEL-1", journey, KEYED, "journey.attempt-failed")
    assert accounted(world) == {"recovered": 3}
    assert {fields[path]["channel"] for path in KEYED} == {"web"}
    assert {fields[path]["actor"] for path in ("/channel/0/id", "/externalId")} == {"call-centre"}
    assert not any(value in json.dumps(fields) for value in KEYED.values() if len(value) > 5)
    assert [check.name for check in run_checks(world.app) if check.state == "failed"] == []


def test_the_one_who_never_comes_back_is_lost_and_forgotten_by_itself(world: World) -> None:
    """Given an attempt that failed and nobody who came back, when time goes by, then the journey is lost, and thirty days on nobody can read or recognise whose it was; one who
    comes after that begins another journey."""
    world.run(at(5, 9))
    journey = spun(world)
    before = show_journey(world.app, journey, personal=True)
    world.run(at(20))
    assert [row["state"] for row in list_journeys(world.app)] == ["lost"]
    assert accounted(world) == {"lost": 1}
    world.run(at(5, 0, 10, month=2))
    after = show_journey(world.app, journey, personal=True)

    assert before["identities"] == [{"what": "login", "value": LOGIN}]
    assert {each["path"]: each["value"] for each in before["fields"]} == KEYED
    assert after["identities"] == [{"what": "login", "value": None}]
    assert {each["value"] for each in after["fields"]} == {None}
    assert world.app.reads.rows("SELECT key FROM o2c.prospect_key") == []
    assert world.types("prospects-GB-2026-01-05") == ["prospects.key-opened", "prospects.forgotten"]
    [clear] = world.app.reads.rows("SELECT count(*) AS n FROM o2c.event WHERE concat(body, personal, stream) LIKE %s", f"%{LOGIN}%")
    assert clear["n"] == 0
    assert spun(world) != journey
    assert accounted(world) == {"lost": 1, "open": 1}
    with pytest.raises(Refused, match="gone with its key"):
        order_journey(world.app, CALL, journey, "call")
    world.app.forget()
    assert world.app.replay(f"journey-{journey}").status == "lost"


def test_an_order_of_the_customer_follows_what_was_tried_and_no_other_does(world: World) -> None:
    """Given two customers on journeys, when orders come that name none, from a service and in a file, then each follows its own customer's, whose channels have the order's as well, and the next order
    follows nothing."""
    world.run(at(5, 9))
    first = note_attempt(world.app, WEB, "basket", "web", token="b-1", customer="C-1").journey
    second = note_attempt(world.app, WEB, "visit", "store", customer="C-2", store="S-12").journey
    world.run(at(6, 9))
    captured = capture(world.app, WEB, order("WEB-1", line(), on=at(6, 9)))
    world.take(order("WEB-2", line(), on=at(6, 9), party="C-2"), order("WEB-3", line(), on=at(6, 9), party="C-1"))
    world.run(at(6, 12))

    found = {row["journey"]: row for row in list_journeys(world.app)}
    assert {name: (row["state"], row["order"], row["channels"]) for name, row in found.items()} == {
        first: ("ordered", captured.order, ["web"]), second: ("ordered", world.order("WEB-2").order_id, ["store", "web"]),
    }  # fmt: skip
    assert world.app.load_one("customer-C-1").state.journeys == ()


def test_journeys_of_one_person_are_joined_and_counted_once(world: World) -> None:
    """Given attempts of one person under a login and under a telephone number, when a call tells both, then they are one journey, and as many attempts are listed as were made."""
    world.run(at(5, 9))
    by_login = spun(world)
    world.run(at(5, 9, 30))
    by_phone = note_attempt(world.app, CALL, "abandoned-call", "call", phone=PHONE, hold_s=600).journey
    both = note_attempt(world.app, CALL, "quote", "call", phone=PHONE, login=LOGIN, reference="Q-1").journey
    again = note_attempt(world.app, CALL, "basket", "web", phone="07700 900123").journey
    robot = note_attempt(world.app, WEB, "failed", "web", token="r", error="X", client="SomeBot/1.0").journey

    assert by_login != by_phone
    assert {both, again} == {by_login}
    [row] = list_journeys(world.app)
    assert (row["attempts"], row["journey"]) == (4, by_login)
    everything = list_journeys(world.app, everything=True)
    assert {one["journey"]: one["apart"] for one in everything} == {by_login: "", robot: "bot"}
    assert accounted(world) == {"open": 5}


def test_what_cannot_be_is_refused(world: World) -> None:
    """A journey of another customer, an outreach too early, a voucher twice promised or worth too much, and nobody to know an attempt by are refused in a line."""
    issue_vouchers(world.app, ANN, "SORRY", amount="5.00", months=1, codes=["SORRY-A1"])
    issue_vouchers(world.app, ANN, "DEAR", amount="50.00", months=1, codes=["DEAR-A1"])
    world.run(at(5, 9))
    first, second = spun(world, customer="C-1"), spun(world, login="other@example.org")
    with pytest.raises(Refused, match="get in touch from"):
        reach_journey(world.app, ANN, first, medium="call", outcome="reached")
    world.run(at(5, 11))
    reach_journey(world.app, ANN, first, medium="call", outcome="reached", voucher="sorry-a1")
    for journey, voucher, why in (
        (second, "SORRY-A1", "promised to somebody else"),
        (second, "DEAR-A1", "1500 may be given"),
        (second, "NOSUCH-1", "no voucher"),
        ("nosuch", "", "no journey"),
    ):
        with pytest.raises(Refused, match=why):
            reach_journey(world.app, ANN, journey, medium="call", outcome="reached", voucher=voucher)
    with pytest.raises(Refused, match="is of customer C-1"):
        capture(world.app, WEB, order("WEB-9", line(), party="C-2"), journey=first)
    with pytest.raises(Refused, match="somebody to know it by"):
        note_attempt(world.app, WEB, "basket", "web")
    with pytest.raises(Refused, match="is no place in a paper"):
        note_attempt(world.app, WEB, "basket", "web", login=LOGIN, fields={"name": "Tamsel"})


OWN = """version = "own-1"
lost_after_days = 3
follows_within_days = 3
[outreach]
after_minutes = 0
within_days = 2
tries_max = 1
budget_minor = { GB = 100 }
[[apart]]
name = "our-monitor"
apart = "test"
client = "^monitor"
reason = "we look ourselves whether the shop is up"
"""


def test_the_operators_own_policy_takes_the_place_of_the_packaged_one(world: World) -> None:
    """Given a policy of the operator's own, when something is tried, then it is lost, got in touch about and told apart by that; what began before keeps its days."""
    issue_vouchers(world.app, ANN, "SORRY", amount="5.00", months=1, codes=["SORRY-A1"])
    world.run(at(5, 9))
    before = spun(world, login="first@example.org")
    load_policy(world.app, ANN, definitions=OWN)
    assert load_policy(world.app, ANN, definitions=OWN).unchanged
    after = spun(world)
    spun(world, login="up@example.org", client="monitor/2")
    with pytest.raises(Refused, match="100 may be given"):
        reach_journey(world.app, ANN, after, medium="call", outcome="reached", voucher="SORRY-A1")
    reach_journey(world.app, ANN, after, medium="call", outcome="no-answer")
    with pytest.raises(Refused, match="tried"):
        reach_journey(world.app, ANN, after, medium="call", outcome="reached")
    world.run(at(9))

    assert show_policy(world.app)["version"] == "own-1"
    found = {row["journey"]: (row["state"], row["apart"]) for row in list_journeys(world.app, everything=True)}
    assert (found.pop(before), found.pop(after)) == (("open", ""), ("lost", ""))
    assert [apart for _, apart in found.values()] == ["test"]
