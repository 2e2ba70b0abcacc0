"""What customers are told of their orders: a list, one message with its words on asking, sending it again, and taking down that it came
back."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.messages import BY
from o2c.entrypoints.http.console.deeds import carried, disclosing
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.messages import MILESTONES, STATES

pages = router()


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


def shown(page: Page, message: str, *, personal: bool = False, why: str = "", **of_form: Any) -> Response:
    """The page of a message. Raises Refused (missing)."""
    row = page.ask("messages.show", message, personal=personal, why=why)
    return page.shown("message.html", row=row, personal=personal, media=BY, **of_form)


disclosing(pages, "/messages/{name:path}", shown)
