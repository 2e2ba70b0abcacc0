"""Sending one message to an address outside: to the very address that was looked at, within a time, following nothing that it says."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlsplit

from o2c.hooks.addresses import Address, is_allowed

TIMEOUT_S = 15.0
"""From the look-up of the name to the end of the answer's head (Standard Webhooks, "Retries": 15 to 30 s)."""
BODY_BYTES_MAX = 1_000_000
HEAD_BYTES_MAX = 16_384
RESOLVING_MAX = 16
"""So many names are looked up at once: the system's look-up cannot be ended, and a slow one takes no other work."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
Resolve = Callable[[str, int], Sequence[str]]
"""From a host and a port to its addresses as text. Raises OSError where there are none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a message: the status of the answer, if one came, and why it was not taken, in a word; empty where it was."""

    status: int | None
    word: str
    latency_ms: int


class _Failed(Exception):
    """Why nothing was sent, or no answer came, in a word."""


def send(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    private: bool,
    timeout_s: float = TIMEOUT_S,
    resolve: Resolve | None = None,
) -> Sent:
    """Post a body, and say what came of it: only an answer of 2xx is one that took it; a redirect is followed by nobody.

    The host's name is looked up once. Where any of its addresses is not public, nothing is sent, unless `private` ones are allowed; then
    too none goes to a link or to many. Without TLS nothing is sent but where private addresses are allowed.
    """
    began = time.monotonic()
    status: int | None = None
    try:
        status = _posted(urlsplit(url), headers, body, private=private, deadline=began + timeout_s, resolve=resolve or _looked_up)
        word = "" if 200 <= status <= 299 else "redirect" if 300 <= status <= 399 else f"status-{status}"
    except _Failed as failed:
        word = str(failed)
    return Sent(status, word, round((time.monotonic() - began) * 1000))


def _posted(url: SplitResult, headers: Mapping[str, str], body: bytes, *, private: bool, deadline: float, resolve: Resolve) -> int:
    if len(body) > BODY_BYTES_MAX:
        raise _Failed("too-large")
    if url.scheme != "https" and not private:
        raise _Failed("not-https")
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    addresses = _allowed(host, port, private=private, deadline=deadline, resolve=resolve)
    request = _request(url, host, headers, body)
    with _told(), _connected(addresses, port, deadline) as plain, _secured(plain, host, url.scheme, deadline) as sock:
        sock.settimeout(_left(deadline))
        sock.sendall(request)
        return _status_of(sock, deadline)


def _allowed(host: str, port: int, *, private: bool, deadline: float, resolve: Resolve) -> list[Address]:
    """The addresses of a host, all of which may be told: one that may not is a way in, whichever would be taken."""
    looking: Future[Sequence[str]] = _resolving().submit(resolve, host, port)
    try:
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in looking.result(timeout=_left(deadline))]
    except NotInTime:
        looking.cancel()
        raise _Failed("timeout") from None
    except (OSError, ValueError):
        raise _Failed("no-such-host") from None
    if not found:
        raise _Failed("no-such-host")
    if not all(is_allowed(address, private=private) for address in found):
        raise _Failed("private-address")
    return found


@cache
def _resolving() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(RESOLVING_MAX, thread_name_prefix="resolving")


def _looked_up(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _left(deadline: float) -> float:
    """The seconds that are left. Raises _Failed where there are none."""
    if (left := deadline - time.monotonic()) <= 0:
        raise _Failed("timeout")
    return left


class _told:  # noqa: N801 - reads as a word where it is used
    """Errors of the network as words."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case TimeoutError():
                raise _Failed("timeout") from None
            case ssl.SSLError():
                raise _Failed("tls") from None
            case ConnectionRefusedError():
                raise _Failed("refused") from None
            case ConnectionError():
                raise _Failed("closed") from None
            case OSError():
                raise _Failed("unreachable") from None


def _connected(addresses: Sequence[Address], port: int, deadline: float) -> socket.socket:
    """A connection to the first of some addresses that takes one."""
    for address in addresses[:-1]:
        try:
            return socket.create_connection((str(address), port), timeout=_left(deadline))
        except OSError:
            continue
    return socket.create_connection((str(addresses[-1]), port), timeout=_left(deadline))


def _secured(sock: socket.socket, host: str, scheme: str, deadline: float) -> socket.socket:
    """The connection under TLS, with the certificate checked for the host's own name; as it is for http."""
    if scheme != "https":
        return sock
    sock.settimeout(_left(deadline))
    return _trust().wrap_socket(sock, server_hostname=host)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _request(url: SplitResult, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request as it goes over the wire. The URL was checked when it was given: it holds no blank and no line end."""
    named = f"[{host}]" if ":" in host else host
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = {
        "Host": named if url.port is None else f"{named}:{url.port}",
        "User-Agent": "o2c",
        "Accept": "*/*",
        "Connection": "close",
        "Content-Length": str(len(body)),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in _checked(lines))
    return f"POST {target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _checked(lines: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in lines.items():
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"the header {name} is not of printable ASCII letters")
        yield name, value


def _status_of(sock: socket.socket, deadline: float) -> int:
    """The status of the answer, once its whole head is there; what interim answers (1xx) say is passed over."""
    got = b""
    while True:
        while ends := _HEAD_ENDS.search(got):
            found = _STATUS.match(got)
            if found is None:
                raise _Failed("not-http")
            if (status := int(found[1])) >= 200:
                return status
            got = got[ends.end() :]
        if len(got) > HEAD_BYTES_MAX:
            raise _Failed("not-http")
        sock.settimeout(_left(deadline))
        part = sock.recv(HEAD_BYTES_MAX)
        if not part:
            raise _Failed("closed")
        got += part
