"""The service, put together: what is checked before anything is read, the parts that answer, and what opens the store for them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from os.path import commonpath

from fastapi import APIRouter, FastAPI
from starlette.routing import Match
from starlette.types import Scope

from o2c.desk.act import Context
from o2c.desk.credentials import Credentials
from o2c.entrypoints.http import feed, health
from o2c.entrypoints.http.console.app import add_console
from o2c.entrypoints.http.description import describe
from o2c.entrypoints.http.failing import add_problems
from o2c.entrypoints.http.held import Held, Who, hold
from o2c.entrypoints.http.limits import Bodies, Hosts, Rates, of_strangers
from o2c.entrypoints.http.native import native
from o2c.entrypoints.http.tmf.faces import tmf
from o2c.entrypoints.http.tmf.notifying import TELLERS
from o2c.entrypoints.http.watch import Watched
from o2c.entrypoints.serving import ACTOR, LOOPBACK, RATE, RATE_PER_S
from o2c.running.hooks import Deliverer, beside
from o2c.running.session import Session, opened

TITLE = "Order to cash"


def service(
    session: Session, who: Who, *, rates: Rates | None = None, strangers: Rates | None = None, links: Rates | None = None
) -> FastAPI:
    """The service on an open store. `who` tells who calls from the header Authorization, or raises Refused (unauthenticated)."""
    made = _made()
    hold(made, Held(session, who, rates or Rates(), strangers or of_strangers(), links or of_strangers()))
    return made


def from_environment() -> FastAPI:
    """The service of this environment, for a process of the server: its store is open while it runs."""

    @asynccontextmanager
    async def held(made: FastAPI) -> AsyncIterator[None]:
        # Each process of the server is one of its own, which nobody told how to log.
        from o2c.entrypoints.cli.logs import configure_logs

        configure_logs(machine=True)
        with opened() as session, beside(Deliverer(session, TELLERS)):
            hold(made, _held(session))
            yield

    made = _made()
    if os.environ.get(ACTOR):
        made.add_middleware(Hosts, names=LOOPBACK)
    made.router.lifespan_context = held
    return made


def _held(session: Session) -> Held:
    rates = Rates(rate_per_s=float(os.environ.get(RATE, RATE_PER_S)))
    if actor := os.environ.get(ACTOR, ""):
        return Held(session, everybody(actor), rates, remembered=everybody(actor))
    credentials = Credentials(session.app)
    return Held(session, credentials.context, rates, remembered=credentials.remembered)


def everybody(actor: str) -> Callable[[str], Context]:
    """Whoever reaches the port has the machine, and acts under this name: as on the command line with its `--actor`."""
    return lambda authorization: Context(actor)


def _made() -> FastAPI:
    made = FastAPI(title=TITLE, version="1", docs_url=None, redoc_url=None, openapi_url=None)
    made.add_middleware(Bodies)
    made.add_middleware(Watched)
    add_problems(made)
    for part in (feed.router, *native(), *tmf(), health.router):
        _include(made, part)
    add_console(made)
    describe(made)
    return made


def _include(made: FastAPI, part: APIRouter) -> None:
    """Add the paths of a part, which is looked through for requests alone that begin as all of its paths do.

    The library tries every path for every request, and those of the part that fits twice; with all of ours in one part that took as long as
    what is done for a request.
    """
    beginning = commonpath([getattr(route, "path", "") for route in part.routes]).partition("{")[0]
    made.include_router(part)
    included = made.router.routes[-1]
    matches = included.matches

    def matches_here(scope: Scope) -> tuple[Match, Scope]:
        return matches(scope) if scope["path"].startswith(beginning) else (Match.NONE, {})

    included.matches = matches_here  # type: ignore[method-assign]  # of this one
