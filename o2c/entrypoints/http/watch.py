"""What the service tells of its requests: a line of the log and a figure for each, with the route and never what was asked for."""

from __future__ import annotations

import re
import time
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from prometheus_client import Histogram

logger = structlog.get_logger(__name__)
ID_HEADER = b"x-request-id"
ID = re.compile(rb"[0-9A-Za-z._-]{1,64}")
QUIET = frozenset({"/livez", "/readyz", "/metrics"})
"""Paths that are asked every few seconds: they are counted, and told at level debug alone."""
NO_ROUTE = "none"
"""The route of what no path fits: its words are the caller's, and would make a figure of each."""


@cache
def request_seconds() -> Histogram:
    """How long requests took, by route, method and status, in this process (or, with PROMETHEUS_MULTIPROC_DIR set, in all that share
    it)."""
    from prometheus_client import Histogram

    return Histogram(
        "o2c_http_request_seconds",
        "Wall time of a request, from its first byte to the end of the answer.",
        ["route", "method", "status"],
        buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        registry=None,
    )


class Watched:
    """Gives each request an id (the caller's own, where it is one), tells and counts it when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its id back with the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == ID_HEADER), b"")
        name = given if ID.fullmatch(given) else uuid4().hex.encode()
        began, status = time.perf_counter(), 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (ID_HEADER, name)]}
            await send(message)

        with structlog.contextvars.bound_contextvars(request=name.decode()):
            try:
                await self.app(scope, receive, told)
            finally:
                _tell(scope, status, time.perf_counter() - began)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", NO_ROUTE)
    request_seconds().labels(route, scope["method"], str(status)).observe(seconds)
    tell = logger.debug if route in QUIET else logger.info
    tell("request.answered", method=scope["method"], route=route, status=status, ms=round(seconds * 1e3, 1))
