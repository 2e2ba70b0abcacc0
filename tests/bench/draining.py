"""One worker process of the bench of a backlog, and what it saw of itself: statements, verdicts, partner calls, where its time went.

The only file of that bench that knows the engine: `work` makes the product's Worker, as `o2c run` does, and everything else looks on.
"""

import gc
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from types import FrameType
from typing import Any, cast

import psycopg
import structlog

from o2c.engine.worker import Worker
from o2c.kernel.partner import Answer, Answered, Link, Request
from o2c.store.meters import instruments
from tests.bench.watch import Profile
from tests.faults.working import prompt
from tests.world import World, everywhere

START_S = 60
CALLS_MAX = 16
RELAYS = frozenset({"rows", "_facts"})
"""Functions of the store that send what others ask them to."""
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker process is to do: until it is told to stop, or so many seconds from its first partner call on."""

    dsn: str
    folder: str
    latency_s: float = 0.0
    seconds: float = 0.0


class Agreeable:
    """Says yes to everything, at once or after a while, and counts the calls that ended before it was looked at for the last time."""

    def __init__(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self.calls, self.first_at, self.last_at = 0, 0.0, 0.0
        self.open, self.asked = True, threading.Event()
        self._one = threading.Lock()

    def submit(self, request: Request) -> Answer:
        self.first_at = self.first_at or time.perf_counter()
        self.asked.set()
        if self.latency_s:
            time.sleep(self.latency_s)
        with self._one:
            if self.open:
                self.calls, self.last_at = self.calls + 1, time.perf_counter()
        return Answered()

    def query(self, request: Request) -> Answer:
        return self.submit(request)

    def rate(self) -> float:
        """Calls a second from the first one's begin to the last one's end."""
        return self.calls / (self.last_at - self.first_at) if self.calls else 0.0


class Statements:
    """Counts and times what this process sends, by the function that sends it. BEGIN and COMMIT are sent by the driver and are not among them."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()

    @contextmanager
    def watching(self) -> Iterator[None]:
        connection = cast("Any", psycopg.Connection)
        plain = connection.execute

        def execute(conn: Any, *arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            cursor = plain(conn, *arguments, **named)
            sender = _sender(sys._getframe(1))
            self.seconds[sender] += cast("int", time.perf_counter() - start)
            self.calls[sender] += 1
            self.rows[sender] += max(cursor.rowcount, 0)
            return cursor

        connection.execute = execute
        try:
            yield
        finally:
            connection.execute = plain

    def told(self) -> dict[str, Figures]:
        return {name: {"calls": n, "seconds": self.seconds[name], "rows": self.rows[name]} for name, n in self.calls.most_common()}


class Collections:
    """Seconds that the garbage collector took."""

    def __init__(self) -> None:
        self.seconds, self._began = 0.0, 0.0

    def _look(self, phase: str, info: Any) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.seconds += time.perf_counter() - self._began

    @contextmanager
    def watching(self) -> Iterator[None]:
        gc.callbacks.append(self._look)
        try:
            yield
        finally:
            gc.callbacks.remove(self._look)


def work(task: Task, ready: Barrier, end: Event, told: "Queue[Figures]") -> None:
    """A process: makes its worker, waits for the others, works, and tells."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    outside = Agreeable(task.latency_s)
    # What answers at once answers on the spot; what takes its time is asked side by side, as a real partner is.
    links = everywhere(Link(outside, calls_max=CALLS_MAX)) if task.latency_s else outside
    world = prompt(World(task.dsn, Path(task.folder), links, clock="real"))
    worker = Worker(world.runner)
    told_at: list[float] = []
    threading.Thread(target=_stop, args=(task, outside, end, worker, told_at), daemon=True).start()
    ready.wait(START_S)
    found = _watched(worker)
    told.put({**found, "told_at": told_at[0], "partner_calls": outside.calls, "partner_calls_per_s": outside.rate()})
    world.close()


def _stop(task: Task, outside: Agreeable, end: Event, worker: Worker, told_at: list[float]) -> None:
    if task.seconds:
        outside.asked.wait()
        end.wait(task.seconds)
        outside.open = False
    else:
        end.wait()
    told_at.append(time.time())
    worker.stop()


def _watched(worker: Worker) -> Figures:
    statements, profile, collections = Statements(), Profile(), Collections()
    began, cpu_s = time.time(), time.process_time()
    with statements.watching(), collections.watching(), profile.watching():
        worker.run()
    return {
        "began": began, "ended": time.time(), "cpu_s": time.process_time() - cpu_s, "attended": worker.attended, "verdicts": _verdicts(),
        "statements": statements.told(), "samples": dict(profile.seen), "gc_s": collections.seconds,
    }  # fmt: skip


def _verdicts() -> dict[str, int]:
    samples = (sample for metric in instruments().commands.collect() for sample in metric.samples if sample.name.endswith("_total"))
    return {sample.labels["verdict"]: int(sample.value) for sample in samples}


def _sender(frame: FrameType | None) -> str:
    """The innermost function of ours that did not send it for another."""
    while frame is not None:
        name = frame.f_code.co_name
        if "/o2c/" in frame.f_code.co_filename and name not in RELAYS:
            return name.strip("_")
        frame = frame.f_back
    return "library"
