"""What a request may ask of the service: the size and depth of its body, and how often one caller may come."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from o2c.desk.act import Refused
from o2c.entrypoints.http.problems import problem
from o2c.entrypoints.serving import RATE_PER_S

BODY_BYTES_MAX = 1_000_000
DEPTH_MAX = 64
BURST_S = 5
"""For how many seconds' worth of its rate a caller may send at once."""
STRANGERS_PER_S = 2
STRANGERS_BURST = 50
"""The same for credentials that are not accepted, and apart from them for customers' links, by the address that they come from: whoever
guesses is not served on."""
CALLERS_MAX = 10_000


NUL_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
NO_NUL = "there is a NUL character in it, which no text of a store can have"
ONCE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"if-match",
        b"last-event-id",
        b"origin",
        b"sec-fetch-site",
    }
)
"""Headers that have one value. Of two lines with one of them whatever stands before us may read the other one than we (ASVS 5.0, 1.5.3; RFC
9110, 5.3)."""


class Bodies:
    """Reads each body before anything looks at it: one that is too large, JSON that lies too deep, a NUL anywhere, and a header twice that
    has one value, go no further (OWASP API4:2023)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if flaw := _flaw_of_head(scope):
            await problem("malformed", flaw, instance=scope["path"].replace("\0", "%00"))(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            parts.append(message.get("body", b""))
            if (size := size + len(parts[-1])) > BODY_BYTES_MAX or not message.get("more_body"):
                break
        body = b"".join(parts)
        answer = self.app
        if size > BODY_BYTES_MAX:
            answer = problem("too-large", f"a body may have {BODY_BYTES_MAX} bytes; send less at a time", instance=scope["path"])
        elif NUL_ESCAPED.search(body):
            answer = problem("malformed", NO_NUL, instance=scope["path"])
        elif too_deep(body):
            answer = problem("malformed", f"the body lies deeper than {DEPTH_MAX} levels", instance=scope["path"])
        await answer(scope, _replayed(body, receive), send)


def _flaw_of_head(scope: Scope) -> str:
    """What is wrong with a request before its body is looked at; empty for nothing."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        return NO_NUL
    names = [name for name, _ in scope["headers"]]
    if b"content-length" in names and b"transfer-encoding" in names:
        return "two lengths of one body came, Content-Length and Transfer-Encoding; send one of them"
    single = [name for name in names if name in ONCE]
    twice = next((name.decode() for name in single if single.count(name) > 1), "")
    return twice and f"the header {twice} came more than once; send it once"


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more for whoever reads it next, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def too_deep(body: bytes) -> bool:
    """Whether a body of JSON lies deeper than DEPTH_MAX. Brackets within texts do not count."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return False
    depth, within, escaped = 0, False, False
    for letter in body:
        if within:
            within, escaped = (letter != 0x22 or escaped), letter == 0x5C and not escaped
        elif letter == 0x22:
            within = True
        elif letter in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                return True
        elif letter in b"]}":
            depth -= 1
    return False


class Hosts:
    """Answers only under names that are the service's own, so that no page of another site reaches it by giving itself our address."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem."""
        named = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"), "")
        host = named.rpartition(":")[0] if named.rpartition(":")[2].isdigit() else named
        fits = scope["type"] != "http" or host.strip("[]").lower() in self.names
        answer = self.app if fits else problem("misdirected", f"{named or 'no name'} is no name of this service", instance=scope["path"])
        await answer(scope, receive, send)


class Rates:
    """How often each caller came of late: a bucket that fills at a rate and holds a burst, BURST_S of that rate where it is not given."""

    def __init__(self, *, rate_per_s: float = RATE_PER_S, burst: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate_per_s, BURST_S * rate_per_s if burst is None else burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str, count: int = 1) -> None:
        """Count a request of a caller, or only look (`count` 0). Raises Refused (too-many) when the bucket is empty."""
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(caller, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            self._left[caller] = (max(left - count, 0.0), now)
            while len(self._left) > CALLERS_MAX:
                self._left.popitem(last=False)
        if left < 1:
            raise Refused(f"{caller}: more than {self._rate:g} requests a second; wait a second", kind="too-many")


def of_strangers() -> Rates:
    """A bucket of those whose credentials, or whose links, are not accepted."""
    return Rates(rate_per_s=STRANGERS_PER_S, burst=STRANGERS_BURST)
