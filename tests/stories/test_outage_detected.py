"""An outage that nobody declared: the calls show it, what met it waits with the rest, one call now and then shows when it is over."""

import os
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from o2c.engine import outages
from o2c.fallout.codes import packaged
from o2c.files.loading import load_codes
from o2c.kernel.partner import Answer, Answered, Failed, NeverHeard, Partner, Request, Unknown
from o2c.partners.faults import Disturbed, Faults
from o2c.partners.rules import faults_of
from o2c.plan import STEPS
from o2c.views.partners import list_partner_statuses
from tests.world import NINE, World, at, line, order

RULE = packaged().newest.outage_rule("network")
SEED = 7
MINUTE = timedelta(minutes=1)
FROM, TO = at(5, 9, 30), at(5, 11, 30)


class Doer:
    """Does each piece of work once a key, and knows what it never heard of; it may be gone for a time."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.asked: list[Request] = []

    def submit(self, request: Request) -> Answer:
        self.asked.append(request)
        self.done[request.key] += 1
        return Answered()

    def query(self, request: Request) -> Answer:
        return Answered() if request.key in self.done else NeverHeard()


class Choosy(Doer):
    """Never answers for some orders, however well it is."""

    def __init__(self) -> None:
        super().__init__()
        self.never: set[str] = set()

    def submit(self, request: Request) -> Answer:
        return Failed("UNAVAILABLE") if request.step == "activation" and request.stream in self.never else super().submit(request)

    def query(self, request: Request) -> Answer:
        return Failed("UNAVAILABLE") if request.step == "activation" and request.stream in self.never else super().query(request)


def without(
    partner: str, periods: list[tuple[datetime, datetime]], *, percent: int = 100, doer: Doer | None = None
) -> tuple[Doer, Mapping[str, Partner]]:
    """Partners that do what they are asked, one of which nobody reaches in some periods."""
    doer = doer or Doer()
    names = {step.partner for step in STEPS.values() if step.partner}
    rows = [{"partner": partner, "kind": "outage", "percent": percent, "from": begins, "to": ends} for begins, ends in periods]
    planned = faults_of(rows, names)
    return doer, {name: Disturbed(doer, SEED, Faults(planned[name])) for name in names}


def lived(dsn: str, folder: Path, count: int, outside: Mapping[str, Partner], *, every: timedelta = MINUTE) -> World:
    """Orders for lines, one after another from nine on, all of which are to be activated in the outage or beside it."""
    world = World(dsn, folder, outside).stocked(esims=count + 1, physical=0, numbers=2 * count, customers=count)
    world.take(*(order(f"WEB-{n}", line(), on=NINE + n * every, party=f"C-{n}", priority=4 - n % 3) for n in range(1, count + 1)))
    return world


def types(world: World) -> Counter[str]:
    return Counter(row["type"] for row in world.app.reads.rows("SELECT type FROM o2c.event"))


def status(world: World, partner: str = "network") -> dict[str, Any]:
    [found] = [row for row in list_partner_statuses(world.app) if row["partner"] == partner]
    return found


def drained(world: World) -> list[tuple[datetime, tuple[Any, ...]]]:
    """The calls that were made after the outage, in the order of their times, each with what its turn depends on; probes are left out."""
    sql = """SELECT e.stream, (e.body ->> 'due_at')::timestamptz AS due_at FROM o2c.event e
        WHERE e.type = 'call.resumed' AND e.actor = 'make-parked-calls' AND (e.body ->> 'due_at')::timestamptz > (SELECT max((body ->> 'up_at')::timestamptz) FROM o2c.event
            WHERE type = 'partner.came-up') ORDER BY 2"""
    rows = world.app.reads.rows(sql)
    states = {row["stream"]: world.app.load_one(row["stream"]).state for row in rows}
    turn = {stream: (state.priority, state.items["1"].promised_on, state.captured_at) for stream, state in states.items()}
    return [(row["due_at"], turn[row["stream"]]) for row in rows]


def fallen_out(world: World) -> int:
    """How many orders fell out at all."""
    return int(world.app.reads.rows("SELECT count(DISTINCT stream) AS n FROM o2c.event WHERE type LIKE %s", "%.fell-out")[0]["n"])


def first_drain(world: World) -> int:
    """How many calls got their times when the partner came up; later ones were parked after that."""
    sql = """SELECT count(*) AS n FROM o2c.event WHERE type = 'call.resumed' AND actor = 'make-parked-calls' AND causation = (SELECT causation
        FROM o2c.event WHERE type = 'partner.calls-resumed' ORDER BY position LIMIT 1)"""
    return int(world.app.reads.rows(sql)[0]["n"])


def test_an_outage_that_nobody_declared_makes_no_fallout(dsn: str, tmp_path: Path) -> None:
    """What met nobody is parked with the rest, and all of it is made in turn and at the rate, each call with one effect."""
    doer, outside = without("network", [(NINE, TO)])
    world = lived(dsn, tmp_path, 40, outside, every=MINUTE / 60)
    world.run(FROM)
    told = status(world)
    assert (told["state"], told["by"]) == ("down", "detection")
    assert told["parked"] > RULE.calls_min

    world.run(at(6))

    told, calls = status(world), drained(world)
    assert (told["state"], told["by"], told["parked"]) == ("up", "detection", told["drained"])
    assert types(world)["activation.fell-out"] == types(world)["retry.scheduled"] == 0
    assert {world.state(f"WEB-{n}") for n in range(1, 41)} == {"completed"}
    assert [turn for _, turn in calls] == sorted(turn for _, turn in calls)
    assert {later - earlier for (earlier, _), (later, _) in pairwise(calls)} == {MINUTE / RULE.rate_per_min}
    assert Counter(key for key in doer.done.elements() if "/activation/" in key).most_common(1)[0][1] == 1
    assert sum("/activation/" in key for key in doer.done) == 40


def test_scenario_of_an_outage_of_two_hours_with_hundreds_of_orders_in_it(dsn: str, tmp_path: Path) -> None:
    """What they wait for is parked and drained in turn at the rate, and each line is activated once; nobody has anything to do."""
    count = 500 if os.environ.get("O2C_DEEP") else 80
    doer, outside = without("network", [(NINE, NINE + 120 * MINUTE)])
    world = lived(dsn, tmp_path, count, outside, every=120 * MINUTE / count)
    world.run(at(6))

    told, calls = status(world), drained(world)
    assert (told["state"], told["by"]) == ("up", "detection")
    assert told["parked"] == told["drained"] >= count - RULE.answers_min
    assert (fallen_out(world) < (RULE.calls_min if count < 500 else 1), world.fallouts()) == (True, [])
    in_turn = calls[: first_drain(world)]
    assert len(in_turn) > 0.95 * len(calls), "all but those that were due before it was up, and were looked at just after"
    assert [turn for _, turn in in_turn] == sorted(turn for _, turn in in_turn)
    assert {later - earlier for (earlier, _), (later, _) in pairwise(calls)} == {MINUTE / RULE.rate_per_min}
    assert sum("/activation/" in key for key in doer.done.elements()) == count
    assert {world.state(f"WEB-{n}") for n in range(1, count + 1)} == {"completed"}


def test_few_orders_fall_out_before_it_shows(dsn: str, tmp_path: Path) -> None:
    """Where orders come one by one, those that came before it shows are tried again by themselves: fewer than it takes, and nobody acts on them."""
    _, outside = without("network", [(FROM, TO)])
    world = lived(dsn, tmp_path, 40, outside)
    world.run(at(6))

    assert fallen_out(world) < RULE.calls_min
    assert (world.fallouts(), types(world)["fallout.decided"]) == ([], 0)
    assert {world.state(f"WEB-{n}") for n in range(1, 41)} == {"completed"}
    assert status(world)["parked"] == status(world)["drained"] > RULE.calls_min


@pytest.mark.parametrize("count", [2, 3])
def test_two_orders_show_a_long_outage_by_their_tries(dsn: str, tmp_path: Path, count: int) -> None:
    """Each is tried again by itself, which shows it before their tries are used up: they wait with the partner, and nobody acts on them."""
    doer, outside = without("network", [(NINE, NINE + 5 * 60 * MINUTE)])
    world = lived(dsn, tmp_path, count, outside)
    world.run(at(5, 13))
    told = status(world)
    assert (told["state"], told["by"], told["parked"]) == ("down", "detection", count)
    world.run(at(6))

    assert {world.state(f"WEB-{n}") for n in range(1, count + 1)} == {"completed"}
    assert (world.fallouts(), types(world)["fallout.decided"], types(world)["partner.went-down"]) == ([], 0, 1)
    assert sum("/activation/" in key for key in doer.done.elements()) == count


def test_a_partner_that_answered_and_that_nobody_waits_for_is_up(dsn: str, tmp_path: Path) -> None:
    """It takes three answers and two orders wait: the second answer is enough, for nobody is left to ask a third time."""
    _, outside = without("network", [(NINE, NINE + 5 * 60 * MINUTE)])
    world = lived(dsn, tmp_path, 2, outside)
    load_codes(world.app, world.written("codes.toml", 'version = "1"\nvalid_from = "2026-01-01"\n[outages.network]\nanswers_min = 3\n'))
    world.run(at(6))

    answers = [
        row["answered"]
        for row in world.app.reads.rows("SELECT body -> 'answered' AS answered FROM o2c.event WHERE type = 'partner.probed'")
    ]
    assert (answers.count(True), status(world)["state"], status(world)["by"]) == (2, "up", "detection")
    assert {world.state(f"WEB-{n}") for n in (1, 2)} == {"completed"}


def test_one_order_shows_none(dsn: str, tmp_path: Path) -> None:
    """The control: a partner that one order cannot reach is taken for well, and the order is somebody's once its tries are used up."""
    _, outside = without("network", [(NINE, NINE + 5 * 60 * MINUTE)])
    world = lived(dsn, tmp_path, 1, outside)
    world.run(at(5, 16))

    assert (status(world)["state"], types(world)["partner.went-down"], len(world.fallouts())) == ("up", 0, 1)


