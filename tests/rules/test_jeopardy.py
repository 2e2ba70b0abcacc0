"""Promises in danger: by what came of items whose steps were open as near to their day, dampened, and better foretold than by age alone."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from o2c.views.jeopardy import bases_of
from o2c.views.jeopardy_learnt import DAMPED, Item, Learnt, damped, level_of
from o2c.views.jeopardy_scored import scored

BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)
NEVER_LATE = 10**6


def hour(hours: float) -> datetime:
    return BEGUN + timedelta(hours=hours)


def item(number: int, *, asked: dict[str, float], done: dict[str, float], over: float | None, due: float = 72, after: float = 0) -> Item:
    """An item of an order that was captured `after` hours; all its times are in hours from then."""
    times = [{step: hour(after + at) for step, at in each.items()} for each in (asked, done)]
    day = hour(after + due)
    facts = {
        "state": "completed" if over is not None else "inProgress",
        "over": over is not None,
        "external_id": f"WEB-{number}",
        "offering": "line",
    }
    ended = None if over is None else hour(after + over)
    return Item(f"{number:05}", "1", hour(after), hour(after), date(day.year, day.month, day.day), day, *times, ended, facts)


def parcel(number: int, hours: float, *, after: float = 0, due: float = 72) -> Item:
    """A SIM at once, then a parcel that takes so many hours."""
    return item(number, asked={"sim": 0, "delivery": 1}, done={"sim": 1, "delivery": 1 + hours}, over=1 + hours, due=due, after=after)


def generated(seed: int, orders: int = 300) -> list[Item]:
    """Parcels of a day or two, and ports: most are agreed in hours and cut over on the day promised, after their notice; one in five of them waits for its
    customer's code for days, and is late."""
    chance, found = random.Random(seed), []
    for number in range(orders):
        if chance.random() < 0.4:
            found.append(parcel(number, chance.uniform(12, 40), after=number * 12, due=72))
            continue
        agreed = chance.uniform(60, 200) if chance.random() < 0.2 else chance.uniform(2, 30)
        over = max(agreed + 80, 136) + chance.uniform(0, 6)
        asked, done = {"sim": 0, "porting": 1, "cutover": agreed}, {"sim": 1, "porting": agreed, "cutover": over}
        found.append(item(number, asked=asked, done=done, over=over, due=144, after=number * 12))
    return found


LIKE = [parcel(number, hours) for number, hours in enumerate(range(10, 110, 5))]
"""Twenty parcels of 10 to 105 hours, promised for the 72nd: seven are late."""


@pytest.mark.parametrize(
    ("at", "due", "chance"),
    [
        pytest.param(2, 72, 7 / 20, id="seven of twenty were late"),
        pytest.param(
            55, 72, (7 + 8 * 0.35) / (11 + 8), id="of the eleven that were open so near the day, seven, and of all seven in twenty"
        ),
        pytest.param(150, 72, 1.0, id="past its day"),
        pytest.param(2, 500, 0.0, id="nothing is known of so long before"),
    ],
)
def test_the_chance_is_that_of_its_like(at: float, due: float, chance: float) -> None:
    """The share that was late of those whose step was open as near to their day."""
    waiting = item(99, asked={"delivery": 1}, done={}, over=None, due=due)
    assert Learnt(LIKE).chance_late(waiting, hour(at)) == pytest.approx(chance)


def test_levels_have_their_bounds() -> None:
    """From 20 in a hundred on hazard, from 50 on critical."""
    assert [level_of(chance) for chance in (0.0, 0.19, 0.2, 0.49, 0.5, 1.0)] == [
        "normal",
        "normal",
        "hazard",
        "hazard",
        "critical",
        "critical",
    ]


def test_a_level_counts_once_it_held() -> None:
    """At the moment of its first danger an item is as before; six hours later it is of the level; past its day it is critical for good."""
    learnt, waiting = Learnt(LIKE), item(99, asked={"delivery": 1}, done={}, over=None, due=72)
    crossing = next(at for at in range(7, 72) if learnt.chance_late(waiting, hour(at)) >= 0.5)

    assert damped(learnt, waiting, hour(crossing))[0] == "hazard"
    assert damped(learnt, waiting, hour(crossing) + DAMPED)[0] == "critical"
    assert damped(learnt, waiting, hour(1_000)) == ("critical", 1.0)


