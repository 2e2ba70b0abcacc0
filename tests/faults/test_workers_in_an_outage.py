"""Real time, several worker processes, and a partner that nobody reaches: one of them finds it, one drains, and the calls are made once, in turn,
at one rate for all of them together."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from o2c import Context
from o2c.desk.partners import partner_down, partner_up
from o2c.files.loading import load_codes
from o2c.views.partners import list_partner_statuses
from tests.faults.working import AWAY, ORDERS, WorkerProcess, completed, eventually, opened, today
from tests.world import World

RATE_PER_MIN = 120
QUICK = f"""version = "ours-1"
valid_from = "2026-01-01"
[retries.transient]
attempts_max = 20
first_s = 1
factor = 2
longest_s = 3
jitter_percent = 10
[outages.network]
probe_every_s = 1
rate_per_min = {RATE_PER_MIN}
"""
STEP = timedelta(minutes=1) / RATE_PER_MIN
Start = Callable[..., WorkerProcess]


@pytest.fixture
def start(dsn: str, tmp_path: Path) -> Iterator[Start]:
    """Start a worker process on the test's store; whatever still runs at the end is killed."""
    started: list[WorkerProcess] = []

    def begun(**how: Any) -> WorkerProcess:
        started.append(WorkerProcess(dsn, tmp_path, **how))
        return started[-1]

    yield begun
    for worker in started:
        if worker.process.poll() is None:
            worker.end(signal.SIGKILL)


def away(folder: Path, *, is_it: bool) -> None:
    """Let nobody reach the network, or everybody again."""
    (folder / AWAY).touch() if is_it else (folder / AWAY).unlink()


def status(world: World) -> dict[str, Any]:
    [found] = [row for row in list_partner_statuses(world.app) if row["partner"] == "network"]
    return found


def told(world: World, kind: str) -> list[dict[str, Any]]:
    """Events of a type, in the order of the log."""
    return world.app.reads.rows("SELECT stream, occurred_at, actor, body FROM o2c.event WHERE type = %s ORDER BY position", kind)


def effects(folder: Path) -> Counter[str]:
    """How often each line was activated at the network."""
    lines = (folder / "partner").read_text().splitlines()
    return Counter(
        key.rpartition("/")[0] for line in lines for what, key in [line.split(" ", 1)] if what == "effect" and "/activation/" in key
    )


def assert_made_once_in_turn(world: World, folder: Path) -> None:
    """Every order is done, each line activated once, and the drained calls have their times one after another, none made before its time."""
    assert completed(world)
    assert set(effects(folder).values()) == {1}
    assert len(effects(folder)) == ORDERS
    up_at = datetime.fromisoformat(told(world, "partner.came-up")[-1]["body"]["up_at"])
    made = {row["stream"]: datetime.fromisoformat(row["body"]["due_at"]) for row in told(world, "call.resumed")}
    times = sorted(due_at for due_at in made.values() if due_at > up_at)
    assert len(times) > 3
    assert all(later - earlier >= STEP - timedelta(milliseconds=1) for earlier, later in pairwise(times))
    done = {row["stream"]: row["occurred_at"] for row in told(world, "service.activated")}
    assert all(done[stream] >= due_at for stream, due_at in made.items())


@pytest.mark.once
def test_workers_find_an_outage_once_and_drain_it_once(dsn: str, tmp_path: Path, start: Start) -> None:
    """Three processes meet nobody at the same time: one word that it is down, one that it is up, one time for each call that waited."""
    away(tmp_path, is_it=True)
    world = opened(dsn, tmp_path)
    load_codes(world.app, world.written("codes.toml", QUICK))
    crew = [start(pause_s=0.01) for _ in range(3)]
    world.take(*(today(n) for n in range(1, ORDERS + 1)))
    assert eventually(lambda: status(world)["parked"] == ORDERS)
    assert (status(world)["state"], status(world)["by"]) == ("down", "detection")
    away(tmp_path, is_it=False)
    assert eventually(lambda: completed(world))
    shares = [worker.end() for worker in crew]

    assert sum(share > 0 for share in shares) > 1
    assert len(told(world, "partner.went-down")) == len(told(world, "partner.came-up")) == 1
    assert status(world)["parked"] == status(world)["drained"] == ORDERS
    assert_made_once_in_turn(world, tmp_path)
    world.close()


def parked_by_all(dsn: str, folder: Path, start: Start, count: int, lease_s: float = 60) -> tuple[World, list[WorkerProcess]]:
    """So many workers have parked every call of a network that somebody declared down, and are told that it is up."""
    world = opened(dsn, folder)
    load_codes(world.app, world.written("codes.toml", QUICK))
    partner_down(world.app, Context("ann"), "network", reason="planned work")
    crew = [start(pause_s=0.01, lease_s=lease_s) for _ in range(count)]
    world.take(*(today(n) for n in range(1, ORDERS + 1)))
    assert eventually(lambda: status(world)["parked"] == ORDERS)
    partner_up(world.app, Context("ann"), "network", reason="they called")
    return world, crew


@pytest.mark.once
def test_a_worker_that_is_killed_while_its_partner_drains(dsn: str, tmp_path: Path, start: Start) -> None:
    """Of four workers one dies in the middle of it: no call is lost and none is made twice, at the rate that it would have been."""
    world, [victim, *others] = parked_by_all(dsn, tmp_path, start, 4, lease_s=2)
    assert eventually(lambda: 2 <= len(effects(tmp_path)) < ORDERS - 2)
    victim.end(signal.SIGKILL)
    assert eventually(lambda: completed(world))
    for worker in others:
        worker.end()

    assert len(told(world, "call.parked")) == len(told(world, "call.resumed")) == ORDERS
    assert status(world)["parked"] == status(world)["drained"] == ORDERS
    assert_made_once_in_turn(world, tmp_path)
    world.close()


@pytest.mark.once
def test_all_calls_wait_while_every_worker_is_dead(dsn: str, tmp_path: Path, start: Start) -> None:
    """The control: with nobody at work nothing drains; another worker goes on with what is left, at the times that were given."""
    world, crew = parked_by_all(dsn, tmp_path, start, 2, lease_s=2)
    assert eventually(lambda: 2 <= len(effects(tmp_path)) < ORDERS - 2)
    for worker in crew:
        worker.end(signal.SIGKILL)
    left = ORDERS - len(effects(tmp_path))
    assert not completed(world)
    assert left > 0
    last = start(lease_s=2)
    assert eventually(lambda: completed(world))
    last.end()

    assert_made_once_in_turn(world, tmp_path)
    world.close()
