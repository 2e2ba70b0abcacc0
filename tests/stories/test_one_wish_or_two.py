"""The same wish through two channels: the second paper waits until somebody says whether it is one wish or two; nothing is doubled or
dropped silently."""

import json

import pytest

from o2c.desk.capture import capture
from o2c.desk.customers import load_agreements
from o2c.desk.fallout import Correct, Decide
from o2c.desk.journeys import load_policy, note_attempt
from o2c.engine.app import Context
from o2c.views.care import care_due
from o2c.views.documents import list_documents
from o2c.views.jeopardy import items_of
from o2c.views.metrics import explain_metric
from o2c.views.promised import count_promises, list_promises
from o2c.views.reading import caught_up
from o2c.views.status import promises_kept
from tests.world import World, at, line, order

SHOP = Context("shop")


@pytest.fixture
def twice(world: World) -> World:
    """A line on the web on Monday, and in the store on Wednesday."""
    world.take(order("WEB-1", line()), order("SHOP-1", line(), on=at(7, 10), channel="store"))
    return world.run(at(7, 12))


def test_the_second_waits(twice: World) -> None:
    """The first goes on; the second asks its customer, and names the first."""
    assert (twice.state("WEB-1"), twice.state("SHOP-1")) == ("completed", "pending")
    [asked] = twice.fallouts()
    assert (asked["reason"], asked["waiting_for"], asked["step"]) == ("DQ-TWICE", "customer", "validation")
    assert twice.order("WEB-1").order_id in asked["detail"]


def test_two_wishes(twice: World) -> None:
    """Both are carried out, and it is not asked again."""
    twice.resolve("DQ-TWICE", Correct({"wishes": "two"}))
    assert twice.run(at(8)).state("SHOP-1") == "completed"
    assert twice.fallouts() == []


def test_one_wish(twice: World) -> None:
    """The second comes to nothing, and its channel is told why; the first stays as it is."""
    twice.resolve("DQ-TWICE", Decide(approve=False))
    twice.run(at(8))
    assert (twice.state("WEB-1"), twice.state("SHOP-1")) == ("completed", "rejected")
    [row] = twice.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'order.rejected'")
    assert row["body"]["reason"] == "DQ-TWICE"


def test_what_came_to_nothing_is_no_wish(world: World) -> None:
    """Cancelled on the web, ordered again in the store by a service: nobody is asked. Without the cancellation it is."""
    for number, cancelled in ((1, True), (2, False)):
        world.take(order(f"WEB-{number}", line(sim="physical"), party=f"C-{number}"))
        world.run(at(5, 9, number))
        if cancelled:
            world.cancel(f"WEB-{number}")
        capture(world.app, SHOP, json.dumps(order(f"SHOP-{number}", line(), on=at(5, 10), channel="store", party=f"C-{number}")))
    world.run(at(5, 12))
    assert [row["external_id"] for row in world.fallouts(reason="DQ-TWICE")] == ["SHOP-2"]


OURS = """version = "own-1"
lost_after_days = 14
follows_within_days = 14
[outreach]
after_minutes = 60
within_days = 7
tries_max = 3
budget_minor = {}
[[apart]]
name = "our-customer"
apart = "test"
customers = ["C-5"]
reason = "we order as this one ourselves"
[[apart]]
name = "our-robot"
apart = "bot"
login = "^robot@"
reason = "a robot of a partner"
[[apart]]
name = "smoke-test"
apart = "test"
external_id = "^SMOKE-"
reason = "the name that the test of every release gives"
"""


def test_an_order_tells_itself_that_nobody_wished_it(world: World) -> None:
    """A test customer, a robot's login and a test's external id, without any journey: nobody is asked, and no figure counts them. By the
    policy of its date: one of before is a person's."""
    for number in (5, 6, 8):
        world.registers(f"C-{number}")
    before = [order("WEB-5", line(), on=at(5, 8), party="C-5"), order("SHOP-5", line(), on=at(5, 9), channel="store", party="C-5")]
    world.take(*before)
    world.run(at(5, 12))
    load_policy(world.app, SHOP, definitions=OURS)
    late = order("LATE-5", line(), on=at(5, 10), channel="call", party="C-5")
    robot = {**order("WEB-6", line(), on=at(6, 9), party="C-6")}
    robot["relatedParty"] = [*robot["relatedParty"], {"id": "robot@shop.example", "role": "login", "@referredType": "Individual"}]
    capture(world.app, SHOP, json.dumps(robot))
    ours = [order("WEB-7", line(), on=at(6, 9), party="C-5"), order("SMOKE-1", line(), on=at(6, 9, 5), channel="app", party="C-8")]
    world.take(
        late,
        *ours,
        order("SHOP-6", line(), on=at(6, 10), channel="store", party="C-6"),
        order("SHOP-8", line(), on=at(6, 10), channel="store", party="C-8"),
    )
    world.run(at(7, 12))
    caught_up(world.app)

    assert {row["external_id"] for row in world.fallouts(reason="DQ-TWICE")} == {"SHOP-5", "LATE-5"}
    told = {row["external_id"]: row["apart_by"] for row in world.app.reads.rows(APART)}
    assert told == {"WEB-6": "own-1/our-robot", "WEB-7": "own-1/our-customer", "SMOKE-1": "own-1/smoke-test"}
    counted = set(explain_metric(world.app, "fallout-rate")["events_denominator"] or ())
    every = {row["event_id"]: row["external_id"] for row in world.app.reads.rows(CAPTURED)}
    assert {name for event, name in every.items() if event not in counted} == set(told)
    _nobody_counts(world, set(told))


