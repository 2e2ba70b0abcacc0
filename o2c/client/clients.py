"""The two clients: one that waits, and one for asyncio. Their groups of operations are made from one table
(`o2c/client/operations.json`)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Self

import httpx

from o2c.client.calls import AGAIN, Answer, Path, Request, answer_of, pause_s

TIMEOUT_S = 30.0
TRIES = 6
FOLLOWING_S = 0.5
FEED = Path("GET", "/api/v1/events", query=("after", "types", "order", "customer", "limit", "identifiers", "why", "min_position"))


@cache
def operations() -> Mapping[str, Path]:
    """Every operation by name, with where its parameters stand. Written by `o2c docs`."""
    table: dict[str, dict[str, Any]] = json.loads((files("o2c.client") / "operations.json").read_text(encoding="utf-8"))
    return {name: Path(**place) for name, place in table.items()}


class Group:
    """The operations of one kind of thing."""

    def __init__(self, send: Callable[[Request], Any], operations: Mapping[str, Path]) -> None:
        self._send, self._operations = send, operations

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if (path := self._operations.get(name)) is None:
            raise AttributeError(f"no operation {name}; there are {', '.join(sorted(self._operations))}")
        return lambda *named, **options: self._send(path.request(named, options))

    def __dir__(self) -> list[str]:
        return sorted(self._operations)


def groups(send: Callable[[Request], Any]) -> dict[str, Any]:
    """The groups by name; an operation that is of no group stands beside them."""
    found: dict[str, dict[str, Path]] = {}
    for name, path in operations().items():
        group, _, action = name.replace("-", "_").partition(".")
        found.setdefault(group, {})[action] = path
    made: dict[str, Any] = {}
    for group, paths in found.items():
        made[group] = Group(send, paths) if "" not in paths else Group(send, paths).__getattr__("")
    return made


class Client:
    """A client that waits for each answer. Use it as a context manager, or call `close()`; from several threads at once if you like.

    `credential` is an API key or an access token. What says "not now" (429, 503, no answer at all) is tried again up to `tries` times in
    all, a change always under the same key, so that it is done once. Raises Problem when the service says no; httpx's errors when it never
    answers.
    """

    def __init__(self, url: str, credential: str = "", *, timeout_s: float = TIMEOUT_S, tries: int = TRIES) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout_s, headers=_headers(credential), follow_redirects=False)
        self._tries = tries
        self.__dict__.update(groups(self.send))

    def send(self, request: Request) -> Answer[Any]:
        """Send a request until it is answered."""
        for turn in range(self._tries):
            response, error = None, None
            try:
                response = self._http.request(**request.arguments())
            except httpx.TransportError as failed:
                error = failed
            if response is not None and (response.status_code not in AGAIN or turn + 1 == self._tries):
                return answer_of(response)
            if error is not None and turn + 1 == self._tries:
                raise error
            time.sleep(pause_s(response, turn))
        raise AssertionError("the last turn returns or raises")

    def follow(self, after: str = "", *, wait: bool = True, **wanted: Any) -> Iterator[tuple[dict[str, Any], str]]:
        """Events after a mark, each with the mark to keep once it is dealt with; goes on for ever, or, without `wait`, ends with what is
        there."""
        while True:
            page = self.send(FEED.request((), {"after": after, **wanted}))
            yield from ((event, f"{event['position']}:{event['id']}") for event in page.body)
            after = page.following
            if not page.body:
                if not wait:
                    return
                time.sleep(FOLLOWING_S)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncClient:
    """The same for asyncio: every operation is awaited."""

    def __init__(self, url: str, credential: str = "", *, timeout_s: float = TIMEOUT_S, tries: int = TRIES) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_s, headers=_headers(credential), follow_redirects=False)
        self._tries = tries
        self.__dict__.update(groups(self.send))

    async def send(self, request: Request) -> Answer[Any]:
        """Send a request until it is answered."""
        for turn in range(self._tries):
            response, error = None, None
            try:
                response = await self._http.request(**request.arguments())
            except httpx.TransportError as failed:
                error = failed
            if response is not None and (response.status_code not in AGAIN or turn + 1 == self._tries):
                return answer_of(response)
            if error is not None and turn + 1 == self._tries:
                raise error
            await asyncio.sleep(pause_s(response, turn))
        raise AssertionError("the last turn returns or raises")

    async def follow(self, after: str = "", *, wait: bool = True, **wanted: Any) -> AsyncIterator[tuple[dict[str, Any], str]]:
        """Events after a mark, each with the mark to keep once it is dealt with."""
        while True:
            page = await self.send(FEED.request((), {"after": after, **wanted}))
            for event in page.body:
                yield event, f"{event['position']}:{event['id']}"
            after = page.following
            if not page.body:
                if not wait:
                    return
                await asyncio.sleep(FOLLOWING_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


def _headers(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"} if credential else {}
