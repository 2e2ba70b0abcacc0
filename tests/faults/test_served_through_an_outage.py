"""The service while its database is away, or gives it no connection: whoever asks is told to come again, and what was acknowledged is there."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from o2c.entrypoints.http.problems import MEDIA_TYPE
from o2c.store.embedded import acquire
from tests.conftest import SMALL
from tests.faults.test_followed_through_a_restart import crash
from tests.faults.working import LIMIT_S, eventually
from tests.service import OPERATOR, Visitor, serving
from tests.world import World

CREATE = "/tmf-api/productOrderingManagement/v4/productOrder"
SHOPS = 6
CROWD = 64


@dataclass
class Shop:
    """A program that captures one order after another and asks for orders in between; what is not done it sends again under the same key."""

    name: str
    service: Visitor
    told: list[Any] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Until it is told to stop."""
        number = 0
        while not stop.is_set():
            external = f"{self.name}-{number}"
            paper = {"externalId": external, "productOrderItem": [{"id": "1", "action": "add"}]}
            captured = self.service.post(CREATE, paper, Idempotency_Key=external)
            self.told += [captured, self.service.get("/api/v1/orders?limit=1")]
            if captured.status_code == 201:
                self.acknowledged[external] = captured.json()["id"]
                number += 1
            else:
                stop.wait(0.05)

    def count(self, status: int) -> int:
        return sum(answer.status_code == status for answer in self.told)


@contextmanager
def open_shops(service: Visitor) -> Iterator[list[Shop]]:
    """Shops at work, closed at the end of the block; raises what ended one of them otherwise."""
    stop, shops = threading.Event(), [Shop(f"S{number}", service) for number in range(SHOPS)]
    with ThreadPoolExecutor(SHOPS) as threads:
        running = [threads.submit(shop.run, stop) for shop in shops]
        try:
            yield shops
        finally:
            stop.set()
        for one in running:
            one.result(60)


def odd(answers: list[Any]) -> list[str]:
    """Refusals that are not told as one for later."""
    fits = {"content-type": MEDIA_TYPE, "retry-after": "1"}
    return [
        answer.text
        for answer in answers
        if answer.status_code not in (200, 201)
        and (answer.status_code != 503 or fits.items() - dict(answer.headers).items() or answer.json()["type"] != "/problems/unavailable")
    ]


def test_what_was_acknowledged_outlives_an_outage(
    ground: Path, binaries: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is stopped at once in the midst of requests, and comes back: 503 meanwhile, then answers again, each order once and none lost.

    However long it was away: a pause between two attempts to connect, which grows meanwhile, is made long from the first, and nobody sits it out.
    """
    monkeypatch.setattr("o2c.entrypoints.http.held.CONNECTION_S", 0.5)
    monkeypatch.setattr("psycopg_pool.base.AttemptWithBackoff.INITIAL_DELAY", 2.0 * LIMIT_S)
    with acquire(ground / "served", binaries=binaries, settings=SMALL) as server:
        world = World(server.dsn, tmp_path)
        with serving(world, tmp_path) as service, open_shops(service) as shops:
            assert eventually(lambda: all(shop.acknowledged for shop in shops))
            crash(server)
            assert eventually(lambda: all(shop.count(503) >= 2 for shop in shops))
            alive = service.get("/livez").status_code
            ready = service.get("/readyz")
            before = [len(shop.acknowledged) for shop in shops]
            server._cluster.start()
            assert eventually(lambda: all(len(shop.acknowledged) > count + 1 for shop, count in zip(shops, before, strict=True)))
        kept = Counter(row["external_id"] for row in world.app.reads.rows(_KEPT))
        world.close()

    answers = [answer for shop in shops for answer in shop.told]
    assert (alive, ready.status_code) == (200, 503)
    assert odd(answers) == []
    assert Counter(external for shop in shops for external in shop.acknowledged) == kept


_KEPT = "SELECT body ->> 'external_id' AS external_id FROM o2c.event WHERE type = 'order.captured'"
"""The external id of each order that was captured."""


def test_more_callers_than_connections_wait_or_come_again(store_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While every connection is taken, a crowd is told to come again, and whoever asks whether the process lives is not in its queue; then all are served."""
    monkeypatch.setattr("o2c.entrypoints.http.held.CONNECTION_S", 2.0)
    world = World(store_dsn, tmp_path)

    def ask(number: int) -> Any:
        if number % 2:
            return service.get("/api/v1/orders?limit=1")
        paper = {"externalId": f"CROWD-{number}", "productOrderItem": [{"id": "1", "action": "add"}]}
        return service.post(CREATE, paper, Idempotency_Key=f"crowd-{number}")

    with serving(world, tmp_path) as service, ThreadPoolExecutor(CROWD) as crowd:
        pool = world.app.log_recorder.datastore.pool
        pool.open()
        taken = [pool.getconn() for _ in range(pool.max_size)]
        asked = [crowd.submit(ask, number) for number in range(CROWD)]
        eventually(lambda: pool.get_stats()["requests_waiting"] >= CROWD // 2, 10)
        with httpx.Client(base_url=service.client.base_url, headers={"Authorization": OPERATOR}, timeout=30) as another:
            began = time.monotonic()
            alive = another.get("/livez").status_code
            waited_s = time.monotonic() - began
        refused = [one.result() for one in asked]
        pool.timeout = LIMIT_S
        for connection in taken:
            pool.putconn(connection)
        served = [answer.status_code for answer in crowd.map(ask, range(CROWD))]
    world.close()

    assert (alive, waited_s < 1) == (200, True)
    assert ({answer.status_code for answer in refused}, odd(refused)) == ({503}, [])
    assert Counter(served) == {200: CROWD // 2, 201: CROWD // 2}
