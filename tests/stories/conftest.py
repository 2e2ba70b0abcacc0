"""What the stories of the desk begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.checks.conformance import check_conformance
from o2c.files import loading
from projections.engine import operations as engine
from tests.desk import DEPOSIT, GOLDEN, Desk
from tests.histories import differing
from tests.shell import Shell
from tests.world import World, at, line, order


@pytest.fixture
def dsn(store_dsn: str) -> str:
    """Stories begin with an empty store."""
    return store_dsn


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    """Stock for some lines, and one golden number."""
    made = World(dsn, tmp_path).stocked()
    loading.load_stock(made.app, made.runner, "numbers", made.written("golden.csv", [("msisdn", "class"), (GOLDEN, "golden")]), None)
    yield made
    # Whatever was done at the desk: what the tables say is what the log says.
    engine.catch_up(dsn)
    assert differing(dsn) == []
    # And whatever happened, no rule of the trade was broken.
    assert [violation.row() for kept in check_conformance(made.app) for violation in kept.broken] == []
    made.close()


@pytest.fixture
def desk(dsn: str, tmp_path: Path) -> Desk:
    """Ann, at the store of the world."""
    return Desk(dsn, tmp_path)


@pytest.fixture
def wanting(world: World) -> World:
    """An order that waits at the credit gate for a deposit of 100.00 GBP."""
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line()))
    return world.run(at(5, 10))


@pytest.fixture
def shell(dsn: str, tmp_path: Path) -> Shell:
    """The command line on a store with one order of Tamsel Holmquay's, activated and billed."""
    world = World(dsn, tmp_path).stocked()
    world.take(order("WEB-1", line()))
    world.run(at(12))
    world.close()
    return Shell(dsn, tmp_path / "home")
