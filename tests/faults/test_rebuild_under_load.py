"""A rebuild while events keep coming: who reads the table meanwhile finds the rows of one fold or of the other, all of them, at every moment."""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

from o2c.kernel.refusal import Refused
from o2c.store.database import connect, prepare
from projections.catalogue import BY_NAME
from projections.engine import rebuild as rebuilding
from projections.engine import swap
from projections.engine.operations import catch_up, rebuild, verify
from tests.histories import query

ROOT = Path(__file__).parents[2]
OLD = BY_NAME["orders"]
NEW = replace(
    OLD,
    shape_version=OLD.shape_version + 1,
    rows=lambda group, doc: [{**row, "channel": row["channel"].upper()} for row in OLD.rows(group, doc)],
)
"""The same question with another answer, so that rows of the two can be told apart."""
BEFORE = 200
PACE = 1_000
READERS = 2


@dataclass
class Seen:
    """What readers found: looks, and what no look may find; `passes` of the worker of the old fold."""

    looks: int = 0
    passes: int = 0
    flaws: set[str] = field(default_factory=set)


def _read(dsn: str, stop: threading.Event, seen: Seen) -> None:
    most = 0
    with connect(dsn) as conn:
        while not stop.is_set():
            try:
                row = conn.execute("SELECT count(*) AS n, count(DISTINCT channel) AS folds FROM projection.orders").fetchone()
            except psycopg.errors.UndefinedTable:
                seen.flaws.add("no table")
                continue
            assert row
            seen.looks += 1
            if row["n"] < max(most, BEFORE):
                seen.flaws.add("fewer rows")
            if row["folds"] > 1:
                seen.flaws.add("rows of two folds")
            most = max(most, row["n"])


def _follow(dsn: str, stop: threading.Event, seen: Seen) -> None:
    """A worker of the old program: it goes on until the tables are not its own any more."""
    while not stop.is_set():
        try:
            catch_up(dsn, [OLD])
            seen.passes += 1
        except (Refused, psycopg.errors.UndefinedTable) as error:
            stopped = error.kind if isinstance(error, Refused) else "no table"
            assert stopped in ("conflict", "no table")
            return


def under_load(dsn: str) -> tuple[Seen, int]:
    """Rebuild with the new fold while a process appends, a worker follows and readers look; what they saw, and how many events came a second."""
    prepare(dsn)
    catch_up(dsn, [OLD])
    seen, stop = Seen(), threading.Event()
    writing = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.appending", dsn, str(PACE)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with writing, ThreadPoolExecutor(READERS + 1) as pool:
        try:
            at_work = [pool.submit(_follow, dsn, stop, seen)]
            _until(lambda: query(dsn, "SELECT count(*) AS n FROM projection.orders")[0]["n"] >= BEFORE)
            at_work += [pool.submit(_read, dsn, stop, seen) for _ in range(READERS)]
            rebuilt = rebuild(dsn, NEW)
            assert rebuilt
            assert rebuilt.rows > BEFORE
            # The worker and the readers meet what the swap left.
            passes = seen.passes
            _until(lambda: at_work[0].done() or seen.passes > passes + 2)
            looks = seen.looks
            _until(lambda: seen.looks > looks + READERS)
        finally:
            stop.set()
            told, _ = writing.communicate("enough")
        for one in at_work:
            one.result()
    written, pace = map(int, told.split())
    assert query(dsn, "SELECT count(*) AS n FROM o2c.event") == [{"n": written}]
    return seen, pace


def _until(done: Callable[[], bool]) -> None:
    for _ in itertools.takewhile(lambda _: not done(), range(1_000)):
        time.sleep(0.01)
    assert done()


def test_a_rebuild_under_load_is_not_noticed(dsn: str) -> None:
    """Never an empty or a missing table, never rows of two folds, never fewer than before; nothing missed when it has caught up."""
    seen, pace = under_load(dsn)
    assert (seen.flaws, seen.looks > 20, pace > PACE / 10) == (set(), True, True), (pace, seen.looks)
    catch_up(dsn, [NEW])
    assert verify(dsn, NEW).differing == ()
    [rows] = query(dsn, "SELECT count(*) = (SELECT count(*) FROM o2c.event) AS all_there, max(channel) AS channel FROM projection.orders")
    assert rows == {"all_there": True, "channel": "WEB"}


def test_a_swap_without_the_checkpoint_mixes_folds(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: the tables are exchanged and nobody is told, so that a worker goes on with the old fold in the new table."""
    monkeypatch.setattr(swap, "_MOVE", "SELECT %s::bigint, %s::text, %s::integer, %s::text")
    seen, _ = under_load(dsn)
    assert "rows of two folds" in seen.flaws


def test_a_swap_in_two_transactions_is_noticed(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: the old table is dropped, and a moment later the new one renamed."""

    def in_two(shadow: rebuilding.Shadow) -> float:
        with shadow.conn.transaction():
            shadow.conn.execute("LOCK TABLE projection.orders_doc, projection.orders")  # in the order in which the worker takes them
            shadow.conn.execute("DROP TABLE projection.orders_doc, projection.orders")
        time.sleep(0.05)
        with shadow.conn.transaction():
            for name in ("orders", "orders_doc"):
                shadow.conn.execute(f"ALTER TABLE projection.{name.replace('orders', 'orders_new')} RENAME TO {name}".encode())
        return 0.0

    monkeypatch.setattr(rebuilding.Shadow, "swap", in_two)
    seen, _ = under_load(dsn)
    assert "no table" in seen.flaws
