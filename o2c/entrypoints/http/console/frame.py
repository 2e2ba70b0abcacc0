"""What every page of the console stands in: who asks, how operations are asked for him, how a page leaves, and how an error looks."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from o2c.desk.act import Context, Refused, ways
from o2c.entrypoints.http.callers import known, wishing
from o2c.entrypoints.http.console.rendering import rendered
from o2c.entrypoints.http.console.visits import Visit, Visits
from o2c.entrypoints.http.failing import told_of
from o2c.entrypoints.http.held import held_by
from o2c.entrypoints.http.limits import NO_NUL
from o2c.entrypoints.http.problems import OF_STATUS, TYPES, problem
from o2c.entrypoints.http.versions import expected_of, tag_of
from o2c.entrypoints.verbs_and_views import named
from o2c.running.session import Session
from o2c.views.reading import all_seen
from o2c.views.status import now_of
from o2c.views.versions import versions_of

CHANNEL = "console"
SIGN_IN = "/console/sign-in"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""What every page says to the browser: nothing of others, nothing inline, in no frame, kept nowhere (OWASP ASVS 5.0, 3.4)."""
NAVIGATION: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Customers and orders": (
        ("/console/fallouts", "Fallouts", "fallout.list"),
        ("/console/groups", "Groups", "fallout.groups"),
        ("/console/orders", "Orders", "orders.list"),
        ("/console/search", "Search", "orders.find"),
        ("/console/products", "Products", "products.list"),
        ("/console/care", "Care", "care.due"),
        ("/console/complaints", "Complaints", "complaints.list"),
        ("/console/jeopardy", "Jeopardy", "jeopardy.list"),
        ("/console/journeys", "Journeys", "journeys.list"),
        ("/console/messages", "Messages", "messages.list"),
        ("/console/returns", "Returns", "returns.list"),
    ),
    "Figures": (
        ("/console/overview", "Overview", "metrics.explain"),
        ("/console/what-if", "What if", "counterfactual"),
        ("/console/audit", "Audit", "access.records"),
    ),
    "Running": (
        ("/console/partners", "Partners", "partners.status"),
        ("/console/triggers", "Triggers", "triggers.list"),
        ("/console/projections", "Projections", "projections.status"),
    ),
    "What is sold": (
        ("/console/catalogue", "Catalogue", "catalogue.list"),
        ("/console/vouchers", "Vouchers", "vouchers.show"),
        ("/console/stock", "Stock", "stock.levels"),
    ),
    "Money": (
        ("/console/collections", "Collections", "collections.list"),
        ("/console/usage", "Usage", "usage.gaps"),
        ("/console/ledger", "Ledger", "ledger.trial-balance"),
        ("/console/number-ranges", "Number ranges", "number-ranges.list"),
        ("/console/assurance", "Assurance", "assurance"),
    ),
}
"""The pages that stand in the head of every page by what they are about, each with the operation that it needs."""
LANDINGS = (
    ("/console/fallouts", "fallout.work"),
    ("/console/audit", "access.records"),
    ("/console/overview", "metrics.explain"),
    *((path, needed) for links in NAVIGATION.values() for path, _, needed in links),
)
"""Where somebody begins: at the first page of these whose operation is his, so that who works on fallouts begins at the queue, and who
audits at the records."""

NOBODY: Mapping[str, Any] = {"actor": "", "may": lambda *names: False, "menu": [], "signed_in": False, "now": None}
"""What a page is shown with where nobody is known: on the way in, and where something went wrong."""


def visits_of(request: Request) -> Visits:
    """What opens and seals the cookies of this service."""
    made: Visits = request.scope["app"].state.visits
    return made


