"""The first page, signing in and out, and the files that pages need."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from o2c.desk.act import Refused
from o2c.entrypoints.http.callers import known
from o2c.entrypoints.http.console.frame import CHANNEL, LANDINGS, NOBODY, SIGN_IN, Asked, Sent, html, refusal_of, router, visits_of
from o2c.entrypoints.http.console.rendering import KINDS, static
from o2c.entrypoints.http.console.visits import new_visit
from o2c.entrypoints.serving import LOOPBACK

pages = router()
FIRST = "/console"


@pages.get("")
def first(page: Asked) -> Response:
    """Go to the page where the asker begins."""
    for path, needed in LANDINGS:
        if page.may(needed):
            return RedirectResponse(path, status_code=303)
    raise Refused(f"{page.context.actor} has no role that sees a page here; ask for one", kind="forbidden")


@pages.get("/sign-in")
def asked_to_sign_in(request: Request, next: str = FIRST) -> Response:
    """The page that asks for an API key."""
    return html(request, visits_of(request).of(request), "sign_in.html", next=_own(next), refused="", **NOBODY)


@pages.post("/sign-in")
def sign_in(request: Request, form: Sent) -> Response:
    """Begin a session with an API key. The visit is a new one, so that nobody who knew the old one knows this one."""
    visits = visits_of(request)
    before, visit = visits.of(request), replace(new_visit(), key=form["key"])
    try:
        if request.url.scheme != "https" and request.url.hostname not in LOOPBACK:
            raise Refused("a key would go over the network in clear here; open the console through TLS", kind="forbidden")
        known(request, f"Bearer {visit.key}", CHANNEL)
    except Refused as refused:
        status, told = refusal_of(refused, request)
        return html(request, replace(visit, key=""), "sign_in.html", status=status, next=_own(form["next"]), refused=told, **NOBODY)
    response = RedirectResponse(_own(form["next"]), status_code=303)
    visits.end(before)
    visits.keep(request, response, visit)
    return response


@pages.post("/sign-out")
def sign_out(request: Request, form: Sent) -> Response:
    """End the session: the browser forgets it, and this process opens its cookie no more."""
    response = RedirectResponse(SIGN_IN, status_code=303)
    visits = visits_of(request)
    visits.end(visits.of(request))
    visits.keep(request, response, new_visit())
    return response


@pages.get("/alive")
def alive(request: Request) -> Response:
    """Whether the service answers, for the line that says that the connection is lost."""
    return Response(status_code=204)


@pages.get("/static/{name}")
def file(name: str) -> Response:
    """A file that pages need. Its address has a mark of its content, so it may be kept for ever."""
    try:
        content = static(name)
    except FileNotFoundError:
        raise HTTPException(404, "there is no such file") from None
    kind = KINDS[name.rpartition(".")[2]]
    return Response(content, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})


def _own(path: str) -> str:
    """A page of the console, or the first one: nobody is led to another site."""
    return path if path.startswith("/console/") and "//" not in path and "\\" not in path and path.isprintable() else FIRST