@pytest.mark.parametrize(
    ("bad", "downs"), [pytest.param(0, 0, id="all good"), pytest.param(1, 0, id="one bad"), pytest.param(19, 1, id="nearly all bad")]
)
def test_one_bad_order_among_good_ones_takes_no_partner_down(dsn: str, tmp_path: Path, bad: int, downs: int) -> None:
    """It is tried again and again and falls out by itself, while the good ones are served; the control has few good ones."""
    choosy = Choosy()
    _, outside = without("network", [], doer=choosy)
    world = lived(dsn, tmp_path, 20, outside, every=MINUTE * 4)
    choosy.never = {f"order-{world.order(f'WEB-{n}').order_id}" for n in range(1, bad + 1)}
    world.run(at(5, 16))

    assert (types(world)["partner.went-down"] > 0) is (downs > 0)
    if not downs:
        assert [world.state(f"WEB-{n}") for n in range(1, 21)].count("completed") == 20 - bad
        assert len(world.fallouts()) == bad


def test_orders_in_trouble_of_their_own_get_to_somebody(dsn: str, tmp_path: Path) -> None:
    """Two orders that are never answered look like an outage while nobody else calls; after a day it is over, and they are in the queue at last."""
    choosy = Choosy()
    _, outside = without("network", [], doer=choosy)
    world = lived(dsn, tmp_path, 2, outside)
    choosy.never = {f"order-{world.order(f'WEB-{n}').order_id}" for n in (1, 2)}
    world.run(at(5, 16))
    assert (status(world)["state"], status(world)["parked"], types(world)["retry.scheduled"]) == (
        "down",
        2,
        types(world)["activation.fell-out"],
    )
    world.run(at(12))

    assert types(world)["activation.fell-out"] == types(world)["retry.scheduled"] + 2, "their tries are used up"
    assert status(world)["state"] == "up"