@dataclass(frozen=True)
class Page:
    """A request for a page, and who asks."""

    request: Request
    visit: Visit
    context: Context
    session: Session

    def may(self, *names: str) -> bool:
        """Whether the asker may use each of these operations in some way."""
        return all(ways(self.context, name) for name in names)

    def ask(self, name: str, /, *arguments: Any, why: str = "", **options: Any) -> Any:
        """Ask a view, which sees all that was written before. Raises Refused as it does."""
        all_seen(self.session.app)
        return self._called(self.context, name, arguments, options, why)

    def do(self, name: str, /, *arguments: Any, wish: str = "", seen: str = "", **options: Any) -> Any:
        """Carry a verb through. `wish` makes it once of however many sendings; `seen` is the state of the thing that it was decided by."""
        context = wishing(self.context, wish or None)
        operation = named(name)
        if operation.decided_by and seen:
            # Before anything is looked up: who may not is not told what there is.
            operation.admit(context, *operation.opened_on(self.session.app, self.session.home), *arguments, **options)
            all_seen(self.session.app)
            now = versions_of(self.session.app, operation.decided_by, str(next(iter(arguments), "")))
            context = replace(context, expected=expected_of(seen, now))
        return self._called(context, name, arguments, options, "")

    def seen(self, view: str, name: str = "") -> str:
        """At which state a thing stands now (without a `name` the only one), to be sent back with what is decided about it."""
        return tag_of(versions_of(self.session.app, view, name))

    def version(self, view: str, name: str) -> int:
        """At which version the one stream of a thing stands now, to be said as what a change was decided by."""
        [version] = versions_of(self.session.app, view, name).values()
        return version

    def _called(self, context: Context, name: str, arguments: tuple[Any, ...], options: Mapping[str, Any], why: str) -> Any:
        operation = named(name)
        return operation.ask(context, *operation.opened_on(self.session.app, self.session.home), *arguments, why=why, **options)

    def shown(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page as it leaves. Where a form of it was sent, `done` says what came of it, or `refused` why not, over the `form` as it was
        sent; `deed` is which."""
        menu = [(group, [(path, title) for path, title, needed in links if self.may(needed)]) for group, links in NAVIGATION.items()]
        frame = {
            "actor": self.context.actor,
            "may": self.may,
            "menu": menu,
            "signed_in": bool(self.visit.key),
            "now": now_of(self.session.app),
        }
        return html(self.request, self.visit, template, status=status, **{**frame, **BEFORE_A_FORM, **values})


def html(request: Request, visit: Visit, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page with what every page has."""
    visits = visits_of(request)
    own = {
        "path": request.url.path,
        "token": lambda action: visits.token(visit, action),
        "wish": lambda: str(uuid4()),
        "part": request.headers.get("hx-request") == "true",
    }
    response = HTMLResponse(rendered(template, **own, **values), status_code=status)
    if not visit.kept:
        visits.keep(request, response, visit)
    return response


def asked_for(request: Request) -> Page:
    """The page that a request is for. Raises Refused: unauthenticated, too-many."""
    visit = visits_of(request).of(request)
    held = held_by(request)
    # Whoever has not signed in yet guesses nothing.
    context = known(request, f"Bearer {visit.key}", CHANNEL) if visit.key else replace(held.who(""), channel=CHANNEL)
    held.rates.take(context.actor)
    return Page(request, visit, context, held.session)


Asked = Annotated[Page, Depends(asked_for)]


@dataclass(frozen=True, slots=True)
class Form:
    """What a form of ours sent."""

    values: Mapping[str, list[str]]

    def __getitem__(self, name: str) -> str:
        """The value of a field without the blanks around it; empty where it was not sent."""
        return self.values.get(name, [""])[0].strip()

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for value in self.values.get(name, []) if value]

    def beginning(self, prefix: str) -> dict[str, str]:
        """The fields whose names begin so, by the rest of their names, those that say something."""
        return {name.removeprefix(prefix): self[name] for name in self.values if name.startswith(prefix) and self[name]}


async def sent_by(request: Request) -> Form:
    """What a form sent, a file as the text in it. Raises Refused (usage) for a file that is no text, and for a NUL, which a form may write
    in several ways."""
    found: dict[str, list[str]] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            found.setdefault(name, []).append(value if isinstance(value, str) else _text(await value.read()))
    if any("\0" in text for name, values in found.items() for text in (name, *values)):
        raise Refused(f"{NO_NUL}; write it without")
    return Form(found)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refused("the file is no UTF-8 text; save it as UTF-8 and send it again") from None


NOTHING = Form({})
"""What was sent where no form was."""
BEFORE_A_FORM: Mapping[str, Any] = {"done": "", "refused": "", "form": NOTHING, "deed": ""}
"""What a page is shown with where no form of it was sent."""


def checked(request: Request, form: Annotated[Form, Depends(sent_by)]) -> Form:
    """What a form of our own page sent. Raises Refused (forbidden) for any other."""
    visits = visits_of(request)
    visits.check(request, visits.of(request), form["token"])
    return form


Sent = Annotated[Form, Depends(checked)]


class ConsoleRoute(APIRoute):
    """A path of the console: whatever goes wrong is a page, and every page has the same headers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with what every path has around it."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await inner(request)
            except Exception as error:  # noqa: BLE001 - every error is told as a page, by its own kind
                response = _failed(request, error)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handle


def _failed(request: Request, error: Exception) -> Response:
    """An error as a page; somebody who is not signed in is led to where he can."""
    told = _problem(error, request)
    status = int(told["status"])
    if status == 401 and request.method == "GET" and request.headers.get("hx-request") != "true":
        return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path)}", status_code=303)
    advice = TYPES.get(str(told["type"]).removeprefix("/problems/"), (0, "", ""))[2]
    page = html(
        request, visits_of(request).of(request), "error.html", status=status, title=told["title"], told=told, advice=advice, **NOBODY
    )
    if status in (429, 503):
        page.headers["Retry-After"] = "1"
    return page


def _problem(error: Exception, request: Request) -> dict[str, Any]:
    if isinstance(error, HTTPException):
        told = problem(OF_STATUS.get(error.status_code, "malformed"), f"{request.url.path}: {error.detail}")
    elif isinstance(error, RequestValidationError):
        fields = ", ".join(sorted({str(each["loc"][-1]) for each in error.errors()}))
        told = problem("usage", f"{fields}: not of a form that this page takes; go back to the page and choose from what it offers")
    else:
        told = told_of(error, request)
    found: dict[str, Any] = json.loads(bytes(told.body))
    return found


def refusal_of(error: Refused, request: Request) -> tuple[int, str]:
    """The status and the line of a refusal, for a page that says it where the person looks."""
    told = _problem(error, request)
    return int(told["status"]), str(told["detail"])


def router() -> APIRouter:
    """A router for pages of the console."""
    return APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False, default_response_class=HTMLResponse)


def done(path: str, what: str) -> RedirectResponse:
    """Go back to a page, which says what was done (a word of ours, nothing personal)."""
    return RedirectResponse(f"{path}{'&' if '?' in path else '?'}done={quote(what)}", status_code=303)
