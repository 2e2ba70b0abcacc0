"""What a rebuild promises: every executor yields the same, readers never notice, its report is true, and whoever dies changes nothing."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import BY_NAME
from projections.engine import rebuild as rebuilding
from projections.engine import swap
from projections.engine.operations import By, catch_up, history, rebuild, status, verify
from projections.engine.projection import Doc, Projection, Row
from projections.engine.rebuild import rollback
from tests.histories import append, captured, failing_on, of_order, order_id, planned, query, table_of

ORDERS, STOCK = BY_NAME["orders"], BY_NAME["stock"]
ANN = By("ann", "the new answer is wrong")
ROOT = Path(__file__).parents[2]
_salts = itertools.count()


@pytest.fixture
def log(store_dsn: str) -> str:
    """An empty log."""
    return store_dsn


_REBUILDS = """
import os, signal, sys
from projections.catalogue import BY_NAME
from projections.engine.rebuild import rebuild
def progress(stage, share):
    if stage == sys.argv[2]:
        os.kill(os.getpid(), int(sys.argv[3]))
rebuild(sys.argv[1], BY_NAME["orders"], progress, processes=int(sys.argv[4]))
"""


@pytest.mark.parametrize(
    ("stage", "sent", "processes"),
    [
        pytest.param("folded", signal.SIGKILL, 2, id="killed while processes fold"),
        pytest.param("copied", signal.SIGKILL, 1, id="killed while it fills the shadow"),
        pytest.param("indexed", signal.SIGINT, 1, id="cancelled before the comparison"),
        pytest.param("compared", signal.SIGKILL, 1, id="killed before the swap"),
        pytest.param("swapped", signal.SIGKILL, 1, id="killed right after the swap"),
    ],
)
def test_a_rebuild_may_be_killed_anywhere(log: str, stage: str, sent: signal.Signals, processes: int) -> None:
    """The tables in place stay whole, the next catch-up goes on, and the next rebuild works, whatever the dead one left behind."""
    append(log, [captured(number) for number in range(100)])
    catch_up(log, [ORDERS])
    died = subprocess.run(
        [sys.executable, "-c", _REBUILDS, log, stage, str(int(sent)), str(processes)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert died.returncode != 0
    assert verify(log, ORDERS).differing == ()
    append(log, [planned(0)])
    catch_up(log, [ORDERS])
    rebuilt = rebuild(log, ORDERS)

    assert rebuilt is not None
    assert (rebuilt.rows, rebuilt.differing) == (100, 0)
    assert query(log, "SELECT relname FROM pg_class WHERE relname ~ '^orders_(new|gone)'  AND relkind = 'r'") == []


def test_nobody_sees_an_exchange(log: str) -> None:
    """While events come, a worker follows, and rebuilds and rollbacks take turns, a reader always finds every order once, and never fewer than before."""
    append(log, [captured(number) for number in range(20)])
    catch_up(log, [ORDERS])
    stop, flaws, looks = threading.Event(), list[str](), itertools.count()

    def read() -> None:
        with connect(log) as conn:
            while not stop.is_set():
                row = conn.execute("SELECT count(*) AS n, count(DISTINCT order_id) AS orders FROM projection.orders").fetchone()
                next(looks)
                if row is None or row["n"] < 20 or row["n"] != row["orders"]:
                    flaws.append(str(row))

    def write() -> None:
        for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count(20)):
            append(log, [captured(number)])
            catch_up(log, [ORDERS])

    with ThreadPoolExecutor(2) as pool:
        at_work = [pool.submit(read), pool.submit(write)]
        try:
            for _ in range(4):
                _patient(lambda: rebuild(log, ORDERS))
                _patient(lambda: rollback(log, ORDERS, ANN))
        finally:
            stop.set()
        for one in at_work:
            one.result()
    catch_up(log, [ORDERS])

    assert flaws == []
    assert next(looks) > 20
    assert verify(log, ORDERS).differing == ()


def _patient(exchange: Callable[[], object]) -> None:
    for _ in range(20):
        try:
            exchange()
        except Refused as refusal:
            if refusal.kind != "unavailable":
                raise
        else:
            return
    pytest.fail("it never got the tables")


@pytest.mark.parametrize(
    "exchange", [pytest.param(rebuild, id="swap"), pytest.param(lambda dsn, projection: rollback(dsn, projection, ANN), id="rollback")]
)
def test_an_exchange_keeps_nobody_waiting(log: str, monkeypatch: pytest.MonkeyPatch, exchange: Callable[[str, Projection], object]) -> None:
    """Behind a reader who does not let go it gives up soon, so that others wait no longer than that; the tables stay as they were."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    rebuild(log, ORDERS)
    monkeypatch.setattr(rebuilding, "SWAP_TRIES", 3)
    longest, stop = 0.0, threading.Event()

    def look() -> None:
        nonlocal longest
        with connect(log) as conn:
            while not stop.is_set():
                began = time.monotonic()
                conn.execute("SELECT count(*) FROM projection.orders")
                longest = max(longest, time.monotonic() - began)

    with psycopg.connect(log) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("SELECT FROM projection.orders")
        looking = pool.submit(look)
        with pytest.raises(Refused, match="readers do not let go") as refusal:
            exchange(log, ORDERS)
        stop.set()
        looking.result()

    assert refusal.value.kind == "unavailable"
    assert longest < 1  # the lock timeout, and what a busy machine adds
    assert swap.LOCK_TIMEOUT_MS < 100
    assert len(table_of(log, ORDERS)) == 1
    assert verify(log, ORDERS).differing == ()


