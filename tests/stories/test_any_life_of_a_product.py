"""Whatever orders change a product, in whatever order or at once: it holds one SIM and one number, is charged once, and leaves nothing behind."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.invoicing.state import AccountState
from o2c.simulation.launch_data import LINE, LINE_ADD_ONS, SECOND_LINE
from o2c.views.following import Wanted, find_events
from o2c.views.products import list_products
from o2c.views.reading import caught_up
from tests.agreeing import disagreements
from tests.depth import depth
from tests.lives_of_products import change, in_service, product
from tests.washed import Washing
from tests.world import ADDRESS, Document, World, at, item, order

WISHES = ("other plan", "first plan", "swap", "new form", "number", "rest", "unpaid rest", "serve", "end", "given up", "add-on")
Wish = tuple[str, int, int]
"""A wish, in how many days it is to be carried out (0: at once), and how many days later the next one comes."""
ONE_AFTER_ANOTHER = (0, 9)
CALL_GUARD = LINE_ADD_ONS[1]


def wished(world: World, wish: str) -> list[Document]:
    """The items that carry a wish out."""
    match wish:
        case "add-on":
            return [change(world, "FIRST", action="noChange"), item(CALL_GUARD, "2", relies_on="1")]
        case "number" | "given up":
            return [change(world, "FIRST", numberChange="true")]
        case "other plan":
            return [change(world, "FIRST", offering=SECOND_LINE)]
        case "first plan":
            return [change(world, "FIRST", offering=LINE, effective="bill-date")]
        case "swap":
            return [change(world, "FIRST", simSwap="stolen")]
        case "new form":
            return [change(world, "FIRST", simType="physical", place=ADDRESS)]
        case "rest":
            return [change(world, "FIRST", status="suspended", statusReason="lost-phone")]
        case "unpaid rest":
            return [change(world, "FIRST", status="suspended", statusReason="seasonal")]
        case "serve":
            return [change(world, "FIRST", status="active")]
    return [change(world, "FIRST", action="delete")]


def lived(world: World, wishes: Sequence[Wish]) -> World:
    """A line in service since 5 January, and an order for each wish; what is given up is cancelled the day after it came."""
    day = at(20)
    for turn, (wish, ahead_days, gap_days) in enumerate(wishes):
        name, items = f"WISH-{turn}", wished(world, wish)
        if ahead := ahead_days or (5 if wish == "given up" else 0):
            items[-1]["requestedStartDate"] = (day + timedelta(days=ahead)).date().isoformat()
        world.take(order(name, *items, on=day))
        if wish == "given up":
            world.run(day + timedelta(days=1))
            if world.state(name) == "inProgress":
                world.cancel(name)
        day += timedelta(days=max(gap_days, 1 if wish == "given up" else 0))
        world.run(day)
    return world.run(day + timedelta(days=40))


def in_a_row(*wishes: str) -> list[Wish]:
    """Wishes that come one after another, each when the last one is carried out."""
    return [(wish, *ONE_AFTER_ANOTHER) for wish in wishes]


@pytest.mark.once
@settings(max_examples=depth(4, 300), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    wishes=st.lists(st.tuples(st.sampled_from(WISHES), st.sampled_from((0, 0, 4, 12)), st.sampled_from((0, 1, 9))), min_size=1, max_size=6)
)
@example(wishes=in_a_row("other plan", "unpaid rest", "swap", "serve", "number", "end"))
@example(wishes=in_a_row("unpaid rest", "number", "rest", "swap", "end"))
@example(wishes=in_a_row("add-on", "unpaid rest", "number", "serve", "rest", "end"))
@example(wishes=in_a_row("given up", "number", "new form", "first plan"))
@example(wishes=[("other plan", 12, 0), ("number", 4, 0), ("swap", 0, 1), ("add-on", 4, 1), ("end", 0, 9), ("end", 0, 9)])
def test_nothing_is_left_behind_and_nothing_is_charged_twice(
    washing: Washing, opened_once: str, tmp_path: Path, wishes: list[Wish]
) -> None:
    """What stock, account and products say fits together; every bill is as the oracle says; no check finds anything."""
    with washing.like(opened_once) as dsn:
        world = lived(in_service(World(dsn, tmp_path).stocked(esims=9, physical=9, numbers=12)), wishes)
        caught_up(world.app)
        stands = product(world, "FIRST")
        extras = [product(world, f"WISH-{turn}", "2") for turn, (wish, *_) in enumerate(wishes) if wish == "add-on"]
        serving = [one for one in (stands, *extras) if one.standing and not one.ended_on]
        held = Counter((row["kind"], row["state"]) for row in world.app.reads.rows("SELECT kind, state FROM projection.stock"))
        account: AccountState = world.app.load_one("account-BA-C-1").state
        lines = 1 if stands in serving else 0

        assert (held["sim", "assigned"], held["number", "assigned"]) == (lines, lines)
        assert len(serving) == 0 or lines == 1
        charged = sorted(charge.product or f"{charge.order}:{charge.item}" for charge in account.running)
        assert charged == sorted(one.product for one in serving if one.charged_while)
        assert sorted(row["product"] for row in list_products(world.app)) == sorted(one.product for one in serving)
        assert [one.changing for one in (stands, *extras)] == [{}] * (1 + len(extras))
        assert disagreements(event.as_json() for event in find_events(world.app, Wanted())) == []
        assert [leak.row() for leak in check_assurance(world.app)] == []
        assert [check for check in run_checks(world.app) if check.state == "failed"] == []
        assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []
        world.close()
