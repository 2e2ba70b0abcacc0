"""TMF622 hubs, v4 and v5: a listener is registered and told of orders until it is taken back.

Source: TM Forum TMF622 v4.0.0 and v5.0.0, "hub"; TMF630 Part 4. A message is signed as any hook's is (Standard Webhooks).
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.native import POSITION
from o2c.entrypoints.http.tmf.asking import Asking, Sent, read_object, refuse_other_media
from o2c.entrypoints.http.tmf.product_orders import BASE
from o2c.entrypoints.http.tmf.schemas import JSON, answer, body, name_of, problems, ref
from o2c.views.hooks import format_named
from o2c.views.notifications import wanted

SECRET = "O2C-Hook-Secret"
"""The header with the secret that signs what the listener is told: the standard's body has no place for it, and it is shown once."""


def hubs(version: int) -> APIRouter:
    """The hub of a version."""
    router = APIRouter(prefix=BASE.format(version=version), tags=[f"TMF622 v{version}"])

    @router.post(
        "/hub",
        name=f"tmf622.v{version}.subscribe",
        summary="Subscribe to events",
        operation_id=f"tmf622.v{version}.subscribe",
        status_code=201,
        responses={
            201: answer(ref(name_of("Hub", version)), "The listener.", "Location", SECRET, POSITION),
            **problems(409, 413, 415, 422),
        },
        openapi_extra=body({JSON: ref("HubCreate")}),
    )
    def subscribe(request: Request, asking: Asking, body: Sent) -> Response:
        """Tell a listener of orders from now on; `query` may name the notifications that it wants (`eventType=`)."""
        refuse_other_media(request)
        wish = read_object(body, "the hub")
        callback, query = _text(wish, "callback"), _text(wish, "query")
        if not callback:
            raise Refused("the hub names no callback; give the address that is to be told", kind="malformed")
        _refuse_unreadable(query, version)
        made = asking.ask("hooks.subscribe", asking.session.home, callback, format=format_named(f"tmf622-v{version}"), query=query)
        told: dict[str, Any] = {"id": made.hook, "callback": callback, "query": query}
        href = f"{BASE.format(version=version)}/hub/{made.hook}"
        shown = {**told, "href": href, "@type": "Hub"} if version == 5 else told
        headers = {"Location": href, SECRET: made.secret, POSITION: str(made.position), "Cache-Control": "no-store"}
        return JSONResponse(shown, status_code=201, headers=headers)

    @router.delete(
        "/hub/{identity}",
        name=f"tmf622.v{version}.unsubscribe",
        summary="End a subscription to events",
        operation_id=f"tmf622.v{version}.unsubscribe",
        status_code=204,
        responses=problems(404, 409, 422),
    )
    def unsubscribe(asking: Asking, identity: str) -> Response:
        """Tell a listener nothing any more."""
        asking.ask("hooks.unsubscribe", identity)
        return Response(status_code=204)

    return router


def _refuse_unreadable(query: str, version: int) -> None:
    try:
        wanted(query, f"tmf622-v{version}")
    except Refused as refused:
        raise Refused(str(refused), kind="malformed") from None


def _text(wish: dict[str, Any], name: str) -> str:
    value = wish.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(f"{name} of a hub is a text", kind="malformed")
    return value or ""