def _changed(rows: Callable[[Row], Row | None]) -> Projection:
    """Orders with rows made otherwise."""

    def changed(group: str, doc: Doc) -> Iterator[Row]:
        for row in ORDERS.rows(group, doc):
            if (other := rows(row)) is not None:
                yield other

    return replace(ORDERS, rows=changed)


def test_the_report_says_what_changes(log: str) -> None:
    """Rows that change, come and go are told apart, counted by column, and shown with what was and what is."""
    append(log, [captured(number) for number in range(5)])
    with_all = _changed(lambda row: None if row["external_id"] == "WEB-4" else row)
    catch_up(log, [with_all])
    states = {"WEB-0": "held", "WEB-1": "held"}
    rebuilt = rebuild(
        log, _changed(lambda row: None if row["external_id"] == "WEB-2" else {**row, "state": states.get(row["external_id"], row["state"])})
    )
    assert rebuilt is not None
    diff = rebuilt.diff

    assert (diff.gained, diff.lost, diff.changed, dict(diff.columns), diff.not_compared) == (1, 1, 2, {"state": 2}, ())
    assert rebuilt.differing == 4
    shown = {
        difference.key: (difference.actual and difference.actual["state"], difference.expected and difference.expected["state"])
        for difference in diff.rows
    }
    assert shown == {
        (order_id(0), order_id(0)): ("acknowledged", "held"),
        (order_id(1), order_id(1)): ("acknowledged", "held"),
        (order_id(2), order_id(2)): ("acknowledged", None),
        (order_id(4), order_id(4)): (None, "acknowledged"),
    }


def test_the_report_is_of_one_position(log: str) -> None:
    """What comes while the shadow is filled, and has reached the old rows, is no difference; a true one among it is found."""
    append(log, [captured(number) for number in range(3)])
    catch_up(log, [ORDERS])

    def progress(stage: str, share: float) -> None:
        if stage == "indexed":
            append(log, [planned(0), of_order(1, "order.cancelled"), captured(7), captured(8)])
            catch_up(log, [ORDERS])
            with connect(log) as conn:
                conn.execute("UPDATE projection.orders SET priority = 99 WHERE external_id IN ('WEB-1', 'WEB-2')")
                conn.execute("DELETE FROM projection.orders WHERE external_id = 'WEB-7'")

    rebuilt = rebuild(log, ORDERS, progress)
    assert rebuilt is not None

    assert (rebuilt.diff.gained, rebuilt.diff.lost, rebuilt.diff.changed, dict(rebuilt.diff.columns)) == (1, 0, 2, {"priority": 2})
    assert verify(log, ORDERS).differing == ()


