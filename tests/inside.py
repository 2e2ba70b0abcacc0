"""The service asked in this process, without a port: what a program that speaks `requests` sends goes straight into it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from o2c.entrypoints.http.limits import Rates
from o2c.running.session import Session
from tests.service import OPERATOR, made, who
from tests.world import World

BASE = "http://service.test"


class Inside(BaseAdapter):
    """Carries requests into an ASGI application, on a loop in a thread of its own, whose workers live as long as it does."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app, self._ended, begun = app, asyncio.Event(), threading.Event()

        async def live() -> None:
            self._loop = asyncio.get_running_loop()
            begun.set()
            await self._ended.wait()

        self._thread = threading.Thread(target=asyncio.run, args=(live(),))
        self._thread.start()
        begun.wait()

    def send(self, request: requests.PreparedRequest, *words: Any, **options: Any) -> requests.Response:
        """The answer to a request."""
        return asyncio.run_coroutine_threadsafe(self._send(request), self._loop).result()

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _send(self, request: requests.PreparedRequest) -> requests.Response:
        url = urlsplit(str(request.url))
        sent = request.body or b""
        body = sent.encode() if isinstance(sent, str) else sent
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": url.scheme, "root_path": "",
            "path": unquote_to_bytes(url.path).decode("utf-8", "replace"), "raw_path": url.path.encode(), "query_string": url.query.encode(),
            "headers": [(b"host", b"service.test"), *((_bytes(name).lower(), _bytes(value)) for name, value in request.headers.items())],
            "client": ("127.0.0.1", 1), "server": ("service.test", 80), "state": {},
        }  # fmt: skip
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        with suppress(Exception):  # A defect is answered, and then told to the server, which would log it.
            await self.app(scope, receive, send)
        return _response(request, told)


def _bytes(word: Any) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode("latin-1", "replace")


def _response(request: requests.PreparedRequest, told: list[dict[str, Any]]) -> requests.Response:
    start, content = told[0], b"".join(message.get("body", b"") for message in told[1:])
    headers = HTTPHeaderDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
    made = requests.Response()
    made.status_code, made._content, made.request, made.url = start["status"], content, request, str(request.url)
    made.headers.update(headers)
    made.raw = HTTPResponse(body=BytesIO(), headers=headers, status=start["status"], version=11, preload_content=False)
    made.encoding = requests.utils.get_encoding_from_headers(made.headers)
    return made


@contextmanager
def inside(world: World, home: Path) -> Iterator[requests.Session]:
    """A session of `requests` that speaks to the service on the store of a world."""
    plenty = Rates(rate_per_s=1e6, burst=1e6)
    with made(Session(world.app, home), who, rates=plenty, strangers=plenty, links=plenty) as service, requests.Session() as session:
        session.mount(BASE, Inside(service))
        session.trust_env = False  # nothing goes through a proxy here, and asking the environment for one took a third of a request
        session.headers["Authorization"] = OPERATOR
        yield session
