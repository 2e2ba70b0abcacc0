"""Workers of a test: in a thread or a process of their own, on a store whose clock is real, and what the test may do to them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from o2c.engine.worker import Worker
from o2c.kernel.partner import Answer, Failed, Request
from o2c.running.crew import work
from o2c.store.reads import DueRow
from tests.world import RecordingPartner, World, line, order

LIMIT_S = 60
ORDERS = 12
ROOT = Path(__file__).parents[2]


AWAY = "away"
"""The file beside the partner's book that, while it is there, keeps everybody from reaching the network."""


class Unhurried(RecordingPartner):
    """Takes its time for each request, and never comes back from the one after so many (0: it always does)."""

    def __init__(self, book: Path, *, pause_s: float, holds_after: int) -> None:
        super().__init__(book)
        self.pause_s, self.holds_after = pause_s, holds_after
        self.calls = 0

    def submit(self, request: Request) -> Answer:
        if request.step == "activation" and self.book.with_name(AWAY).exists():
            return Failed("UNAVAILABLE")
        self.calls += 1
        answer = super().submit(request)
        threading.Event().wait(LIMIT_S * 10 if self.calls == self.holds_after else self.pause_s)
        return answer


def prompt(world: World) -> World:
    """Steps are due when they are asked for: nobody can wait for a real clock."""
    steps = {name: replace(step, lead=timedelta()) for name, step in world.app.book.steps.items()}
    world.app.book = replace(world.app.book, steps=steps)
    return world


@dataclass
class WorkerProcess:
    """A worker on a store that writes down, in `partner` of the folder, what its partner was asked; ready when it is made."""

    dsn: str
    folder: Path
    lease_s: float = 60
    pause_s: float = 0.005
    holds_after: int = 0

    def __post_init__(self) -> None:
        arguments = [self.dsn, str(self.folder), str(self.lease_s), str(self.pause_s), str(self.holds_after)]
        command = [sys.executable, "-m", "tests.faults.working", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout
        if self.process.stdout.readline() != "ready\n":
            self.process.kill()
            self.process.communicate()
            raise AssertionError("the worker did not come to be ready")

    def end(self, signum: int = signal.SIGTERM) -> int:
        """Send it a signal; how many rows it attended to, as far as it could tell."""
        self.process.send_signal(signum)
        told, _ = self.process.communicate(timeout=LIMIT_S)
        return int(told or 0)


def today(number: int, **more: Any) -> dict[str, Any]:
    return order(f"WEB-{number}", line(), on=datetime.now(UTC), party=f"C-{number}", **more)


def opened(dsn: str, folder: Path, *, esims: int = ORDERS + 1, customers: int = ORDERS + 1, outside: Any = None) -> World:
    return prompt(World(dsn, folder, outside, clock="real")).stocked(esims=esims, physical=0, numbers=4 * ORDERS, customers=customers)


def due(world: World) -> list[DueRow]:
    """What is due now, in the fixed order."""
    return world.app.reads.lease(datetime.now(UTC), 10**6, 0)


def attend(world: World, passes: int) -> None:
    """Attend to everything that is due, some times over."""
    for _ in range(passes):
        world.runner.attend(due(world), round_=0)


def completed(world: World, count: int = ORDERS) -> bool:
    return all(world.state(f"WEB-{n}") == "completed" for n in range(1, count + 1))


def doubled(world: World, count: int = ORDERS) -> dict[str, list[str]]:
    """Events that an order tells more than once; an undisturbed order tells each once."""
    told = {f"WEB-{n}": Counter(world.told(f"WEB-{n}")) for n in range(1, count + 1)}
    return {name: many for name, types in told.items() if (many := [kind for kind, times in types.items() if times > 1])}


@contextmanager
def at_work(worker: Worker, until: datetime | None = None) -> Iterator[None]:
    """A worker in a thread, told to stop at the end of the block; raises what ended it otherwise."""
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(worker.run, until)
        try:
            yield
        finally:
            worker.stop()
        running.result(LIMIT_S)


def eventually(holds: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
    """Whether it comes true within a generous time."""
    deadline = time.monotonic() + limit_s
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet buried by its parent does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return bool(state) and not state.startswith("Z")


def children(pid: int) -> list[int]:
    """The running children of a process."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (line.split() for line in table.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid and alive(int(child))]


def main(dsn: str, folder: str, lease_s: str, pause_s: str, holds_after: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    outside = Unhurried(Path(folder) / "partner", pause_s=float(pause_s), holds_after=int(holds_after))
    world = prompt(World(dsn, Path(folder), outside, clock="real"))
    worker = Worker(world.runner, lease_s=float(lease_s))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    work(worker, None, tethered=True)
    sys.stdout.write(str(worker.attended))
    sys.stdout.flush()
    world.close()
    os._exit(0)  # a partner that still holds a request must not keep the process


if __name__ == "__main__":
    main(*sys.argv[1:])
