"""Watching a running engine: where its time goes, what it takes of both cores and of memory, how often it asks partners."""

import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from o2c.engine.app import Engine
from o2c.kernel.partner import Answer, Partner, Request

SAMPLE_S = 0.005
SWITCH_S = 0.0002
"""How long a sample waits for the interpreter. As long as Python lets it by default, the watched thread mostly comes to a wait of its own first,
and a thread that computes looks like one that waits."""
PAGE_BYTES = resource.getpagesize()
LAYERS = (
    ("waiting for append()", ("o2c/store/recorder.py", "append")),
    ("waiting for reads", ("o2c/store/reads.py", "rows")),
    ("waiting for leases", ("o2c/store/reads.py", "lease")),
    ("waiting for leases", ("o2c/store/reads.py", "release")),
    ("waiting for the clock", ("o2c/store/clock.py", "")),
    ("partners", ("o2c/partners/", "")),
    ("partners", ("tests/bench/draining.py", "submit")),
    ("arrays for append()", ("o2c/store/commands.py", "")),
    ("events to JSON", ("o2c/store/mapper.py", "")),
    ("folding, agenda, heads", ("o2c/engine/app.py", "_draft")),
    ("loading", ("o2c/engine/app.py", "load")),
    *(("deciding", ("o2c/engine/runner.py", function)) for function in ("_decide", "_row", "_ask", "_take", "carry", "close")),
    ("reading papers", ("o2c/orders/document.py", "")),
    ("intake", ("o2c/files/intake.py", "")),
    ("reactions", ("o2c/engine/reactions.py", "")),
    ("runner", ("o2c/engine/runner.py", "")),
    ("asleep", ("o2c/engine/worker.py", "_turn")),
)


class CountedPartner:
    """A partner whose calls are counted."""

    def __init__(self, outside: Partner) -> None:
        self.outside, self.calls = outside, 0

    def submit(self, request: Request) -> Answer:
        self.calls += 1
        return self.outside.submit(request)

    def query(self, request: Request) -> Answer:
        self.calls += 1
        return self.outside.query(request)


def counted(partners: Mapping[str, Partner]) -> dict[str, CountedPartner]:
    return {name: CountedPartner(outside) for name, outside in partners.items()}


class Profile:
    """Samples of what the watched thread was doing, by layer; a sample costs some microseconds, so watching hardly slows it."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.rss_mb: list[float] = []

    @contextmanager
    def watching(self) -> Iterator["Profile"]:
        done, thread = threading.Event(), threading.get_ident()

        def sample() -> None:
            turn = 0
            while not done.wait(SAMPLE_S):
                self.seen[_layer(sys._current_frames().get(thread))] += 1
                if turn % 200 == 0:
                    self.rss_mb.append(rss_mb())
                turn += 1

        watcher, before = threading.Thread(target=sample, daemon=True), sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        watcher.start()
        try:
            yield self
        finally:
            done.set()
            watcher.join()
            sys.setswitchinterval(before)

    def shares(self) -> dict[str, float]:
        """Per cent of the time by layer, the largest first."""
        total = self.seen.total() or 1
        return {layer: round(100 * count / total, 1) for layer, count in self.seen.most_common()}


def _layer(frame: FrameType | None) -> str:
    """The innermost frame that belongs to a layer names it."""
    while frame is not None:
        file, function = frame.f_code.co_filename, frame.f_code.co_name
        for layer, (part, prefix) in LAYERS:
            if part in file and function.startswith(prefix):
                return layer
        frame = frame.f_back
    return "other"


def rss_mb() -> float:
    """Memory of this process now, in MB (1e6 bytes). Linux; 0 elsewhere."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * PAGE_BYTES / 1e6 if statm.exists() else 0.0


class Spent(NamedTuple):
    """Seconds by the wall clock, and of all processors: this program's, its children's and the server's."""

    wall_s: float
    cpu_s: float


def spent(app: Engine) -> Spent:
    """What was spent so far."""
    own = os.times()
    return Spent(time.monotonic(), sum(own[:4]) + sum(server_cpu_by_kind(app).values()))


def server_cpu_s(app: Engine) -> float:
    """CPU seconds of the server's processes of this database so far. Linux, server on this machine; 0 elsewhere."""
    ticks = 0.0
    for row in app.reads.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database() OR datname IS NULL"):
        stat = Path(f"/proc/{row['pid']}/stat")
        if stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def server_cpu_by_kind(app: Engine) -> dict[str, float]:
    """CPU seconds of the server so far by kind of process, but for the backend that asks; `ended` are those that came and went since it was
    started. Linux, server on this machine; {} elsewhere."""
    found: dict[str, float] = {}
    query = "SELECT pid, backend_type AS kind FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    for row in [*app.reads.rows(query), {"pid": _parent(app), "kind": "ended"}]:
        stat = Path(f"/proc/{row['pid']}/stat")
        if stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            first = 13 if row["kind"] == "ended" else 11
            found[row["kind"]] = found.get(row["kind"], 0.0) + (int(fields[first]) + int(fields[first + 1])) / 100
    return found


def _parent(app: Engine) -> int:
    """The process that started the server's others; 0 where it cannot be told."""
    [row] = app.reads.rows("SELECT pg_backend_pid() AS pid")
    stat = Path(f"/proc/{row['pid']}/stat")
    return int(stat.read_text().rpartition(")")[2].split()[1]) if stat.exists() else 0


def machine_busy_s() -> float:
    """Seconds so far that the cores of this machine were busy, whoever kept them so. Linux; 0 elsewhere."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _idle, _wait, *interrupts = map(int, stat.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / 100


def commits(app: Engine) -> int:
    """Transactions committed in this database so far."""
    app.reads.rows("SELECT pg_stat_force_next_flush()")
    time.sleep(0.1)
    [row] = app.reads.rows("SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()")
    return int(row["n"])
