"""Orders that come to a store without a catalogue: taken down like any other, and judged."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.act import Context
from o2c.desk.capture import capture
from o2c.desk.fallout import Correct
from o2c.files import loading
from o2c.simulation.launch_data import catalogue
from tests.world import World, at, customer, line, order

SHOP = Context("shop", channel="web")


@pytest.fixture
def bare(dsn: str, tmp_path: Path) -> Iterator[World]:
    """A store that knows one customer and nothing else."""
    world = World(dsn, tmp_path)
    loading.load_customers(world.app, world.written("c.jsonl", json.dumps(customer("C-1"))))
    yield world
    world.close()


def test_an_order_is_captured_and_falls_out_with_what_to_do(bare: World) -> None:
    """Nothing that a channel sends is turned away for what we have not done yet; the fallout says what is missing."""
    first = capture(bare.app, SHOP, order("WEB-1", line()))
    again = capture(bare.app, SHOP, order("WEB-1", line()))
    bare.run(at(5, 10))

    [fallout] = bare.fallouts("WEB-1")
    assert (first.repeated, again.repeated, again.order) == (False, True, first.order)
    assert (bare.state("WEB-1"), fallout["reason"]) == ("pending", "DQ-OFFER")
    assert "no catalogue when the order came; load one" in fallout["detail"]


def test_it_goes_on_under_the_catalogue_that_is_loaded_then(bare: World) -> None:
    """The version that a person names is the one that it is judged by."""
    capture(bare.app, SHOP, order("WEB-1", line()))
    bare.run(at(5, 10))
    loading.load_catalogue(bare.app, bare.written("catalogue.json", json.dumps(catalogue())))
    version = bare.app.load_one("catalogue-main").version

    bare.resolve("DQ-OFFER", Correct({"catalogue": str(version)}))
    bare.run(at(5, 12))

    assert bare.order("WEB-1").progress.gates["validation"] == "done"
