"""Projection workers die at any statement, stall, or come in numbers: rows equal a fold of the log, and nothing is written twice."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import psycopg
import pytest
from structlog.testing import capture_logs

from o2c.store.database import connect, prepare
from projections.catalogue import ALL, BY_NAME
from projections.engine import incremental, shards, tables
from projections.engine.checkpoints import move_checkpoints
from projections.engine.operations import as_of, catch_up, rebuild, status, verify
from projections.engine.projection import Doc, Projection
from projections.engine.seen import Mark, Reader, Seen
from projections.engine.shards import Follower
from tests.faults.dying import Countdown, killed_at
from tests.faults.following import stalling
from tests.faults.working import eventually
from tests.histories import append, append_one, captured, of_order, planned, query, table_of

ORDERS, ITEMS = BY_NAME["orders"], BY_NAME["items"]
POINTS_MAX, POINTS_MIN = 200, 20


def _count(doc: Doc, seen: Seen) -> Doc:
    return {"events": doc.get("events", 0) + 1}


COUNTED: Projection = replace(
    ORDERS,
    name="counted",
    columns={"order_id": "text", "events": "integer"},
    indexes=(),
    fields=None,
    initial={},
    evolve=_count,
    rows=lambda group, doc: [{"order_id": group, **doc}],
)
"""A fold that tells an event that was taken twice, or not at all, from one that was taken once."""


@pytest.fixture
def log(dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log of two orders and eight events, read and written by threes."""
    monkeypatch.setattr(Reader, "size", 3)
    monkeypatch.setattr(incremental, "BATCH_EVENTS", 3)
    prepare(dsn)
    append(dsn, [told for number in range(2) for told in (captured(number), planned(number), of_order(number, "validation.requested"))])
    append(dsn, [of_order(number, "order.cancelled") for number in range(2)])
    return dsn


@contextmanager
def at_work(follower: Follower) -> Iterator[Follower]:
    """A worker in a thread, told to stop at the end of the block; raises what ended it otherwise."""
    failed: list[BaseException] = []

    def carry() -> None:
        try:
            follower.run()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield follower
    finally:
        follower.stop()
        thread.join(60)
    if failed:
        raise failed[0]


def _cycle(dsn: str, countdown: Countdown) -> None:
    """All of a worker's cycle from its connection on: taking the projection, polling, and its batches."""
    countdown.watch_statements()
    follower = Follower(dsn, [COUNTED])
    with tables.session(dsn) as conn:
        follower.turn(conn)


def _wrong_after_deaths(dsn: str) -> Iterator[int]:
    """The points at which a death left rows other than a fold of the log, once another worker had gone on."""
    wanted = as_of(dsn, COUNTED)
    for point in range(1, POINTS_MAX):
        with tables.session(dsn) as conn:
            conn.execute("DROP SCHEMA IF EXISTS projection CASCADE")
            tables.prepare(conn, [COUNTED])
        died = killed_at(point, lambda countdown: _cycle(dsn, countdown))
        catch_up(dsn, [COUNTED])
        if table_of(dsn, COUNTED) != wanted:
            yield point
        if not died:
            assert point > POINTS_MIN
            return
    raise AssertionError(f"still not at the end after {POINTS_MAX} points")


@pytest.mark.once
def test_a_death_after_any_statement_loses_and_doubles_nothing(log: str) -> None:
    """Wherever a worker is killed, the next one's rows are a fold of the log."""
    assert list(_wrong_after_deaths(log)) == []


def _rows_first(batch: incremental.Batch, mark: Mark) -> bool:
    tables.write(batch._conn, batch._projection, batch.changes())
    return _moved(batch, mark)


def _checkpoint_first(batch: incremental.Batch, mark: Mark) -> bool:
    changes = batch.changes()
    conn, projection = batch._conn, batch._projection
    moved = _moved(batch, mark)
    tables.write(conn, projection, changes)
    return moved


def _moved(batch: incremental.Batch, mark: Mark) -> bool:
    moved = move_checkpoints(batch._conn, [batch.checkpoint], mark)
    batch.checkpoint = replace(batch.checkpoint, mark=mark)
    batch._clear()
    return moved


@pytest.mark.once
@pytest.mark.parametrize("flush", [pytest.param(_rows_first, id="rows first"), pytest.param(_checkpoint_first, id="checkpoint first")])
def test_the_harness_sees_rows_and_checkpoint_that_are_committed_apart(
    log: str, monkeypatch: pytest.MonkeyPatch, flush: Callable[[incremental.Batch, Mark], bool]
) -> None:
    """The control: such a worker takes events twice, or never, when it dies in between."""
    monkeypatch.setattr(incremental.Batch, "flush", flush)
    assert next(_wrong_after_deaths(log), None) is not None


