"""An order on a page: how it stands, what happened, how it stood at a moment, and what differs between two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.orders import CANCEL_REASONS
from o2c.desk.suspending import WAITERS
from o2c.entrypoints.http.console.customers import TOLD_MAX
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.diffs import between
from o2c.entrypoints.http.console.frame import Asked, Page, Sent, done, refusal_of, router
from o2c.entrypoints.http.console.stories import LANES, ZOOMS, Zoom, told
from o2c.views.orders import ORDER_STATES
from o2c.views.products import STATUSES
from o2c.views.sites import OVER

pages = router()
ITEMS = 12
"""So many items of an order have their steps on its page; of more, those that are not over stand first, and the rest behind a line."""
STORY_MAX = 300
"""So much of what happened stands on the page of an order, the last of it; the page says of how much."""


@pages.get("/orders")
def every(page: Asked, state: str = "", customer: str = "", limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50) -> Response:
    """Orders by when they were captured."""
    rows = page.ask("orders.list", state=state, customer=customer, limit=limit)
    return page.shown("orders.html", rows=rows, filters={"state": state, "customer": customer, "limit": limit}, states=ORDER_STATES)


@pages.get("/orders/{name:path}/events/{position}")
def event(page: Asked, name: str, position: str) -> Response:
    """One event to the letter, with what led to it and what it led to."""
    rows = list(page.ask("orders.timeline", name, whole=True))
    found = next((row for row in rows if row["position"] == position), None)
    if found is None:
        raise Refused(f"order {name} has no event at position {position}; see its timeline", kind="missing")
    effects = [row for row in rows if row["causation"] == found["event"]]
    cause = next((row for row in rows if row["event"] == found["causation"]), None)
    return page.shown("event.html", name=name, row=found, cause=cause, effects=effects)


@pages.get("/orders/{name:path}/as-of")
def as_of(
    page: Asked,
    name: str,
    before: Annotated[int, Query(alias="from", ge=1)] = 1,
    after: Annotated[int | None, Query(alias="to", ge=1)] = None,
) -> Response:
    """How the order stood at a moment, and what differs from another. Moments are told by the version of the order's stream."""
    rows = list(page.ask("orders.timeline", name))
    stream = next(row["stream"] for row in rows if row["type"] == "order.captured")
    moments = [row for row in rows if row["stream"] == stream]
    to = min(after or len(moments), len(moments))
    start = min(before, to)
    old, new = (page.ask("orders.show", name, known_at=int(moments[place - 1]["position"])) for place in (start, to))
    chosen = {"start": start, "to": to, "from_row": moments[start - 1], "to_row": moments[to - 1]}
    return page.shown("as_of.html", name=name, moments=moments, order=new, differences=between(old, new), **chosen)


@pages.get("/orders/{name:path}/diff")
def diff(page: Asked, name: str, other: str = "") -> Response:
    """What differs from another order, and whom each waited for."""
    order = page.ask("orders.show", name)
    try:
        told, status, refused = page.ask("orders.diff", name, other) if other else None, 200, ""
    except Refused as error:
        if error.kind in ("forbidden", "unavailable"):
            raise
        told, (status, refused) = None, refusal_of(error, page.request)
    return page.shown("order_diff.html", status=status, refused=refused, order=order, other=other, told=told, name=order["order"])


@pages.get("/orders/{name:path}/fields")
def fields(page: Asked, name: str) -> Response:
    """Where each field of the order was keyed in first."""
    return page.shown("fields.html", name=name, rows=page.ask("orders.fields", name))


@pages.post("/orders/{name:path}/cancel")
def cancel(page: Asked, form: Sent, name: str) -> Response:
    """Cancel the order, or some of its items."""
    told: dict[str, Any] = {"items": form.all("item"), "note": form["note"], "reason": form["reason"]}
    try:
        came = page.do("orders.cancel", name, **told, wish=form["wish"], seen=form["seen"])
    except Refused as refused:
        return _refused(page, name, refused)
    if came.refused:
        return shown(page, name, "milestones", status=409, refused=came.refused)
    return done(f"/console/orders/{name}", "cancelled")


@pages.post("/orders/{name:path}/withdraw")
def withdraw(page: Asked, form: Sent, name: str) -> Response:
    """Withdraw from the contracts of the order for its customer, or from those of some of its items."""

    def deed() -> None:
        page.do("orders.withdraw", name, items=form.all("item"), wish=form["wish"], seen=form["seen"])

    return carried_on(page, name, deed, "withdrawn")


def carried_on(page: Page, name: str, deed: Callable[[], Any], word: str) -> Response:
    """Do something about the order and go back to its page, which says the word for it, or why not."""
    try:
        deed()
    except Refused as refused:
        return _refused(page, name, refused)
    return done(f"/console/orders/{name}", word)


