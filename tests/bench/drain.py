"""A backlog on a real clock: how fast workers carry it, what an order costs them and the server, and how many partner calls a worker makes.

The orders are lines on an eSIM that bring no number, each of a customer of its own: a port-in, a parcel or a fitter's visit would wait for days
whatever the engine does. Partners sit in the worker's process and say yes at once. The steps' leads (seconds to minutes, for partners' sake)
are zero in the workers' plan book, which takes its steps as an argument: a row is due as soon as it is asked for, nothing else differs from
the product, and no statement of the bench moves a row. The backlog is made once and copied by the server, so every run begins with the same.

Workers are processes, as those of `o2c run --workers`. Time goes from the moment that they are let go, all at once and not warm, to the event
that completes the last order. Who watches takes a per cent or two: 200 samples a second in each worker, four looks a second at the agenda.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from o2c import plan
from o2c.engine.app import Engine
from o2c.store.embedded import acquire
from tests.bench.draining import START_S, Figures, Task, work
from tests.bench.log import database
from tests.bench.orders import tell
from tests.bench.watch import commits, machine_busy_s, server_cpu_by_kind
from tests.faults.working import prompt, today
from tests.world import World

MEANING = "a backlog that is due on a real clock: orders a second of 1, 2 and 4 workers, what bounds them, partner calls a second"
LOOK_S = 0.25
LIMIT_S = 900
STATEMENTS_SHOWN = 8


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=2_000, help="orders in the backlog")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4], help="how many processes carry it, run by run")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each kind, interleaved")
    parser.add_argument(
        "--latency-ms", type=float, default=200.0, help="what a partner takes for a call of the last measurement; 0: leave it out"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="length of that measurement, of one worker, from its first call on")


def measure(arguments: argparse.Namespace) -> Figures:
    """Measure, print, and give the figures back."""
    runs: dict[int, list[Figures]] = {count: [] for count in arguments.workers}
    slow: list[Figures] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="o2c-bench-")))
        folder.chmod(0o755)
        dsn = stack.enter_context(acquire(folder / "server")).dsn
        made_s = backlog(database(dsn, "backlog"), folder, arguments.orders)
        tell(f"a backlog of {arguments.orders} orders made in {made_s:.1f} s")
        for turn in range(arguments.repeat):
            tell(f"measurement {turn + 1} of {arguments.repeat}")
            for count in arguments.workers:
                runs[count].append(drained(dsn, folder, arguments.orders, count))
            if arguments.latency_ms:
                slow.append(slowly(dsn, folder, arguments.latency_ms / 1e3, arguments.seconds))
    figures: Figures = {"orders": arguments.orders, "repeat": arguments.repeat, "cores": os.cpu_count(), "workers": runs, "slow": slow}
    tell_runs(runs)
    if slow:
        tell_slow(slow, arguments.latency_ms)
    return figures


def backlog(dsn: str, folder: Path, orders: int) -> float:
    """Take in stock, customers and orders; seconds it took."""
    start = time.perf_counter()
    with closing(prompt(World(dsn, folder, clock="real"))) as world:
        world.stocked(esims=orders, physical=0, numbers=orders + orders // 20 + 5, customers=orders)
        counts = world.take(*(today(number) for number in range(1, orders + 1)))
        assert counts.captured == orders, counts
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")
    return time.perf_counter() - start


class Copy:
    """A copy of the backlog, gone at the end of the block."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.dsn = psycopg.conninfo.make_conninfo(dsn, dbname="copy")

    def __enter__(self) -> str:
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            conn.execute("CREATE DATABASE copy TEMPLATE backlog")
            conn.execute("CHECKPOINT")
        return self.dsn

    def __exit__(self, *_: object) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            conn.execute("DROP DATABASE copy WITH (FORCE)")