def test_new_and_dropped_columns_are_named(log: str) -> None:
    """Another shape is compared by the columns that both have; without a common key nothing is."""
    append(log, [captured(0), captured(1)])
    catch_up(log, [ORDERS])
    columns = {**{name: kind for name, kind in ORDERS.columns.items() if name != "priority"}, "region": "text"}
    newer = replace(
        ORDERS, shape_version=ORDERS.shape_version + 1, columns=columns,
        rows=lambda group, doc: [{**{name: row[name] for name in columns if name in row}, "region": "north"} for row in ORDERS.rows(group, doc)],
    )  # fmt: skip
    rebuilt = rebuild(log, newer)
    assert rebuilt is not None

    assert (rebuilt.differing, set(rebuilt.diff.not_compared)) == (0, {"priority", "region"})


def test_going_back_and_on(log: str) -> None:
    """The old tables come back with where they stood and what was parked, a catch-up goes on from there; a second time goes forward again."""
    append(log, [captured(0), planned(0), captured(1)])
    catch_up(log, [failing_on("order.planned", ORDERS)])
    parked = query(log, "SELECT * FROM projection.parked")
    stood = status(log, [ORDERS])[0].position
    append(log, [captured(2)])
    rebuild(log, ORDERS)
    assert query(log, "SELECT * FROM projection.parked") == []

    back = rollback(log, ORDERS, ANN)
    assert back.position == stood == status(log, [ORDERS])[0].position
    assert (query(log, "SELECT * FROM projection.parked"), len(table_of(log, ORDERS))) == (parked, 2)
    append(log, [of_order(0, "order.cancelled")])
    catch_up(log, [ORDERS])
    assert (len(query(log, "SELECT FROM projection.parked")), len(table_of(log, ORDERS))) == (2, 3)

    rollback(log, ORDERS, ANN)
    catch_up(log, [ORDERS])
    assert query(log, "SELECT * FROM projection.parked") == []
    assert verify(log, ORDERS).differing == ()


def test_there_is_no_way_back_to_what_does_not_fit(log: str) -> None:
    """Nothing kept, tables of another shape, events set aside since: each is refused, and the tables in place stay."""
    newer = replace(ORDERS, shape_version=ORDERS.shape_version + 1)
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    with pytest.raises(Refused, match="nothing is kept of projection orders") as refusal:
        rollback(log, ORDERS, ANN)
    assert refusal.value.kind == "missing"
    rebuild(log, ORDERS)
    with pytest.raises(Refused, match=f"have shape {ORDERS.shape_version}, this program {newer.shape_version}"):
        rollback(log, newer, ANN)
    with connect(log) as conn:
        conn.execute(
            "INSERT INTO projection.skipped (name, group_key, position, event_id, error, actor, reason)"
            " SELECT 'orders', 'x', 1, event_id, '', '', '' FROM o2c.event"
        )
    with pytest.raises(Refused, match="were set aside since"):
        rollback(log, ORDERS, ANN)

    assert len(table_of(log, ORDERS)) == 1


def test_what_was_done_is_written_down(log: str) -> None:
    """Who, why, what, where the tables stood then and their shapes, with the deed or not at all; what the program does by itself too."""
    append(log, [captured(0)])
    newer, of, to = replace(ORDERS, shape_version=ORDERS.shape_version + 1), ORDERS.shape_version, ORDERS.shape_version + 1
    catch_up(log, [ORDERS])
    catch_up(log, [newer])
    rebuild(log, newer, by=By("ben"))
    stood = status(log, [newer])[0].position
    with pytest.raises(Refused, match="say who decides and why"):
        rollback(log, newer, By("ann"))
    rollback(log, newer, ANN)
    with pytest.raises(RuntimeError):
        rebuild(log, newer, _failing)

    assert [(one.what, one.actor, one.reason, one.position, one.from_shape, one.to_shape) for one in history(log, [ORDERS])] == [
        ("rebuilt", "o2c", "the program does it by itself", stood, of, to),
        ("rebuilt", "ben", "", stood, to, to),
        ("rolled back", "ann", "the new answer is wrong", stood, to, to),
    ]


def _failing(stage: str, share: float) -> None:
    raise RuntimeError(stage)
