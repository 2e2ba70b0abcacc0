"""Laws of outages: whatever schedule of partners that go down and come up, every call is made once, in turn, no faster than said, and nothing
falls out for it."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c import Context
from o2c.desk.partners import partner_down, partner_up
from o2c.kernel.partner import Answer, Answered, NeverHeard, Partner, Request
from o2c.partners.faults import Disturbed, Faults
from o2c.partners.outages import Call, OutageRule, detected, undecided
from o2c.partners.rules import faults_of
from o2c.plan import STEPS
from o2c.views.partners import list_partner_statuses
from tests.conftest import database
from tests.faults.dying import Scene
from tests.world import NINE, World, at, line, order

ORDERS = 10
MINUTE = timedelta(minutes=1)
PARTNERS = ("network", "sim-platform", "identity-agency", "payment-provider")
NAMES = {step.partner for step in STEPS.values() if step.partner}
ANN = Context("ann")

Outage = tuple[str, int, int, int]
"""A partner, the minutes at which it goes down and comes up again, and how many of its calls are made in a minute then."""


Stage = tuple[str, Path, Scene]


class Doer:
    """Does each piece of work once a key, and counts how often it was told to."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    def submit(self, request: Request) -> Answer:
        self.told[request.key] += 1
        return Answered()

    def query(self, request: Request) -> Answer:
        return Answered() if request.key in self.told else NeverHeard()


@st.composite
def schedules(draw: st.DrawFn) -> list[Outage]:
    """For each of some partners, times without it that do not touch: declared at the minute at which they begin and end."""
    found: list[Outage] = []
    for partner in draw(st.sets(st.sampled_from(PARTNERS), min_size=1, max_size=3)):
        edges = sorted(draw(st.sets(st.integers(0, 240), min_size=2, max_size=6)))
        rates = st.sampled_from((1, 7, 60, 600))
        found += [(partner, down, up, draw(rates)) for down, up in zip(edges[::2], edges[1::2], strict=False)]
    return sorted(found)


