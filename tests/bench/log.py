"""The log and the projections, side by side in one run: ours, the stock library, and what PostgreSQL can do at most with the same rows."""

import argparse
import gc
import logging
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import structlog

from o2c.store.embedded import acquire
from tests.bench import contenders, projecting
from tests.bench.contenders import Bare, Ours, Process, Stock, Write
from tests.bench.projecting import quantile

MEANING = "one command, many writers, many commands at once, loading, latency in a large log, stalls: ours, stock, bare"
WRITERS = ((1, 1), (2, 4), (8, 1), (2, 8), (16, 1))
"""Processes, and threads in each: writers are threads of a service, or a process each."""
BATCH = 50
IMPORTED = 100_000
START_S = 60
SMALL_EVENTS = 10_000
Figures = dict[str, Any]


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeat", type=int, default=5, help="measurements of each kind, interleaved")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--events", type=int, default=1_000_000, help="events in the large log")


def measure(arguments: argparse.Namespace) -> Figures:
    """Measure, print, and give the figures back."""
    gc.collect()
    gc.freeze()  # as a service does once it stands: what was imported is not looked through again, by none of the three
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="o2c-bench-")))
        folder.chmod(0o755)
        server = stack.enter_context(acquire(folder / "server"))
        dsn = {name: database(server.dsn, name) for name in ("small", "large", "orders")}
        for one in dsn.values():
            contenders.prepare(one)
        seconds, repeat = arguments.seconds, arguments.repeat
        figures: Figures = {"repeat": repeat, "seconds": seconds, "events": arguments.events}
        figures["commands"] = {f"{p} x {t}": commands(dsn["small"], p, t, seconds, repeat) for p, t in WRITERS}
        figures["batches"] = batches(dsn["small"], seconds, repeat)
        figures["imports"] = imports(dsn["small"], repeat)
        figures["loading"] = loading(dsn["small"], seconds, repeat)
        fill(dsn["large"], arguments.events)
        figures["latency"] = latency(dsn["small"], dsn["large"], repeat)
        figures["stalls"] = stalls(dsn["large"])
        figures["lag"] = projecting.lag(dsn["small"], 5 * seconds)
        tell("lag of the projections at {rate:.0f} events/s: p50 {p50:.1f} ms, p99 {p99:.1f} ms".format(**figures["lag"]))
        figures["rebuild"] = rebuilding(dsn["orders"], folder, arguments.events, repeat)
    return figures


def database(dsn: str, name: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}".encode())
    return psycopg.conninfo.make_conninfo(dsn, dbname=name)


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# -- one command, one event


def commands(dsn: str, processes: int, threads: int, seconds: float, repeat: int) -> Figures:
    """Commands a second of so many processes with so many threads each, every thread a writer."""
    rates: dict[str, list[float]] = {kind.name: [] for kind in (Ours, Stock, Bare)}
    for _ in range(repeat):
        for kind in (Ours, Stock, Bare):
            rates[kind.name].append(together(kind.process, dsn, processes, threads, seconds))
    middle = {name: median(found) for name, found in rates.items()}
    who = "1 writer" if processes * threads == 1 else f"{processes * threads} writers ({processes} processes x {threads})"
    tell(f"one command = one event, {who}: " + said(middle, rates)
         + f" -> {middle['ours'] / middle['stock']:.2f} x stock, {100 * middle['ours'] / middle['bare']:.0f} % of bare")  # fmt: skip
    return rates


def said(middle: dict[str, float], rates: dict[str, list[float]]) -> str:
    return ", ".join(f"{name} {middle[name]:,.0f}/s ({min(found):,.0f}-{max(found):,.0f})" for name, found in rates.items())


def together(kind: Callable[[str], Process], dsn: str, processes: int, threads: int, seconds: float) -> float:
    """Writes a second of several processes that begin at once."""
    context = multiprocessing.get_context("fork")
    ready, told = context.Barrier(processes), context.Queue()

    def work() -> None:
        process = kind(dsn)
        writers = [process() for _ in range(threads)]
        for write in writers:
            write()
        ready.wait()
        with ThreadPoolExecutor(threads) as pool:
            told.put(sum(pool.map(lambda write: alone(write, seconds), writers)))

    started = [context.Process(target=work) for _ in range(processes)]
    for one in started:
        one.start()
    rates = [told.get(timeout=seconds + START_S) for _ in started]
    for one in started:
        one.join()
    return sum(rates)


# -- many commands at once


def batches(dsn: str, seconds: float, repeat: int) -> Figures:
    """Commands a second, 50 a transaction, of one writer."""
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    writes = {kind.name: kind.batches(dsn, BATCH) for kind in (Ours, Bare)}
    for _ in range(repeat):
        for kind in (Ours, Bare):
            rates[kind.name].append(BATCH * alone(writes[kind.name], seconds))
    middle = {name: median(found) for name, found in rates.items()}
    tell(f"{BATCH} commands a transaction: {said(middle, rates)} -> {100 * middle['ours'] / middle['bare']:.0f} % of one multi-row INSERT")
    return rates


def imports(dsn: str, repeat: int) -> Figures:
    """Events a second of a history that is taken over."""
    rates: dict[str, list[float]] = {kind.name: [] for kind in (Ours, Stock, Bare)}
    for _ in range(repeat):
        for kind in (Ours, Stock, Bare):
            write = kind.imports(dsn, IMPORTED)
            start = time.perf_counter()
            write()
            rates[kind.name].append(IMPORTED / (time.perf_counter() - start))
    middle = {name: median(found) for name, found in rates.items()}
    tell(f"import of {IMPORTED:,} events: {said(middle, rates)} -> {middle['ours'] / middle['stock']:.1f} x stock,"
         f" {100 * middle['ours'] / middle['bare']:.0f} % of bare COPY")  # fmt: skip
    return rates


