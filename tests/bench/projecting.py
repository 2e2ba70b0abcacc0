"""Projections in the bench of the log: a rebuild over a large log of real orders, how far readers lag behind writers, and the stock runner."""

import multiprocessing
import resource
import time
from bisect import bisect_left
from functools import singledispatchmethod
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection as StockProjection
from eventsourcing.projection import ProjectionRunner

from o2c import plan
from o2c.engine.app import Engine
from o2c.engine.runner import Runner
from o2c.files import intake
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import write_launch
from projections.catalogue import ALL
from projections.engine.operations import catch_up, rebuild
from projections.engine.projection import reader_of
from projections.engine.shards import Follower
from projections.orders import ORDERS
from tests.bench import contenders
from tests.bench.orders import SEED, take_in_stock, until_billed

SEED_ORDERS = 300
STOCK_EVENTS = 5_000
STOCK_SAVES = 100
"""Events of one save: the library hangs over thousands, its pipeline waiting for a server that waits for it."""
EVENTS_A_SECOND = 1_000
STREAMS = 10
"""Commands of one append of the steady writer."""
Figures = dict[str, Any]


def orders_log(dsn: str, folder: Path, events: int) -> int:
    """A log of so many events at least: some hundred invented orders driven to their second bill, then copied under other ids by the server."""
    papers = write_launch(folder / "papers", count=SEED_ORDERS, seed=SEED)
    with Engine(dsn, plan.KINDS) as app:
        app.create_clock(kind="simulated", seed=SEED)
        runner = Runner(app, simulated_partners(SEED))
        take_in_stock(app, runner, papers.orders.parent)
        intake.Intake(app, papers.orders, folder / "quarantine").run()
        until_billed(app, runner)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET client_min_messages = warning")
        conn.execute("CREATE TEMP TABLE told AS SELECT * FROM o2c.event WHERE order_id IS NOT NULL ORDER BY position")
        [(told,)] = conn.execute("SELECT count(*) FROM told").fetchall()
        [(first,)] = conn.execute("SELECT min(position) FROM o2c.event").fetchall()
        copies = -(-events // told)
        assert copies * told < first, "the copies stand before the first event"
        conn.execute(
            """INSERT INTO o2c.event SELECT row_number() OVER (ORDER BY k, position), stream || '-' || k, version, md5(event_id::text || k)::uuid,
                type, schema_version, recorded_at, occurred_at, actor, channel, md5(command_id::text || k)::uuid, NULL,
                md5(order_id::text || k)::uuid, customer_id, body, personal FROM told, generate_series(1, %s) k""",
            (copies,),
        )
        conn.execute("VACUUM ANALYZE o2c.event")
        [(there,)] = conn.execute("SELECT count(*) FROM o2c.event").fetchall()
    return int(there)


def rebuilding(dsn: str, repeat: int) -> Figures:
    """Seconds of a rebuild of `orders`, and of COPY out of the same fields alone; milliseconds of the swap, and the largest of its processes."""
    catch_up(dsn, [ORDERS])
    times: dict[str, list[float]] = {"rebuild": [], "copy": []}
    swaps = []
    for _ in range(repeat):
        start = time.perf_counter()
        rebuilt = rebuild(dsn, ORDERS)
        times["rebuild"].append(time.perf_counter() - start)
        times["copy"].append(copied_out(dsn))
        swaps.append(rebuilt.swap_ms if rebuilt else 0.0)
    # Of all children there were so far, so no less than those of the rebuild.
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    seconds = {name: median(found) for name, found in times.items()}
    return {"seconds": seconds, "spread": times, "swap_ms": max(swaps), "largest_mb": largest}


def copied_out(dsn: str) -> float:
    """Seconds of COPY out of the declared fields of the declared events, thrown away."""
    names = ", ".join(f"'{name}', body->'{name}'" for name in sorted(ORDERS.fields or ()))
    types = ", ".join(f"'{name}'" for name in sorted(reader_of([ORDERS]).type_names))
    query = f"""COPY (SELECT position, stream, version, type, schema_version, occurred_at, order_id, customer_id, channel,
        jsonb_build_object({names}) FROM o2c.event WHERE type IN ({types}) ORDER BY position) TO STDOUT"""
    start = time.perf_counter()
    with psycopg.connect(dsn) as conn, conn.cursor().copy(query.encode()) as copy:
        for _ in copy:
            pass
    return time.perf_counter() - start


class _Counts(PostgresTrackingRecorder):
    """The smallest view there is: one number."""

    def count(self, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute("UPDATE stock.counted SET n = n + 1")


class _Counted(StockProjection[_Counts]):
    name = "counted"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.count(tracking)


def stock_runner(dsn: str) -> float:
    """Events a second of the stock ProjectionRunner with the smallest projection there is."""
    env = {**contenders.stock_env(dsn), "CREATE_TABLE": "yes"}
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS stock.counted AS SELECT 0 AS n")
    app: Application[Any] = Application(env)
    aggregate = contenders.Contacted()
    for _ in range(STOCK_EVENTS // STOCK_SAVES):
        for _ in range(STOCK_SAVES):
            aggregate.contact(**contenders.CONTACT.model_dump())
        app.save(aggregate)
    last = app.recorder.max_notification_id()
    start = time.perf_counter()
    runner: Any = ProjectionRunner(application_class=Application, projection_class=_Counted, view_class=_Counts, env=env)
    with runner:
        runner.wait(last, timeout=300)
    return STOCK_EVENTS / (time.perf_counter() - start)


def lag(dsn: str, seconds: float) -> Figures:
    """Milliseconds from the moment a command returned to the moment all projections had passed it, at a steady rate of events; the writer and the
    projection worker in a process each, looked at every millisecond."""
    catch_up(dsn, ALL)
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    follower = context.Process(target=Follower(dsn, ALL).run, daemon=True)
    writer = context.Process(target=_steadily, args=(dsn, seconds, told), daemon=True)
    follower.start()
    writer.start()
    landed: list[tuple[int, float]] = []
    passed: list[tuple[int, float]] = []
    with psycopg.connect(dsn, autocommit=True) as conn:
        while not landed or passed[-1][0] < landed[-1][0]:
            [(position,)] = conn.execute("SELECT min(position) FROM projection.checkpoint", prepare=True).fetchall()
            if not passed or passed[-1][0] < position:
                passed.append((position, time.monotonic()))
            time.sleep(0.001)
            if not landed and not told.empty():
                landed = told.get()
    follower.kill()
    reached = [position for position, _ in passed]
    lags = [1e3 * (passed[bisect_left(reached, position)][1] - at) for position, at in landed]
    return {"p50": quantile(lags, 0.5), "p99": quantile(lags, 0.99), "rate": len(landed) * STREAMS / seconds}


def _steadily(dsn: str, seconds: float, told: Any) -> None:
    app = Engine(dsn, plan.KINDS)
    streams = contenders.registered(app, STREAMS)
    landed = []
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        time.sleep(max(0.0, start + len(landed) * STREAMS / EVENTS_A_SECOND - time.monotonic()))
        landed.append((contenders.told(app, streams), time.monotonic()))
    told.put(landed)
    app.close()


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
