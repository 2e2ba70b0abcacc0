"""Projections in the bench of the log: how far readers lag behind writers."""

import threading
import time
from typing import Any

from o2c import plan
from o2c.app import Engine
from projections.catalogue import ALL
from projections.engine import catch_up
from tests.bench import contenders

EVENTS_A_SECOND = 1_000
Figures = dict[str, Any]


def lag(dsn: str, seconds: float) -> Figures:
    """Milliseconds from the moment a command returned to the moment the projections had passed it, at a steady rate of events."""
    done = threading.Event()
    landed: list[tuple[int, float]] = []
    writer = threading.Thread(target=_steadily, args=(dsn, seconds, landed, done))
    writer.start()
    lags: list[float] = []
    seen = 0
    while not done.is_set() or seen < len(landed):
        reached = catch_up(dsn, ALL)
        now = time.perf_counter()
        while seen < len(landed) and landed[seen][0] <= reached:
            lags.append(1e3 * (now - landed[seen][1]))
            seen += 1
    writer.join()
    return {"p50": quantile(lags, 0.5), "p99": quantile(lags, 0.99), "rate": len(lags) / seconds}


def _steadily(dsn: str, seconds: float, landed: list[tuple[int, float]], done: threading.Event) -> None:
    app = Engine(dsn, plan.KINDS)
    streams = contenders.registered(app, 10)
    start, turn = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        time.sleep(max(0.0, start + turn * len(streams) / EVENTS_A_SECOND - time.perf_counter()))
        position = contenders.told(app, streams)
        landed += [(position, time.perf_counter())] * len(streams)
        turn += 1
    app.close()
    done.set()


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
