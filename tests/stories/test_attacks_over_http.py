"""The service is attacked: whatever a request is made of, it is answered with a problem that fits, and never by a defect."""

import socket
import struct
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from o2c.entrypoints.http.problems import MEDIA_TYPE
from tests.inside import BASE, inside
from tests.service import OPERATOR, serving
from tests.world import World

JSON = {"Content-Type": "application/json"}
FIND, CAPTURE, CREATE = "/api/v1/orders/find", "/api/v1/orders/capture", "/tmf-api/productOrderingManagement/v4/productOrder"


@pytest.fixture(scope="module")
def service(rich_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[requests.Session]:
    """The service on a store in which everything has happened."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    world = World(rich_dsn, folder)
    with inside(world, folder) as session:
        yield session
    world.close()


BODIES: dict[str, tuple[str, bytes, int]] = {
    "not a number": (FIND, b'{"text": "x", "limit": NaN}', 400),
    "no end": (FIND, b'{"text": "x", "limit": Infinity}', 400),
    "no beginning": (CAPTURE, b'{"externalId": "N-1", "priority": -Infinity}', 422),
    "not a number in a standard's": (CREATE, b'{"externalId": "N-2", "quantity": NaN}', 400),
    "beyond 64 bits": (FIND, b'{"text": "x", "limit": 18446744073709551616}', 422),
    "too many digits": (FIND, b'{"text": "x", "limit": ' + b"9" * 5_000 + b"}", 400),
    "half a letter": (FIND, b'{"text": "\\ud800"}', 400),
    "half a letter in a standard's": (CREATE, b'{"externalId": "\\ud800"}', 400),
    "a key twice": (FIND, b'{"text": "x", "text": "y"}', 400),
    "a key twice in a standard's": (CREATE, b'{"externalId": "K-1", "externalId": "K-2"}', 400),
    "no UTF-8": (FIND, b'{"text": "\xff\xfe"}', 400),
    "nothing": (FIND, b"", 422),
    "nothing in a standard's": (CREATE, b"", 400),
    "a list": (FIND, b"[]", 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_no_two_parsers_read_alike_is_refused(service: requests.Session, name: str) -> None:
    """What JSON does not have, has twice, or cannot hold."""
    path, body, status = BODIES[name]

    told = service.post(f"{BASE}{path}", data=body, headers=JSON)

    assert (told.status_code, told.headers["Content-Type"], told.json()["status"]) == (status, MEDIA_TYPE, status), told.text


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/api/v1/orders/a%2Fb", {404}),
        ("/api/v1/orders/a%00b", {400}),
        ("/api/v1/orders/%FF%FE", {404}),
        ("/api/v1/orders/..%2F..%2Fetc%2Fpasswd", {404}),
        ("/api/v1/orders?customer=" + "x" * 60_000, {200, 422}),
        ("/api/v1/orders?" + "&".join(f"a{n}=1" for n in range(5_000)), {200, 422}),
        ("/api/v1/orders?limit=1&limit=1001", {422}),
        (f"{CREATE}?" + "&".join(f"id={n}" for n in range(2_000)), {200, 400}),
        (f"{CREATE}?offset=99999999999999999999", {400}),
        (f"{CREATE}?sort=" + ",".join(["id"] * 5_000), {200, 400}),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_an_odd_address_is_no_defect(service: requests.Session, path: str, statuses: set[int]) -> None:
    """Slashes, NUL and odd bytes in it; parameters without end."""
    assert service.get(f"{BASE}{path}").status_code in statuses


def test_every_path_knows_its_methods(service: requests.Session) -> None:
    """What a path does not take is a problem that names what it takes; HEAD, OPTIONS, TRACE and CONNECT change nothing."""
    described = service.get(f"{BASE}/api/v1/openapi.json").json()["paths"]
    odd = []
    for path in described:
        for method in ("HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW"):
            told = service.request(method, BASE + path.replace("{", "").replace("}", ""))
            if told.status_code != 405 or told.headers["Content-Type"] != MEDIA_TYPE or "Allow" not in told.headers:
                odd.append((method, path, told.status_code))
    assert odd == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": '"1", "2"'}, 422),
        ({"If-Match": 'W/"1"'}, 422),
        ({"If-Match": '"' + "9" * 400 + '"'}, 422),
        ({"If-Match": ""}, 428),
        ({"If-Match": "*", "Idempotency-Key": ""}, 422),
        ({"If-Match": "*", "Idempotency-Key": "k" * 256}, 422),
        ({"If-Match": "*", "Idempotency-Key": "\x7f"}, 422),
    ],
)
def test_odd_headers_are_refused(service: requests.Session, headers: dict[str, str], status: int) -> None:
    """Several tags, weak ones, endless ones; keys that are none."""
    order = service.get(f"{BASE}/api/v1/orders").json()[0]["order"]

    told = service.post(f"{BASE}/api/v1/orders/{order}/cancel", json={"note": "x"}, headers=headers)

    assert (told.status_code, told.headers["Content-Type"]) == (status, MEDIA_TYPE), told.text


@pytest.fixture(scope="module")
def port(rich_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A port of the service, for what no client would send."""
    folder: Path = tmp_path_factory.mktemp("on-the-wire")
    world = World(rich_dsn, folder)
    with serving(world, folder) as service:
        yield service.client.base_url.port or 0
    world.close()


ONE = b'{"text": "nobody"}'
LENGTH = f"Content-Length: {len(ONE)}"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((LENGTH,), 404),
        ((LENGTH, "Content-Length: 2"), 400),
        (("Content-Length: 2", LENGTH), 400),
        ((LENGTH, "Transfer-Encoding: chunked"), 400),
        ((LENGTH, f"Authorization: {OPERATOR}"), 400),
        ((LENGTH, "Authorization: Bearer somebody-else"), 400),
        ((LENGTH, "authorization:"), 400),
        ((LENGTH, "Content-Type: text/plain"), 400),
        ((LENGTH, "Host: elsewhere"), 400),
        ((LENGTH, "Idempotency-Key: one", "Idempotency-Key: two"), 400),
        ((LENGTH, 'If-Match: "1"', "If-Match: *"), 400),
        ((LENGTH, "Last-Event-ID: 1", "Last-Event-ID: 2"), 400),
        ((LENGTH, "Accept: text/html", "Accept: */*"), 404),
        ((LENGTH, "X-Request-Id: one", "X-Request-Id: two"), 404),
    ],
)
def test_a_header_that_two_programs_may_read_differently_is_refused(port: int, lines: tuple[str, ...], status: int) -> None:
    """Two lines of a header that has one value, two lengths of one body: whichever counted, somebody before the service may have read the other."""
    always = ("Host: x", f"Authorization: {OPERATOR}", "Content-Type: application/json", "Connection: close")
    head = "\r\n".join((f"POST {FIND} HTTP/1.1", *always, *lines))

    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall(f"{head}\r\n\r\n".encode() + ONE)
        told = wire.makefile("rb").read()

    assert int(told.split()[1]) == status, told


