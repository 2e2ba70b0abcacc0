"""One call of the service: what is sent, what comes back, and whether and when it is tried again."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx

T = TypeVar("T")
BACK_OFF_S = 0.2
BACK_OFF_LONGEST_S = 10.0
AGAIN = frozenset({429, 502, 503, 504})
"""Statuses that say: not now. What was asked may have been done; the key of the wish makes asking again safe."""
HEADERS = {"if_match": "If-Match", "if_none_match": "If-None-Match", "idempotency_key": "Idempotency-Key"}


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What the service answered: the body, the ETag of a page, the position of a change, the number of rows there are, whether it is a
    repeat.

    `following` is the mark to go on from, of a page of events.
    """

    body: T
    etag: str = ""
    position: int | None = None
    total: int | None = None
    repeated: bool = False
    following: str = ""


class Problem(Exception):
    """Why the service did not do it (RFC 9457). `kind` is the type of problem: missing, conflict, stale, usage, forbidden, unavailable and
    others.

    `unseen` has the events that the caller had not seen, of a stale call; `errors` what is wrong with which field.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("detail") or body.get("title") or f"status {status}"))
        self.status = status
        self.kind = str(body.get("type", "")).rpartition("/")[2] or "unknown"
        self.errors: list[dict[str, str]] = list(body.get("errors", ()))
        self.unseen: list[dict[str, Any]] = list(body.get("unseen", ()))


@dataclass(frozen=True, slots=True)
class Path:
    """Where an operation is, and which of its parameters stand in the path, the query and the body."""

    method: str
    path: str
    identity: str = ""
    query: Sequence[str] = ()
    body: Sequence[str] = ()
    whole: str = ""
    changes: bool = False

    def request(self, named: tuple[Any, ...], options: Mapping[str, Any]) -> Request:
        """The request of a call. A change without a key of its own gets one, so that it may be tried again. Raises TypeError for what it
        does not take."""
        places = [name for name in (self.identity, *((self.whole,) if self.whole else self.body)) if name]
        if len(named) > len(places):
            raise TypeError(f"{self.path} takes {len(places)} values without a name, not {len(named)}")
        given = {**dict(zip(places, named, strict=False)), **options}
        headers = {header: str(given.pop(name)) for name, header in HEADERS.items() if given.get(name) is not None}
        if self.changes:
            headers.setdefault(HEADERS["idempotency_key"], str(uuid4()))
        if unknown := given.keys() - {self.identity, self.whole, *self.query, *self.body, *HEADERS}:
            raise TypeError(f"{self.path} takes no {', '.join(sorted(unknown))}")
        path = self.path.format(**{self.identity: quote(str(given[self.identity]), safe="")}) if self.identity else self.path
        sent = {name: given[name] for name in self.body if name in given}
        content = given.get(self.whole) if self.whole else sent if self.method == "POST" else None
        return Request(self.method, path, {name: given[name] for name in self.query if given.get(name) is not None}, content, headers)


@dataclass(frozen=True, slots=True)
class Request:
    """A request, ready to be sent as often as it takes."""

    method: str
    path: str
    query: Mapping[str, Any]
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """The arguments of httpx."""
        said = isinstance(self.content, str | bytes)
        body: dict[str, Any] = {"content": self.content} if said else {"json": self.content} if self.content is not None else {}
        headers = {**self.headers, **({"Content-Type": "application/json"} if said else {})}
        return {"method": self.method, "url": self.path, "params": self.query, "headers": headers, **body}


def answer_of(response: httpx.Response) -> Answer[Any]:
    """What came back. Raises Problem."""
    if response.status_code >= 400:
        raise Problem(response.status_code, _body_of(response))
    headers = response.headers
    return Answer(
        None if response.status_code == 304 else response.json(),
        etag=headers.get("etag", ""),
        position=int(headers["o2c-position"]) if "o2c-position" in headers else None,
        total=int(headers["x-total-count"]) if "x-total-count" in headers else None,
        repeated=headers.get("idempotent-replayed") == "true",
        following=headers.get("o2c-next", ""),
    )


def _body_of(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def pause_s(response: httpx.Response | None, turn: int) -> float:
    """How long to wait before a call is tried again: as long as the service says, else twice as long each time, with some chance in it."""
    told = response.headers.get("retry-after", "") if response is not None else ""
    back_off: float = min(BACK_OFF_S * 2.0**turn, BACK_OFF_LONGEST_S) * (0.5 + random.random() / 2)
    return max(back_off, float(told)) if told.isdigit() else back_off
