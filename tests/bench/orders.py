"""Orders from ingest to the end of the second bill run: speed, what one order costs, memory, and what a large order costs a line."""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from o2c import plan
from o2c.engine.app import Engine
from o2c.engine.runner import Runner
from o2c.files import intake, loading
from o2c.files.lines import lines_of
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import write_launch
from o2c.store.embedded import acquire
from o2c.views.status import all_billed
from tests import world
from tests.bench.watch import Profile, commits, counted, rss_mb, server_cpu_s

MEANING = "orders from ingest to the end of the second bill run, PostgreSQL included"
SEED = 7
BILL_RUNS, WEEKS_MAX = 2, 40
SIMS_LATER_AT = datetime(2026, 2, 2, tzinfo=UTC)
FIRST = 1_000
PUBLISHED_ORDERS_PER_S = 2_500 / 60
Figures = dict[str, Any]


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--file", type=Path, help="a file of orders; its folder holds catalogue, customers, SIMs and numbers (see scripts/prove)"
    )
    parser.add_argument("--orders", type=int, default=3_000, help="without --file: how many orders are invented")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each kind, interleaved")
    parser.add_argument("--lines", type=int, nargs="*", default=[5, 50, 500], help="lines of the large orders")


def measure(arguments: argparse.Namespace) -> Figures:
    """Measure, print, and give the figures back."""
    with tempfile.TemporaryDirectory(prefix="o2c-bench-") as folder:
        Path(folder).chmod(0o755)
        orders = arguments.file or write_launch(Path(folder) / "papers", count=arguments.orders, seed=SEED).orders
        whole, first = [], []
        for turn in range(arguments.repeat):
            tell(f"measurement {turn + 1} of {arguments.repeat}")
            first.append(apart(partial(of_orders, orders, FIRST)))
            whole.append(apart(partial(of_orders, orders, None)))
        large = {lines: [apart(partial(of_one, lines)) for _ in range(arguments.repeat)] for lines in arguments.lines}
    return told(first, whole, large)


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def apart(work: Callable[[], Figures]) -> Figures:
    """Do it in a process of its own, so that its memory is its own and nothing is warm."""
    with multiprocessing.get_context("spawn").Pool(1) as one:
        return one.apply(work)


