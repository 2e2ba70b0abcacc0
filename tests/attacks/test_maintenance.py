"""Appends go on while the log is vacuumed, analysed and indexed; the stock library's table lock waits for the whole length of each."""

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import count

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from o2c.store.database import connect
from tests.attacks.harness import Connection, one, stock_recorder, until, write
from tests.store.writing import command

SLOWLY = "SET vacuum_cost_delay = '100ms'; SET vacuum_cost_limit = 1; SET vacuum_cost_page_hit = 10"
"""So a table of a few pages takes seconds."""
WORK = [
    pytest.param("VACUUM {table}", id="vacuum"),
    pytest.param("ANALYZE {table}", id="analyze"),
    pytest.param("CREATE INDEX CONCURRENTLY ON {table} ({column})", id="create-index-concurrently"),
]
APPENDS = 30


@contextmanager
def _at_work(dsn: str, sql: str, table: str) -> Iterator[threading.Event]:
    """Maintenance that has the table and is not over before the end of the block. CREATE INDEX CONCURRENTLY waits for an older snapshot."""
    over = threading.Event()
    with connect(dsn) as older, connect(dsn) as conn, connect(dsn) as watch, ThreadPoolExecutor(1) as pool:
        older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        conn.execute(SLOWLY)
        running = pool.submit(_carried_out, conn, sql, over)
        held = f"SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'ShareUpdateExclusiveLock' AND granted AND pid = %s"
        try:
            until(lambda: one(watch, held, conn.info.backend_pid))
            yield over
        finally:
            older.execute("ROLLBACK")
            conn.cancel_safe()
            running.result()


def _carried_out(conn: Connection, sql: str, over: threading.Event) -> None:
    with suppress(psycopg.errors.QueryCanceled):
        conn.execute(sql.encode())
    over.set()


@pytest.mark.parametrize("work", WORK)
def test_appends_go_on(log_dsn: str, work: str) -> None:
    """Thirty commands are appended before the maintenance is over; the longest of them is told (see it with -rP)."""
    with connect(log_dsn) as conn:
        for n in range(APPENDS):
            write(conn, command(("full-1", n * 50), each=50))
        sql, took = work.format(table="o2c.event", column="actor"), [0.0]
        with _at_work(log_dsn, sql, "o2c.event") as over:
            for n in range(APPENDS):
                started = time.perf_counter()
                assert write(conn, command(("a-1", n))).verdict == "appended"
                took.append(time.perf_counter() - started)
            assert not over.is_set()
    sys.stdout.write(f"longest append during {sql}: {max(took) * 1000:.1f} ms\n")


@pytest.mark.parametrize("work", WORK)
def test_control_the_table_lock_waits_for_the_whole_length(log_dsn: str, work: str) -> None:
    """The stock recorder does not append one event before the maintenance is over."""
    with ExitStack() as opened, connect(log_dsn) as conn, ThreadPoolExecutor(1) as pool:
        recorder, numbers = stock_recorder(log_dsn, opened), count(1)

        def append(each: int = 1) -> None:
            recorder.insert_events([StoredEvent("a-1", next(numbers), "test", b"x" * 200) for _ in range(each)])

        append(1_500)
        sql, waiting = work.format(table="stored_events", column="topic"), "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with _at_work(log_dsn, sql, "stored_events") as over:
            appending = pool.submit(append)
            until(lambda: one(conn, waiting + " AND relation = 'stored_events'::regclass"))
            assert not over.is_set()
            assert not appending.done()
        appending.result()
