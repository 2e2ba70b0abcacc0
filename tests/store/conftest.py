"""An empty log for each test that asks for one; the database is made once, which is what takes the time."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment
from psycopg.conninfo import make_conninfo

from o2c import plan
from o2c.engine.app import Engine
from o2c.store.database import connect, prepare
from o2c.store.recorder import LogFactory, LogRecorder
from projections.engine.seen import Reader
from tests.store.moving import fresh, history, living
from tests.tables import empty_log
from tests.world import World, at


@pytest.fixture(scope="session")
def _prepared(server_dsn: str) -> str:
    name = f"log_{uuid.uuid4().hex}"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    dsn = make_conninfo(server_dsn, dbname=name)
    prepare(dsn)
    return dsn


@pytest.fixture
def store_dsn(new_store_dsn: str) -> str:
    """What is tested here is the store itself."""
    return new_store_dsn


@pytest.fixture
def log_dsn(_prepared: str) -> str:
    """The connection string of an empty log; only what append() writes is emptied."""
    with connect(_prepared) as conn:
        empty_log(conn)
    return _prepared


@pytest.fixture
def environment(log_dsn: str) -> Environment:
    """What the engine tells the library, with connections enough for twenty threads at once."""
    return Environment("Engine", {**Engine.env, "DSN": log_dsn, "POSTGRES_POOL_SIZE": "1", "POSTGRES_MAX_OVERFLOW": "24"})


@pytest.fixture
def another(environment: Environment) -> Iterator[Callable[[], LogRecorder]]:
    """Makes recorders on an empty log as the library's factory makes them; each has connections of its own, as a process would."""
    with ExitStack() as opened:

        def make() -> LogRecorder:
            factory = InfrastructureFactory.construct(environment)
            assert isinstance(factory, LogFactory)
            opened.callback(factory.close)
            made = factory.application_recorder()
            assert isinstance(made, LogRecorder)
            return made

        yield make


@pytest.fixture
def recorder(another: Callable[[], LogRecorder]) -> LogRecorder:
    """A recorder on an empty log."""
    return another()


@pytest.fixture
def log(store_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty log for projections, read in pages of seven events so that a small history has several."""
    monkeypatch.setattr(Reader, "size", 7)
    return store_dsn


@pytest.fixture(scope="module")
def lived(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A store that nobody changes."""
    with fresh(server_dsn) as dsn:
        world = living(World(dsn, tmp_path_factory.mktemp("lived")))
        yield world
        world.close()


@pytest.fixture(scope="module")
def file(lived: World) -> bytes:
    """Its whole log."""
    return history(lived.dsn)


@pytest.fixture
def empty(dsn: str, tmp_path: Path) -> Iterator[World]:
    """An empty store whose clock stands where that of the other stands."""
    with closing(Engine(dsn, plan.KINDS)) as app:
        app.create_clock(kind="simulated", seed=7, start=at(12))
    world = World(dsn, tmp_path)
    yield world
    world.close()


@pytest.fixture
def taking(log_dsn: str) -> Iterator[Engine]:
    """An engine on an empty log."""
    with closing(Engine(log_dsn, plan.KINDS)) as app:
        yield app
