"""The native API: a path for each verb and view, made from the list of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from o2c.desk.act import Context, Refused
from o2c.desk.capture import document
from o2c.entrypoints.http.callers import Caller, wishing
from o2c.entrypoints.http.calls import Call, calls
from o2c.entrypoints.http.held import held_by
from o2c.entrypoints.http.problems import MEDIA_TYPE, Problem
from o2c.entrypoints.http.shapes import answered
from o2c.entrypoints.http.versions import expected_of, same, tag_of
from o2c.views.following import wait_for
from o2c.views.orders import found_once
from o2c.views.reading import all_seen
from o2c.views.versions import STREAMS, versions_of

POSITION = "O2C-Position"
"""The header with the position of the log that an answer is as of, or that a change stands at."""
WAIT_S = 5.0
OFTEN = frozenset({"customers.contact", "journeys.note", "journeys.reach", "complaints.open", "complaints.answer"})
"""Verbs that happen as often as they are told: without a key of the wish, a lost answer would make two of one."""
JSON = "application/json"
DOCUMENT = {"requestBody": {"required": True, "content": {JSON: {"schema": {"type": "object"}}}}}
"""How a body is described that has the form of a standard."""
Key = Annotated[str | None, Header(alias="Idempotency-Key", description="A name of this wish: sent again with it, nothing is done twice.")]
Match = Annotated[str | None, Header(alias="If-Match", description="The ETag of what this was decided by, or * for whatever stands.")]
Unless = Annotated[str | None, Header(alias="If-None-Match", description="The ETag of what the caller has: 304 if it stands so.")]
Why = Annotated[str, Query(max_length=200, description="What what is personal is read for: it stands in the record of who read it.")]
MinPosition = Annotated[
    int | None, Query(ge=0, lt=2**63, description="Answer once this position of the log is seen, such as that of a change.")
]


def native() -> list[APIRouter]:
    """All paths of the native API: a part for each kind of thing, by the first word of its paths."""
    parts: dict[str, APIRouter] = {}
    for call in calls():
        tag = call.operation.name.partition(".")[0]
        part = parts.setdefault(tag, APIRouter(prefix="/api/v1", dependencies=[Depends(of_json)]))
        part.add_api_route(
            call.path,
            _verb(call) if call.verb else _view(call),
            methods=[call.method],
            name=call.operation.name,
            operation_id=call.operation.name,
            tags=[tag],
            summary=call.operation.help,
            description=inspect.getdoc(call.operation.function) or "",
            responses=_responses(call),
            response_model=None,
            openapi_extra=DOCUMENT if call.whole else None,
        )
    return list(parts.values())


async def of_json(request: Request) -> None:
    """Raise Refused (media-type) for a body that says it is something else than JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != JSON and await request.body():
        raise Refused(f"a body is sent as {JSON}, not as {kind or 'nothing that it says'}", kind="media-type")


async def strictly(request: Request) -> None:
    """Raise Refused (malformed) for a body that another parser may read otherwise: a name twice, half a letter, no number (ASVS 5.0,
    1.5.3)."""
    if body := await request.body():
        try:
            document(body, "the body")
        except Refused as refused:
            raise Refused(str(refused), kind="malformed") from None


async def as_sent(request: Request) -> bytes:
    """The body as it came."""
    return await request.body()


