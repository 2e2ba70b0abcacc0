"""What people tried before there was an order: a list, one journey, getting in touch about what failed, and the order at last without
keying anything in again."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, get_args

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.journeys import CHANNELS, KINDS
from o2c.desk.winning_back import MEDIA, Outcome
from o2c.entrypoints.http.console.deeds import ELSEWHERE, carried, disclosing
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.forms import whole_of
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, done, refusal_of, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.journeys import STATES

pages = router()


@pages.get("/journeys")
def every(
    page: Asked, state: str = "", customer: str = "", everything: bool = False, limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50
) -> Response:
    """Journeys, the one last tried first; the filters stand in the address."""
    return listed(page, {"state": state, "customer": customer, "everything": everything, "limit": limit})


@pages.post("/journeys")
def note(page: Asked, form: Sent) -> Response:
    """Take down what somebody tried; then to the journey that it belongs to."""
    again = partial(listed, page, {"state": "", "customer": form["customer"], "everything": False, "limit": 50})
    try:
        known_by = {name: form[name] for name in ("login", "phone", "customer")}
        told = {name: form[name] for name in ("value", "error", "store", "reference")}
        waited: dict[str, Any] = {name: whole_of(form, name) for name in ("waited_s", "ivr_s", "hold_s")}
        offerings = form["offerings"].replace(",", " ").split()
        came = page.do("journeys.note", form["kind"], form["channel"], offerings=offerings, wish=form["wish"], **known_by, **told, **waited)
    except Refused as refused:
        if refused.kind in ELSEWHERE:
            raise
        status, why_not = refusal_of(refused, page.request)
        return again(status=status, refused=why_not, form=form)
    return done(f"/console/journeys/{quoted(came.journey)}", "taken down")


def listed(page: Page, filters: dict[str, Any], **of_form: Any) -> Response:
    """The page of all journeys."""
    choices: dict[str, Any] = {"states": STATES, "kinds": tuple(KINDS), "channels": CHANNELS}
    return page.shown("journeys.html", rows=page.ask("journeys.list", **filters), filters=filters, **choices, **of_form)


@pages.post("/journeys/{journey}/reach")
def reach(page: Asked, form: Sent, journey: str) -> Response:
    """Take down that we got in touch, what came of it, and the voucher that was promised."""
    told = {name: form[name] for name in ("medium", "outcome", "voucher")}
    deed = partial(page.do, "journeys.reach", journey, wish=form["wish"], **told)
    return carried(page, form, deed, partial(shown, page, journey), f"/console/journeys/{quoted(journey)}", "taken down")


@pages.post("/journeys/{journey}/order")
def order(page: Asked, form: Sent, journey: str) -> Response:
    """Order what was keyed in, with what was still missing; then to the order."""
    try:
        came = page.do("journeys.order", journey, form["channel"], fields=_fields(form), wish=form["wish"])
    except Refused as refused:
        if refused.kind in ELSEWHERE:
            raise
        status, told = refusal_of(refused, page.request)
        return shown(page, journey, status=status, refused=told, form=form)
    return done(f"/console/orders/{came.order}", "ordered")


def _fields(form: Form) -> dict[str, str]:
    """What was still missing: a line each, its place and its value. Raises Refused (usage)."""
    parts = [line.strip().split(None, 1) for line in form["fields"].splitlines() if line.strip()]
    if any(len(part) < 2 for part in parts) or len({part[0] for part in parts}) < len(parts):
        raise Refused("what was missing has a line for each field: its place, a space, its value; each place once")
    return dict(parts)


def shown(page: Page, journey: str, *, personal: bool = False, why: str = "", **of_form: Any) -> Response:
    """The page of a journey. Raises Refused (missing)."""
    row = page.ask("journeys.show", journey, personal=personal, why=why)
    choices: dict[str, Any] = {"media": MEDIA, "outcomes": get_args(Outcome), "channels": CHANNELS}
    return page.shown("journey.html", row=row, personal=personal, **choices, **of_form)


disclosing(pages, "/journeys/{name}", shown)
