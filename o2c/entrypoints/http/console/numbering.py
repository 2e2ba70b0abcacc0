"""Ranges of numbers that an authority approved for invoices and credit notes: what is left of each, taking one into use, closing one."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, router
from o2c.views.number_ranges import CODES, PAPERS
from o2c.views.reading import day_of

pages = router()
HERE = "/console/number-ranges"
NOTHING = Form({})


@pages.get("/number-ranges")
def every(page: Asked, done: str = "") -> Response:
    """Every range, by what it is for."""
    return shown(page, done=done)


@pages.post("/number-ranges")
def approve(page: Asked, form: Sent) -> Response:
    """Take a range into use as a form says."""
    return carried(page, form, partial(_approve, page, form), partial(shown, page), HERE, "in use")


@pages.post("/number-ranges/close")
def close(page: Asked, form: Sent) -> Response:
    """Take no further number of a range."""
    deed = partial(page.do, "number-ranges.close", form["range"], wish=form["wish"])
    return carried(page, form, deed, partial(shown, page), HERE, "closed")


def shown(page: Page, *, status: int = 200, refused: str = "", form: Form = NOTHING, done: str = "") -> Response:
    """The page of all ranges."""
    known = {"kinds": tuple(PAPERS.values()), "markets": CODES}
    rows = page.ask("number-ranges.list")
    return page.shown("number_ranges.html", status=status, rows=rows, refused=refused, form=form, done=done, **known)


def _approve(page: Page, form: Form) -> None:
    if form["market"] not in CODES:
        raise Refused("choose a market from those that the page offers")
    numbers = [_number(form[name], name) for name in ("first", "last")]
    how: dict[str, Any] = {name: form[name] for name in ("prefix", "approval", "papers", "market")}
    low: dict[str, Any] = {"low_at": _number(form["low_at"], "low_at")} if form["low_at"] else {}
    until = day_of(form["valid_to"]) if form["valid_to"] else None
    page.do("number-ranges.approve", *numbers, wish=form["wish"], valid_from=day_of(form["valid_from"]), valid_to=until, **how, **low)


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise Refused(f"{name.replace('_', ' ')}: {text[:20]!r} is no whole number of at most 15 digits")
    return int(text)
