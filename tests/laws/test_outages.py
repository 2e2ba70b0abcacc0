"""Laws of outages: whatever schedule of partners that go down and come up, every call is made once, in turn, no faster than said, and nothing
falls out for it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c import Context
from o2c.desk.partners import partner_down, partner_up
from o2c.engine import attending
from o2c.engine.outages import Outages
from o2c.kernel.attend import Ask, Reply, settle
from o2c.kernel.decision import Decision
from o2c.kernel.partner import Answer, Answered, NeverHeard, Partner, Request, Unknown
from o2c.kernel.reasons import OutageRule
from o2c.kernel.step import Step
from o2c.kernel.work import Work
from o2c.orders.rollup import order_state
from o2c.partners.faults import Disturbed, Faults, heard, place
from o2c.partners.outages import Call, detected, undecided, weight_of
from o2c.partners.rules import faults_of
from o2c.plan import STEPS
from o2c.views.partners import list_partner_statuses
from tests.conftest import database
from tests.depth import depth
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
    """Does each piece of work once a key, and counts how often it was told to, by key and by the place of the work."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self.places: Counter[str] = Counter()

    def submit(self, request: Request) -> Answer:
        self.told[request.key] += 1
        self.places[place(request)] += 1
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
        state = world.app.load_one(row["stream"]).state
        turn = (state.priority, state.captured_at) if row["stream"].startswith("order-") else (99, at(1))
        found.setdefault((row["partner"], row["outage"]), []).append((row["due_at"], turn))
    return found


@hypothesis.settings(max_examples=depth(8, 60), suppress_health_check=[hypothesis.HealthCheck.too_slow])
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


QUICK = (hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate)
"""A life takes seconds: one that breaks the law is shown as it is."""
FAULTS = ("outage", "transient", "unknown", "permanent")
Fault = tuple[str, str, int, int, int, bool]
"""A partner, the kind of a fault, how many calls in a hundred meet it, the minutes between which they do, and whether somebody declares it."""


class Lossy:
    """A partner of which half of the requests that meet silence get there all the same: what it did and did not say is found by a query."""

    def __init__(self, outside: Partner, doer: Doer) -> None:
        self.outside, self.doer = outside, doer

    def submit(self, request: Request) -> Answer:
        answer = self.outside.submit(request)
        if isinstance(answer, Unknown) and request.key not in self.doer.told and heard(7, request):
            self.doer.submit(request)
        return answer

    def query(self, request: Request) -> Answer:
        return self.outside.query(request)


@st.composite
def fault_schedules(draw: st.DrawFn) -> list[Fault]:
    """Faults of all kinds at some partners. Of one partner outages do not touch; those that somebody declares, nobody reaches it in at all."""
    found: list[Fault] = []
    for partner in draw(st.sets(st.sampled_from(PARTNERS), min_size=1, max_size=3)):
        edges = sorted(draw(st.sets(st.integers(0, 240), min_size=2, max_size=6)))
        for begins, ends in zip(edges[::2], edges[1::2], strict=False):
            kind, declared = draw(st.sampled_from(FAULTS)), draw(st.booleans())
            percent = 100 if kind == "outage" and declared else draw(st.sampled_from((60, 100) if kind == "outage" else (5, 20, 60)))
            found.append((partner, kind, percent, begins, ends, declared and kind == "outage"))
    return sorted(found)


def disturbed(dsn: str, folder: Path, faults: list[Fault]) -> tuple[World, Doer]:
    """A world through some faults, of which some are declared by a person, and the others show themselves."""
    doer = Doer()
    rows = [
        {"partner": p, "kind": kind, "percent": percent, "from": NINE + b * MINUTE, "to": NINE + e * MINUTE}
        for p, kind, percent, b, e, _ in faults
    ]
    planned = faults_of(rows, NAMES)
    world = World(dsn, folder, {name: Lossy(Disturbed(doer, 7, Faults(planned[name])), doer) for name in NAMES})
    world.run(NINE)
    declared = [(b, e, p) for p, _, _, b, e, said in faults if said]
    for minute, ends, partner in sorted([(b, False, p) for b, _, p in declared] + [(e, True, p) for _, e, p in declared]):
        world.run(NINE + minute * MINUTE)
        if ends:
            partner_up(world.app, ANN, partner, reason="they called")
        else:
            partner_down(world.app, ANN, partner, reason="planned work")
    return world.run(at(20)), doer


