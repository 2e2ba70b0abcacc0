"""An order that is changed, suspended or resumed while it is under way. What a change would take is seen before anybody decides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Lost, Refused
from o2c.entrypoints.http.console import orders
from o2c.entrypoints.http.console.deeds import ELSEWHERE
from o2c.entrypoints.http.console.forms import until_of
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, done, refusal_of, router
from o2c.entrypoints.http.console.papers import NEW, PREFIXES, changed_paper, says_nothing
from o2c.entrypoints.http.console.rendering import quoted

pages = router()
WHY = "a change of the order"
"""For what the paper of an order is read here, as it stands on record."""
OTHERS = ("resubmission", "paper", "how")
"""What a form says of a change beside the fields of lines."""
LINES = 10
"""So many lines of an order have fields on the page at once."""


@pages.get("/orders/{name:path}/change")
def wanted(page: Asked, name: str, item: str = "") -> Response:
    """Where to say what an order is to be; of many lines, where the one is that is named."""
    return shown(page, name, item=item)


@pages.post("/orders/{name:path}/change/preview")
def preview(page: Asked, form: Sent, name: str) -> Response:
    """What the change would take. Nothing is written."""
    # Read before the paper is: what is changed in between is then lost, and never undone in silence.
    base = page.version("orders.show", name)

    def look() -> Response:
        wish = _wish(page, name, form)
        return shown(page, name, form=form, wish=wish, base=base, assessed=page.ask("orders.assess", name, **wish))

    return _tried(page, form, name, look)


@pages.post("/orders/{name:path}/change")
def carry_out(page: Asked, form: Sent, name: str) -> Response:
    """Make the order the one that was seen: what others changed since stays, and where they changed the same nothing is done."""

    def change() -> Response:
        came = page.do("orders.amend", name, **_decided(form), wish=form["wish"])
        if came.refused:
            return shown(page, name, status=409, refused=came.refused, form=form)
        return done(f"/console/orders/{quoted(name)}", "changed")

    return _tried(page, form, name, change)


@pages.post("/orders/{name:path}/suspend")
def suspend(page: Asked, form: Sent, name: str) -> Response:
    """Suspend the order until a time, or until it is resumed before."""

    def deed() -> None:
        until = until_of(form)
        if until is None:
            raise Refused("say until when it is suspended")
        how = {"until": until, "waits_for": form["waits_for"], "note": form["note"]}
        page.do("orders.suspend", name, **how, wish=form["wish"], seen=form["seen"])

    return orders.carried_on(page, name, deed, "suspended")


@pages.post("/orders/{name:path}/resume")
def resume(page: Asked, form: Sent, name: str) -> Response:
    """Let the order go on."""

    def deed() -> None:
        page.do("orders.resume", name, note=form["note"], wish=form["wish"], seen=form["seen"])

    return orders.carried_on(page, name, deed, "resumed")


def _tried(page: Page, form: Form, name: str, does: Callable[[], Response]) -> Response:
    try:
        return does()
    except Refused as refused:
        if refused.kind in ELSEWHERE:
            raise
        status, told = refusal_of(refused, page.request)
        return shown(page, name, status=status, refused=told, form=form, lost=refused.lost if isinstance(refused, Lost) else ())


def _wish(page: Page, name: str, form: Form) -> dict[str, Any]:
    """What the order is to be, as views and verbs take it. Raises Refused (usage) where nothing is said."""
    if form["resubmission"]:
        return {"resubmission": form["resubmission"]}
    if form["paper"]:
        return {"paper": form["paper"], "merge": form["how"] == "patch"}
    if says_nothing(form):
        raise Refused("nothing is to be otherwise; write at least one new value")
    paper = page.ask("orders.document", name, personal=True, why=WHY)["paper"]
    return {"paper": changed_paper(paper, form)}


def _decided(form: Form) -> dict[str, Any]:
    """What was seen, and is to be. Raises Refused (usage)."""
    if form["resubmission"]:
        return {"resubmission": form["resubmission"]}
    if not (form["base"].isdecimal() and form["wished"]):
        raise Refused("look at what the change would take first")
    return {"paper": form["wished"], "merge": form["how"] == "patch", "base_version": int(form["base"])}


def shown(
    page: Page,
    name: str,
    *,
    item: str = "",
    status: int = 200,
    refused: str = "",
    form: Form = NOTHING,
    wish: Mapping[str, Any] | None = None,
    base: int = 0,
    assessed: Any = None,
    lost: Sequence[Mapping[str, Any]] = (),
) -> Response:
    """The page on which an order is changed: `wish` with what it would take (`assessed`), or what others changed first (`lost`)."""
    order, document = page.ask("orders.show", name), page.ask("orders.document", name)
    still_open = {row["fallout"] for row in order["open_fallouts"]}
    lines = [line for line in document["lines"] if line["action"] == "add"]
    told: dict[str, Any] = {
        "order": order,
        "lines": _with_fields(lines, item, form),
        "items": [line["item"] for line in lines],
        "offerings": [row["offering"] for row in page.ask("catalogue.offerings")],
        "later": [row for row in order["resubmissions"] if row["fallout"] in still_open],
        "kept": [(field, form[field]) for field in form.values if field in (*NEW, *OTHERS) or field.startswith(PREFIXES)],
    }
    seen = {"wish_of": wish, "base": base, "assessed": assessed, "lost": lost}
    return page.shown("change.html", status=status, refused=refused, form=form, **told, **seen)


def _with_fields(lines: Sequence[Mapping[str, Any]], item: str, form: Form) -> Sequence[Mapping[str, Any]]:
    """The lines that have fields on the page: the one that is named and those that the form speaks of, else the first ones."""
    spoken = {field.partition(".")[2] for field in form.values if field.startswith(PREFIXES) and form[field]}
    return [line for line in lines if line["item"] in {item, *spoken}] or lines[:LINES]
