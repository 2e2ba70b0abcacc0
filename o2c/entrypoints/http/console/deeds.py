"""What pages of one thing have alike: what is personal on asking, and forms, each of which does one thing: then back to the page, which
says what was done, or the page again with why not, over what the person wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fastapi import APIRouter
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, done, refusal_of

ELSEWHERE = ("unavailable",)
"""Refusals that are no matter of what somebody wrote: there is no page to show again. Where what the page itself is of is not there,
showing it says so."""


class Shows(Protocol):
    """What shows the page that a form stands on."""

    def __call__(self, *, status: int, refused: str, form: Form) -> Response: ...


def carried(page: Page, form: Form, deed: Callable[[], Any], shows: Shows, back: str, what: str) -> Response:
    """Do what a form asks for and go back to its page. What is refused is told on the page. Raises Refused: unavailable, and as its page
    does."""
    try:
        deed()
    except Refused as refused:
        if refused.kind in ELSEWHERE:
            raise
        status, told = refusal_of(refused, page.request)
        return shows(status=status, refused=told, form=form)
    return done(back, what)


def foreseen(page: Page, form: Form, ask: Callable[[], Any], shows: Callable[..., Response], as_name: str = "foreseen") -> Response:
    """The page again with what a form would come to, under a name of the page's template; or why not. Nothing is written. Raises Refused:
    unavailable, and as its page does."""
    try:
        told = ask()
    except Refused as refused:
        if refused.kind in ELSEWHERE:
            raise
        status, why_not = refusal_of(refused, page.request)
        return shows(status=status, refused=why_not, form=form)
    return shows(form=form, **{as_name: told})


def disclosing(pages: APIRouter, path: str, shown: Callable[..., Response]) -> None:
    """Give a thing its page, without what is personal, and the same with that on asking, which is on record. The path ends with the thing's
    `{name}`."""

    @pages.get(path)
    def one(page: Asked, name: str, done: str = "") -> Response:
        return shown(page, name, done=done)

    @pages.post(f"{path}/personal")
    def with_personal(page: Asked, form: Sent, name: str) -> Response:
        return shown(page, name, personal=True, why=form["why"])
