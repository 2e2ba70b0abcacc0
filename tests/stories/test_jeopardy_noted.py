"""What is foretold of an order stands on its timeline: once for each change of its level, however often it is looked."""

from datetime import UTC, datetime, timedelta

from o2c.desk.customers import load_agreements
from o2c.desk.revising import amend_order
from o2c.desk.suspending import suspend_order
from o2c.engine.app import Context
from o2c.kernel.partner import Accepted
from o2c.running.jeopardy import Foreteller, note_jeopardy
from o2c.running.session import Session
from o2c.views.care import care_due
from o2c.views.documents import documents_at
from o2c.views.jeopardy import list_jeopardy
from o2c.views.order_page import show_order
from o2c.views.promised import list_promises
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from tests.desk import DEPOSIT
from tests.histories import differing
from tests.rules.test_agreements import OWN
from tests.world import Document, World, at, line, order, ported

ANN = Context("ann")
OPEN = "SELECT external_id FROM projection.orders WHERE closed_at IS NULL"


def noted(world: World) -> int:
    caught_up(world.app)
    count = note_jeopardy(world.app)
    caught_up(world.app)
    return count


def test_a_promise_that_passes(world: World) -> None:
    """In time nothing is written; past its day the item is critical, once; it never drops from sight; and a finished order is let be."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 12))
    assert noted(world) == 0

    world.run(at(16))
    assert [noted(world), noted(world)] == [1, 0]
    world.run(at(26))
    assert noted(world) == 0
    assert [row["level"] for row in list_jeopardy(world.app)] == ["critical"]
    [raised] = [row for row in order_timeline(world.app, "WEB-1") if row["type"].startswith("order.jeopardy-")]
    assert raised["type"] == "order.jeopardy-raised"
    assert differing(world.dsn) == []

    world.cancel("WEB-1")
    world.run(at(27))
    assert noted(world) == 0


def stuck(world: World) -> World:
    """Orders that stand still at a gate, in a step, and suspended; and one that is done."""
    world.scripted.will("credit", DEPOSIT)
    world.take(order("DEPOSIT", line(), party="C-2"))
    world.run(at(5, 10))
    world.take(
        order("UNNAMED", line(), party="C-99"), order("EMPTY", party="C-3"), order("PORT", ported(code="")),
        order("RESTS", line(sim="physical"), party="C-3"), order("DONE", line()),
    )  # fmt: skip
    suspend_order(world.app, ANN, "RESTS", until=datetime(2026, 4, 1, tzinfo=UTC), note="moves in later")
    return world.run(at(5, 12))


def test_no_open_order_beyond_its_day_drops_from_sight(world: World) -> None:
    """Promised or not: before its day none is critical that is not yet known to be late, after it every open order is, and stays so until
    it is over; and it is written down of each once."""
    stuck(world)
    caught_up(world.app)
    assert {row["external_id"] for row in list_jeopardy(world.app, level="critical")} == set()

    for day in (60, 90, 85 + 30):
        world.run(at(5) + timedelta(days=day))
        noted(world)
        still_open = {row["external_id"] for row in world.app.reads.rows(OPEN)}
        rows = list_jeopardy(world.app)
        assert still_open == {row["external_id"] for row in rows} >= {"DEPOSIT", "UNNAMED", "EMPTY", "PORT"}
        assert {row["level"] for row in rows} == {"critical"}
    unpromised = {row["external_id"]: row for row in rows if not row["item"]}
    assert unpromised["UNNAMED"]["promised_on"] is None
    assert unpromised["UNNAMED"]["agreed_on"] == "2026-02-04"
    assert world.told("UNNAMED").count("order.jeopardy-raised") == 1
    assert differing(world.dsn) == []

    world.cancel("EMPTY")
    world.run(at(5) + timedelta(days=116))
    caught_up(world.app)
    assert "EMPTY" not in {row["external_id"] for row in list_jeopardy(world.app)}


def test_what_is_agreed_with_a_customer_is_its_day(world: World) -> None:
    """A customer's own agreement has an order complete sooner than it was promised: it is critical from then on, and its neighbour of the
    same promise is not."""
    world.take(order("OWN", ported(code="")), order("OTHER", ported(msisdn="+447700900124", code=""), party="C-2"))
    world.run(at(5, 12))
    load_agreements(world.app, ANN, definitions=OWN.replace('"C-7"', '"C-1"').replace("= 5\n", "= 1\n"))
    world.run(at(7, 12))
    caught_up(world.app)

    [row] = list_jeopardy(world.app)
    assert (row["external_id"], row["level"], row["agreed_on"]) == ("OWN", "critical", "2026-01-06")
    assert row["promised_on"] == "2026-01-07", "whose day is not over"


def test_a_day_that_is_agreed_is_the_day_that_is_promised(world: World) -> None:
    """Given agreements for sooner and for later than it takes, when orders come, then that is what they are promised, by the agreement;
    what was promised before stands, a delay is told of and called for, and the danger is that of the day agreed. Without one, and for what
    nobody delivers, nothing changes."""
    posted = line(sim="physical")
    world.sims(physical=3)
    world.scripted.will("delivery", *[lambda request: Accepted("PCL-1", at(8, 10))] * 4)
    world.take(order("BEFORE", posted, party="C-1"))
    world.run(at(5, 9, 30))
    load_agreements(world.app, ANN, definitions=PROMISED)
    world.take(*(order(name, posted, on=at(5, 10), party=party) for name, party in (("SOON", "C-1"), ("LATE", "C-2"), ("NONE", "C-3"))))
    world.run(at(5, 11))
    caught_up(world.app)
    made = {row["external_id"]: (row["promised_on"], row["agreed_by"]) for row in reversed(list_promises(world.app))}
    plans = [row["promises"][0]["cause"] for name in ("SOON", "NONE") for row in [show_order(world.app, name)]]

    assert made == {
        "BEFORE": ("2026-01-08", ""),
        "SOON": ("2026-01-06", "own-1/hurried"),
        "LATE": ("2026-01-19", "own-1/patient"),
        "NONE": ("2026-01-08", ""),
    }
    assert plans == ["agreement own-1/hurried", "the plan"]

    world.run(at(7, 12))
    caught_up(world.app)
    assert [row["external_id"] for row in list_jeopardy(world.app, level="critical")] == ["SOON"]
    late = [row for row in list_promises(world.app) if row["external_id"] == "SOON"]
    assert [(row["promised_on"], row["agreed_by"]) for row in late] == [("2026-01-06", "own-1/hurried"), ("2026-01-08", "")]
    assert [(row["external_id"], row["milestone"]) for row in care_due(world.app, customer="C-1")] == [("SOON", "delay")]
    world.run(at(12))
    caught_up(world.app)
    assert {row["external_id"]: row["state"] for row in list_promises(world.app) if row["agreed_by"]} == {"SOON": "broken", "LATE": "kept"}
    assert differing(world.dsn) == []


def test_what_a_change_adds_is_promised_by_what_is_agreed(world: World) -> None:
    """Given an agreement for later than it takes, when an order in flight gets another address and another line, then both are promised by
    it, counted from the change; what stays as it was keeps its day, and where nothing is agreed the steps say it."""
    posted = line(sim="physical")
    world.sims(physical=6)
    load_agreements(world.app, ANN, definitions=PROMISED)
    later = {"requestedStartDate": "2026-01-09T09:00:00Z"}

    def paper(name: str, *lines: Document, party: str) -> Document:
        return {**order(name, *lines, on=at(5, 10), party=party), **later}

    world.take(*(paper(name, posted, line("2", sim="physical"), party=party) for name, party in (("LATE", "C-2"), ("NONE", "C-3"))))
    world.run(at(6, 11))
    moved = line(sim="physical", place="9 Weir Lane, Quenleigh, ZX3 4AB")
    for name, party in (("LATE", "C-2"), ("NONE", "C-3")):
        amend_order(world.app, ANN, name, paper(name, moved, line("2", sim="physical"), line("3", sim="physical"), party=party))
    caught_up(world.app)
    told = {
        name: {row["item"]: (row["promised_on"], row["agreed_by"]) for row in list_promises(world.app) if row["external_id"] == name}
        for name in ("LATE", "NONE")
    }
    by = "own-1/patient"
    assert told["LATE"] == {"1": ("2026-01-20", by), "2": ("2026-01-19", by), "3": ("2026-01-20", by)}
    assert {each[1] for each in told["NONE"].values()} == {""}
    assert differing(world.dsn) == []


PROMISED = """version = "own-1"
[tiers.standard]
contacts = {}
until_hour = 18
complete_within_days = 30
[agreements.hurried]
customers = ["C-1"]
contacts = { delay = 1 }
until_hour = 18
complete_within_days = 30
promised_working_days = 1
[agreements.patient]
customers = ["C-2"]
contacts = {}
until_hour = 18
complete_within_days = 30
promised_working_days = 10
"""


def test_it_is_written_down_by_itself(world: World) -> None:
    """Who looks again and again writes as who looks once: what came into danger once, whoever of two looks; and TMF622 has an alert of it
    though no promise was moved."""
    stuck(world)
    world.run(at(5) + timedelta(days=60))
    first, second = (Foreteller(Session(world.app, world.folder)) for _ in range(2))
    for each in (first, second, first):
        each.look()

    raised = world.app.reads.rows("SELECT stream FROM o2c.event WHERE type = 'order.jeopardy-raised'")
    assert (first.noted, second.noted) == (len(raised), 0)
    assert len(raised) >= 4
    order_id = world.order("PORT").order_id
    [last] = world.app.reads.rows("SELECT max(position) AS position FROM o2c.event WHERE order_id = %s", order_id)
    document = documents_at(world.app, {order_id: (last["position"],)})[order_id, last["position"]]
    assert document is not None
    assert [promise["danger"] for promise in document["promises"]] == ["critical"]