@pytest.mark.parametrize(("head_bytes", "status"), [(60_000, 404), (200_000, 431)])
def test_a_head_without_end_is_not_kept(port: int, head_bytes: int, status: int) -> None:
    """A head may be as long as the server says, with a body as long as it may be behind it; beyond that the connection ends."""
    begun = f"POST {FIND} HTTP/1.1\r\nHost: x\r\nAuthorization: {OPERATOR}\r\nContent-Type: application/json\r\nConnection: close\r\n{LENGTH}\r\n"
    lines = "".join(f"X-Line-{at}: {'a' * 980}\r\n" for at in range(head_bytes // 1_000))

    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall((begun + lines).encode())
        if status == 404:
            wire.sendall(b"\r\n" + ONE)
        told = wire.recv(200)

    assert int(told.split()[1]) == status, told


def test_who_does_not_read_his_answer_holds_nobody_up(rich_dsn: str, tmp_path: Path) -> None:
    """A hundred callers ask for more than goes into the buffers between us, and read none of it; everybody else is served meanwhile."""
    world = World(rich_dsn, tmp_path)
    with serving(world, tmp_path) as service, ExitStack() as held:
        size = len(service.get("/api/v1/openapi.json").content)
        unread = [held.enter_context(socket.socket()) for _ in range(100)]
        for one in unread:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            one.connect(("127.0.0.1", service.client.base_url.port or 0))
            one.sendall(f"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: {OPERATOR}\r\n\r\n".encode() * 4)
        begun = [one.recv(1) for one in unread]
        told = [service.get("/api/v1/orders?limit=1").status_code for _ in range(5)]
        for one in unread:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    world.close()

    assert begun == [b"H"] * 100
    assert size > 500_000
    assert told == [200] * 5


def test_one_key_is_for_one_body(service: requests.Session) -> None:
    """The same key with another body is 422, as the draft of Idempotency-Key has it; with the same body it is the first answer."""
    paper = {"externalId": "KEY-1", "orderDate": "2026-01-05T09:00:00Z", "productOrderItem": [{"id": "1", "action": "add"}]}
    key = {"Idempotency-Key": "one-wish"}

    first = service.post(f"{BASE}{CREATE}", json=paper, headers=key)
    again = service.post(f"{BASE}{CREATE}", json=paper, headers=key)
    other = service.post(f"{BASE}{CREATE}", json={**paper, "externalId": "KEY-2"}, headers=key)

    assert [first.status_code, again.status_code, other.status_code] == [201, 201, 422]
    assert (again.headers["Idempotent-Replayed"], again.json()["id"]) == ("true", first.json()["id"])
    assert other.json()["type"] == "/problems/key-reused"


def test_bodies_that_never_end_hold_nobody_up(rich_dsn: str, tmp_path: Path) -> None:
    """Two hundred callers send half of what they announce, and stay; everybody else is served meanwhile."""
    world = World(rich_dsn, tmp_path)
    with serving(world, tmp_path) as service, ExitStack() as held:
        head = f"POST {CAPTURE} HTTP/1.1\r\nHost: x\r\nAuthorization: {OPERATOR}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        for _ in range(200):
            half = held.enter_context(socket.create_connection(("127.0.0.1", service.client.base_url.port or 0)))
            half.sendall(head.encode() + b'{"externalId": ')
        told = [service.get("/api/v1/orders?limit=1").status_code for _ in range(5)]
    world.close()

    assert told == [200] * 5


def test_sixty_four_at_once_are_all_served(rich_dsn: str, tmp_path: Path) -> None:
    """Half of them capture, half of them read, more than there are connections to the database: each gets its answer."""
    world = World(rich_dsn, tmp_path)

    def ask(number: int) -> int:
        if number % 2:
            return int(service.get(f"/api/v1/orders?limit={number + 1}").status_code)
        paper = {"externalId": f"AT-ONCE-{number}", "productOrderItem": [{"id": "1", "action": "add"}]}
        return int(service.post(CREATE, paper, Idempotency_Key=f"at-once-{number}").status_code)

    with serving(world, tmp_path) as service, ThreadPoolExecutor(64) as crowd:
        told = list(crowd.map(ask, range(128)))
    world.close()

    assert Counter(told) == {200: 64, 201: 64}
