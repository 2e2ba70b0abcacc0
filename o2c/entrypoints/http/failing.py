"""How every error leaves the service: as a problem, with nothing in it that was sent."""

from __future__ import annotations

import traceback

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from o2c.desk.act import Lost, Refused, Stale, ways
from o2c.entrypoints.http.callers import CALLER
from o2c.entrypoints.http.held import held_by
from o2c.entrypoints.http.problems import OF_STATUS, TYPES, kind_of, problem
from o2c.running.failing import NO_ANSWER, refused_by_server, why_no_answer
from o2c.views.following import show_stream

logger = structlog.get_logger(__name__)
UNSEEN_MAX = 100
TOLD = ("position", "id", "stream", "version", "type", "occurred_at")
"""What anybody who may decide is told of an event that he has not seen."""


def told_of(error: Exception, request: Request) -> JSONResponse:
    """What went wrong as a problem: a refusal, a server that does not answer or refuses, or a defect."""
    path = request.url.path
    refused = error if isinstance(error, Refused) else None if isinstance(error, NO_ANSWER) else refused_by_server(error)
    if isinstance(refused, Stale):
        return _stale(request, refused)
    if refused is not None:
        return problem(kind_of(refused), str(refused), instance=path, lost=refused.lost if isinstance(refused, Lost) else [])
    if isinstance(error, NO_ANSWER):
        return problem("unavailable", why_no_answer(error), instance=path)
    # The text of an exception may hold what was sent: its type alone is told.
    place = traceback.extract_tb(error.__traceback__)[-1:]
    at = f"{place[0].filename}:{place[0].lineno}" if place else ""
    logger.error("request.defect", error=type(error).__name__, at=at, method=request.method, route=_route(request))
    return problem("defect", f"a defect in o2c ({type(error).__name__}); nothing acknowledged is lost", instance=path)


def _stale(request: Request, refused: Stale) -> JSONResponse:
    """With what the caller has not seen: the events of the streams since, the newest of very many; to who may not see a stream's events,
    what and when."""
    app, current, unseen = held_by(request).session.app, {}, []
    caller = request.scope.get(CALLER)
    whole = caller is not None and bool(ways(caller, "streams.show"))
    for stream, version in refused.seen.items():
        events = show_stream(app, stream)
        current[stream] = events[-1].version if events else 0
        since = (event.masked().as_json() for event in events if event.version > version)
        unseen += [event if whole else {name: event[name] for name in TOLD} for event in since]
    return problem("stale", str(refused), instance=request.url.path, current=current, unseen=unseen[-UNSEEN_MAX:])


def _route(request: Request) -> str:
    return getattr(request.scope.get("route"), "path", "")


def add_problems(service: FastAPI) -> None:
    """Let every error leave as a problem, and serve the page of each type."""

    async def of_refusal(request: Request, error: Exception) -> Response:
        return told_of(error, request)

    async def of_call(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [{"pointer": pointer_of(each["loc"]), "detail": str(each["msg"])} for each in error.errors()]
        unreadable = any(each["type"] == "json_invalid" for each in error.errors())
        detail = "; ".join(f"{each['pointer'] or 'the body'}: {each['detail']}" for each in errors[:3])
        return problem("malformed" if unreadable else "usage", detail, instance=request.url.path, errors=errors)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = OF_STATUS.get(error.status_code, "malformed")
        return problem(kind, f"{request.method} {request.url.path}: {error.detail}", instance=request.url.path, headers=error.headers)

    service.add_exception_handler(Exception, of_refusal)
    service.add_exception_handler(Refused, of_refusal)
    service.add_exception_handler(RequestValidationError, of_call)
    service.add_exception_handler(HTTPException, of_http)
    for kind in NO_ANSWER:
        service.add_exception_handler(kind, of_refusal)

    @service.get("/problems/{kind}", include_in_schema=False)
    def page(kind: str) -> Response:
        if kind not in TYPES:
            raise HTTPException(404, "there is no such type of problem")
        status, title, advice = TYPES[kind]
        return PlainTextResponse(f"{title} ({status})\n\n{advice}\n")


def pointer_of(place: tuple[int | str, ...]) -> str:
    """The place of an error: a JSON pointer (RFC 6901) into the body, or the name of a parameter."""
    where, *parts = place
    if where != "body":
        return ".".join(map(str, parts))
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