def _refused(page: Page, name: str, refused: Refused) -> Response:
    """The order's page with what stood against a deed. Raises what is of no order, or of nobody's right."""
    if refused.kind in ("missing", "unavailable", "forbidden"):
        raise refused
    status, said = refusal_of(refused, page.request)
    return shown(page, name, "milestones", status=status, refused=said)


@pages.post("/orders/{name:path}/link")
def link(page: Asked, form: Sent, name: str) -> Response:
    """A link to give to the customer: it stands on the page once, and nowhere else."""
    made = page.ask("orders.link", name)
    return shown(page, name, "milestones", link=f"{str(page.request.base_url).rstrip('/')}/my/{made['link']}")


@pages.get("/orders/{name:path}")
def one(page: Asked, name: str, zoom: Zoom = "milestones", done: str = "", item: str = "") -> Response:
    """An order; of one with many items, with those first that are ordered for the account of the `item` that is named."""
    return shown(page, name, zoom, done=done, item=item)


def shown(
    page: Page, name: str, zoom: Zoom, *, status: int = 200, refused: str = "", done: str = "", link: str = "", item: str = ""
) -> Response:
    """The page of an order."""
    order = page.ask("orders.show", name)
    rows = list(page.ask("orders.timeline", name))
    promised = page.ask("orders.promises", order["order"]) if page.may("orders.promises") else ()
    told_of = page.ask("orders.told", order["order"]) if page.may("orders.told") else ()
    products = page.ask("products.list", orders=(order["order"],), statuses=STATUSES) if page.may("products.list") else ()
    messages = page.ask("messages.list", order=order["order"], limit=TOLD_MAX) if page.may("messages.list") else ()
    story = told(rows, zoom)
    return page.shown(
        "order.html", status=status, messages=messages, order=order, waiters=WAITERS, **_around(page, order, rows), **_items(order, item), story=story[-STORY_MAX:], told_in_all=len(story), zoom=zoom, zooms=ZOOMS, lanes=LANES, events=len(rows),
        name=order["order"], seen=page.seen("orders.show", order["order"]), refused=refused, done=done, link=link, products=products,
        promised=promised, told_of=told_of, waiting=_waiting(page, order), reasons=CANCEL_REASONS,
    )  # fmt: skip


def _around(page: Page, order: Mapping[str, Any], rows: list[Any]) -> dict[str, Any]:
    """The journeys that the order came from, its sites where it has several lines, and what was wished to be cancelled; as far as the asker
    may see that."""
    came_from = [row["stream"].removeprefix("journey-") for row in rows if row["type"] == "journey.ordered"]
    return {
        "journeys": page.ask("journeys.list", journeys=came_from, everything=True) if came_from and page.may("journeys.list") else [],
        "sites": page.ask("orders.sites", order["order"]) if len(order["items"]) > 1 and page.may("orders.sites") else [],
        "cancellations": page.ask("orders.cancellations", orders=(order["order"],)) if page.may("orders.cancellations") else [],
    }


def _waiting(page: Page, order: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Who the order waited for, where the asker may see that."""
    rows = page.ask("metrics.waiting", order=order["order"]) if page.may("metrics.waiting") else []
    return rows[0] if rows else None


def _items(order: Mapping[str, Any], item: str) -> dict[str, Any]:
    """The items that are shown with their steps, and the rest. Of an order that has many, those that are not over, by the day promised; of
    one that is named, those of its account."""
    items, many = order["items"], len(order["items"]) > ITEMS
    of_account = next((each["account"] for each in items if each["item"] == item), None)
    if many:
        items = sorted(
            items, key=lambda each: (of_account not in (None, each["account"]), each["state"] in OVER, each["promised_on"] or "9999")
        )
    wanted = sum(each["account"] == of_account if of_account is not None else each["state"] not in OVER for each in items)
    first = items[: min(wanted or ITEMS, ITEMS)] if many else items
    shown = {"", *(each["item"] for each in first)}
    return {
        "many": many,
        "first": first,
        "others": items[len(first) :],
        "by_state": Counter(each["state"] for each in items),
        "steps_shown": [step for step in order["steps"] if step["item"] in shown],
        "ways": {name: steps for name, steps in _ways(order).items() if name in shown},
    }


def _ways(order: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """By item (an empty one for the gates) its steps, as a line of milestones shows them."""
    return {
        item: [{"name": step["step"].replace("-", " "), "said": f"{step['step']}: {step['what']}", "kind": _kind(step)} for step in steps]
        for item, steps in groupby(order["steps"], key=lambda step: step["item"])
    }


def _kind(step: Mapping[str, Any]) -> str:
    if step["waiting_for"]:
        return "stuck"
    return "done" if step["done_at"] else "going" if step["asked_at"] else "ahead"
