"""Stock that is announced, moved, given back or kept for somebody while orders wait for it tells them when theirs is due, and moves promises."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.fallout import Fail
from o2c.desk.numbers import reserve
from o2c.engine.drafts import Command
from o2c.engine.reactions import react
from o2c.files.loading import load_stock
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import number_stock
from o2c.store.commands import Outcome
from o2c.views.fallouts import list_fallouts
from o2c.views.order_page import show_order
from o2c.views.orders import find_order
from o2c.views.reading import caught_up
from tests.promised import claims
from tests.world import World, at, line, order, ported, sim

HEAD = ("iccid", "imsi", "kind")


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def waiting(world: World, *priorities: int, sim: str = "physical") -> None:
    """Lines WEB-1 and on of these priorities, a minute apart, that find no SIM on the 5th."""
    world.stocked(esims=0, physical=0, customers=len(priorities))
    numbered = enumerate(priorities, 1)
    world.take(*(order(f"WEB-{n}", line(sim=sim), on=at(5, 9, n), party=f"C-{n}", priority=rank) for n, rank in numbered))
    world.run(at(6))


def announced(world: World, day: int, *serials: int, kind: str = "physical") -> None:
    """A paper of SIMs announced for a day, or moved to it."""
    file = world.written(f"sims-{serials[0]}.csv", [HEAD, *(sim(serial, kind) for serial in serials)])
    load_stock(world.app, world.runner, "sims", file, at(day, 9))


def told(world: World, external_id: str) -> list[tuple[str, str]]:
    """What an order was told since it began to wait, as (type, day)."""
    sql = """SELECT type, coalesce(body ->> 'promised_on', left(body ->> 'expected_at', 10), '') AS day FROM o2c.event
        WHERE stream = %s AND type IN ('stock.expected', 'promise.revised') ORDER BY version"""
    return [(row["type"], row["day"]) for row in world.app.reads.rows(sql, find_order(world.app, external_id)[0])]


def expected(world: World, external_id: str) -> list[str]:
    """The days that an order's fallouts named when they came."""
    sql = "SELECT left(body ->> 'expected_at', 10) AS day FROM o2c.event WHERE stream = %s AND type LIKE '%%.fell-out' ORDER BY version"
    return [row["day"] for row in world.app.reads.rows(sql, find_order(world.app, external_id)[0])]


def promises(world: World, external_id: str) -> list[tuple[str, str]]:
    caught_up(world.app)
    return [(row["promised_on"], row["cause"]) for row in show_order(world.app, external_id)["promises"]]


def test_a_delivery_that_is_announced_moves_the_promise_of_whom_it_will_serve(world: World) -> None:
    """Two wait since the 5th; one SIM is announced on the 8th for the 21st: the first is told, once, and promised for what follows; it is kept."""
    waiting(world, 4, 4)
    world.run(at(8))
    announced(world, 21, 1)
    world.run(at(9))
    assert told(world, "WEB-1") == [("stock.expected", "2026-01-21"), ("promise.revised", "2026-01-26")]
    assert told(world, "WEB-2") == []
    assert promises(world, "WEB-1") == [("2026-01-08", "the plan"), ("2026-01-26", "sim INV-SIM")]
    steps = {row["step"]: row["expected_at"] for row in show_order(world.app, "WEB-1")["steps"]}
    assert (steps["sim"], steps["delivery"][:10]) == ("2026-01-21T09:00:00Z", "2026-01-26")
    listed = {row["external_id"]: row["next"] for row in list_fallouts(world.app, limit=None)}
    assert listed["WEB-1"] == "wait: expected on 2026-01-21" != listed["WEB-2"]
    react(world.app, round_=0)
    world.run(at(27))
    assert [world.state("WEB-1"), world.state("WEB-2")] == ["completed", "pending"]
    assert told(world, "WEB-1") == [("stock.expected", "2026-01-21"), ("promise.revised", "2026-01-26")]
    caught_up(world.app)
    assert next(claims(world.app)).good


@pytest.mark.parametrize(
    ("day", "follows"),
    [
        pytest.param(28, [("stock.expected", "2026-01-28"), ("promise.revised", "2026-02-02")], id="later"),
        pytest.param(14, [("stock.expected", "2026-01-14")], id="earlier: a promise moves to no earlier day"),
        pytest.param(21, [], id="not at all"),
    ],
)
def test_a_delivery_that_is_moved_moves_what_followed_from_it(world: World, day: int, follows: list[tuple[str, str]]) -> None:
    """The same paper with another time moves the delivery, and with it what the waiting line was told."""
    waiting(world, 4)
    announced(world, 21, 1)
    world.run(at(8))
    before = told(world, "WEB-1")
    announced(world, day, 1)
    world.run(at(9))
    assert told(world, "WEB-1") == [*before, *follows]
    world.run(at(day, 10))
    assert "sim.assigned" in world.told("WEB-1")


def test_a_delivery_that_is_announced_for_later_is_moved_by_a_time_only(world: World) -> None:
    """Without a time the paper of a delivery that is still to come is taken for a slip."""
    waiting(world, 4)
    announced(world, 21, 1)
    with pytest.raises(Refused, match=r"announced for 2026-01-21T09:00:00Z; say `--at` to move it"):
        load_stock(world.app, world.runner, "sims", world.folder / "sims-1.csv", None)


