"""Worker processes: one that ends when it is told to, and several led by a parent that stands in for those that die."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

logger = structlog.get_logger(__name__)
TOLD = (signal.SIGTERM, signal.SIGINT)
GRACE_S = 30
"""How long a worker may take for the page in hand before its parent kills it; nothing is lost, its leases run out."""
AGAIN_FIRST_S, AGAIN_LONGEST_S = 0.5, 30.0
STEADY_S = 60
"""A worker that ran that long was well: the next death is the first again."""
HOPELESS = (2, 3, 4)
"""Exit codes that will be the same the next time: usage, missing, conflict."""
TETHER = "--tethered"


class Bell:
    """Rings when this process is told to end; a pipe, because a signal handler may take no lock."""

    def __init__(self) -> None:
        self._hear, self._ring = os.pipe()
        os.set_blocking(self._ring, False)
        self.rung = False

    def ring(self) -> None:
        """Ring, as often as it comes; a signal handler may do it."""
        self.rung = True
        os.write(self._ring, b"!")

    def wait(self, *others: int, seconds: float | None = None) -> None:
        """Until it rings, another file descriptor has something to read or ends, or the time is over."""
        select.select([self._hear, *others], [], [], seconds)

    def close(self) -> None:
        """Close both ends of the pipe."""
        os.close(self._hear)
        os.close(self._ring)


@contextmanager
def told_to_end() -> Iterator[Bell]:
    """A bell that the first SIGTERM or SIGINT rings; a second one ends the process at once."""
    bell = Bell()

    def hear(signum: int, frame: object) -> None:
        signal.signal(signum, signal.SIG_DFL)
        bell.ring()

    before = {signum: signal.signal(signum, hear) for signum in TOLD}
    try:
        yield bell
    finally:
        for signum, old in before.items():
            signal.signal(signum, old)
        bell.close()


class Works(Protocol):
    """What can be let work in a process: it works until a time or until it is told to stop, which another thread may do."""

    def run(self, until: datetime | None = None) -> None:
        """Work until a time, or until `stop`."""

    def stop(self) -> None:
        """End after the work in hand; another thread calls this."""


def work(worker: Works, until: datetime | None, *, tethered: bool = False) -> None:
    """Let a worker work in this process until a time, a signal or, when tethered, the end of standard input (its parent's death).

    Raises what ended it, if something else did.
    """
    failed: list[BaseException] = []

    with told_to_end() as bell:

        def carry() -> None:
            try:
                worker.run(until)
            except BaseException as error:  # noqa: BLE001 - raised again below, by the thread that is asked
                failed.append(error)
            bell.ring()

        # Signals are heard by the main thread, so the work is done in another.
        carrying = threading.Thread(target=carry, name="worker")
        carrying.start()
        bell.wait(*([sys.stdin.fileno()] if tethered else []))
        worker.stop()
        carrying.join()
    if failed:
        raise failed[0]


@dataclass
class Post:
    """The place of one worker in a crew: the process that fills it, or when the next one will."""

    command: Sequence[str]
    process: subprocess.Popen[str] | None = None
    since: float = 0.0
    again_at: float = 0.0
    pause_s: float = 0.0
    attended: int = 0

    def fill(self) -> None:
        """Start a process if there is none and the time has come."""
        if self.process is None and time.monotonic() >= self.again_at:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.since = time.monotonic()

    def output(self) -> int | None:
        """The file descriptor that ends with the process."""
        return self.process.stdout.fileno() if self.process and self.process.stdout else None

    def left(self) -> int | None:
        """How the process ended, once it did; the place is free then."""
        process = self.process
        if process is None or not process.stdout or not select.select([process.stdout], [], [], 0)[0]:
            return None
        with contextlib.suppress(ValueError):
            self.attended += int(process.stdout.read() or 0)
        process.stdout.close()
        self.untie()
        self.process = None
        return process.wait()

    def again_later(self) -> None:
        """Let the next process wait: longer after each death, but for one that had been well for a time."""
        now = time.monotonic()
        self.pause_s = AGAIN_FIRST_S if now - self.since >= STEADY_S else min(self.pause_s * 2, AGAIN_LONGEST_S) or AGAIN_FIRST_S
        self.again_at = now + self.pause_s

    def untie(self) -> None:
        """End the standard input of the process, which tells it to end."""
        if self.process and self.process.stdin:
            self.process.stdin.close()


class Crew:
    """Worker processes, each with an interpreter and connections of its own, on the store of this environment.

    One that dies is started again, later and later. None outlives its parent: the standard input of each is a pipe that ends with it.
    `arguments` are what stands after `o2c` on the command line of each; `attended` adds up the counts that workers told when they ended.
    """

    def __init__(self, count: int, *arguments: str) -> None:
        command = [sys.executable, "-m", "o2c.entrypoints.cli.main", *arguments, TETHER]
        self.places = [Post(command) for _ in range(count)]
        self.attended = 0

    def run(self) -> int:
        """Lead them until all have ended, or this process is told to end; the exit code of a worker that would end so again, else 0."""
        code = 0
        with told_to_end() as bell:
            try:
                while self.places and not bell.rung and not code:
                    for place in self.places:
                        place.fill()
                    outputs = [output for place in self.places if (output := place.output()) is not None]
                    next_s = [max(place.again_at - time.monotonic(), 0) for place in self.places if place.process is None]
                    bell.wait(*outputs, seconds=min(next_s, default=None))
                    code = max(map(self._look, list(self.places)), default=0)
            finally:
                self._end()
        return code

    def _look(self, place: Post) -> int:
        """See what became of a worker: one that ended by itself leaves its place, one that died is replaced; its exit code if that is no
        use."""
        code = place.left()
        if code == 0:
            self._leave(place)
        elif code is not None:
            logger.warning("worker_died", code=code)
            place.again_later()
        return code if code in HOPELESS else 0

    def _leave(self, place: Post) -> None:
        self.attended += place.attended
        self.places.remove(place)

    def _end(self) -> None:
        """Tell them all first, then wait for each; whoever does not end in time is killed."""
        for place in self.places:
            place.untie()
        deadline = time.monotonic() + GRACE_S
        for place in list(self.places):
            if place.process is not None:
                try:
                    place.process.wait(max(deadline - time.monotonic(), 0))
                except subprocess.TimeoutExpired:
                    logger.warning("worker_killed", after_s=GRACE_S)
                    place.process.kill()
                    place.process.wait()
                place.left()
            self._leave(place)
