"""A long write transaction in another database of the cluster: readers wait for it and lose nothing, and are told which process it is."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from o2c import Context, OrderToCash, Refused
from o2c.store.database import connect
from tests.attacks.harness import Connection, Flaws, flaws, page_after, settle, until, write
from tests.store.writing import command
from tests.world import World

SHOP = Context("shop")
PREPARED = "left-behind"


@pytest.fixture
def elsewhere(server_dsn: str) -> Iterator[Connection]:
    """A connection to another database of the same cluster."""
    name = f"elsewhere_{uuid.uuid4().hex}"
    with connect(server_dsn) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        with connect(make_conninfo(server_dsn, dbname=name)) as other:
            other.execute("CREATE TABLE report (n int)")
            yield other
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _write_for_long(elsewhere: Connection) -> None:
    elsewhere.execute("BEGIN")
    elsewhere.execute("INSERT INTO report VALUES (1)")


def test_nothing_is_lost_while_it_lasts(log_dsn: str, elsewhere: Connection) -> None:
    """Appends go on; the reader stands still, and reads all of them in order as soon as it has ended."""
    with connect(log_dsn) as conn:
        first = write(conn, command(("before-1", 0)))
        settle(conn)
        _write_for_long(elsewhere)
        for n in range(20):
            assert write(conn, command(("a-1", n), (f"b-{n}", 0))).verdict == "appended"
        seen = page_after(conn, 0)
        assert seen == [(first.first_position, "before-1", 1)]
        elsewhere.execute("COMMIT")
        settle(conn)
        seen += page_after(conn, seen[-1][0])
        stand = {(row["stream"], row["version"]) for row in conn.execute("SELECT stream, version FROM o2c.event").fetchall()}
    assert len(stand) == 41
    assert flaws(seen, stand) == Flaws()


def _held_back(o2c: OrderToCash, position: int) -> str:
    """What one is told who waits for a position."""
    with pytest.raises(Refused) as refused:
        o2c.wait(position, timeout_s=0.05)
    assert refused.value.kind == "unavailable"
    return str(refused.value)


def test_who_waits_is_told_which_process_it_is(dsn: str, tmp_path: Path, elsewhere: Connection) -> None:
    """The refusal names the pid of the open transaction, or the name of a prepared one; when both are over nobody waits."""
    World(dsn, tmp_path).stocked().close()
    with OrderToCash(dsn) as o2c:
        _write_for_long(elsewhere)
        position = o2c.record_contact("C-1", SHOP, medium="call", topic="other").position
        # Something older, such as an autovacuum, may be named until it is over.
        until(lambda: f"process {elsewhere.info.backend_pid}" in _held_back(o2c, position))
        elsewhere.execute(f"PREPARE TRANSACTION '{PREPARED}'".encode())
        until(lambda: f"prepared transaction {PREPARED}" in _held_back(o2c, position))
        elsewhere.execute(f"ROLLBACK PREPARED '{PREPARED}'".encode())
        o2c.wait(position)