def test_the_first_in_turn_has_the_first_piece_whenever_it_begins_to_wait(world: World) -> None:
    """One comes on the 21st and one on the 28th. Who is overtaken by an order of a higher priority is told, and promised a later day."""
    waiting(world, 4)
    announced(world, 21, 1)
    announced(world, 28, 2)
    world.run(at(8))
    world.take(order("FIRST", line(sim="physical"), on=at(8, 9), party="C-1", priority=0), name="first.jsonl")
    world.run(at(9))
    assert told(world, "FIRST") == [("promise.revised", "2026-01-26")]
    assert told(world, "WEB-1")[2:] == [("stock.expected", "2026-01-28"), ("promise.revised", "2026-02-02")]
    world.run(at(22))
    assert ["sim.assigned" in world.told(name) for name in ("FIRST", "WEB-1")] == [True, False]
    world.run(at(29))
    assert "sim.assigned" in world.told("WEB-1")


def test_who_ceases_to_wait_leaves_its_piece_to_the_next(world: World) -> None:
    """The first of two was told of the only SIM that comes; it is cancelled, and the second is told."""
    waiting(world, 4, 4)
    announced(world, 21, 1)
    world.run(at(8))
    world.cancel("WEB-1")
    world.run(at(9))
    assert told(world, "WEB-2") == [("stock.expected", "2026-01-21"), ("promise.revised", "2026-01-26")]


def test_a_sim_that_is_given_back_is_told_of_and_serves_the_first_in_turn(world: World) -> None:
    """Three want the one SIM. Who has it is cancelled on the 7th; counted and shelved on the 8th it goes to the one of the higher priority."""
    world.stocked(physical=1, customers=3)
    ranks = {"HAS-IT": 4, "WAITS": 4, "FIRST": 1}
    placed = (
        order(n, line(sim="physical", place=""), on=at(5, 9 + h), party=f"C-{h + 1}", priority=r) for h, (n, r) in enumerate(ranks.items())
    )
    world.take(*placed)
    world.run(at(7))
    world.cancel("HAS-IT")
    world.run(at(7, 12))
    assert told(world, "FIRST") == [("stock.expected", "2026-01-08"), ("promise.revised", "2026-01-13")]
    assert told(world, "WAITS") == []
    world.run(at(9))
    assert ["sim.assigned" in world.told(name) for name in ("FIRST", "WAITS")] == [True, False]


def resting_number(world: World) -> str:
    """One number for everybody; an order that had it before its line was on is cancelled on the 6th, and another waits for a number since then."""
    world.stocked(numbers=2)
    world.take(order("HAD-IT", line(sim="physical", place=""), on=at(5, 9)), order("WAITS", line(), on=at(5, 10), party="C-2"))
    world.run(at(6))
    world.cancel("HAD-IT")
    world.run(at(6, 12))
    [msisdn] = [msisdn for msisdn, number_class in number_stock(2) if number_class == "normal"]
    return msisdn


def test_a_number_at_rest_is_told_of_and_serves_who_waits_when_its_rest_is_over(world: World) -> None:
    """The day is that of the end of its rest; on it the line has its number."""
    msisdn = resting_number(world)
    rests_until = world.app.load_one(f"number-{msisdn}").state.rests_until
    assert told(world, "WAITS")[0] == ("stock.expected", rests_until.date().isoformat())
    world.run(rests_until.replace(hour=23, minute=59))
    assert "number.assigned" in world.told("WAITS")


def test_who_waits_for_a_number_that_its_former_customer_claims_is_told_that_none_is_known(world: World) -> None:
    """It was in use and rests until February, which the line that waits was told; then it is kept for the customer who had it."""
    world.scripted.will("cutover", RefusedBy("REFUSED"))
    world.stocked(numbers=2)
    world.take(order("HAD-IT", ported(), on=at(5, 9)))
    world.run(at(7))
    world.resolve("NP-CUTFAIL", Fail())
    waits, again = order("WAITS", line(), on=at(8, 9), party="C-2"), order("AGAIN", line(), on=at(8, 10))
    world.take(waits, again, name="later.jsonl")
    world.run(at(9))
    [told_at_once] = promises(world, "WAITS")[1:]
    assert (told_at_once, expected(world, "WAITS")) == (("2026-02-08", "number INV-NUM"), ["2026-02-07"])
    [msisdn] = [msisdn for msisdn, number_class in number_stock(2) if number_class == "normal"]
    reserve(world.app, Context("agent.smith"), msisdn, order="AGAIN")
    world.run(at(10))
    assert told(world, "WAITS")[1:] == [("stock.expected", "")]
    caught_up(world.app)
    [fallout] = list_fallouts(world.app, order=world.order("WAITS").order_id, limit=None)
    assert "expected" not in fallout["next"]
    assert promises(world, "WAITS")[1:] == [told_at_once]


def test_many_that_wait_are_told_in_one_append(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty wait and twenty SIMs are announced: twenty commands in one append, and when it is told again, none."""
    waiting(world, *[4] * 30)
    announced(world, 21, *range(1, 21))
    appends: list[int] = []
    write = world.app.write

    def counted(commands: Sequence[Command], **more: Any) -> list[Outcome]:
        appends.append(len(commands))
        return write(commands, **more)

    monkeypatch.setattr(world.app, "write", counted)
    react(world.app, round_=0)
    react(world.app, round_=0)
    assert appends == [20]
    assert [bool(told(world, f"WEB-{n}")) for n in (1, 20, 21, 30)] == [True, True, False, False]
