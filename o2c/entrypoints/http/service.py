"""The service, put together: what is checked before anything is read, the parts that answer, and what opens the store for them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from o2c.desk.act import Context
from o2c.desk.credentials import Credentials
from o2c.entrypoints.http import feed, health
from o2c.entrypoints.http.console.app import add_console
from o2c.entrypoints.http.failing import add_problems
from o2c.entrypoints.http.held import Held, Who, hold
from o2c.entrypoints.http.limits import Bodies, Hosts, Rates
from o2c.entrypoints.http.native import native
from o2c.entrypoints.http.tmf.faces import tmf
from o2c.running.session import Session, opened

TITLE = "Order to cash"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""The names of this machine for itself."""
ACTOR = "SERVING_ACTOR"
"""The variable of the environment that names who everybody is at a port that only this machine reaches; unset, every caller says who he is."""


def service(session: Session, who: Who, *, rates: Rates | None = None) -> FastAPI:
    """The service on an open store. `who` tells who calls from the header Authorization, or raises Refused (unauthenticated)."""
    made = _made()
    hold(made, Held(session, who, rates or Rates()))
    return made


def from_environment() -> FastAPI:
    """The service of this environment, for a process of the server: its store is open while it runs."""

    @asynccontextmanager
    async def held(made: FastAPI) -> AsyncIterator[None]:
        with opened() as session:
            actor = os.environ.get(ACTOR, "")
            hold(made, Held(session, everybody(actor) if actor else Credentials(session.app).context))
            yield

    made = _made()
    if os.environ.get(ACTOR):
        made.add_middleware(Hosts, names=LOOPBACK)
    made.router.lifespan_context = held
    return made


def everybody(actor: str) -> Who:
    """Whoever reaches the port has the machine, and acts under this name: as on the command line with its `--actor`."""
    return lambda authorization: Context(actor)


def _made() -> FastAPI:
    made = FastAPI(title=TITLE, version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    made.add_middleware(Bodies)
    add_problems(made)
    made.include_router(feed.router)
    made.include_router(native())
    for router in tmf():
        made.include_router(router)
    made.include_router(health.router)
    add_console(made)
    return made
