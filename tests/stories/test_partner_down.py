"""A partner that is declared down: what would be asked of it waits, nothing falls out, and once it is up each call is made once, in order."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from o2c import Context, OrderToCash
from o2c.desk.partners import partner_down, partner_up
from o2c.kernel.partner import Accepted, Failed, NeverHeard, Unknown
from o2c.kernel.refusal import Refused
from o2c.plan import STEPS
from o2c.views.order_page import show_order
from o2c.views.partners import list_partner_statuses
from tests.desk import Desk, actors
from tests.world import NINE, RecordingPartner, World, at, everywhere, line, order

ANN = Context("ann")
MINUTE = timedelta(minutes=1)


def down(world: World, partner: str = "network") -> None:
    partner_down(world.app, ANN, partner, reason="planned work")


def up(world: World, partner: str = "network", *, rate: int = 0) -> None:
    partner_up(world.app, ANN, partner, reason="they called", rate_per_min=rate)


def status(world: World, partner: str = "network") -> dict[str, Any]:
    [found] = [row for row in list_partner_statuses(world.app) if row["partner"] == partner]
    return found


def made(world: World, step: str = "activation") -> list[tuple[datetime, str]]:
    """When each call of a step was made, and for which item of which stream, in the order in which they are due."""
    sql = """SELECT (body ->> 'due_at')::timestamptz AS due_at, stream FROM o2c.event WHERE type = 'call.resumed' AND body ->> 'step' = %s
        ORDER BY 1"""
    return [(row["due_at"], row["stream"]) for row in world.app.reads.rows(sql, step)]


def types(world: World) -> Counter[str]:
    return Counter(row["type"] for row in world.app.reads.rows("SELECT type FROM o2c.event"))


@pytest.fixture
def many(dsn: str, tmp_path: Path) -> World:
    """Orders of different priorities and ages; their lines are ready to be activated at half past ten."""
    world = World(dsn, tmp_path).stocked(esims=12, physical=0, numbers=20, customers=12)
    world.take(*(order(f"WEB-{n}", line(), on=NINE + n * MINUTE, party=f"C-{n}", priority=4 - n % 3) for n in range(1, 11)))
    return world


def test_what_would_be_asked_of_a_partner_that_is_down_waits(many: World) -> None:
    """The network is not asked, nothing falls out, the orders are in progress; up again, each call is made once and completes its order."""
    down(many)
    many.run(at(5, 12))

    assert many.scripted.asked("activation") == []
    assert many.fallouts() == []
    assert {many.state(f"WEB-{n}") for n in range(1, 11)} == {"inProgress"}
    assert types(many)["call.parked"] == 10
    told = status(many)
    assert (told["state"], told["by"], told["parked"], told["drained"]) == ("down", "ann", 10, 0)

    steps = {row["step"]: row for row in show_order(many.app, "WEB-1")["steps"]}
    assert (steps["activation"]["waiting_for"], steps["activation"]["what"]) == ("partner", "waits until network is up again")

    up(many, rate=2)
    many.run(at(5, 12, 3))
    told = status(many)
    assert (told["state"], told["since"], told["parked"], told["rate_per_min"]) == ("draining", "2026-01-05T12:00:00Z", 10, 2)
    assert 0 < told["drained"] < 10
    many.run(at(6))

    assert [request.attempt for request in many.scripted.asked("activation")] == [1] * 10
    assert {many.state(f"WEB-{n}") for n in range(1, 11)} == {"completed"}
    assert (status(many)["state"], status(many)["parked"], status(many)["drained"]) == ("up", 10, 10)
    assert types(many)["activation.fell-out"] == types(many)["retry.scheduled"] == 0


def test_calls_are_made_in_turn_and_at_the_rate(many: World) -> None:
    """First what has the higher priority, then what is promised sooner, then the older order; so many in a minute."""
    down(many)
    many.run(at(5, 12))
    up(many, rate=4)
    many.run(at(6))

    calls = made(many)
    turn = [(many.app.load_one(stream).state, due_at) for due_at, stream in calls]
    assert [(s.priority, s.items["1"].promised_on, s.captured_at) for s, _ in turn] == sorted(
        (s.priority, s.items["1"].promised_on, s.captured_at) for s, _ in turn
    )
    assert {later - earlier for (earlier, _), (later, _) in pairwise(calls)} == {MINUTE / 4}
    assert calls[0][0] > at(5, 12)


def test_a_partner_that_has_the_request_is_queried_as_it_would_have_been(dsn: str, tmp_path: Path) -> None:
    """A parcel under way: the courier is asked for news once it is up, under the same key, and is sent no second one."""
    world = World(dsn, tmp_path).stocked()
    world.scripted.will("delivery", Accepted("PCL-1", at(7, 12)))
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(6))
    down(world, "courier")
    world.run(at(8))
    up(world, "courier")
    world.run(at(9))

    [sent], [asked] = world.scripted.asked("delivery"), world.scripted.asked("delivery", "query")
    assert (sent.key, world.state("WEB-1")) == (asked.key, "completed")


def test_a_request_that_was_lost_in_the_outage_is_sent_again(dsn: str, tmp_path: Path) -> None:
    """A silent network is queried once it is up; it never heard of the line, so the same request is sent again, and nothing falls out."""
    world = World(dsn, tmp_path).stocked()
    world.scripted.will("activation", lambda request: Unknown(request.at + 5 * MINUTE), NeverHeard())
    world.take(order("WEB-1", line()))
    while not world.scripted.asked("activation"):
        world.run(world.app.clock().now + MINUTE if world.app.clock().now > at(5) else NINE)
    down(world)
    world.run(at(5, 12))
    up(world)
    world.run(at(6))

    assert (world.state("WEB-1"), types(world)["activation.fell-out"]) == ("completed", 0)
    assert [how for how, request in world.scripted.heard if request.step == "activation"] == ["submit", "query", "submit"]
    assert len({request.key for _, request in world.scripted.heard if request.step == "activation"}) == 1


def test_a_retry_that_is_due_waits_as_well(dsn: str, tmp_path: Path) -> None:
    """What fell out before the outage is tried again after it, and uses up no further attempt."""
    world = World(dsn, tmp_path).stocked()
    world.scripted.will("activation", Failed("UNAVAILABLE"))
    world.take(order("WEB-1", line()))
    while not world.scripted.asked("activation"):
        world.run(world.app.clock().now + MINUTE / 6 if world.app.clock().now > at(5) else NINE)
    down(world)
    world.run(at(5, 12))
    assert (world.state("WEB-1"), types(world)["call.parked"]) == ("inProgress", 1)
    up(world)
    world.run(at(6))

    assert [request.attempt for request in world.scripted.asked("activation")] == [1, 2]
    assert (world.state("WEB-1"), types(world)["activation.fell-out"]) == ("completed", 1)


def test_an_order_that_is_cancelled_meanwhile_waits_no_more(many: World) -> None:
    """Its call is neither made nor taken back at the partner, which never had it."""
    down(many)
    many.run(at(5, 12))
    many.cancel("WEB-3")
    many.run(at(5, 13))
    assert many.state("WEB-3") == "cancelled"
    up(many)
    many.run(at(6))

    assert len(many.scripted.asked("activation")) == 9
    assert (status(many)["parked"], status(many)["drained"]) == (10, 9)


def test_each_call_has_one_effect_at_the_partner(dsn: str, tmp_path: Path) -> None:
    """A second outage in the middle of the drain parks what was not made yet, and the keys stay the same to the end."""
    book = RecordingPartner(tmp_path / "book")
    world = World(dsn, tmp_path, everywhere(book)).stocked(esims=8, physical=0, numbers=12, customers=8)
    world.take(*(order(f"WEB-{n}", line(), on=NINE + n * MINUTE, party=f"C-{n}") for n in range(1, 9)))
    down(world)
    world.run(at(5, 12))
    up(world, rate=1)
    world.run(at(5, 12, 4))
    down(world)
    world.run(at(5, 14))
    assert status(world)["parked"] == 5
    up(world)
    world.run(at(6))

    effects = [key for key in book.noted("effect") if "/activation/" in key]
    assert (len(effects), Counter(key for key in book.noted("submit") if "/activation/" in key)) == (8, Counter(effects))
    assert {world.state(f"WEB-{n}") for n in range(1, 9)} == {"completed"}
    assert types(world)["activation.fell-out"] == 0


def test_a_person_and_a_service_declare_it(world: World, desk: Desk) -> None:
    """What one says the other sees; said twice it is said once, with the name and the reason of who said it first."""
    said = ("--reason", "planned work until noon")
    assert "is down;" in desk.types("partners", "down", "network", *said)
    again = desk.types("partners", "down", "network", *said)
    assert "is down already; ann says so, it is since " in again
    assert "`o2c partners up network --reason TEXT --actor NAME`" in again
    with OrderToCash(world.dsn) as o2c:
        assert o2c.partner_statuses() == desk.sees("partners", "status")
        [network] = [row for row in o2c.partner_statuses() if row["partner"] == "network"]
        assert (network["state"], network["by"]) == ("down", "ann")
        o2c.partner_up("network", Context("ops"), reason="the supplier called")
        assert o2c.partner_up("network", Context("ops"), reason="the supplier called").unchanged
        o2c.partner_down("courier", Context("ops"), reason="strike")
    assert "is up already; 0 calls wait for their turn, 60 of them are made in a minute" in desk.types("partners", "up", "network", *said)
    assert [(row["partner"], row["state"]) for row in desk.sees("partners", "status") if row["by"]] == [
        ("courier", "down"),
        ("network", "up"),
    ]
    assert actors(world, "partner-network", "partner.went-down") == ["ann"]
    assert actors(world, "partner-network", "partner.came-up") == ["ops"]


def test_what_is_told_of_a_partner_is_this(many: World, desk: Desk) -> None:
    """Every partner, each in the same seven words, whatever befell it; what waits is counted where it is said to be up."""
    columns = ["partner", "state", "since", "by", "parked", "drained", "rate_per_min"]
    assert {tuple(row) for row in desk.sees("partners", "status")} == {tuple(columns)}
    assert {row["partner"] for row in desk.sees("partners", "status")} == {step.partner for step in STEPS.values() if step.partner}
    desk.types("partners", "down", "network", "--reason", "planned work")
    many.run(at(5, 12))
    assert "10 calls wait for their turn, 30 of them" in desk.types("partners", "up", "network", "--reason", "they called", "--rate", "30")
    [network] = [row for row in desk.sees("partners", "status") if row["partner"] == "network"]

    assert list(network) == columns
    assert (network["parked"], network["drained"], network["rate_per_min"]) == (10, 0, 30)


@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        pytest.param(("down", "oracle", "--reason", "gone"), "missing", "there is no partner oracle", id="no such partner"),
        pytest.param(("up", "oracle", "--reason", "back"), "missing", "there is no partner oracle", id="none to come up"),
        pytest.param(("down", "network", "--reason", " "), "usage", "say how you know", id="no reason"),
        pytest.param(("up", "network", "--reason", ""), "usage", "say how you know", id="no reason to come up"),
        pytest.param(("up", "network", "--reason", "back", "--rate", "-1"), "usage", "made in a minute", id="a rate that is none"),
    ],
)
def test_what_cannot_be_said_of_a_partner_is_refused(world: World, desk: Desk, words: tuple[str, ...], kind: str, says: str) -> None:
    """In one line, and nothing is changed."""
    with pytest.raises(Refused, match=says) as refused:
        desk.types("partners", *words)

    assert refused.value.kind == kind
    assert {row["state"] for row in desk.sees("partners", "status")} == {"up"}
