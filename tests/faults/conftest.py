"""Where the servers of fault tests keep their copies, and the programs that make them."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.store import embedded
from o2c.store.cluster import unprivileged_account


@pytest.fixture
def store_dsn(new_store_dsn: str) -> str:
    """Processes of the server are killed there, and looked at."""
    return new_store_dsn


@pytest.fixture
def dsn(store_dsn: str) -> str:
    """Faults meet an empty store."""
    return store_dsn


@pytest.fixture(scope="module")
def folder(ground: Path) -> Iterator[Path]:
    """A folder that the server's user may write to: it stands for the place where backups are kept."""
    made = ground / f"backup-{time.monotonic_ns()}"
    made.mkdir()
    account = unprivileged_account(made)
    if account:
        shutil.chown(made, account.uid, account.gid)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def programs(ground: Path, binaries: Path | None, server_dsn: str) -> Path:
    """Where the programs of the chosen PostgreSQL are, those of backups and those of the server; the run's server has made them ready."""
    return binaries or embedded._bundled(ground / "shared", unprivileged_account(ground / "shared"))
