"""One Touch Switch: what the hub asks when a fixed service goes to another provider, for the day on which somebody has to take it down by
hand."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.switching import Message
from o2c.entrypoints.http.console.deeds import carried, foreseen
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.views.reading import day_of

pages = router()
PATH = "/console/switching"


@pages.get("/switching")
def wanted(page: Asked, done: str = "") -> Response:
    """Where to say what the hub asks; names and addresses are posted."""
    return shown(page, done=done)


@pages.post("/switching/match")
def match(page: Asked, form: Sent) -> Response:
    """Match a new provider's customer to one of our fixed services, and tell ours what switching means."""
    how = {name: form[name] for name in ("gaining", "request", "name", "address", "account")}
    ask = partial(page.do, "products.switch-match", wish=form["wish"], **how)
    return foreseen(page, form, ask, partial(shown, page), as_name="matched")


@pages.post("/switching/message")
def message(page: Asked, form: Sent) -> Response:
    """Take down that the switch is ordered for a day, called off, or that the new service is on."""

    def deed() -> None:
        if form["message"] not in get_args(Message):
            raise Refused("choose what the hub says from what the page offers")
        how: dict[str, Any] = {"reference": form["reference"], "message": form["message"], "on": day_of(form["on"]) if form["on"] else None}
        page.do("products.switch", form["product"], wish=form["wish"], **how)

    return carried(page, form, deed, partial(shown, page), PATH, "taken down")


def shown(page: Page, *, status: int = 200, refused: str = "", done: str = "", form: Form = NOTHING, matched: Any = None) -> Response:
    """The page of what the hub asks; `matched` is the answer to it. Raises Refused (forbidden)."""
    if not page.may("products.switch-match"):
        raise Refused(f"{page.context.actor} has no role that takes down what the hub asks; ask for one", kind="forbidden")
    told = {"matched": matched, "messages": get_args(Message)}
    return page.shown("switching.html", status=status, refused=refused, done=done, form=form, **told)
