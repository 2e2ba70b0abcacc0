"""The stores that tests share one after the other: what one leaves is gone for the next, and what cannot be washed out is thrown away."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from o2c.checks.diagnose import run_checks
from o2c.store.database import connect
from projections.engine.operations import catch_up
from tests.conftest import database
from tests.kept import keep, kept_processes, let_go
from tests.washed import Washing, name_of
from tests.world import World, at, line, order

pytestmark = pytest.mark.once

HOLDERS = """SELECT relid::regclass::text, '*' FROM pg_stat_user_tables
UNION ALL SELECT schemaname || '.' || sequencename, 'last_value, is_called' FROM pg_sequences"""
"""All that holds something in a store, and what it says: how far a sequence wrote ahead is the server's own affair. No parameters."""


@pytest.fixture
def own(server_dsn: str) -> Iterator[Washing]:
    made = Washing(server_dsn, "wal_log")
    yield made
    made.close()


@pytest.fixture(scope="module")
def stocked(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a store with something in every kind of table, to which nobody is connected."""
    with database(server_dsn, opened_once) as dsn:
        world = World(dsn, tmp_path_factory.mktemp("washed")).stocked()
        world.take(order("WEB-0", line()))
        world.run(at(6))
        catch_up(dsn)
        world.close()
        yield name_of(dsn)


def contents(dsn: str) -> dict[str, list[str]]:
    """All rows of a store, by table."""
    with psycopg.connect(dsn) as conn:
        holders = conn.execute(HOLDERS.encode()).fetchall()
        return {name: sorted(map(repr, conn.execute(f"SELECT {columns} FROM {name}".encode()))) for name, columns in holders}


def lived(dsn: str, folder: Path) -> None:
    """Orders, stock that is taken, rows of projections, a clock that goes on, a number of a sequence that is given away."""
    world = World(dsn, folder)
    world.take(order("WEB-1", line()))
    world.run(at(9))
    catch_up(dsn)
    world.close()
    with psycopg.connect(dsn) as conn:
        conn.execute("SELECT nextval('o2c.incarnation_id_seq')")


def test_what_a_test_wrote_is_gone_for_the_next(own: Washing, stocked: str, tmp_path: Path) -> None:
    """Every row is as it was, the same database serves again, and the store's own checks find nothing."""
    with own.like(stocked) as dsn:
        before = contents(dsn)
        lived(dsn, tmp_path)
        assert {table for table, rows in contents(dsn).items() if rows != before[table]} >= {
            "o2c.event",
            "o2c.head",
            "o2c.clock",
            "o2c.incarnation_id_seq",
            "projection.orders",
        }
    with own.like(stocked) as again:
        world = World(again, tmp_path)
        found = [check.name for check in run_checks(world.app) if check.state == "failed"]
        world.close()

        assert again == dsn
        assert contents(again) == before
        assert found == []


@pytest.mark.parametrize(
    "deed",
    [
        pytest.param("CREATE TABLE o2c.more (n integer)", id="another table"),
        pytest.param("DROP VIEW analyst.order_captured", id="a view less"),
        pytest.param("CREATE OR REPLACE FUNCTION o2c.more() RETURNS int LANGUAGE sql AS 'SELECT 1'", id="another function"),
        pytest.param("GRANT SELECT ON o2c.event TO public", id="another right"),
        pytest.param("ALTER TABLE o2c.head ADD CHECK (version > 0)", id="another rule"),
        pytest.param("ALTER ROLE CURRENT_USER IN DATABASE {store} SET timezone = 'Asia/Tokyo'", id="another setting"),
        pytest.param("SET session_replication_role = replica; UPDATE o2c.event SET actor = 'mallory'", id="a log tampered with"),
    ],
)
def test_what_cannot_be_washed_out_is_thrown_away(own: Washing, stocked: str, deed: str) -> None:
    """The next test has a copy that nobody used."""
    with own.like(stocked) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(deed.replace("{store}", name_of(dsn)).encode())
    with own.like(stocked) as again:
        assert again != dsn


def test_what_somebody_still_uses_is_thrown_away(own: Washing, stocked: str) -> None:
    """A process that was left behind cannot write into the store of the next test."""
    with own.like(stocked) as dsn:
        left = psycopg.connect(dsn)
    with own.like(stocked) as again:
        assert again != dsn
    left.close()


@pytest.mark.skipif("O2C_TEST_NEW_STORES" in os.environ, reason="nothing is kept")
def test_who_connects_next_has_a_session_as_it_began(dsn: str) -> None:
    """The server's process is the same; settings, role, locks and temporary tables are not."""
    keep(name_of(dsn))
    with connect(dsn) as first:
        process = first.info.backend_pid
        first.execute("SET timezone = 'Asia/Tokyo'")
        first.execute("CREATE TEMPORARY TABLE mine (n int)")
        first.execute("SELECT pg_advisory_lock(7)")
        first.execute("SET ROLE pg_monitor")
    assert first.closed
    assert kept_processes(dsn) == [process]
    with connect(dsn) as second:
        assert second.info.backend_pid == process
        zone, role, mine, locks = (
            second.execute(asked).fetchone()
            for asked in (
                "SELECT current_setting('timezone') AS a",
                "SELECT current_user = session_user AS a",
                "SELECT to_regclass('mine') AS a",
                "SELECT count(*) AS a FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
            )
        )
        assert [row and row["a"] for row in (zone, role, mine, locks)] == ["UTC", True, None, 0]
    let_go(name_of(dsn))
    with pytest.raises(psycopg.OperationalError, match="closed"):
        second.execute("SELECT 1")


@pytest.mark.skipif("O2C_TEST_NEW_STORES" in os.environ, reason="nothing is kept")
def test_a_session_that_the_server_ended_serves_nobody(dsn: str, server_dsn: str) -> None:
    """Nor one that was left in a transaction."""
    keep(name_of(dsn))
    first = connect(dsn)
    first.execute("BEGIN")
    first.close()
    assert kept_processes(dsn) == []
    with connect(dsn) as second:
        process = second.info.backend_pid
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute("SELECT pg_terminate_backend(%s, 10000)", (process,))
    with connect(dsn) as third:
        assert third.info.backend_pid != process
        assert third.execute("SELECT 1 AS a").fetchone() == {"a": 1}
    let_go(name_of(dsn))


@pytest.mark.skipif("O2C_TEST_NEW_STORES" in os.environ, reason="nothing is kept")
def test_two_who_close_one_connection_give_one_session(dsn: str) -> None:
    """Its server's process serves one at a time, whoever else closes it at the same moment."""
    keep(name_of(dsn))
    for _ in range(20):
        shared, together = connect(dsn), Barrier(4)

        def close(shared: Connection[Any] = shared, together: Barrier = together) -> None:
            together.wait()
            shared.close()

        closers = [Thread(target=close) for _ in range(together.parties)]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()
        assert len(kept_processes(dsn)) == 1
    let_go(name_of(dsn))


@pytest.mark.skipif("O2C_TEST_NEW_STORES" in os.environ, reason="nothing is kept")
def test_a_connection_that_somebody_uses_is_closed_for_good(dsn: str) -> None:
    """What he is told there, whoever connects next would be told."""
    keep(name_of(dsn))
    used = connect(dsn)
    with used.lock:  # as who asks something has it, and who listens
        used.close()
    assert used.closed
    assert kept_processes(dsn) == []
