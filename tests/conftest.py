"""A throwaway PostgreSQL for a test run (one for each xdist worker), and a database of its own for each test that asks for one.

O2C_TEST_PG chooses the server: `embedded` (the default) or `system` (initdb, pg_ctl and postgres found through the PATH, 15 or newer).
"""

import functools
import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import typer.main
import typer.testing
from hypothesis.internal.conjecture import providers

from o2c.running.session import opened
from o2c.store.embedded import acquire
from projections.engine.operations import catch_up
from tests.washed import Washing, copied, dropped, name_of

# A law is never a timed test. O2C_DEEP=1 looks further than a working day's run does.
hypothesis.settings.register_profile("o2c", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("o2c-deep", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("o2c-deep" if os.environ.get("O2C_DEEP") else "o2c")

if not os.environ.get("O2C_DEEP"):
    # Words and numbers of our own sources are drawn by a deep run only: reading them took each process seven seconds, and what was drawn of them hung on
    # what other tests had imported.
    vars(providers)["_get_local_constants"] = lambda: providers._local_constants

# Started in the background of a script, a run is deaf to SIGINT, and so would be every program it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A command line is made once, and not for each line that is typed: making all its commands takes a fifth of a second and leaves cycles behind.
vars(typer.testing)["_get_command"] = functools.cache(typer.main.get_command)

SMALL = {"shared_buffers": "64MB", "max_wal_size": "512MB", "autovacuum_naptime": "30s", "jit": "off"}
"""Without the compiler of statements, which a server of a distribution has: it takes a tenth of a second for what is asked once."""
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 4 * 2**30
"""Free in memory before servers keep their data there: several times what a run needs, and no container's own small share."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Imports and tests are made without the collector of garbage, and stay to the end: it looked through them over and over, two fifths of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def binaries() -> Path | None:
    """The folder of the chosen PostgreSQL's programs; None means the embedded one."""
    chosen = os.environ.get("O2C_TEST_PG", "embedded")
    if chosen == "embedded":
        return None
    found = shutil.which("postgres")
    if chosen != "system" or found is None:
        raise pytest.UsageError(f"O2C_TEST_PG={chosen}: it is 'embedded', or 'system' with postgres on the PATH")
    return Path(found).resolve().parent


@contextmanager
def open_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder for servers: short, and open to the user whom root runs them as (pytest's own are neither)."""
    folder = Path(tempfile.mkdtemp(prefix="o2c-test-", dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def in_memory() -> Path | None:
    """Where files are kept in memory and programs may run, if there is room; what a server flushes there, as it must, costs no wait."""
    if not os.access(MEMORY, os.W_OK | os.X_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN else None


def memory_way() -> str:
    """How a database is copied. Where nothing is waited for to be flushed, files are copied in half the time that it takes to log each of their pages."""
    return "FILE_COPY" if in_memory() else "WAL_LOG"


@contextmanager
def database(server_dsn: str, template: str = "template0") -> Iterator[str]:
    """The connection string of a new copy of a database, dropped afterwards with whatever is still connected to it."""
    made = copied(server_dsn, template, memory_way())
    yield made
    dropped(made)


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder for servers: of what they keep nothing needs to outlive the machine."""
    with open_folder(in_memory()) as folder:
        yield folder


@pytest.fixture(scope="session")
def server_dsn(ground: Path, binaries: Path | None) -> Iterator[str]:
    """The connection string of the run's server, as its superuser."""
    with acquire(ground / "shared", binaries=binaries, settings=SMALL) as server:
        yield server.dsn


@pytest.fixture
def dsn(server_dsn: str) -> Iterator[str]:
    """The connection string of a fresh empty database."""
    with database(server_dsn) as made:
        yield made


@pytest.fixture(scope="session")
def opened_once(server_dsn: str) -> Iterator[str]:
    with database(server_dsn) as made:
        with opened(made):
            catch_up(made)
        yield name_of(made)


@pytest.fixture(scope="session")
def washing(server_dsn: str) -> Iterator[Washing]:
    """Where tests have stores of their own from."""
    made = Washing(server_dsn, memory_way())
    yield made
    made.close()


@pytest.fixture
def store_dsn(washing: Washing, opened_once: str) -> Iterator[str]:
    """The connection string of an empty store: the schema, the views of analysts and the tables of projections are there, which takes the time."""
    with washing.like(opened_once) as made:
        yield made


@pytest.fixture
def new_store_dsn(server_dsn: str, opened_once: str) -> Iterator[str]:
    """The same, in a database that nobody has used: for those who look at the server's own work, or break it."""
    with database(server_dsn, opened_once) as made:
        yield made


@pytest.fixture(scope="session")
def _lived_once(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tests.rich import lived_through

    with database(server_dsn, opened_once) as made:
        lived_through(made, tmp_path_factory.mktemp("rich")).close()
        yield name_of(made)


@pytest.fixture(scope="module")
def rich_dsn(washing: Washing, _lived_once: str) -> Iterator[str]:
    """The connection string of a store of a module's own in which everything that a view can show has happened (`tests/rich.py`)."""
    with washing.like(_lived_once) as made:
        yield made
