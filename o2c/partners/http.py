"""The base of all partner clients over HTTP: connections, limits, and the answer that each end of a call stands for.

Nothing is sent twice from here: the caller decides by the answer. Trouble is logged by its kind alone, because addresses, bodies and
headers may hold things that must not stand in a log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any

import httpx
import structlog
from pydantic import TypeAdapter

from o2c.kernel.partner import Answer, Failed, NeverHeard, Request, Unknown
from o2c.kernel.refusal import Refused

logger = structlog.get_logger(__name__)

CONNECT_S, READ_S = 3.0, 10.0
"""A call must be over well before a worker's lease on its row of the agenda is (a minute)."""
ASK_AGAIN = timedelta(minutes=5)
BODY_BYTES_MAX = 1_000_000
NOT_BEFORE_MAX = timedelta(days=1)
DAY_S = 86_400
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Errors without a connection (no such host, refused, no TLS, none free): nothing was sent. After any other error nobody knows."""

_OBJECT = TypeAdapter(dict[str, Any])
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# What may stand after "Bearer " (RFC 6750 section 2.1). Anything else would break the header, or be quoted by the error about it.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")

Read = Callable[[Mapping[str, Any]], Answer]
"""Turns a partner's JSON object into an answer. Raises ValueError for an object that it cannot read."""


class Endpoint:
    """One partner's address: pooled connections, the same token with every call. Threads may share it."""

    def __init__(
        self, base: str, token_variable: str, *, connect_s: float = CONNECT_S, read_s: float = READ_S, ask_again: timedelta = ASK_AGAIN
    ) -> None:
        """`token_variable` names the environment variable that holds the bearer token. Raises Refused for an address or a token that is
        none."""
        self._read_s, self._ask_again = read_s, ask_again
        self._client = httpx.Client(
            base_url=_address(base),
            # Compressed, a small body could grow beyond every limit.
            headers={"Authorization": f"Bearer {_token(token_variable)}", "Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(read_s, connect=connect_s, pool=connect_s),
            follow_redirects=False,
        )

    def submit(self, path: str, request: Request, body: Mapping[str, Any], read: Read) -> Answer:
        """Ask for the work (POST). The key goes along as `Idempotency-Key`, so that the partner does the same request once."""
        return self._call(request, read, query=False, method="POST", url=path, json=body, headers={"Idempotency-Key": request.key.encode()})

    def query(self, path: str, request: Request, read: Read) -> Answer:
        """Ask for the outcome of the work (GET); `path` names the request."""
        return self._call(request, read, query=True, method="GET", url=path)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(self, request: Request, read: Read, *, query: bool, **call: Any) -> Answer:
        try:
            with self._client.stream(**call) as reply:
                if reply.is_success:
                    return read(_object(reply, self._read_s))
                answer, trouble = self._without_success(reply, request, query=query), f"HTTP {reply.status_code}"
        except NEVER_SENT as error:
            answer, trouble = Failed("UNAVAILABLE"), type(error).__name__
        except (httpx.HTTPError, ValueError) as error:
            answer, trouble = self._unknown(request), type(error).__name__
        if query and isinstance(answer, Failed) and answer.code == "UNAVAILABLE":
            # It is the query that failed. As a failure of the work it would be sent again, under another key, though it may be done.
            answer = Unknown(max(request.at + self._ask_again, answer.not_before or request.at))
        if not isinstance(answer, NeverHeard):
            logger.warning("partner_trouble", step=request.step, key=request.key, query=query, error=trouble)
        return answer

    def _without_success(self, reply: httpx.Response, request: Request, *, query: bool) -> Answer:
        """Give the answer that a status other than 2xx stands for. A redirect says nothing of the work: it may lead to the result."""
        match reply.status_code:
            case 404 if query:
                return NeverHeard()
            case 429 | 503:
                return Failed("UNAVAILABLE", not_before(reply.headers.get("Retry-After", ""), request.at))
            case status if 400 <= status < 500:
                return Failed("REJECTED")
            case _:
                return self._unknown(request)

    def _unknown(self, request: Request) -> Unknown:
        return Unknown(request.at + self._ask_again)


def not_before(retry_after: str, at: datetime) -> datetime | None:
    """Give the time from which a partner takes requests again, at most a day after `at`; None for a text that cannot be read.

    The text is a Retry-After: seconds after `at`, or an HTTP-date (RFC 9110 sections 10.2.3 and 5.6.7).
    """
    if re.fullmatch(r"[0-9]+", retry_after):
        # Nine digits are more than a day already; Python refuses to read thousands of them.
        return at + timedelta(seconds=min(int(retry_after[:9]), DAY_S))
    try:
        moment = parsedate_to_datetime(retry_after)
        # One of the three forms of an HTTP-date names no zone; all of them are in UTC.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return min(moment, at + NOT_BEFORE_MAX)


def _object(reply: httpx.Response, within_s: float) -> dict[str, Any]:
    """The JSON object of a reply. Raises ValueError for anything else, for one too large, and for one that takes too long to come."""
    body, until = bytearray(), monotonic() + within_s
    for part in reply.iter_raw():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise ValueError("too large")
        # The time-out of a read begins again with every byte.
        if monotonic() > until:
            raise ValueError("too slow")
    return _OBJECT.validate_json(bytes(body))


def _address(base: str) -> httpx.URL:
    """The address as given. A user or password in it would be a secret in the configuration, so it is not quoted either."""
    try:
        url = httpx.URL(base)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise Refused("a partner's address is no http(s)://HOST/PATH without user, query and fragment; correct it in the configuration")
    return url


def _token(variable: str) -> str:
    """The bearer token an environment variable holds. Neither it nor what may be one by mistake is quoted."""
    if _VARIABLE.fullmatch(variable) is None:
        raise Refused(
            "a partner's token is configured by the name of an environment variable, in capitals; what stands there is no such name"
        )
    token = os.environ.get(variable, "").strip()
    if _TOKEN.fullmatch(token) is None:
        raise Refused(f"the environment variable {variable} holds no bearer token; set it to the token the partner gave")
    return token
