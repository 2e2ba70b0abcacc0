"""Whether the service lives and can work, for whoever runs it; and the figures of the store for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from o2c.entrypoints.http.callers import looked_up
from o2c.entrypoints.http.held import held_by
from o2c.entrypoints.http.problems import problem
from o2c.entrypoints.http.watch import request_seconds
from o2c.entrypoints.serving import LOOPBACK
from o2c.entrypoints.verbs_and_views import named
from o2c.running.telemetry import figures
from o2c.views.following import last_event

router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def lives() -> Response:
    """The process answers: nothing else is asked, and no thread waited for, so that a database that is away makes nobody restart it."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(request: Request) -> Response:
    """The store answers, and takes changes."""
    session = held_by(request).session
    last_event(session.app)
    if not session.takes_writes:
        return problem("unavailable", "this server takes no writes (a standby, or set read-only)", instance="/readyz")
    return PlainTextResponse("ok\n")


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """The figures of the store and of the service in the form that Prometheus reads; from another machine it takes a key that may see the
    status."""
    session = held_by(request).session
    if request.client is None or request.client.host not in LOOPBACK:
        named("status").admit(looked_up(request), session.app)
    told = figures(session.app, counting=True, more=[request_seconds()])
    return Response(told, media_type="text/plain; version=0.0.4; charset=utf-8")
