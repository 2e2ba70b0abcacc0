"""The customer's own page: where his order is, by a link that shows this order, for some days, and nothing else."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from o2c.desk.act import Context, Refused
from o2c.desk.roles import HOLDER
from o2c.entrypoints.http.console.forms import CHANGE
from o2c.entrypoints.http.console.frame import ConsoleRoute, Page, Sent, refusal_of, visits_of
from o2c.entrypoints.http.held import held_by

pages = APIRouter(prefix="/my", route_class=ConsoleRoute, include_in_schema=False)
WHO = Context("customer", channel="link", roles=(HOLDER,))
"""Whoever has the link. The log says that it was the customer by his link; more than that nobody knows."""


@pages.get("/{link}")
def order(request: Request, link: str, done: str = "") -> Response:
    """Where the order is."""
    return _shown(_page(request), link, done=done)


@pages.post("/{link}")
def answer(request: Request, form: Sent, link: str) -> Response:
    """What we needed from the customer."""
    page = _page(request)
    try:
        page.do("orders.answer", link, form["fallout"], form.beginning(CHANGE), wish=form["wish"])
    except Refused as refused:
        if refused.kind in ("gone", "unavailable", "too-many"):
            raise
        status, told = refusal_of(refused, request)
        return _shown(page, link, status=status, refused=told)
    return RedirectResponse(f"/my/{link}?done=thanks", status_code=303)


def _page(request: Request) -> Page:
    """The page of a visitor who is nobody we know: by his address he is held back when he guesses links."""
    held = held_by(request)
    held.strangers.take(request.client.host if request.client else "")
    visits = visits_of(request)
    return Page(request, visits.of(request), WHO, held.session)


def _shown(page: Page, link: str, *, status: int = 200, refused: str = "", done: str = "") -> Response:
    told: dict[str, Any] = page.ask("orders.by-link", link)
    return page.shown("mine.html", status=status, order=told, link=link, refused=refused, done=done)
