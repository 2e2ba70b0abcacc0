"""A follower and a server that is restarted: what was yielded before and what comes after join without a gap."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from o2c import Captured, Context, EventRecord, OrderToCash, Refused
from o2c.store.embedded import EmbeddedServer, acquire
from tests.conftest import SMALL
from tests.world import World, line, order

SHOP = Context("shop")
PATIENCE_S = 60


def until(seen: list[EventRecord], count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(seen) < count and time.monotonic() < deadline:
        time.sleep(0.05)


def crash(server: EmbeddedServer) -> None:
    """Stop the test's own server without a checkpoint; it recovers from its WAL when it starts again."""
    pid = server._cluster.postmaster()
    assert pid
    os.kill(pid, signal.SIGQUIT)
    while server._cluster.postmaster():
        time.sleep(0.05)


def test_a_follower_outlives_a_crash_of_the_server(ground: Path, binaries: Path | None, tmp_path: Path) -> None:
    """The server is stopped at once, as by a power cut, and started again: nothing is missed and nothing yielded twice.

    Whoever writes meanwhile is told to try later; a repeat of what was written before is recognised.
    """
    done, seen = threading.Event(), list[EventRecord]()
    with acquire(ground / "followed", binaries=binaries, settings=SMALL) as server, ThreadPoolExecutor(1) as threads:
        world = World(server.dsn, tmp_path).stocked()
        with OrderToCash(server.dsn) as o2c:
            mark = o2c.last()
            first = o2c.capture(order("WEB-1", line()), SHOP)
            ended = threads.submit(lambda: seen.extend(o2c.follow(mark, stop=done.is_set)))
            time.sleep(0.3)
            crash(server)
            refused = _refused(o2c)
            server._cluster.start()
            again = _as_soon_as_it_answers(o2c)
            o2c.capture(order("WEB-2", line()), SHOP)
            wanted = list(o2c.follow(mark, wait=False))
            until(seen, len(wanted))
            done.set()
            ended.result(PATIENCE_S)
        world.close()

    assert refused.kind == "unavailable"
    assert (again.repeated, again.position) == (True, first.position)
    assert [record.type for record in seen] == ["order.captured", "validation.requested"] * 2
    assert seen == wanted


def _refused(o2c: OrderToCash) -> Refused:
    try:
        o2c.capture(order("WEB-2", line()), SHOP)
    except Refused as refused:
        return refused
    raise AssertionError("a server that is not there took an order")


def _as_soon_as_it_answers(o2c: OrderToCash) -> Captured:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return o2c.capture(order("WEB-1", line()), SHOP)
        except Refused as refused:
            if refused.kind != "unavailable" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
