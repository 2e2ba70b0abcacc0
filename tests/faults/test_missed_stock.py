"""Stock that comes in the moment in which an order begins to wait for it: no wake-up is lost, and nobody is woken for nothing."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.postgres import PostgresDatastore

from o2c.engine import reactions as policy
from o2c.engine.worker import Worker
from o2c.store.turns import turn
from tests.faults.working import at_work, attend, completed, eventually, opened, today
from tests.world import World


def crossed(dsn: str, folder: Path, *, sims: int, orders: int) -> World:
    """Orders look for SIMs just before these come, and begin to wait just after the arrival was read and nobody waited."""
    world = opened(dsn, folder, esims=0, customers=orders)
    world.take(*(today(n) for n in range(1, orders + 1)))
    candidates = world.app.reads.candidates

    def looked(pool: str, *more: Any) -> list[dict[str, Any]]:
        found = candidates(pool, *more)
        if pool == "sim/esim" and not found:
            world.app.reads.candidates = candidates  # type: ignore[method-assign]  # it happens once
            world.sims(esim=sims)
            policy.react(world.app, round_=0)
        return found

    world.app.reads.candidates = looked  # type: ignore[method-assign]  # see above
    attend(world, 4)
    assert Counter(found["reason"] for found in world.fallouts()) == {"INV-SIM": orders}
    return world


def test_an_order_that_crossed_with_its_stock_is_woken(dsn: str, tmp_path: Path) -> None:
    """Nothing told it that the SIM is there; the worker sees who waits beside a free piece."""
    world = crossed(dsn, tmp_path, sims=1, orders=1)
    with at_work(Worker(world.runner)):
        assert eventually(lambda: completed(world, 1))
    assert Counter(world.told("WEB-1"))["sim.requested"] == 2
    world.close()


def test_without_the_sweep_it_would_wait_for_ever(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: reactions alone leave it waiting beside the free SIM."""
    world = crossed(dsn, tmp_path, sims=1, orders=1)
    monkeypatch.setattr(policy, "sweep", lambda *_, **__: None)
    Worker(world.runner).run(datetime.now(UTC) + timedelta(seconds=2))
    assert world.app.reads.unserved(datetime.now(UTC), 10) == {"sim/esim": 1}
    assert Counter(world.told("WEB-1"))["sim.requested"] == 1
    world.close()


def test_many_workers_that_react_at_once_wake_as_many_as_there_are_pieces(dsn: str, tmp_path: Path) -> None:
    """Two SIMs for five who wait: two are asked for again, the first of them, whoever looks and however often."""
    world = crossed(dsn, tmp_path, sims=2, orders=5)
    together = threading.Barrier(4)

    def sweep(place: int) -> None:
        other = World(dsn, tmp_path)
        unserved = other.app.reads.unserved

        def slow(at: datetime, limit: int) -> dict[str, int]:
            found = unserved(at, limit)
            threading.Event().wait(place * 0.3)  # the others have woken theirs by then
            return found

        other.app.reads.unserved = slow  # type: ignore[method-assign]  # only slowed down
        worker = Worker(other.runner)
        together.wait()
        for _ in range(2):
            worker.react()
        other.close()

    with ThreadPoolExecutor(4) as sweepers:
        list(sweepers.map(sweep, range(4)))
    asked = [Counter(world.told(f"WEB-{n}"))["sim.requested"] for n in range(1, 6)]
    assert asked == [2, 2, 1, 1, 1]
    world.close()


def test_one_worker_at_a_time_reacts(dsn: str, tmp_path: Path) -> None:
    """Whoever comes second is told at once that it is not its turn; a turn is given back, also by one whose connection died."""

    def given(store: PostgresDatastore) -> bool:
        with turn(store, "reaction") as ours:
            return ours

    worlds = [World(dsn, tmp_path, clock="real") for _ in range(2)]
    one, two = (world.app.log_recorder.datastore for world in worlds)
    with turn(one, "reaction") as first, turn(two, "reaction") as second, turn(two, "another") as other:
        assert (first, second, other) == (True, False, True)
    with turn(two, "reaction") as ours:
        assert ours
        with one.get_connection() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                " WHERE l.locktype = 'advisory' AND d.datname = current_database() AND l.pid <> pg_backend_pid()"
            )
        assert eventually(lambda: given(one))
    for world in worlds:
        world.close()


def test_the_checkpoint_keeps_up_when_nothing_comes(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What held no stock is not read again and again."""
    monkeypatch.setattr(policy, "LAG", 0)
    world = opened(dsn, tmp_path, customers=1)
    world.take(today(1))
    policy.react(world.app, round_=0)
    rows = world.app.reads.rows("SELECT position FROM o2c.policy_checkpoint")
    assert [row["position"] for row in rows] == [world.app.recorder.max_notification_id()] * len(policy.OF_NOW)
    world.close()
