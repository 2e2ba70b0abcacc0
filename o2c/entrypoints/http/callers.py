"""Who calls: the person or program that a request is from, with the wish's own id."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from o2c.desk.act import Context, Refused
from o2c.entrypoints.http.held import held_by

CHANNEL = "http"
CALLER = "o2c.caller"
"""Where a request keeps who it is from, for whoever tells him what went wrong."""
WISHES = UUID("6e7a3a54-3a1f-4c55-8f0b-5d7a4b1d2c90")
"""The name space of command ids that are made of idempotency keys; made once."""
KEY_LENGTH_MAX = 255
_BEARER = HTTPBearer(auto_error=False, description="An access token (JWT) of an issuer that is trusted, or an API key (`o2c keys issue`).")


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Context:
    """Who calls, as the log will have it. Raises Refused (unauthenticated)."""
    del given  # It stands in the description of the service; what was really sent is read below, whatever its form.
    held, authorization = held_by(request), request.headers.get("authorization", "")
    # Who came a moment ago is known without a thread, whose turns cost a request as much as the work of its verb.
    remembered = held.remembered(authorization)
    return _counted(request, remembered) if remembered else await run_in_threadpool(looked_up, request)


def looked_up(request: Request) -> Context:
    """The same for a function that has a thread of its own. Raises Refused (unauthenticated)."""
    return _counted(request, known(request, request.headers.get("authorization", ""), CHANNEL))


def _counted(request: Request, context: Context) -> Context:
    held_by(request).rates.take(context.actor)
    request.scope[CALLER] = context = replace(context, channel=CHANNEL)
    return context


def known(request: Request, authorization: str, channel: str) -> Context:
    """Who that is that sends a credential; whoever guesses has to wait. Raises Refused: unauthenticated, too-many."""
    held = held_by(request)
    address = request.client.host if request.client else ""
    held.strangers.take(address, 0)
    try:
        return replace(held.who(authorization), channel=channel)
    except Refused:
        held.strangers.take(address)
        raise


Caller = Annotated[Context, Depends(caller)]


def wishing(context: Context, key: str | None) -> Context:
    """The caller with the command id of an Idempotency-Key: the same key of the same caller is the same wish, today and in a year."""
    if key is None:
        return context
    if not key or len(key) > KEY_LENGTH_MAX or not key.isprintable():
        raise Refused(f"an Idempotency-Key is 1 to {KEY_LENGTH_MAX} printable characters")
    return replace(context, command_id=str(uuid5(WISHES, json.dumps([context.actor, key]))))
