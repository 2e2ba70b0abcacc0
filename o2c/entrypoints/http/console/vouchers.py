"""Vouchers: campaigns with their budgets, one with its codes and the orders that hold them, and issuing one."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.vouchers import Combines, Of, moment
from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted

pages = router()


@pages.get("/vouchers")
def every(page: Asked) -> Response:
    """Every campaign, by name."""
    return shown(page)


@pages.post("/vouchers")
def issue(page: Asked, form: Sent) -> Response:
    """Issue a campaign of vouchers as a form says."""
    back = f"/console/vouchers/{quoted(form['campaign'])}"
    return carried(page, form, partial(_issue, page, form), partial(shown, page), back, "issued")


@pages.get("/vouchers/{campaign}")
def one(page: Asked, campaign: str, done: str = "") -> Response:
    """A campaign, also by one of its codes."""
    [row] = page.ask("vouchers.show", campaign=campaign)
    return page.shown("voucher.html", row=row, done=done)


def shown(page: Page, *, status: int = 200, refused: str = "", form: Form = NOTHING) -> Response:
    """The page of all campaigns."""
    rows = page.ask("vouchers.show")
    known = {"combinations": get_args(Combines)}
    return page.shown("vouchers.html", status=status, rows=rows, refused=refused, form=form, **known)


def _issue(page: Page, form: Form) -> None:
    if form["of"] not in get_args(Of) or form["combines"] not in get_args(Combines):
        raise Refused("choose what the vouchers take off, and how they go with others, from what the page offers")
    how: dict[str, Any] = {name: form[name] for name in ("percent", "amount", "budget", "of", "combines")}
    times: dict[str, Any] = {name: moment(page.session.app, form[name]) for name in ("valid_from", "valid_to")}
    counted: dict[str, Any] = {"months": _count(form["months"], 0), "uses_max": _count(form["uses_max"], 1)}
    counted |= {"reserved_days": _count(form["reserved_days"], 0) if form["reserved_days"] else None}
    lists: dict[str, Any] = {name: form[name].replace(",", " ").split() for name in ("codes", "offerings", "tiers")}
    page.do("vouchers.issue", form["campaign"], wish=form["wish"], **how, **times, **counted, **lists)


def _count(text: str, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refused(f"{text[:20]} is no whole number; write it in digits")
    return int(text)