def _nobody_counts(world: World, ours: set[str]) -> None:
    """In no list of promises, dangers, courtesy contacts or documents is one of ours, unless it is asked for by name."""
    load_agreements(world.app, SHOP, definitions=SPOKEN_WITH)
    names = {row["external_id"] for row in world.app.reads.rows("SELECT external_id FROM projection.orders")}
    promised = {row["external_id"] for row in list_promises(world.app)}
    everybody = next(row["made"] for row in count_promises(world.app) if row["channel"] == "*")
    assert (promised & ours, everybody) == (set(), len(list_promises(world.app)))
    assert {row["external_id"] for row in list_documents(world.app)} == names - ours
    assert {row["external_id"] for row in list_documents(world.app, customers=["C-5"])} > {"WEB-7"}
    assert {row["external_id"] for row in list_promises(world.app, customer="C-5")} > {"WEB-7"}
    assert [row["external_id"] for row in list_documents(world.app, external_ids=["SMOKE-1"])] == ["SMOKE-1"]
    assert not {item.facts["external_id"] for item in items_of(world.app)} & ours
    kept = [row["promised"] for row in promises_kept(world.app) if row["offering"] == row["step"] == row["reason"] == "*"]
    assert kept == [len({(row["order"], row["item"]) for row in list_promises(world.app)})]


SPOKEN_WITH = """version = "own-1"
[tiers.standard]
contacts = { received = 1 }
until_hour = 18
complete_within_days = 30
"""


def test_nobody_is_spoken_with_about_a_test_of_our_own(world: World) -> None:
    """Where every order that is received calls for a contact, one of ours calls for none; asked by its customer it is shown."""
    world.registers("C-5")
    load_policy(world.app, SHOP, definitions=OURS)
    load_agreements(world.app, SHOP, definitions=SPOKEN_WITH)
    world.take(order("WEB-1", line(), on=at(5, 10)), order("WEB-7", line(), on=at(5, 10), party="C-5"))
    world.run(at(5, 12))
    caught_up(world.app)

    assert [row["external_id"] for row in care_due(world.app)] == ["WEB-1"]
    assert [row["external_id"] for row in care_due(world.app, customer="C-5")] == ["WEB-7"]


APART = "SELECT body->>'external_id' AS external_id, body->>'apart_by' AS apart_by FROM o2c.event WHERE type = 'order.captured' AND body->>'apart' <> ''"
CAPTURED = "SELECT event_id::text, body->>'external_id' AS external_id FROM o2c.event WHERE type = 'order.captured'"


def test_nobody_is_asked_about_what_nobody_wished(world: World) -> None:
    """A test of our own, or a program, and then the customer, or the other way round: neither waits, by a service or in a file. A person's
    two do."""
    world.registers("C-4")
    world.run(at(5, 9))
    who = {"test": {"login": "probe@shop.test"}, "bot": {"client": "SomeBot/1.0"}, "person": {}}
    for number, told in enumerate(who.values(), 1):
        journey = note_attempt(world.app, SHOP, "basket", "web", token=f"b-{number}", **told).journey  # type: ignore[arg-type] # login or client
        capture(world.app, SHOP, json.dumps(order(f"WEB-{number}", line(), on=at(5, 9), party=f"C-{number}")), journey=journey)
    world.take(*(order(f"SHOP-{number}", line(), on=at(6, 10), channel="store", party=f"C-{number}") for number in (1, 2, 3)))
    note_attempt(world.app, SHOP, "basket", "web", customer="C-4", client="SomeBot/1.0")
    first = order("SHOP-4", line(), on=at(5, 10), channel="store", party="C-4")
    second = order("WEB-4", line(), on=at(6, 10), party="C-4")
    world.take(first)
    world.take(second)
    world.run(at(7, 12))
    assert [row["external_id"] for row in world.fallouts(reason="DQ-TWICE")] == ["SHOP-3"]