def test_half_of_its_like_say_the_day() -> None:
    """From where it has come to: an item that is slow already is projected later; none that was so slow, no day."""
    learnt, waiting = Learnt(LIKE), item(99, asked={"delivery": 1}, done={}, over=None)
    assert learnt.projected(waiting, hour(1)) == hour(56)
    assert learnt.projected(waiting, hour(72)) == hour(91)
    assert learnt.projected(waiting, hour(500)) is None


@pytest.mark.parametrize("seed", range(3))
def test_it_foretells_better_than_age(seed: int) -> None:
    """On invented orders held back, at the same lead: what a step normally takes says more than how old the order is."""
    critical, hazard = scored(generated(seed))

    assert (critical["level"], hazard["level"]) == ("critical", "hazard")
    assert critical["better"]
    assert critical["f1"] > critical["baseline"]["f1"]
    assert min(critical["precision"], critical["recall"]) > 0.5
    assert critical["lead_h_p50"] > 24
    assert critical["hit"] <= critical["predicted"] <= critical["tested_on"]
    assert hazard["predicted"] >= critical["predicted"]


def test_it_is_said_when_age_does_as_well() -> None:
    """Where a parcel comes in ten hours or never, whoever is open a day before is late: age says as much, and the steps are not called better."""
    chance = random.Random(4)
    told = scored([parcel(number, chance.choice((10, NEVER_LATE)), after=number * 12) for number in range(90)])
    assert [(row["f1"], row["baseline"]["f1"], row["better"]) for row in told] == [(1.0, 1.0, False)] * 2


def test_nothing_is_said_of_nothing() -> None:
    """No orders, and orders that are all in time: no figure is made up."""
    assert scored([]) == []
    told = scored([parcel(number, 10, after=number) for number in range(30)])
    assert [(row["late"], row["predicted"], row["f1"], row["lead_h_p50"]) for row in told] == [(0, 0, None, None)] * 2


def test_it_is_scored_by_cohort() -> None:
    """Each step by the items that asked for it, those with most that were late first; each market by itself; all of them are all. A parcel is in no cohort of a port."""
    items = [
        replace(each, facts={**each.facts, "market": ("GB@2026-01", "NL@2026-01")[place % 2]}) for place, each in enumerate(generated(1))
    ]
    whole = scored(items)[0]
    steps, markets = ({row["cohort"]: row for row in scored(items, by) if row["level"] == "critical"} for by in ("step", "market"))

    assert whole["cohort"] == "*"
    assert {name: row["tested_on"] for name, row in steps.items()}["sim"] == whole["tested_on"]
    assert steps["delivery"]["tested_on"] + steps["porting"]["tested_on"] == whole["tested_on"]
    assert list(steps)[-1] == "delivery"
    assert set(markets) == {"GB", "NL"}
    assert sum(row["late"] for row in markets.values()) == whole["late"] > 0


def test_an_item_that_has_not_begun_waits_for_what_it_relies_on_alone() -> None:
    """Of a line that is late before its day, what relies on it is in danger as well, by what came of such; what only stands in the same order is not."""
    over = [
        replace(parcel(number, hours), item="2", asked={}, done={}, beside=(parcel(number, hours),))
        for number, hours in enumerate(range(10, 110, 5))
    ]
    learnt, line = Learnt([*LIKE, *over]), item(99, asked={"delivery": 1}, done={}, over=None)
    relies, apart = (item(99, asked={}, done={}, over=None) for _ in range(2))

    assert learnt.chance_late(replace(relies, beside=(line,)), hour(55)) == learnt.chance_late(line, hour(55)) > 0.5
    assert learnt.chance_late(apart, hour(55)) == 0.0


def test_what_an_item_relies_on() -> None:
    """Through others, of its own order, and never itself: lines that are released together wait for each other."""
    relies = {("a", "3"): frozenset("2"), ("a", "2"): frozenset("1"), ("a", "1"): frozenset(), ("b", "1"): frozenset("23"), ("b", "2"): frozenset("13"), ("b", "3"): frozenset("12")}  # fmt: skip
    assert bases_of(("a", "3"), relies) == [("a", "1"), ("a", "2")]
    assert bases_of(("a", "1"), relies) == []
    assert bases_of(("b", "1"), relies) == [("b", "2"), ("b", "3")]