class Crew:
    """Worker processes that begin at once."""

    def __init__(self, count: int, task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self._ready, self._end, self._told = context.Barrier(count + 1), context.Event(), context.Queue()
        arguments = (task, self._ready, self._end, self._told)
        self._processes = [context.Process(target=work, args=arguments, daemon=True) for _ in range(count)]
        for process in self._processes:
            process.start()

    def stand(self) -> None:
        """Wait until all of them stand ready. Raises RuntimeError when one died."""
        while self._ready.n_waiting < len(self._processes):
            if not all(process.is_alive() for process in self._processes):
                raise RuntimeError("a worker of the bench died before it began; see above")
            time.sleep(0.01)

    def begin(self) -> None:
        """Let them go."""
        self._ready.wait(START_S)

    def end(self) -> list[Figures]:
        """Tell them to end; what they saw."""
        self._end.set()
        return self.told()

    def told(self) -> list[Figures]:
        """What they saw, once they end."""
        found = [self._told.get(timeout=LIMIT_S) for _ in self._processes]
        for process in self._processes:
            process.join()
        return found


def drained(dsn: str, folder: Path, orders: int, count: int) -> Figures:
    """One run of so many workers until nothing is due any more."""
    with Copy(dsn) as copy, closing(Engine(copy, plan.KINDS)) as app:
        crew = Crew(count, Task(copy, str(folder)))
        crew.stand()
        committed, before, busy_s, began = commits(app), server_cpu_by_kind(app), machine_busy_s(), time.perf_counter()
        crew.begin()
        until_drained(app)
        server = {kind: seconds - before.get(kind, 0.0) for kind, seconds in server_cpu_by_kind(app).items()}
        found = {"orders": orders, "server_cpu_s": server, "machine_s": machine_busy_s() - busy_s, "looked_s": time.perf_counter() - began}
        # Backends tell the server's statistics of their last commits when they end.
        return found | summed(app, crew.end()) | {"commits": commits(app) - committed}


def until_drained(app: Engine) -> None:
    """Wait while anything is due: the next row of an order is due when its last one goes, so there is no gap between them."""
    deadline = time.monotonic() + LIMIT_S
    while app.reads.rows("SELECT FROM o2c.agenda WHERE due_at <= now() LIMIT 1") and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def summed(app: Engine, workers: list[Figures]) -> Figures:
    """What all workers of a run saw, together, and when the last order was completed. Raises RuntimeError when none was."""
    [row] = app.reads.rows(
        "SELECT count(*) AS n, extract(epoch FROM max(recorded_at))::float8 AS at FROM o2c.event WHERE type = 'order.completed'"
    )
    if not row["n"]:
        raise RuntimeError("no order was completed; see above, and the fallouts")
    seconds = row["at"] - min(each["began"] for each in workers)
    found: Figures = {"completed": row["n"], "seconds": seconds, "each": [each["attended"] for each in workers]}
    for name in ("cpu_s", "attended", "gc_s", "partner_calls"):
        found[name] = sum(each[name] for each in workers)
    for name in ("verdicts", "samples"):
        found[name] = added(each[name] for each in workers)
    sent = {name: added(each["statements"].get(name, {}) for each in workers) for each in workers for name in each["statements"]}
    return found | {"statements": sent}


def added(counts: Iterable[dict[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in counts:
        for name, number in each.items():
            total[name] = total.get(name, 0) + number
    return total


def slowly(dsn: str, folder: Path, latency_s: float, seconds: float) -> Figures:
    """One worker whose partners take their time, for so long from its first call on."""
    with Copy(dsn) as copy:
        crew = Crew(1, Task(copy, str(folder), latency_s, seconds))
        crew.begin()
        [told] = crew.told()
        return told


def tell_runs(runs: dict[int, list[Figures]]) -> None:
    """The runs side by side, medians."""
    rows: tuple[tuple[str, Callable[[Figures], float]], ...] = (
        ("orders/s", lambda run: run["completed"] / run["seconds"]),
        ("rows attended/s", lambda run: run["attended"] / run["seconds"]),
        ("CPU ms an order: workers", lambda run: each(run, run["cpu_s"])),
        ("  of it the garbage collector", lambda run: each(run, run["gc_s"])),
        ("CPU ms an order: PostgreSQL backends", lambda run: each(run, run["server_cpu_s"].get("client backend", 0.0))),
        ("CPU ms an order: the rest of the server", lambda run: each(run, rest_of_server_s(run))),
        ("share of the cores, % (ours)", lambda run: share(run, ours_s(run))),
        ("share of the cores, % (others on the machine)", lambda run: share(run, max(run["machine_s"] - ours_s(run), 0.0))),
        ("commits an order", lambda run: run["commits"] / run["completed"]),
        ("statements an order", lambda run: sum(sent["calls"] for sent in run["statements"].values()) / run["completed"]),
        ("rows attended an order", lambda run: run["attended"] / run["completed"]),
        ("commands appended an order", lambda run: run["verdicts"].get("appended", 0) / run["completed"]),
        ("decided again per 1,000 orders: stale", lambda run: 1e3 * run["verdicts"].get("stale", 0) / run["completed"]),
        ("decided again per 1,000 orders: guarded", lambda run: 1e3 * run["verdicts"].get("guarded", 0) / run["completed"]),
        ("orders not completed", lambda run: run["orders"] - run["completed"]),
    )
    tell("\n" + " " * 48 + "".join(f"{f'{count} worker' + 's' * (count > 1):>22}" for count in runs))
    for name, of in rows:
        tell(f"{name:48}" + "".join(f"{spread([of(run) for run in found]):>22}" for found in runs.values()))
    for count, found in runs.items():
        middle = sorted(found, key=lambda run: run["seconds"])[len(found) // 2]
        tell_middle(f"{count} worker" + "s" * (count > 1), middle)


def each(run: Figures, seconds: float) -> float:
    return 1e3 * seconds / run["completed"]


def rest_of_server_s(run: Figures) -> float:
    return sum(seconds for kind, seconds in run["server_cpu_s"].items() if kind != "client backend")


def ours_s(run: Figures) -> float:
    return float(run["cpu_s"] + sum(run["server_cpu_s"].values()))


def share(run: Figures, seconds: float) -> float:
    return 100 * seconds / run["looked_s"] / (os.cpu_count() or 1)


def spread(values: list[float]) -> str:
    digits = 0 if median(values) >= 100 else 1 if median(values) >= 10 else 2
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def tell_middle(who: str, run: Figures) -> None:
    """Where the time of one run went, of its workers' time together."""
    total = sum(run["samples"].values()) or 1
    layers = sorted(run["samples"].items(), key=lambda pair: -pair[1])
    tell(
        f"{who}, rows by worker {run['each']}: " + ", ".join(f"{layer} {100 * n / total:.0f} %" for layer, n in layers if n >= total / 100)
    )
    sent = sorted(run["statements"].items(), key=lambda pair: -pair[1]["seconds"])[:STATEMENTS_SHOWN]
    tell("  statements an order: " + ", ".join(f"{name} {said(run, found)}" for name, found in sent))


def said(run: Figures, found: Figures) -> str:
    calls = found["calls"]
    return f"{calls / run['completed']:.3f} x {1e3 * found['seconds'] / calls:.2f} ms ({found['rows'] / calls:.0f} rows)"


def tell_slow(slow: list[Figures], latency_ms: float) -> None:
    alone = 1e3 / latency_ms
    rates = [run["partner_calls_per_s"] for run in slow]
    tell(
        f"one worker, partners that take {latency_ms:.0f} ms: {spread(rates)} partner calls/s, {median(rates) / alone:.2f} x one call after another;"
        f" told to stop, it ended {spread([run['ended'] - run['told_at'] for run in slow])} s later"
    )