def test_a_stalled_worker_finds_its_checkpoint_moved(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stood still between reading and writing, and somebody brought the projection on: its batch is refused whole."""
    stalled, woken, wrote = threading.Event(), threading.Event(), []
    flush = incremental.Batch.flush

    def hesitant(batch: incremental.Batch, mark: Mark) -> bool:
        if stalled.is_set():
            return flush(batch, mark)
        stalled.set()
        assert woken.wait(60)
        wrote.append(flush(batch, mark))
        return wrote[0]

    monkeypatch.setattr(incremental.Batch, "flush", hesitant)
    with at_work(Follower(log, [ORDERS])):
        assert stalled.wait(60)
        append(log, [captured(7)])
        catch_up(log, [ORDERS])
        append(log, [planned(7)])
        woken.set()
        assert eventually(lambda: status(log, [ORDERS])[0].state == "current")
    assert wrote == [False]
    assert table_of(log, ORDERS) == as_of(log, ORDERS)
    assert verify(log, ORDERS).differing == ()


def test_another_takes_over_from_a_stalled_worker(log: str) -> None:
    """The server ends the session of one that asks for nothing, and with it its hold; when it wakes up it finds that out and stands by."""
    with stalling(log, stalled_s=1) as stalled, at_work(Follower(log, [ORDERS], look_s=0.1)) as other:
        append(log, [captured(7)])
        assert eventually(lambda: status(log, [ORDERS])[0].state == "current")
        assert other.owned == [ORDERS]
        assert stalled.wakes() == "broken\n"
        append(log, [planned(7)])
        assert eventually(lambda: status(log, [ORDERS])[0].state == "current")
        assert stalled.ends() == 0
    assert verify(log, ORDERS).differing == ()


def test_workers_share_the_projections(log: str) -> None:
    """Each is followed by one; what a worker leaves is taken over; every event is taken once."""
    with ExitStack() as stack:
        first = stack.enter_context(at_work(Follower(log, [*ALL, COUNTED], share=5, look_s=0.2)))
        assert eventually(lambda: len(first.owned) == 5)
        second = stack.enter_context(at_work(Follower(log, [*ALL, COUNTED], share=9, look_s=0.2)))
        assert eventually(lambda: len(first.owned) + len(second.owned) == len(ALL) + 1)
        for number in range(20, 30):
            append(log, [captured(number), planned(number)])
        assert eventually(lambda: all(known.lag_events == 0 for known in status(log, [*ALL, COUNTED])))
        first.stop()
        assert eventually(lambda: len(second.owned) == len(ALL) + 1)
        append(log, [captured(30)])
        assert eventually(lambda: all(known.lag_events == 0 for known in status(log, [*ALL, COUNTED])))
    assert table_of(log, COUNTED) == as_of(log, COUNTED)
    assert [verify(log, projection).differing for projection in ALL] == [()] * len(ALL)


def test_a_worker_outlives_a_lost_connection(log: str) -> None:
    """It is said once, and the projection goes on."""
    with capture_logs() as logs, at_work(Follower(log, [ORDERS])) as follower:
        assert eventually(lambda: follower.attended > 0)
        query(log, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'o2c projections'")
        append(log, [captured(7)])
        assert eventually(lambda: status(log, [ORDERS])[0].state == "current")
    assert [entry["event"] for entry in logs].count("database_away") == 1


def test_a_worker_brings_an_older_shape_up_to_date_and_follows_a_swap(log: str) -> None:
    """It rebuilds what it takes over in an older shape, and goes on in tables that a rebuild put in place under it."""
    catch_up(log, [ORDERS])
    newer = replace(ORDERS, shape_version=ORDERS.shape_version + 1)
    with at_work(Follower(log, [newer])):
        assert eventually(lambda: status(log, [newer])[0].state == "current")
        rebuild(log, newer)
        append(log, [captured(7)])
        assert eventually(lambda: status(log, [newer])[0].state == "current")
    assert verify(log, newer).differing == ()


@pytest.mark.once
def test_an_idle_worker_asks_rarely(log: str) -> None:
    """Waits grow from two milliseconds to a quarter of a second, and shrink at once when something comes."""
    follower, waits = Follower(log, [ORDERS], look_s=60), []
    with tables.session(log) as conn:
        tables.prepare(conn, [ORDERS])
        for _ in range(10):
            follower.turn(conn)
            waits.append(follower._wait_s)
        append(log, [captured(7)])
        follower.turn(conn)
    assert waits[:3] == [0.002, 0.004, 0.008]
    assert waits[-1] == shards.POLL_LONGEST_S
    assert follower._wait_s == shards.POLL_FIRST_S


def test_who_holds_the_horizon_is_named(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the status and by the worker, with its process; the lag tells of what is committed and cannot be read."""
    monkeypatch.setattr(shards, "HELD_S", 0.2)
    catch_up(log, [ORDERS])
    with psycopg.connect(log, application_name="month-end") as slow:
        slow.execute("SELECT pg_current_xact_id()")
        append(log, [captured(7)])
        name = f"process {slow.info.backend_pid} (month-end)"
        with capture_logs() as logs, at_work(Follower(log, [ORDERS], look_s=0.1)):
            assert eventually(lambda: status(log, [ORDERS])[0].blocker == name)
            assert eventually(lambda: {"event": "horizon_stands_still", "held_by": name, "log_level": "warning"} in logs)
            [stands] = status(log, [ORDERS])
            assert (stands.lag_events, stands.state) == (1, "behind")
            assert stands.lag_s > 0.2
        slow.rollback()
    catch_up(log, [ORDERS])
    [stands] = status(log, [ORDERS])
    assert (stands.blocker, stands.lag_events, stands.lag_s) == (None, 0, 0)


def test_it_is_an_append_that_is_not_finished_that_holds_back_and_nothing_is_lost(log: str) -> None:
    """What a slow append commits at last is folded, though a later one was seen first by those who asked."""
    with connect(log) as slow, at_work(Follower(log, [COUNTED])):
        with slow.transaction():
            append_one(slow, captured(7))
            append(log, [captured(8)])
            time.sleep(0.3)
            assert len(table_of(log, COUNTED)) == 2
        assert eventually(lambda: len(table_of(log, COUNTED)) == 4)
    assert table_of(log, COUNTED) == as_of(log, COUNTED)