def of_orders(orders: Path, limit: int | None) -> Figures:
    """One store, one run over the first so many orders of a file."""
    with ExitStack() as stack:
        folder, app = opened(stack)
        app.create_clock(kind="simulated", seed=SEED)
        partners = counted(simulated_partners(SEED))
        runner = Runner(app, partners)
        take_in_stock(app, runner, orders.parent)
        chosen = folder / "orders.jsonl"
        chosen.write_bytes(b"\n".join(islice(lines_of(orders), limit)) + b"\n")
        before = (time.process_time(), server_cpu_s(app), commits(app), events(app))
        base_mb, profile, start = rss_mb(), Profile(), time.perf_counter()
        with profile.watching():
            counts = intake.Intake(app, chosen, folder / "quarantine").run()
            ingested = time.perf_counter()
            until_billed(app, runner)
        seconds = time.perf_counter() - start
        after = (time.process_time(), server_cpu_s(app), commits(app), events(app))
        python_s, server_s, commit_count, event_count = (new - old for new, old in zip(after, before, strict=True))
        quarters = [profile.rss_mb[len(profile.rss_mb) * n // 4] for n in range(4)] if profile.rss_mb else []
        return {
            "orders": counts.captured, "seconds": seconds, "ingest_s": ingested - start, "python_cpu_s": python_s, "server_cpu_s": server_s,
            "events": event_count, "commits": commit_count, "partner_calls": sum(each.calls for each in partners.values()),
            "rss_base_mb": base_mb, "rss_quarters_mb": [*quarters, rss_mb()], "rss_peak_mb": max(profile.rss_mb, default=0.0),
            "shares": profile.shares(),
        }  # fmt: skip


def opened(stack: ExitStack) -> tuple[Path, Engine]:
    """A throwaway store, embedded or in the empty database that O2C_DSN names."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="o2c-bench-")))
    folder.chmod(0o755)
    dsn = os.environ.get("O2C_DSN") or stack.enter_context(acquire(folder / "server")).dsn
    return folder, stack.enter_context(closing(Engine(dsn, plan.KINDS)))


def take_in_stock(app: Engine, runner: Runner, folder: Path) -> None:
    def paper(name: str) -> Path:
        packed = folder / f"{name}.gz"
        return packed if packed.exists() else folder / name

    loading.load_catalogue(app, paper("catalogue.tmf620.json"))
    loading.load_customers(app, paper("customers.tmf632.jsonl"))
    for what, name, at in (("sims", "sims-1.csv", None), ("numbers", "numbers.csv", None), ("sims", "sims-2.csv", SIMS_LATER_AT)):
        loading.load_stock(app, runner, what, paper(name), at)


def events(app: Engine) -> int:
    [row] = app.reads.rows("SELECT count(*) AS n FROM o2c.event")
    return int(row["n"])


def until_billed(app: Engine, runner: Runner) -> None:
    start = app.clock().now
    for weeks in range(1, WEEKS_MAX):
        runner.run(start + timedelta(weeks=weeks))
        if all_billed(app, BILL_RUNS):
            return


def of_one(lines: int) -> Figures:
    """One order of so many eSIM lines, from capture to completion."""
    with ExitStack() as stack:
        folder, app = opened(stack)
        here = world.World(app.dsn, folder).stocked(esims=lines, physical=0, numbers=lines + lines // 20 + 5, customers=1)
        document = world.order("WEB-1", *(world.line(str(n)) for n in range(1, lines + 1)))
        path = here.written("one.jsonl", json.dumps(document))
        start = time.perf_counter()
        here.take_file(path)
        captured = time.perf_counter()
        here.run(world.at(20))
        seconds = time.perf_counter() - start
        state, count = here.state("WEB-1"), events(here.app)
        here.close()
        return {"lines": lines, "seconds": seconds, "capture_s": captured - start, "state": state, "events": count, "rss_mb": rss_mb()}


def told(first: list[Figures], whole: list[Figures], large: dict[int, list[Figures]]) -> Figures:
    """Print what was measured; the same as plain values."""
    speed = [run["orders"] / run["seconds"] for run in whole]
    cost_first, cost_whole = (median(run["seconds"] / run["orders"] for run in runs) for runs in (first, whole))
    middle = sorted(whole, key=lambda run: run["seconds"])[len(whole) // 2]
    per_order = {key: round(middle[key] / middle["orders"], 2) for key in ("events", "commits", "partner_calls")}
    tell(f"\n{middle['orders']} orders to the end of the second bill run: {median(speed):.1f} orders/s (of {sorted(round(s, 1) for s in speed)});"
         f" {median(speed) / PUBLISHED_ORDERS_PER_S:.2f} x the best published figure ({PUBLISHED_ORDERS_PER_S:.0f}/s)")  # fmt: skip
    tell(f"  per order: {per_order['events']} events, {per_order['commits']} commits, {per_order['partner_calls']} partner calls;"
         f" {middle['events'] / middle['seconds']:.0f} events/s; ingest {middle['ingest_s']:.1f} s of {middle['seconds']:.1f} s")  # fmt: skip
    tell(f"  CPU: engine {middle['python_cpu_s']:.1f} s, PostgreSQL {middle['server_cpu_s']:.1f} s, on {os.cpu_count()} cores")
    tell("  where the time goes: " + ", ".join(f"{layer} {share} %" for layer, share in middle["shares"].items() if share >= 1))
    ratio = cost_whole / cost_first
    tell(
        f"  an order costs {1e3 * cost_whole:.2f} ms in the whole file, {1e3 * cost_first:.2f} ms in its first {first[0]['orders']}: ratio {ratio:.3f}"
    )
    tell(f"  memory of the engine: peak {max(run['rss_peak_mb'] for run in whole):.0f} MB, by quarters"
         f" {[round(mb) for mb in middle['rss_quarters_mb']]}, {middle['rss_base_mb']:.0f} before the first order")  # fmt: skip
    for lines, runs in large.items():
        seconds, [state] = median(run["seconds"] for run in runs), {run["state"] for run in runs}
        tell(
            f"  one order of {lines} lines: {state} in {seconds:.2f} s, {1e3 * seconds / lines:.1f} ms a line, {runs[0]['events']} events in the store"
        )
    return {"first": first, "whole": whole, "large": large, "orders_per_s": median(speed), "cost_ratio": ratio}
