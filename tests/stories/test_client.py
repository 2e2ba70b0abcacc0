"""The client of the service: every operation by name, tried again safely, sync and async alike."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from o2c.client import AsyncClient, Client, Problem
from o2c.views.following import Wanted, find_events
from tests.service import Visitor, serving
from tests.world import World, line, order


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A service on a store with stock."""
    with serving(world, tmp_path) as made:
        yield made


@pytest.fixture
def client(service: Visitor) -> Iterator[Client]:
    """A client of it."""
    with Client(str(service.client.base_url), "operator") as made:
        yield made


def test_an_order_from_capture_to_cancellation(client: Client) -> None:
    """What is written is read at once, and a change says by which page it was decided."""
    captured = client.orders.capture(order("WEB-1", line()))
    page = client.orders.show("WEB-1", min_position=captured.position)
    client.orders.cancel("WEB-1", note="the customer rang", if_match=page.etag)

    assert client.orders.show("WEB-1").body["state"] == "cancelled"
    assert client.orders.list(limit=1).total == 1
    assert client.status().body["orders"] == {"cancelled": 1}


def test_a_problem_says_what_the_caller_must_know(client: Client) -> None:
    """Its kind, and what happened since the page that the caller decided by."""
    client.orders.capture(order("WEB-1", line()))
    old = client.orders.show("WEB-1").etag
    client.orders.cancel("WEB-1", note="the customer rang", if_match=old)

    with pytest.raises(Problem) as missing:
        client.orders.show("WEB-2")
    with pytest.raises(Problem) as stale:
        client.orders.cancel("WEB-1", note="the shop rang", if_match=old)

    assert (missing.value.kind, missing.value.status) == ("missing", 404)
    assert (stale.value.kind, stale.value.unseen[-1]["type"]) == ("stale", "order.cancelled")


def test_a_word_too_much_never_leaves_the_program(client: Client) -> None:
    """What an operation does not take is a TypeError, as of any function; so is an operation that there is not an AttributeError."""
    with pytest.raises(TypeError, match="takes no kolour"):
        client.orders.list(kolour="red")
    with pytest.raises(TypeError, match="takes 1 values"):
        client.orders.show("WEB-1", "WEB-2")
    with pytest.raises(AttributeError, match="no operation lose"):
        client.orders.lose("WEB-1")


def test_events_are_followed_from_a_mark(client: Client, world: World) -> None:
    """Whoever keeps the mark of what is dealt with gets each event once."""
    client.orders.capture(order("WEB-1", line()))
    first = list(client.follow(wait=False, limit=5))
    client.orders.capture(order("WEB-2", line()))
    rest = list(client.follow(first[-1][1], wait=False, limit=5))

    assert [event["id"] for event, _ in (*first, *rest)] == [event.id for event in find_events(world.app, Wanted())]


def test_async_is_the_same(service: Visitor) -> None:
    """Twenty orders at once, each captured once."""

    async def shop() -> list[Any]:
        async with AsyncClient(str(service.client.base_url), "operator") as o2c:
            await asyncio.gather(*(o2c.orders.capture(order(f"WEB-{number}", line())) for number in range(20)))
            return [(await o2c.orders.list()).total, [event["type"] async for event, _ in o2c.follow(wait=False, types=["order.captured"])]]

    assert asyncio.run(shop()) == [20, ["order.captured"] * 20]


@contextmanager
def breaking(service: Visitor, trouble: list[str]) -> Iterator[str]:
    """A line to the service that breaks: before the request arrives, after it was carried out, or with a word of refusal, in turn."""

    class Relay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kind, body = trouble.pop(0) if trouble else "", self.rfile.read(int(self.headers["content-length"]))
            if kind == "busy":
                self.answer(503, b"{}", {"Retry-After": "0"})
                return
            if kind == "cut":
                return
            passed = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
            told = httpx.post(f"{service.client.base_url}{self.path}", content=body, headers=passed)
            if kind != "lost":
                self.answer(told.status_code, told.content, {name: told.headers[name] for name in ("idempotent-replayed", "o2c-position")})

        def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            """Says nothing."""

    relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    thread = threading.Thread(target=relay.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{relay.server_address[1]}"
    finally:
        relay.shutdown()
        thread.join()
        relay.server_close()


def test_what_may_have_been_done_is_done_once(service: Visitor, world: World) -> None:
    """A busy service, a line that is cut and an answer that is lost: the client tries again under one key, and there is one contact."""
    world.take(order("WEB-1", line()))
    with breaking(service, trouble := ["busy", "cut", "lost"]) as url, Client(url, "operator") as client:
        done = client.customers.contact("C-1", medium="call", topic="bill")

    assert (trouble, done.repeated) == ([], True)
    assert len(world.app.reads.rows("SELECT 1 FROM o2c.event WHERE type = 'customer.contacted'")) == 1


def test_what_is_refused_is_not_tried_again(service: Visitor) -> None:
    """A client that gave up says why; one that was refused does not ask twice."""
    with breaking(service, ["busy"] * 3) as url, Client(url, "operator", tries=2) as client, pytest.raises(Problem) as busy:
        client.customers.contact("C-1", medium="call", topic="bill")

    assert busy.value.status == 503


def test_a_paper_goes_as_it_is(client: Client) -> None:
    """As parsed JSON, as text or as bytes: the same paper is the same order."""
    paper = order("WEB-1", line())
    text = json.dumps(paper)

    sent = [client.orders.capture(form) for form in (paper, text, text.encode())]

    assert len({each.body["order"] for each in sent}) == 1
    assert [each.repeated for each in sent] == [False, True, True]
