"""A log of its own for each attack, and one server that attacks may kill: it writes what is not flushed by a commit only every 10 s."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.store.database import prepare
from o2c.store.embedded import acquire
from tests.attacks.harness import Mortal
from tests.conftest import SMALL, open_folder

LAZY = {"wal_writer_delay": "10s", "bgwriter_lru_maxpages": "0", "autovacuum": "off", "checkpoint_timeout": "1h"}
"""Nothing reaches the disk but what a commit waits for: what a crash may lose, it loses."""
ROOMY = {"max_connections": "200"}


@pytest.fixture
def store_dsn(new_store_dsn: str) -> str:
    """Attacks are on a store that nobody has used."""
    return new_store_dsn


@pytest.fixture
def log_dsn(store_dsn: str) -> str:
    """The connection string of an empty log in a database of its own."""
    return store_dsn


@pytest.fixture(scope="session")
def _mortal(binaries: Path | None) -> Iterator[Mortal]:
    # On a disk, whatever the other servers are on: it is durability that is attacked.
    with open_folder() as ground, acquire(ground / "mortal", binaries=binaries, settings=SMALL | LAZY | ROOMY) as server:
        made = Mortal(server)
        yield made
        made.release()


@pytest.fixture
def mortal(_mortal: Mortal) -> Mortal:
    """A server that may be killed, with a fresh empty log in `dsn`."""
    _mortal.renew()
    prepare(_mortal.dsn)
    return _mortal
