"""A small invented launch, told twice: the seed decides everything."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import write_launch
from o2c.views.reading import caught_up
from o2c.views.status import show_status
from tests.world import World, at

ORDERS = 40
UNTIL = at(20, month=2)


def told(dsn: str, folder: Path, *, seed: int) -> dict[str, Any]:
    """The status at the end of a launch, its position aside: that counts the server's transactions."""
    folder.mkdir()
    files = write_launch(folder, count=ORDERS, seed=seed)
    world = World(dsn, folder, simulated_partners(seed)).launched(files)
    world.take_file(files.orders)
    world.run(UNTIL)
    caught_up(world.app)
    status = show_status(world.app)
    status.pop("position")
    world.close()
    return status


@pytest.fixture
def databases(dsn: str) -> list[str]:
    """Three fresh databases; the fixture's own one and two beside it."""
    others = ["beside_1", "beside_2"]
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in others:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return [dsn, *(make_conninfo(dsn, dbname=name) for name in others)]


def test_the_same_seed_tells_the_same_launch(databases: list[str], tmp_path: Path) -> None:
    """Digit for digit twice; another seed is another launch. And it is a launch: orders complete, fall out, and are paid for."""
    one = told(databases[0], tmp_path / "one", seed=5)
    same = told(databases[1], tmp_path / "same", seed=5)
    other = told(databases[2], tmp_path / "other", seed=6)
    assert one == same
    assert one["events"] != other["events"]
    assert one["ingest"]["lines"] == ORDERS
    assert one["orders"]["completed"] > ORDERS / 2
    assert one["fallouts"]["open"] > 0
    assert 0 < one["invoices"]["paid"] <= one["invoices"]["issued"]
