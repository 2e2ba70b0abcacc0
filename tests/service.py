"""A service for stories: what is asked of it, and what it answers, in few words."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from o2c.desk.act import Context, Refused
from o2c.entrypoints.http.console.app import begin
from o2c.entrypoints.http.heads import BoundedHeads
from o2c.entrypoints.http.held import Held, Who, hold
from o2c.entrypoints.http.limits import Rates, of_strangers
from o2c.entrypoints.http.service import service
from o2c.running.session import Session
from tests.world import World

OPERATOR = "Bearer operator"


def who(authorization: str) -> Context:
    """Stands for keys and tokens where a story is not about them: `Bearer NAME`."""
    if not authorization.startswith("Bearer "):
        raise Refused("no credential came with the request", kind="unauthenticated")
    return Context(authorization.removeprefix("Bearer "))


@dataclass(frozen=True)
class Visitor:
    """A caller of the service on the store of a world."""

    client: httpx.Client

    def get(self, path: str, **headers: str) -> Any:
        """Ask."""
        return self.client.get(path, headers=self._headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Do; `headers` are written with underscores."""
        return self.client.post(path, json=body, headers=self._headers(headers))

    def _headers(self, given: dict[str, str]) -> dict[str, str]:
        return {"Authorization": OPERATOR, **{name.replace("_", "-"): value for name, value in given.items()}}


_IDLE: list[FastAPI] = []
"""Services of tests that are over: making one reads all that it can do and describes it, which takes a second and a half, and they differ in what they hold alone."""


@contextmanager
def made(
    session: Session, who: Who, *, rates: Rates | None = None, strangers: Rates | None = None, links: Rates | None = None
) -> Iterator[FastAPI]:
    """A service on an open store, of this block alone."""
    if _IDLE:
        one = _IDLE.pop()
        begin(one)
        hold(one, Held(session, who, rates or Rates(), strangers or of_strangers(), links or of_strangers()))
    else:
        one = service(session, who, rates=rates, strangers=strangers, links=links)
    yield one
    _IDLE.append(one)


@contextmanager
def serving(
    world: World, home: Path, *, rates: Rates | None = None, strangers: Rates | None = None, links: Rates | None = None, who: Who = who
) -> Iterator[Visitor]:
    """The service on the store of a world, at a port of this machine."""
    with (
        made(Session(world.app, home), who, rates=rates, strangers=strangers, links=links) as one,
        _listening(one) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield Visitor(client)


@contextmanager
def _listening(made: FastAPI) -> Iterator[int]:
    """A service at a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(made, port=0, http=BoundedHeads, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.002)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
