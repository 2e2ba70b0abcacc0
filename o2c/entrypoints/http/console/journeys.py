"""What people tried before there was an order: a list, one journey, getting in touch about what failed, and the order at last without keying anything in again."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, get_args

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.journeys import CHANNELS
from o2c.desk.winning_back import MEDIA, Outcome
from o2c.entrypoints.http.console.deeds import ELSEWHERE, carried
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, done, refusal_of, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.journeys import STATES

pages = router()
NOTHING = Form({})


@pages.get("/journeys")
def every(
    page: Asked, state: str = "", customer: str = "", everything: bool = False, limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50
) -> Response:
    """Journeys, the one last tried first; the filters stand in the address."""
    filters: dict[str, Any] = {"state": state, "customer": customer, "everything": everything, "limit": limit}
    return page.shown("journeys.html", rows=page.ask("journeys.list", **filters), filters=filters, states=STATES)


@pages.get("/journeys/{journey}")
def one(page: Asked, journey: str, done: str = "") -> Response:
    """One journey, without what is personal."""
    return shown(page, journey, done=done)


@pages.post("/journeys/{journey}/personal")
def with_personal(page: Asked, form: Sent, journey: str) -> Response:
    """The same with what was keyed in and who it is; that they were shown is on record."""
    return shown(page, journey, personal=True, why=form["why"])


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


def shown(
    page: Page,
    journey: str,
    *,
    personal: bool = False,
    why: str = "",
    status: int = 200,
    refused: str = "",
    done: str = "",
    form: Form = NOTHING,
) -> Response:
    """The page of a journey. Raises Refused (missing)."""
    row = page.ask("journeys.show", journey, personal=personal, why=why)
    choices: dict[str, Any] = {"media": MEDIA, "outcomes": get_args(Outcome), "channels": CHANNELS}
    return page.shown("journey.html", status=status, row=row, personal=personal, refused=refused, done=done, form=form, **choices)