def test_a_partner_that_flaps_stays_down_until_it_holds(dsn: str, tmp_path: Path) -> None:
    """Eight minutes away, eight minutes there, for more than an hour: each time it needs more answers, so that it soon stays down until it is over."""
    periods = [(NINE + 16 * n * MINUTE, NINE + (16 * n + 8) * MINUTE) for n in range(5)]
    doer, outside = without("network", periods)
    world = lived(dsn, tmp_path, 60, outside)
    world.run(at(7))

    sql = "SELECT body FROM o2c.event WHERE type = 'partner.went-down' ORDER BY position"
    needed = [row["body"]["answers_min"] for row in world.app.reads.rows(sql)]
    assert needed == [min(RULE.answers_min * 2**n, RULE.answers_max) for n in range(len(needed))]
    assert 1 < len(needed) < 6
    assert {world.state(f"WEB-{n}") for n in range(1, 61)} == {"completed"}
    assert (world.fallouts(), types(world)["fallout.decided"]) == ([], 0)
    assert sum("/activation/" in key for key in doer.done.elements()) == 60


STRICT = """version = "ours-1"
valid_from = "2026-01-01"
[outages.network]
calls_min = 12
probe_every_s = 600
rate_per_min = 6
"""


def test_an_operator_says_when_a_partner_is_down(dsn: str, tmp_path: Path) -> None:
    """By a file over the packaged one: found later, asked less often, drained more slowly; other partners are as ever."""
    _, outside = without("network", [(NINE, TO)])
    world = World(dsn, tmp_path, outside).stocked(esims=41, physical=0, numbers=80, customers=40)
    load_codes(world.app, world.written("codes.toml", STRICT))
    world.take(*(order(f"WEB-{n}", line(), on=NINE + n * MINUTE / 60, party=f"C-{n}") for n in range(1, 41)))
    world.run(at(6))

    sql = "SELECT occurred_at, body FROM o2c.event WHERE stream = 'partner-network' AND type = %s ORDER BY version"
    [down] = world.app.reads.rows(sql, "partner.went-down")
    probes = world.app.reads.rows(sql, "partner.probed")
    assert down["body"]["calls"] >= 12
    assert all(later["occurred_at"] - earlier["occurred_at"] >= 10 * MINUTE for earlier, later in pairwise(probes))
    assert (status(world)["rate_per_min"], status(world, "courier")["rate_per_min"]) == (6, RULE.rate_per_min)