def drained_together(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """By the event that made somebody look, the calls that got their times then: when each is due, and what its turn depends on."""
    sql = """SELECT stream, causation, (body ->> 'due_at')::timestamptz AS due_at FROM o2c.event
        WHERE type = 'call.resumed' AND actor = 'make-parked-calls' ORDER BY due_at"""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in world.app.reads.rows(sql):
        state = world.app.load_one(row["stream"]).state
        turn = (state.priority, state.captured_at) if row["stream"].startswith("order-") else (99, at(1))
        found.setdefault(row["causation"], []).append((row["due_at"], turn))
    return found


FELL_WHILE_DOWN = """SELECT count(*) AS n FROM o2c.event d JOIN o2c.event u ON u.stream = d.stream AND u.type = 'partner.came-up'
        AND u.body ->> 'outage' = d.body ->> 'outage'
    JOIN o2c.event e ON e.body #>> '{asked,partner}' = d.body ->> 'partner' AND e.position > d.position AND e.occurred_at >= d.occurred_at
        AND e.occurred_at < (u.body ->> 'up_at')::timestamptz
    WHERE d.type = 'partner.went-down' AND e.type LIKE '%%.fell-out' AND e.body ->> 'partner_code' IN ('UNAVAILABLE', 'silent', 'never heard')"""
"""How many fell out for want of an answer from a partner once it was known to be down, until it came up. No parameters."""


@hypothesis.settings(max_examples=depth(6, 48), suppress_health_check=[hypothesis.HealthCheck.too_slow], phases=QUICK)
@hypothesis.given(faults=fault_schedules())
def test_whatever_the_faults_nobody_falls_out_for_an_outage_that_is_known(stage: Stage, faults: list[Fault]) -> None:
    """Declared or found by the calls: what met nobody waits and is made again in turn, and no piece of work is done twice at its partner."""
    dsn, folder, scene = stage
    scene.set_again()
    world, doer = disturbed(dsn, folder, faults)
    with closing(world):
        assert world.app.reads.rows(FELL_WHILE_DOWN)[0]["n"] == 0
        assert set(doer.places.values()) <= {1}
        statuses = list_partner_statuses(world.app)
        assert [row for row in statuses if row["parked"] != row["drained"] or row["state"] != "up"] == []
        orders = {one.order_id: one for n in range(1, ORDERS + 1) if (one := world.order(f"WEB-{n}"))}
        held_up = {row["order"] for row in world.fallouts()}
        assert {order_id for order_id, one in orders.items() if order_state(one.progress) != "completed"} <= held_up
        for calls in drained_together(world).values():
            assert [turn for _, turn in calls] == sorted(turn for _, turn in calls)
            assert len({later - earlier for (earlier, _), (later, _) in pairwise(calls)}) <= 1


def sent_again(step: Step, work: Work, ask: Ask, reply: Reply, at: datetime, *, seed: int) -> Decision:
    """What no partner should live with: a request that met silence is made again under another key, without a query."""
    if isinstance(reply.answer, Unknown):
        return step.request(work, at, attempt=work.attempt + 1, due_at=at + 5 * MINUTE)
    return settle(step, work, ask, reply, at, seed=seed)


@pytest.mark.parametrize("broken", ["parking", "same key"])
def test_the_law_of_faults_can_fail(stage: Stage, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """The controls: calls of a partner that is down that are made all the same fall out; a silent call that is sent again is done twice."""
    dsn, folder, scene = stage
    scene.set_again()
    if broken == "parking":
        monkeypatch.setattr(Outages, "parked", lambda *_: None)
    else:
        monkeypatch.setattr(attending, "settle", sent_again)
    world, doer = disturbed(dsn, folder, [("network", "outage", 100, 0, 240, True), ("sim-platform", "unknown", 60, 0, 240, False)])

    seen = world.app.reads.rows(FELL_WHILE_DOWN)[0]["n"] > 0 if broken == "parking" else max(doer.places.values()) > 1
    assert seen
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
RULES = st.builds(
    OutageRule,
    window_s=st.integers(60, 900),
    usual_percent=st.integers(1, 60),
    once_in=st.sampled_from((10, 1_000, 100_000)),
    calls_min=st.integers(1, 8),
    orders_min=st.integers(1, 4),
    tries_max=st.integers(1, 5),
)


@hypothesis.given(calls=CALLS, rule=RULES)
def test_what_is_found_rests_on_its_figures(calls: list[Call], rule: OutageRule) -> None:
    """All of a row met nobody, none too old, of enough orders and enough of them; the order in which they are told does not matter."""
    found = detected(calls, rule)

    assert detected(calls[::-1], rule) == found
    if found is not None:
        row = [call for call in calls if found.since <= call.at <= found.at]
        assert all(call.failed for call in row)
        assert (len(row), len({call.stream for call in row})) == (found.calls, found.orders)
        assert (weight_of(row, rule) >= rule.calls_min, found.orders >= rule.orders_min) == (True, True)
        assert timedelta() <= found.at - found.since < timedelta(seconds=rule.window_s)


@hypothesis.given(calls=CALLS, rule=RULES, more=st.integers(1, 40))
def test_the_more_often_a_partner_answered_the_sooner_it_is_found(calls: list[Call], rule: OutageRule, more: int) -> None:
    """Answers of before never hide an outage, and failures of before never make one."""
    before = [Call(f"before-{n}", NINE - timedelta(hours=2, seconds=n), failed=False) for n in range(more)]
    found = detected(calls, rule)
    sooner = detected([*before, *calls], rule, judged_from=NINE)
    assert found is None or (sooner is not None and sooner.at <= found.at)
    ill = [*before, *(Call(f"ill-{n}", NINE - timedelta(hours=3, seconds=n), failed=True) for n in range(3 * more))]
    later = detected([*ill, *calls], rule, judged_from=NINE)
    assert later is None or (sooner is not None and sooner.at <= later.at)


@hypothesis.given(calls=CALLS, rule=RULES)
def test_one_order_alone_counts_once(calls: list[Call], rule: OutageRule) -> None:
    """However often one order is tried in a row, it weighs as much as one call; and more calls never weigh less."""
    row = sorted(calls, key=lambda call: call.at)
    assert weight_of([call for call in row if call.stream == "order-0"], rule) <= 1
    weights = [weight_of(row[:n], rule) for n in range(len(row) + 1)]
    assert weights == sorted(weights)


@hypothesis.given(calls=CALLS, rule=RULES, answered=st.integers(0, 8))
def test_more_calls_are_asked_for_wherever_they_could_show_more(calls: list[Call], rule: OutageRule, answered: int) -> None:
    """What is found only with calls before these is never missed for not having looked."""
    first = min((call.at for call in calls), default=NINE)
    earlier = [Call(f"order-earlier-{n}", first - timedelta(seconds=8 - n), failed=n >= answered) for n in range(8)]
    if detected([*earlier, *calls], rule, judged_from=first):
        assert undecided(calls, rule)
