"""A throwaway PostgreSQL for a test run (one for each xdist worker), and a fresh database for each test that asks for one.

O2C_TEST_PG chooses the server: `embedded` (the default) or `system` (initdb, pg_ctl and postgres found through the PATH, 15 or newer).
"""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from o2c.store.embedded import acquire

# A law is never a timed test. O2C_DEEP=1 looks further than a working day's run does.
hypothesis.settings.register_profile("o2c", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("o2c-deep", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("o2c-deep" if os.environ.get("O2C_DEEP") else "o2c")

# Started in the background of a script, a run is deaf to SIGINT, and so would be every program it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

SMALL = {"shared_buffers": "64MB", "max_wal_size": "512MB"}


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


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder for servers: short, and open to the user whom root runs them as (pytest's own are neither)."""
    folder = Path(tempfile.mkdtemp(prefix="o2c-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server_dsn(ground: Path, binaries: Path | None) -> Iterator[str]:
    """The connection string of the run's server, as its superuser."""
    with acquire(ground / "shared", binaries=binaries, settings=SMALL) as server:
        yield server.dsn


@pytest.fixture
def dsn(server_dsn: str) -> Iterator[str]:
    """The connection string of a fresh empty database, dropped afterwards with whatever is still connected to it."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
        yield make_conninfo(server_dsn, dbname=name)
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