# -- loading and deciding


def loading(dsn: str, seconds: float, repeat: int) -> Figures:
    """Loads a second of a stream of 25 events that nobody remembers, against the stock repository and a primary-key read."""
    ours, stock, key = Ours.reader(dsn), Stock.reader(dsn), Bare.reader(dsn)
    rates: dict[str, list[float]] = {"ours": [], "stock": [], "primary key": []}
    for _ in range(repeat):
        for name, read in (("ours", ours), ("stock", stock), ("primary key", key)):
            rates[name].append(alone(read, seconds))
    middle = {name: median(found) for name, found in rates.items()}
    tell(f"load a stream of {contenders.LONG} events and decide: {said(middle, rates)} -> {middle['ours'] / middle['stock']:.2f} x stock")
    return rates


def alone(write: Write, seconds: float) -> float:
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        write()
        done += 1
    return done / (time.perf_counter() - start)


# -- a large log


def fill(dsn: str, events: int) -> None:
    """A log of so many events that nobody could tell from one written by commands, made by the server itself."""
    began = time.perf_counter()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        conn.execute(
            """INSERT INTO o2c.event (position, stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id,
                    customer_id, body)
                SELECT n, 'customer-F-' || n / 20, mod(n, 20) + 1, gen_random_uuid(), 'customer.contacted', 1,
                    timestamptz '2026-01-05' + n * interval '1 second', 'bench', 'bench', gen_random_uuid(), 'F-' || n / 20,
                    jsonb_build_object('customer', 'F-' || n / 20, 'medium', 'call', 'direction', 'inbound', 'topic', 'where-is-my-order', 'order', '')
                FROM generate_series(1, %s) n""",
            (events,),
        )
        conn.execute(
            "INSERT INTO o2c.head SELECT stream, max(version), max(position), 1, '{}', max(version) FROM o2c.event GROUP BY stream ON CONFLICT DO NOTHING"
        )
        conn.execute("INSERT INTO o2c.command SELECT command_id, 'f', '{}', position, position FROM o2c.event ON CONFLICT DO NOTHING")
        conn.execute(
            "INSERT INTO stock.application_events SELECT gen_random_uuid(), 1, 'bench', '{}' FROM generate_series(1, %s)", (events // 5,)
        )
        conn.execute("VACUUM ANALYZE")
        conn.execute("CHECKPOINT")
    tell(f"a log of {events:,} events made in {time.perf_counter() - began:.0f} s")


def latency(small: str, large: str, repeat: int) -> Figures:
    """Milliseconds of one command in a small and in a large log, one after the other in turns."""
    fill(small, SMALL_EVENTS)
    writes = {"small": Ours.process(small)(), "large": Ours.process(large)()}
    times: dict[str, list[float]] = {"small": [], "large": []}
    for _ in range(repeat * 800):
        for name, write in writes.items():
            start = time.perf_counter()
            write()
            times[name].append(1e3 * (time.perf_counter() - start))
    found = {name: {"p50": quantile(each, 0.5), "p99": quantile(each, 0.99)} for name, each in times.items()}
    p50, p99 = (found["large"][p] / found["small"][p] for p in ("p50", "p99"))
    tell(f"command latency, small and large log: p50 {found['small']['p50']:.3f} and {found['large']['p50']:.3f} ms ({p50:.2f} x),"
         f" p99 {found['small']['p99']:.3f} and {found['large']['p99']:.3f} ms ({p99:.2f} x)")  # fmt: skip
    return found


# -- stalls


def stalls(dsn: str) -> Figures:
    """The longest an append waits while the table is vacuumed and indexed, in milliseconds."""
    found: Figures = {}
    for kind, table, column in ((Ours, "o2c.event", "type"), (Stock, "stock.application_events", "topic")):
        for work in (f"VACUUM {table}", f"ANALYZE {table}", f"CREATE INDEX CONCURRENTLY bench_index ON {table} ({column})"):
            found[f"{kind.name}: {work}"] = longest(kind.process(dsn)(), dsn, work)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(f"DROP INDEX {table.partition('.')[0]}.bench_index".encode())
    tell("longest append while the table is worked on: " + "; ".join(f"{what} {ms:.1f} ms" for what, ms in found.items()))
    return found


def longest(write: Write, dsn: str, work: str) -> float:
    done = threading.Event()

    def run() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(work.encode())
        done.set()

    worker = threading.Thread(target=run)
    worker.start()
    most = 0.0
    while not done.is_set():
        start = time.perf_counter()
        write()
        most = max(most, 1e3 * (time.perf_counter() - start))
    worker.join()
    return most


# -- rebuild


def rebuilding(dsn: str, folder: Path, events: int, repeat: int) -> Figures:
    """Events a second of a rebuild of `orders`, counted over all events of the log."""
    there = projecting.orders_log(dsn, folder, events)
    found = projecting.rebuilding(dsn, repeat)
    stock = projecting.stock_runner(dsn)
    rate = {name: there / seconds for name, seconds in found["seconds"].items()}
    tell(f"rebuild of orders over {there:,} events: {rate['rebuild']:,.0f}/s ({found['seconds']['rebuild']:.1f} s),"
         f" COPY out of the same fields {rate['copy']:,.0f}/s, stock runner {stock:,.0f}/s -> {rate['rebuild'] / stock:.0f} x stock,"
         f" {100 * rate['rebuild'] / rate['copy']:.0f} % of COPY out; 10 M events in {1e7 / rate['rebuild']:.0f} s;"
         f" longest swap {found['swap_ms']:.1f} ms, largest process {found['largest_mb']:.0f} MB")  # fmt: skip
    return {**found, "events": there, "stock": stock}