def test_without_parking_the_same_outage_makes_fallouts(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were no outage ever found, the orders would fall out by the dozen."""
    monkeypatch.setattr(outages, "detected", lambda calls, rule, **how: None)
    _, outside = without("network", [(FROM, TO)])
    world = lived(dsn, tmp_path, 40, outside)
    world.run(at(6))

    assert types(world)["activation.fell-out"] > 20
    assert types(world)["call.parked"] == 0


def test_probes_show_when_it_is_over(dsn: str, tmp_path: Path) -> None:
    """One call every so often, and the partner is up after enough answers in a row; the probes are steps of its own stream."""
    _, outside = without("network", [(FROM, TO)])
    world = lived(dsn, tmp_path, 45, outside)
    world.run(at(6))

    sql = "SELECT type, occurred_at, body FROM o2c.event WHERE stream = 'partner-network' ORDER BY version"
    story = world.app.reads.rows(sql)
    told = [(row["occurred_at"], row["body"]["answered"]) for row in story if row["type"] == "partner.probed"]
    up = next(row["occurred_at"] for row in story if row["type"] == "partner.came-up")
    assert [answered for _, answered in told] == [False] * (len(told) - RULE.answers_min) + [True] * RULE.answers_min
    assert all(later - earlier >= timedelta(seconds=RULE.probe_every_s) for (earlier, _), (later, _) in pairwise(told))
    assert TO <= up <= TO + (RULE.answers_min + 1) * timedelta(seconds=RULE.probe_every_s + 2)
    assert next(row["body"]["failed"] for row in story if row["type"] == "partner.went-down") >= RULE.calls_min


def test_a_killed_run_finds_what_it_would_have_found(dsn: str, tmp_path: Path) -> None:
    """A run in short pieces, each by a driver that remembers nothing, tells the same as one that goes through."""
    world = lived(dsn, tmp_path, 12, without("network", [(NINE, TO)])[1], every=MINUTE * 3)
    for quarter in range(1, 20):
        World(dsn, tmp_path, without("network", [(NINE, TO)])[1]).run(NINE + quarter * 15 * MINUTE).close()
    world.run(at(7))

    assert {world.state(f"WEB-{n}") for n in range(1, 13)} == {"completed"}
    assert status(world)["parked"] == status(world)["drained"] > 0


def test_a_refusal_is_an_answer(dsn: str, tmp_path: Path) -> None:
    """A partner that fails in other ways than by being away is there: its orders fall out, each for its own reason."""
    world = World(dsn, tmp_path).stocked(esims=16, physical=0, numbers=20, customers=15)
    world.scripted.will("activation", *[Failed("PERMANENT")] * 15)
    world.take(*(order(f"WEB-{n}", line(), on=NINE, party=f"C-{n}") for n in range(1, 16)))
    world.run(at(6))

    assert (types(world)["activation.fell-out"], types(world)["partner.went-down"]) == (15, 0)
    assert Unknown(NINE) != Failed("PERMANENT")


def test_calls_in_trouble_of_their_own_keep_no_partner_down(dsn: str, tmp_path: Path) -> None:
    """A few orders are never answered; the probes come to others, so the partner is up soon after the outage, and all others are served."""
    choosy = Choosy()
    _, outside = without("network", [(NINE, TO)], doer=choosy)
    world = lived(dsn, tmp_path, 20, outside, every=MINUTE / 60)
    choosy.never = {f"order-{world.order(f'WEB-{n}').order_id}" for n in range(1, 6)}
    world.run(at(5, 13))

    [up, *_] = world.app.reads.rows("SELECT occurred_at FROM o2c.event WHERE type = 'partner.came-up' ORDER BY position")
    assert up["occurred_at"] < TO + 15 * MINUTE
    assert {world.state(f"WEB-{n}") for n in range(6, 21)} == {"completed"}
