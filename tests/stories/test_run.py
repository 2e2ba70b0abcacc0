"""`o2c run` as an operator and a service supervisor meet it: one worker or several on a real clock, and how each ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from o2c import plan
from o2c.engine.app import Engine
from tests.faults.working import LIMIT_S, alive, children, eventually
from tests.world import World, line, order

Start = Callable[..., subprocess.Popen[str]]
PROGRAM = [sys.executable, "-m", "o2c.entrypoints.cli.main", "run"]


@pytest.fixture
def start(dsn: str, tmp_path: Path) -> Iterator[Start]:
    """Start `o2c run` on the test's store; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    environment = {**os.environ, "O2C_DSN": dsn, "O2C_HOME": str(tmp_path / "home")}

    def begun(*arguments: str) -> subprocess.Popen[str]:
        started.append(subprocess.Popen([*PROGRAM, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begun
    for process in started:
        for pid in [*children(process.pid), process.pid] if process.poll() is None else []:
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT_S)
    return process.returncode, out, err


def validated(world: World, number: int) -> bool:
    return "order.validated" in world.told(f"WEB-{number}")


def ordered(world: World, number: int) -> bool:
    """Take an order in and wait until somebody has attended to its first step."""
    world.take(order(f"WEB-{number}", line(), on=datetime.now(UTC)), name=f"{number}.jsonl")
    return eventually(lambda: validated(world, number))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [pytest.param([], "--until", id="how-far"), pytest.param(["--until", "2026-02-01", "--workers", "2"], "one driver", id="several")],
)
def test_simulated_time_has_one_driver_and_an_end(dsn: str, start: Start, arguments: list[str], says: str) -> None:
    """Without an end, or with several workers, it is refused in one line."""
    with Engine(dsn, plan.KINDS) as app:
        app.create_clock(kind="simulated")
    code, out, err = ended(start(*arguments))
    assert (code, out) == (2, "")
    [told] = err.strip().splitlines()
    assert says in told


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_works_until_it_is_told_to_end(dsn: str, tmp_path: Path, start: Start, signum: int) -> None:
    """It says what it is about to do and attends to what comes; a signal ends it with 0 and a line that says how much it did."""
    world = World(dsn, tmp_path, clock="real").stocked(customers=1)
    process = start()
    assert ordered(world, 1)
    process.send_signal(signum)
    code, out, err = ended(process)
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        "real clock: one worker attends to what is due as it comes, until Ctrl-C or SIGTERM", "attended to 1 rows of the agenda",
    ]  # fmt: skip
    world.close()


def test_a_worker_ends_at_its_time(dsn: str, tmp_path: Path, start: Start) -> None:
    """With --until nobody need end it, alone or in a crew."""
    World(dsn, tmp_path, clock="real").close()
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    processes = [start("--until", soon), start("--until", soon, "--workers", "2")]
    assert [ended(process)[:2] for process in processes] == [(0, "")] * 2


def test_a_crew_replaces_who_dies_and_leaves_nobody_behind(dsn: str, tmp_path: Path, start: Start) -> None:
    """Two workers: one is killed and another comes in its place; told to end, all end with 0."""
    world = World(dsn, tmp_path, clock="real").stocked(customers=1)
    process = start("--workers", "2")
    assert eventually(lambda: len(children(process.pid)) == 2)
    victim, other = children(process.pid)
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: len(set(children(process.pid)) - {victim}) == 2)
    crew = children(process.pid)
    assert other in crew
    assert ordered(world, 1)
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, out, err = ended(process)
    assert (code, out) == (0, "")
    assert time.monotonic() - told < LIMIT_S / 2
    assert "attended to 1 rows of the agenda" in err
    assert [pid for pid in crew if alive(pid)] == []
    world.close()


def test_a_crew_whose_parent_is_killed_ends(dsn: str, tmp_path: Path, start: Start) -> None:
    """Nobody tells the workers: they notice, and none is left."""
    World(dsn, tmp_path, clock="real").close()
    process = start("--workers", "2")
    assert eventually(lambda: len(children(process.pid)) == 2)
    crew = children(process.pid)
    process.kill()
    process.communicate()
    assert eventually(lambda: not any(alive(pid) for pid in crew))


@pytest.mark.parametrize("workers", [pytest.param(1, id="one"), pytest.param(2, id="crew")])
def test_the_figures_of_all_workers_can_be_scraped(dsn: str, tmp_path: Path, start: Start, workers: int) -> None:
    """What the workers appended is counted, in one figure however many they are, beside the gauges of the store."""
    world = World(dsn, tmp_path, clock="real").stocked(customers=1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = free.getsockname()[1]
    process = start("--workers", str(workers), "--metrics", str(listen))
    assert ordered(world, 1)

    def figures() -> dict[str, float]:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{listen}/metrics", timeout=5) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            return {
                sample.name: sample.value
                for family in families
                for sample in family.samples
                if sample.labels in ({}, {"verdict": "appended"})
            }
        return {}

    assert eventually(lambda: figures().get("o2c_commands_total", 0) > 0)
    assert figures()["o2c_append_seconds_count"] > 0
    assert figures()["o2c_store_up"] == 1
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    world.close()
