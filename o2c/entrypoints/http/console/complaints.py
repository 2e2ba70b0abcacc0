"""What customers complain of: a list by the clock, one complaint with its answers, and answering, escalating and resolving one."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, get_args
from uuid import NAMESPACE_OID, uuid5

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.complaints import Channel, Remedy
from o2c.entrypoints.http.console.deeds import carried, disclosing
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.complaints import STATES

pages = router()
OPEN_FIRST = "open"
"""The state whose complaints are listed where nobody names one."""
ANY = "any"


@pages.get("/complaints")
def every(page: Asked, state: str = OPEN_FIRST, customer: str = "", limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50) -> Response:
    """Complaints, those first whose way outside opens first; the filters stand in the address."""
    filters = {"state": state, "customer": customer, "limit": limit}
    rows = page.ask("complaints.list", state="" if state == ANY else state, customer=customer, limit=limit)
    return page.shown("complaints.html", rows=rows, filters=filters, states=(*STATES, ANY))


def shown(page: Page, complaint: str, *, personal: bool = False, why: str = "", **of_form: Any) -> Response:
    """The page of a complaint, with what its customer may be offered. Raises Refused (missing)."""
    row = page.ask("complaints.show", complaint, personal=personal, why=why)
    is_over = row["state"] == "resolved"
    told: dict[str, Any] = {
        "row": row,
        "personal": personal,
        "offers": page.ask("customers.context", row["customer"])["offers"] if not is_over and page.may("customers.context") else [],
        "channels": get_args(Channel),
        "remedies": get_args(Remedy),
    }
    return page.shown("complaint.html", **of_form, **told)


disclosing(pages, "/complaints/{name}", shown)


def _answer(page: Page, complaint: str, form: Form) -> None:
    """Answer it and, where the customer says so, resolve it. A form that was sent back as what is given was refused keeps its wish, so that
    the same answer is taken down once."""
    said, given = {"channel": form["channel"], "remedy": form["remedy"]}, _given(form)
    if any(given.values()) and not form["resolved"]:
        raise Refused("nothing is given by an answer alone; say that it is resolved with that, or leave account, amount and product empty")
    page.do("complaints.answer", complaint, note=form["note"], wish=_of(form, *said.values(), form["note"]), **said)
    if form["resolved"]:
        page.do("complaints.resolve", complaint, wish=_of(form, "resolved", *said.values(), *given.values()), **said, **given)


def _given(form: Form) -> dict[str, str]:
    return {name: form[name] for name in ("account", "amount", "product")}


def _of(form: Form, *said: str) -> str:
    """The wish of a part of a form: what it says, of this form."""
    return form["wish"] and f"{form['wish']} {uuid5(NAMESPACE_OID, json.dumps(said))}"


def _escalate(page: Page, complaint: str, form: Form) -> None:
    page.do("complaints.escalate", complaint, team=form["team"], deadlock=form["deadlock"] == "yes", wish=form["wish"])


def _resolve(page: Page, complaint: str, form: Form) -> None:
    page.do("complaints.resolve", complaint, remedy=form["remedy"], channel=form["channel"], wish=form["wish"], **_given(form))


DEEDS: dict[str, tuple[str, Callable[[Page, str, Form], None]]] = {
    "answer": ("answered", _answer),
    "escalate": ("escalated", _escalate),
    "resolve": ("resolved", _resolve),
}
"""By the last part of a form's address what it does, and the words in which the page says that it was done."""


@pages.post("/complaints/{complaint}/{deed}")
def act(page: Asked, form: Sent, complaint: str, deed: str) -> Response:
    """Do something about a complaint as a form says."""
    if deed not in DEEDS:
        raise Refused(f"there is no action {deed[:40]} on a complaint; choose one that the page offers", kind="missing")
    said, does = DEEDS[deed]
    again = partial(shown, page, complaint, deed=deed)
    return carried(page, form, partial(does, page, complaint, form), again, f"/console/complaints/{quoted(complaint)}", said)