def _responses(call: Call) -> dict[int | str, dict[str, Any]]:
    told: dict[int | str, dict[str, Any]] = {200: {"model": call.answer, "description": "Done." if call.verb else "What was asked for."}}
    if call.operation.name in STREAMS and not call.verb:
        told[304] = {"description": "It stands as the caller has it."}
    problem = {"model": Problem, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {**told, "default": {**problem, "description": "Why it was not done (RFC 9457)."}}


def _verb(call: Call) -> Callable[..., Response]:
    """What carries a verb through for a request."""
    decided_by = call.operation.decided_by

    def carry(request: Request, context: Context, key: str | None, if_match: str | None, body: Any, **sent: Any) -> Response:
        session = held_by(request).session
        arguments = call.arguments(sent, body)
        own = wishing(context, key)
        if call.operation.name in OFTEN and key is None:
            raise Refused(
                f"{call.operation.name}: send an Idempotency-Key, so that a lost answer does not make two of one", kind="malformed"
            )
        supplied = call.operation.opened_on(session.app, session.home)
        # Before anything is looked up: who may not is not told what there is.
        arguments = call.operation.admit(own, *supplied, **arguments)
        if decided_by:
            all_seen(session.app)
            now = versions_of(session.app, decided_by, arguments[next(iter(call.parameters))])
            own = replace(own, expected=expected_of(if_match, now))
        return _told(call.operation.ask(own, *supplied, **arguments))

    extra = [
        inspect.Parameter("key", inspect.Parameter.KEYWORD_ONLY, annotation=Key, default=None),
        inspect.Parameter("if_match", inspect.Parameter.KEYWORD_ONLY, annotation=Match, default=None),
    ]
    return _endpoint(call, carry, extra if decided_by else extra[:1])


def _view(call: Call) -> Callable[..., Response]:
    """What answers a view for a request."""
    shown = call.operation.name in STREAMS

    def ask(
        request: Request,
        context: Context,
        min_position: int | None,
        if_none_match: str | None = None,
        why: str = "",
        body: Any = None,
        **sent: Any,
    ) -> Response:
        session = held_by(request).session
        supplied = call.operation.opened_on(session.app, session.home)
        arguments = call.operation.admit(context, *supplied, **call.arguments(sent, body))
        if min_position is not None:
            wait_for(session.app, min_position, timeout_s=WAIT_S)
        all_seen(session.app)
        with found_once():
            tag = tag_of(versions_of(session.app, call.operation.name, next(iter(arguments.values()), ""))) if shown else ""
            if tag and same(if_none_match, tag):
                return Response(status_code=304, headers={"ETag": tag})
            found = call.operation.ask(context, *supplied, why=why, **arguments)
            return _told(found, {"ETag": tag} if tag else {})

    extra = [
        inspect.Parameter("min_position", inspect.Parameter.KEYWORD_ONLY, annotation=MinPosition, default=None),
        inspect.Parameter("if_none_match", inspect.Parameter.KEYWORD_ONLY, annotation=Unless, default=None),
    ]
    if call.discloses:
        extra.append(inspect.Parameter("why", inspect.Parameter.KEYWORD_ONLY, annotation=Why, default=""))
    return _endpoint(call, ask, extra if shown else [one for one in extra if one.name != "if_none_match"])


def _told(result: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A result as it goes over the wire; of a list, how many rows there are in all; of a change, where it stands, and whether it is a
    repeat."""
    told = {**(headers or {})}
    if isinstance(result, list):
        told["X-Total-Count"] = str(len(result) + getattr(result, "more", 0))
    body = answered(result)
    if (repeated := getattr(result, "repeated", None)) is not None:
        # The answer to a repeat is the first answer, letter by letter; that it is one stands beside it.
        told["Idempotent-Replayed"] = str(bool(repeated)).lower()
        told[POSITION] = body["position"]
    return JSONResponse(body, headers=told)


def _endpoint(call: Call, work: Callable[..., Response], extra: list[inspect.Parameter]) -> Callable[..., Response]:
    """A function with the parameters of a call in its signature, as FastAPI reads it."""
    names = {parameter.name for parameter in extra}

    def endpoint(**given: Any) -> Response:
        for name in {"key", "if_match"} - names if call.verb else set():
            given[name] = None
        given.pop("read", None)
        return work(given.pop("request"), given.pop("context"), body=given.pop("body", None), **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [
        inspect.Parameter("request", keyword, annotation=Request),
        inspect.Parameter("context", keyword, annotation=Caller),
        *call.queries(),
        *extra,
    ]
    if call.whole:
        own.append(inspect.Parameter("body", keyword, annotation=Annotated[bytes, Depends(as_sent)]))
    elif call.body is not None:
        own.append(inspect.Parameter("body", keyword, annotation=Annotated[call.body, Body()]))
        own.append(inspect.Parameter("read", keyword, annotation=Annotated[None, Depends(strictly)]))
    endpoint.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]  # what FastAPI reads
    endpoint.stands_for = call.operation.function  # type: ignore[attr-defined]  # what the law of faces reads
    return endpoint
