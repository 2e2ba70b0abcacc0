"""Usage of a line that an order gave another number, another plan, or a rest: it is billed once, under what the line has on the day of use."""

import json
from pathlib import Path

import pytest

from o2c.checks.diagnose import run_checks
from o2c.files import loading
from o2c.views.following import Wanted, find_events
from o2c.views.usage import list_usage
from tests.agreeing import heard, wrong_papers
from tests.lives_of_products import change, product
from tests.metered import PRICES, STOCK, included, load, metered_line, offering, rated, record, usage, usage_lines
from tests.world import Document, World, at, order

LIGHT = (
    PRICES[0],
    usage("Calls", "voice", "minute", "0.03"),
    usage("Messages", "sms", "message", "0.01"),
    included("10 minutes", "voice", "minute", "10"),
)
"""The prices of the other plan: cheaper calls, ten minutes of them included, and no messages."""


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with prices of usage in service since 5 January, beside a plan that it can change to; its account is billed on the 8th."""
    made = World(dsn, tmp_path).stocked(**STOCK)
    light = {**offering(*LIGHT), "id": "light-line"}
    loading.load_catalogue(made.app, made.written("usage.json", json.dumps([offering(), light])))
    made.take(order("FIRST", metered_line()))
    return made.run(at(12))


def changed(world: World, **wish: str) -> World:
    """An order of 20 January asks something of the line, and is complete by the 21st."""
    to: Document = {"productOffering": {"id": wish.pop("plan")}} if "plan" in wish else {}
    world.take(order("LATER", {**change(world, "FIRST", **wish), **to}, on=at(20, 9)))
    world.run(at(21))
    assert world.state("LATER") == "completed"
    return world


def number(world: World) -> str:
    return product(world, "FIRST").standing.holds["msisdn"]


def called(key: str, party: str, day: int, minutes: int, month: int = 1, kind: str = "voice") -> Document:
    """What was used at noon of a day."""
    return record(key, party, kind, (at(day, 12, month=month)).isoformat(), minutes * 60 if kind == "voice" else minutes)


def content(world: World) -> None:
    """Nothing waits, and checks and oracle are content."""
    assert list_usage(world.app, suspense=True) == []
    assert [(check.name, check.detail) for check in run_checks(world.app) if check.state == "failed"] == []
    assert wrong_papers(heard(event.as_json() for event in find_events(world.app, Wanted()))) == []


def test_calls_with_another_number_are_billed(world: World) -> None:
    """Ten minutes with the old number and twenty with the new one cost 1.00 and 2.00: neither waits for a holder who is charged."""
    before = number(world)
    changed(world, numberChange="true")
    told = load(world, called("1", before, 15, 10), called("2", number(world), 25, 20))
    world.run(at(9, month=2))

    assert told["suspense"] == {}
    assert usage_lines(world) == [("2026-02-08", 300)]
    content(world)


def test_each_plan_rates_its_own_days(world: World) -> None:
    """Ten minutes on the 15th cost 0.10 each under the old plan, twenty on the 25th the ten above those included, 0.03 each; on the day of the change the new plan
    counts, as the days of both are charged. Messages had none included under the new plan, but 20 that were left of those of before."""
    changed(world, plan="light-line")
    party = number(world)
    load(world, called("1", party, 15, 10), called("2", party, 20, 10), called("3", party, 25, 10), called("4", party, 10, 5, 2, "sms"))
    world.run(at(9, month=3))

    lines = [
        (line["offering"], line["price"], line["quantity"], line["included"], line["net_minor"])
        for each in rated(world)
        for line in each["lines"]
    ]
    assert [line for line in lines if line[2] != "0"] == [
        ("metered-line", "Calls", "10", "0", 100),
        ("light-line", "Calls", "20", "10", 30),
        ("light-line", "Messages", "5", "5", 0),
    ]
    content(world)


def test_what_was_left_of_a_plan_ends_with_the_period_after_it(world: World) -> None:
    """Twenty messages go on into the first bill period without the old plan, and no further. Case: units that a change of plan wiped out, useautumn/autumn #2266
    (billing facts, section 6.2)."""
    changed(world, plan="light-line")
    load(world, called("1", number(world), 10, 30, 3, "sms"))
    world.run(at(9, month=4))

    assert usage_lines(world) == [("2026-04-08", 30)]
    content(world)


def test_a_line_that_served_again_has_what_it_includes(world: World) -> None:
    """After a rest that costs nothing the line is charged anew: in the next period forty messages are within the fifty of its plan."""
    changed(world, status="suspended", statusReason="seasonal")
    world.take(order("AGAIN", change(world, "FIRST", status="active"), on=at(26, 9)))
    world.run(at(27))
    assert world.state("AGAIN") == "completed"
    load(world, called("1", number(world), 10, 40, 2, "sms"))
    world.run(at(9, month=3))

    assert usage_lines(world) == []
    assert [line["included"] for each in rated(world) for line in each["lines"] if line["usage"] == "sms"] == ["40"]
    content(world)
