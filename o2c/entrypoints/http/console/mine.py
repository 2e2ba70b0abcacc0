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

NOT_TAKEN = "We could not take what you sent. Please look at it and send it again, or ring us."
"""All that a customer is told of a refusal: the desk's own words are for the desk."""


@pages.get("/{link}")
def order(request: Request, link: str, done: str = "") -> Response:
    """Where the order is."""
    page = _page(request)
    return _shown(page, link, _told(page, link), done=done)


@pages.post("/{link}")
def answer(request: Request, form: Sent, link: str) -> Response:
    """What we needed from the customer. What is not needed any more, such as an answer that came twice, is done: the page shows how it
    stands."""
    page = _page(request)
    _told(page, link)
    try:
        page.do("orders.answer", link, form["fallout"], form.beginning(CHANGE), wish=form["wish"])
    except Refused as refused:
        if refused.kind == "missing":
            return RedirectResponse(f"/my/{link}", status_code=303)
        if refused.kind in ("gone", "unavailable", "too-many"):
            raise
        return _shown(page, link, _told(page, link), status=refusal_of(refused, request)[0], refused=NOT_TAKEN)
    return RedirectResponse(f"/my/{link}?done=thanks", status_code=303)


def _page(request: Request) -> Page:
    """The page of a visitor who is nobody we know: his address is held back when he comes too often, and when he guessed links before."""
    held = held_by(request)
    held.rates.take(_address(request))
    held.links.take(_address(request), 0)
    visits = visits_of(request)
    return Page(request, visits.of(request), WHO, held.session)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _told(page: Page, link: str) -> dict[str, Any]:
    """What the link tells; one that is none, or that has ended, counts as a guess of whoever sent it."""
    try:
        told: dict[str, Any] = page.ask("orders.by-link", link)
    except Refused as refused:
        if refused.kind in ("missing", "gone"):
            held_by(page.request).links.take(_address(page.request))
        raise
    return told


def _shown(page: Page, link: str, told: dict[str, Any], *, status: int = 200, refused: str = "", done: str = "") -> Response:
    return page.shown("mine.html", status=status, order=told, link=link, refused=refused, done=done)
