"""A credit bureau to talk to: a server on loopback that searches once a key, and gets into the trouble it is told to."""

import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

REQUEST_BYTES_MAX = 10_000
REQUESTS_MAX = 200
STOP_S = 5.0
DRIP_S = 0.05
TOKEN = "tkn-Zebra4711"


@dataclass(frozen=True)
class Says:
    """How one reply goes. `ends` is what becomes of the connection: kept, `cut` or `reset` in mid-body, `silent` before a word, `drips`.

    In trouble the search is done all the same if `done`.
    """

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ends: str = ""
    done: bool = False


class Bureau:
    """What the stand-in was asked, what it recorded, and what it will say. Set `result` for good answers, `trouble` for a bad one."""

    def __init__(self) -> None:
        self.result: dict[str, Any] = {"result": "approved"}
        self.trouble: Says | None = None
        self.searches: dict[str, bytes] = {}
        self.bodies: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.broken: list[BaseException] = []
        self.base = ""
        self.stopped = threading.Event()
        self._told = threading.Condition()

    def heard(self, calls: int) -> int:
        """How many calls came, once as many as these did: whoever gave up waiting may look sooner than the stand-in does."""
        with self._told:
            self._told.wait_for(lambda: len(self.asked) >= calls, STOP_S)
            return len(self.asked)

    def hears(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Says:
        """The reply to a request: the trouble, else the result that is kept under the key."""
        with self._told:
            self.asked.append(f"{method} {path}")
            self._told.notify_all()
            assert len(self.asked) <= REQUESTS_MAX
            if headers.get("Authorization") != f"Bearer {TOKEN}":
                return Says(401)
            if method == "POST" and (self.trouble is None or self.trouble.done):
                self._searches(path, headers, body)
            return self.trouble or self._knows(path, headers)

    def _searches(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        assert (path, headers["Content-Type"]) == ("/v1/searches", "application/json")
        key = _key(path, headers)
        if key not in self.searches:
            self.searches[key] = json.dumps(self.result).encode()
            self.bodies.append(json.loads(body))

    def _knows(self, path: str, headers: Mapping[str, str]) -> Says:
        key = _key(path, headers)
        return Says(body=self.searches[key]) if key in self.searches else Says(404)


def _key(path: str, headers: Mapping[str, str]) -> str:
    """The key of a request: from its header, else from its path."""
    told = headers.get("Idempotency-Key")
    # A server reads headers as Latin-1 whatever they were written in.
    return told.encode("latin-1").decode() if told else unquote(path.removeprefix("/v1/searches/"))


class _Line(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = STOP_S
    # Head and body are two writes; with Nagle's algorithm the second would wait 40 ms.
    disable_nagle_algorithm = True
    bureau: Bureau

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        assert length <= REQUEST_BYTES_MAX
        self._reply(self.bureau.hears("POST", self.path, self.headers, self.rfile.read(length)))

    def do_GET(self) -> None:
        self._reply(self.bureau.hears("GET", self.path, self.headers, b""))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing on stderr."""

    def _reply(self, says: Says) -> None:
        if says.ends == "silent":
            self.bureau.stopped.wait(STOP_S)
            self.close_connection = True
            return
        body = b"{}" if says.body is None else says.body
        self.send_response(says.status)
        for name, value in {"Content-Length": str(len(body)), **says.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(body, says.ends)

    def _send(self, body: bytes, ends: str) -> None:
        if ends == "drips":
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.bureau.stopped.wait(DRIP_S)
            return
        self.wfile.write(body[: len(body) // 2] if ends else body)
        self.close_connection = bool(ends)
        if ends == "reset":
            # Closed without lingering, a socket sends RST.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    bureau: Bureau

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no fault of the stand-in."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.bureau.broken.append(error)


@contextmanager
def open_bureau() -> Iterator[Bureau]:
    """A bureau at a free port of loopback, for as long as the block lasts. Fails if the stand-in itself broke."""
    bureau = Bureau()
    line = type("_OneLine", (_Line,), {"bureau": bureau})
    with _Server(("127.0.0.1", 0), line) as server:
        server.bureau = bureau
        bureau.base = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield bureau
        finally:
            bureau.stopped.set()
            server.shutdown()
            thread.join(STOP_S)
    assert bureau.broken == []
