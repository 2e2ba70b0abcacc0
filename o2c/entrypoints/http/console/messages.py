"""What customers are told of their orders: a list, one message with its words on asking, sending it again, and taking down that it came back."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.messages import BY
from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.messages import MILESTONES, STATES

pages = router()
NOTHING = Form({})


@pages.get("/messages")
def every(
    page: Asked,
    state: str = "",
    milestone: str = "",
    customer: str = "",
    order: str = "",
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50,
) -> Response:
    """Messages, the last first; the filters stand in the address."""
    filters: dict[str, Any] = {"state": state, "milestone": milestone, "customer": customer, "order": order, "limit": limit}
    rows = page.ask("messages.list", **filters)
    return page.shown("messages.html", rows=rows, filters=filters, states=STATES, milestones=MILESTONES)


@pages.get("/messages/{message:path}")
def one(page: Asked, message: str, done: str = "") -> Response:
    """One message, without addresses and words."""
    return shown(page, message, done=done)


@pages.post("/messages/{message:path}/personal")
def with_personal(page: Asked, form: Sent, message: str) -> Response:
    """The same with addresses and words; that they were shown is on record."""
    return shown(page, message, personal=True, why=form["why"])


@pages.post("/messages/{message:path}/resend")
def resend(page: Asked, form: Sent, message: str) -> Response:
    """Send it again, at once."""
    deed = partial(page.do, "messages.resend", message, medium=form["medium"], wish=form["wish"])
    return carried(page, form, deed, partial(shown, page, message), f"/console/messages/{quoted(message)}", "to be sent again")


@pages.post("/messages/{message:path}/bounced")
def bounced(page: Asked, form: Sent, message: str) -> Response:
    """Take down that it came back."""
    deed = partial(page.do, "messages.bounced", message, code=form["code"], wish=form["wish"])
    return carried(page, form, deed, partial(shown, page, message), f"/console/messages/{quoted(message)}", "taken down")


def shown(
    page: Page,
    message: str,
    *,
    personal: bool = False,
    why: str = "",
    status: int = 200,
    refused: str = "",
    done: str = "",
    form: Form = NOTHING,
) -> Response:
    """The page of a message. Raises Refused (missing)."""
    row = page.ask("messages.show", message, personal=personal, why=why)
    return page.shown("message.html", status=status, row=row, personal=personal, refused=refused, done=done, form=form, media=BY)
