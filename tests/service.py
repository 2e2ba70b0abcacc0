"""A service for stories: what is asked of it, and what it answers, in few words."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from o2c.desk.act import Context, Refused
from o2c.entrypoints.http.held import Who
from o2c.entrypoints.http.limits import Rates
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


@contextmanager
def serving(
    world: World, home: Path, *, rates: Rates | None = None, strangers: Rates | None = None, links: Rates | None = None, who: Who = who
) -> Iterator[Visitor]:
    """The service on the store of a world, at a port of this machine."""
    made = service(Session(world.app, home), who, rates=rates, strangers=strangers, links=links)
    server = uvicorn.Server(uvicorn.Config(made, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.002)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield Visitor(client)
    finally:
        server.should_exit = True
        thread.join()
