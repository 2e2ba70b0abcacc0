"""Whatever orders change a product, in whatever order: it holds one SIM and one number, is charged once, and leaves nothing behind."""

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
from o2c.simulation.launch_data import LINE, SECOND_LINE
from o2c.views.following import Wanted, find_events
from o2c.views.products import list_products
from o2c.views.reading import caught_up
from tests.agreeing import disagreements
from tests.conftest import database
from tests.depth import depth
from tests.lives_of_products import change, in_service, product
from tests.world import ADDRESS, Document, World, at, order

WISHES = ("other plan", "first plan", "swap", "new form", "number", "rest", "unpaid rest", "serve", "end", "given up")


def wished(world: World, wish: str) -> Document:
    """An item that carries a wish out."""
    match wish:
        case "other plan":
            return change(world, "FIRST", offering=SECOND_LINE)
        case "first plan":
            return change(world, "FIRST", offering=LINE, effective="bill-date")
        case "swap":
            return change(world, "FIRST", simSwap="stolen")
        case "new form":
            return change(world, "FIRST", simType="physical", place=ADDRESS)
        case "number":
            return change(world, "FIRST", numberChange="true")
        case "rest":
            return change(world, "FIRST", status="suspended", statusReason="lost-phone")
        case "unpaid rest":
            return change(world, "FIRST", status="suspended", statusReason="seasonal")
        case "serve":
            return change(world, "FIRST", status="active")
    return change(world, "FIRST", action="delete")


def lived(world: World, wishes: Sequence[str]) -> World:
    """A line in service since 5 January, and an order for each wish, nine days apart; one is cancelled before its day, if that is wished."""
    day = at(20)
    for turn, wish in enumerate(wishes):
        name = f"WISH-{turn}"
        if wish == "given up":
            world.take(
                order(
                    name,
                    {**change(world, "FIRST", numberChange="true"), "requestedStartDate": (day + timedelta(days=5)).date().isoformat()},
                    on=day,
                )
            )
            world.run(day + timedelta(days=1))
            if world.state(name) == "inProgress":
                world.cancel(name)
        else:
            world.take(order(name, wished(world, wish), on=day))
        day += timedelta(days=9)
        world.run(day)
    return world.run(day + timedelta(days=40))


@pytest.mark.once
@settings(max_examples=depth(4, 300), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(wishes=st.lists(st.sampled_from(WISHES), min_size=1, max_size=6))
@example(wishes=["other plan", "unpaid rest", "swap", "serve", "number", "end"])
@example(wishes=["unpaid rest", "end"])
@example(wishes=["unpaid rest", "number", "rest", "swap", "end"])
@example(wishes=["given up", "number", "new form", "first plan"])
def test_nothing_is_left_behind_and_nothing_is_charged_twice(server_dsn: str, opened_once: str, tmp_path: Path, wishes: list[str]) -> None:
    """What stock, account and products say fits together; every bill is as the oracle says; no check finds anything."""
    with database(server_dsn, opened_once) as dsn:
        world = lived(in_service(World(dsn, tmp_path).stocked(esims=9, physical=9, numbers=12)), wishes)
        caught_up(world.app)
        stands = product(world, "FIRST")
        held = Counter((row["kind"], row["state"]) for row in world.app.reads.rows("SELECT kind, state FROM projection.stock"))
        account: AccountState = world.app.load(["account-BA-C-1"])["account-BA-C-1"].state
        serves = 0 if stands.ended_on else 1

        assert (held["sim", "assigned"], held["number", "assigned"]) == (serves, serves)
        assert len(account.running) == (serves if stands.charged_while else 0)
        assert [charge.product or f"{charge.order}:{charge.item}" for charge in account.running] == [stands.product] * len(account.running)
        assert [row["product"] for row in list_products(world.app)] == [stands.product] * serves
        assert stands.changing == {}
        assert disagreements(event.as_json() for event in find_events(world.app, Wanted())) == []
        assert [leak.row() for leak in check_assurance(world.app)] == []
        assert [check for check in run_checks(world.app) if check.state == "failed"] == []
        assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []
        world.close()