@pytest.fixture(scope="module")
def stage(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Ten orders that begin within two hours, of three priorities, before any time has passed."""
    folder = tmp_path_factory.mktemp("outages")
    with database(server_dsn) as dsn:
        yield staged(dsn, folder)


def staged(dsn: str, folder: Path) -> Stage:
    world = World(dsn, folder).stocked(esims=ORDERS, physical=0, numbers=2 * ORDERS, customers=ORDERS)
    world.take(*(order(f"WEB-{n}", line(), on=NINE + 12 * n * MINUTE, party=f"C-{n}", priority=1 + n % 3) for n in range(1, ORDERS + 1)))
    world.close()
    return dsn, folder, Scene(dsn)


def lived(dsn: str, folder: Path, outages: list[Outage], *, declared: bool = True) -> tuple[World, Doer]:
    """A world through some outages, in which nobody reaches a partner from the minute it goes down until it is up."""
    doer = Doer()
    rows = [{"partner": p, "kind": "outage", "percent": 100, "from": NINE + d * MINUTE, "to": NINE + u * MINUTE} for p, d, u, _ in outages]
    planned = faults_of(rows, NAMES)
    outside: dict[str, Partner] = {name: Disturbed(doer, 7, Faults(planned[name])) for name in NAMES}
    world = World(dsn, folder, outside)
    world.run(NINE)
    told = sorted([(d, 0, p, 0) for p, d, _, _ in outages] + [(u, 1, p, rate) for p, _, u, rate in outages])
    for minute, ends, partner, rate in told if declared else ():
        world.run(NINE + minute * MINUTE)
        if ends:
            partner_up(world.app, ANN, partner, reason="they called", rate_per_min=rate)
        else:
            partner_down(world.app, ANN, partner, reason="planned work")
    return world.run(at(20)), doer


def counted(world: World, pattern: str) -> int:
    [row] = world.app.reads.rows("SELECT count(*) AS n FROM o2c.event WHERE type LIKE %s", pattern)
    return int(row["n"])


def made(world: World) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """By partner and outage, the calls that were made after it: when each is due, and what its turn depends on."""
    sql = """SELECT stream, body ->> 'item' AS item, body ->> 'partner' AS partner, body ->> 'outage' AS outage,
        (body ->> 'due_at')::timestamptz AS due_at FROM o2c.event WHERE type = 'call.resumed' AND actor = 'make-parked-calls' ORDER BY due_at"""
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in world.app.reads.rows(sql):
        state = world.app.load([row["stream"]])[row["stream"]].state
        turn = (state.priority, state.captured_at) if row["stream"].startswith("order-") else (99, at(1))
        found.setdefault((row["partner"], row["outage"]), []).append((row["due_at"], turn))
    return found


@hypothesis.settings(max_examples=15, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(outages=schedules())
def test_whatever_the_outages_every_call_is_made_once_in_turn(stage: Stage, outages: list[Outage]) -> None:
    """All orders come to their end, each piece of work told once; nothing fell out; parked is drained; no faster than the rate."""
    dsn, folder, scene = stage
    scene.set_again()
    world, doer = lived(dsn, folder, outages)

    assert counted(world, "%.fell-out") == counted(world, "retry.%") == 0
    assert {world.state(f"WEB-{n}") for n in range(1, ORDERS + 1)} == {"completed"}
    assert set(doer.told.values()) == {1}
    statuses = {row["partner"]: row for row in list_partner_statuses(world.app)}
    assert all(row["state"] == "up" and row["parked"] == row["drained"] for row in statuses.values())
    rates = {(p, NINE + u * MINUTE): rate for p, _, u, rate in outages}
    for (partner, _), calls in made(world).items():
        times = [due_at for due_at, _ in calls]
        ended = max(up for name, up in rates if name == partner and up < times[0])
        assert all(later - earlier == MINUTE / rates[partner, ended] for earlier, later in pairwise(times))
        assert [turn for _, turn in calls] == sorted(turn for _, turn in calls)
    world.close()


def test_the_law_would_see_fallouts(stage: Stage) -> None:
    """The control: of the same outage that nobody declares, and that too few orders meet to show it, orders fall out."""
    dsn, folder, scene = stage
    scene.set_again()
    world, _ = lived(dsn, folder, [("network", 0, 60, 60)], declared=False)

    assert counted(world, "activation.fell-out") > 0
    world.close()


CALLS = st.lists(
    st.builds(
        Call,
        stream=st.sampled_from([f"order-{n}" for n in range(12)]),
        at=st.integers(0, 900).map(lambda seconds: NINE + timedelta(seconds=seconds)),
        failed=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda call: call.at,
)
RULES = st.builds(OutageRule, window_s=st.integers(60, 900), calls_min=st.integers(1, 8), failed_percent=st.sampled_from((50, 80, 100)))


@hypothesis.given(calls=CALLS, rule=RULES)
def test_what_is_found_rests_on_its_figures(calls: list[Call], rule: OutageRule) -> None:
    """Enough calls, enough of them failed, none too old, the last one failed; the order in which they are told does not matter."""
    found = detected(calls, rule)

    assert detected(calls[::-1], rule) == found
    if found is not None:
        assert (found.calls, found.failed * 100 >= rule.failed_percent * found.calls) == (rule.calls_min, True)
        assert timedelta() <= found.at - found.since < timedelta(seconds=rule.window_s)
        assert next(call for call in calls if call.at == found.at).failed
        assert len({call.stream for call in calls if call.failed}) >= found.failed


@hypothesis.given(calls=CALLS, rule=RULES, answered=st.integers(0, 8))
def test_more_calls_are_asked_for_wherever_they_could_show_more(calls: list[Call], rule: OutageRule, answered: int) -> None:
    """What is found only with calls before these is never missed for not having looked."""
    first = min((call.at for call in calls), default=NINE)
    earlier = [Call(f"order-earlier-{n}", first - timedelta(seconds=8 - n), failed=n >= answered) for n in range(8)]
    found = detected([*earlier, *calls], rule)
    if found is not None and found.at >= first and detected(calls, rule) is None:
        assert undecided(calls, rule)
