"""Files of another market: prices are in its currency, and orders are held to its rules; both say so when they are taken in."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, MARKETS
from o2c.simulation.launch_data import catalogue
from o2c.views.orders import find_order
from tests.desk import Desk
from tests.world import World, line, order


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    """A store with nothing in it."""
    made = World(dsn, tmp_path)
    yield made
    made.close()


def test_files_belong_to_the_market_that_is_named(world: World, desk: Desk) -> None:
    """A catalogue is published in it, an order pins its version; left out, both belong to the first market."""
    prices = json.dumps(catalogue())
    desk.types("load", "catalogue", str(world.written("gb.json", prices)))
    desk.types("load", "catalogue", str(world.written("nl.json", prices.replace('"GBP"', '"EUR"'))), "--market", "NL")
    desk.types("ingest", str(world.written("one.jsonl", json.dumps(order("WEB-1", line())))))
    desk.types("ingest", str(world.written("two.jsonl", json.dumps(order("WEB-2", line())))), "--market", "NL")

    sql = "SELECT DISTINCT body->>'market' AS market, body->>'currency' AS currency FROM o2c.event WHERE type = 'catalogue.offering-published'"
    assert {(row["market"], row["currency"]) for row in world.app.reads.rows(sql)} == {(HOME, "GBP"), ("NL", "EUR")}
    assert [find_order(world.app, name)[1].market.partition("@")[0] for name in ("WEB-1", "WEB-2")] == [HOME, "NL"]


@pytest.mark.parametrize("command", [("load", "catalogue"), ("ingest",)])
def test_a_market_that_there_is_not_is_refused(world: World, desk: Desk, command: tuple[str, ...]) -> None:
    """With those that there are, and nothing is taken in."""
    prices = str(world.written("catalogue.json", json.dumps(catalogue())))
    desk.types("load", "catalogue", prices)
    papers = str(world.written("one.jsonl", json.dumps(order("WEB-1", line()))))
    before = world.app.reads.last_position()

    with pytest.raises(Refused, match=f"there is no market XX; use one of {', '.join(sorted(MARKETS))}"):
        desk.types(*command, prices if command[0] == "load" else papers, "--market", "XX")

    assert world.app.reads.last_position() == before
