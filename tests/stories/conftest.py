"""What the stories of the desk begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from o2c.checks.conformance import check_conformance
from o2c.files import loading
from projections.engine import operations as engine
from tests.conftest import database
from tests.desk import DEPOSIT, GOLDEN, Desk
from tests.histories import differing
from tests.shell import Shell
from tests.washed import Washing
from tests.world import World, at, line, order

pytest.register_assert_rewrite("tests.scenarios_in_service")


@pytest.fixture(scope="session")
def _stocked_once(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The name of a database with stock for some lines and one golden number, and how many SIMs were ever delivered there."""
    with database(server_dsn, opened_once) as dsn:
        made = World(dsn, tmp_path_factory.mktemp("stocked")).stocked()
        loading.load_stock(made.app, made.runner, "numbers", made.written("golden.csv", [("msisdn", "class"), (GOLDEN, "golden")]), None)
        engine.catch_up(dsn)
        made.close()
        yield str(conninfo_to_dict(dsn)["dbname"]), made.sims_delivered


@pytest.fixture
def _stocked_dsn(washing: Washing, _stocked_once: tuple[str, int]) -> Iterator[str]:
    with washing.like(_stocked_once[0]) as made:
        yield made


@pytest.fixture
def dsn(request: pytest.FixtureRequest) -> str:
    """Stories begin with an empty store, or, where they take the world as it is made here, with what it has in stock, which takes the time."""
    shared = "world" in request.fixturenames and not hasattr(request.module, "world")
    return str(request.getfixturevalue("_stocked_dsn" if shared else "store_dsn"))


@pytest.fixture
def world(dsn: str, tmp_path: Path, _stocked_once: tuple[str, int]) -> Iterator[World]:
    """Stock for some lines, and one golden number."""
    made = World(dsn, tmp_path)
    made.sims_delivered = _stocked_once[1]
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
