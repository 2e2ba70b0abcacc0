"""TMF622 cancelProductOrder, v4 and v5: a cancellation as a task that is made, and then read until it is done or could not be.

Source: TM Forum TMF622 v4.0.0 and v5.0.0, cancelProductOrder: what cannot even be begun is refused at once (422), what is past its point of
no return is a task that ended with an error.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from o2c.desk.act import Refused
from o2c.desk.orders import CANCEL_REASONS
from o2c.entrypoints.http.tmf.asking import (
    Asker,
    Asking,
    Reading,
    Sent,
    made,
    read_object,
    refuse_other_media,
)
from o2c.entrypoints.http.tmf.product_orders import BASE, cancel_task
from o2c.entrypoints.http.tmf.queries import LIMIT_MAX, Filter, Query, Sieve, chosen, page, path_of, query_of
from o2c.entrypoints.http.tmf.schemas import JSON, answer, body, listing, name_of, paged, problems, ref, showing
from o2c.entrypoints.http.tmf.types import TYPES
from o2c.entrypoints.http.tmf.values import moment, text
from o2c.views.cancellations import state_of

REASON = "cancellationReason"
NO_REASON = "no reason was given"


def cancelling(version: int) -> APIRouter:
    """The cancellations of a version: a list, one, and a new one."""
    router = APIRouter(prefix=BASE.format(version=version), tags=[f"TMF622 v{version}"])
    attributes = frozenset(TYPES[version]["CancelProductOrder"]) | {"@type"}
    task, wished = ref(name_of("CancelProductOrder", version)), ref(name_of("CancelProductOrderCreate", version))

    @router.get(
        "/cancelProductOrder",
        name=f"tmf622.v{version}.cancellations",
        summary="List cancellations of product orders",
        operation_id=f"tmf622.v{version}.cancellations",
        responses=paged(task),
        openapi_extra=listing(attributes),
    )
    def tasks(request: Request, asking: Reading) -> Response:
        """Cancellations of whole orders, the first first."""
        query = query_of(request, attributes)
        things, total = _listed(asking.up_to_date(), query, version)
        return page(request, query, things, total)

    @router.post(
        "/cancelProductOrder",
        name=f"tmf622.v{version}.cancel",
        summary="Ask for the cancellation of a product order",
        operation_id=f"tmf622.v{version}.cancel",
        status_code=201,
        responses={201: answer(task, "The task.", "Location"), **problems(404, 409, 413, 415, 422)},
        openapi_extra=body({JSON: wished}),
    )
    def create(request: Request, asking: Asking, body: Sent) -> Response:
        """Cancel an order. The task says whether it is done, under way, or came too late. A reason that is one of our words is counted as
        such."""
        refuse_other_media(request)
        wish = read_object(body, "the cancellation")
        order, reason = _order_of(wish), text(wish.get(REASON)) or NO_REASON
        try:
            counted = reason if reason in CANCEL_REASONS else ""
            done = asking.ask("orders.cancel", order, note=reason, wished_for=_wished_for(wish), reason=counted)
        except Refused as refused:
            raise Refused(str(refused), kind="usage" if refused.kind in ("conflict", "missing") else refused.kind) from None
        row = _newest(asking.ask("orders.document", order))
        is_new = not done.written.unchanged
        return made(cancel_task(row, version, reason=reason if is_new else _reason_of(asking, row["cancellation"])))

    @router.get(
        "/cancelProductOrder/{identity}",
        name=f"tmf622.v{version}.cancellation",
        summary="Show one cancellation of a product order",
        operation_id=f"tmf622.v{version}.cancellation",
        responses={200: answer(task, "The task."), **problems(404, 422)},
        openapi_extra=showing(),
    )
    def show(request: Request, asking: Reading, identity: str) -> Response:
        """One cancellation."""
        query = query_of(request, attributes)
        found = asking.up_to_date().ask("orders.cancellations", ids=(identity,), **_showing(query))
        if not found:
            raise Refused(f"there is no cancellation {identity[:60]}; see the list of them", kind="missing")
        return JSONResponse(chosen(cancel_task(found[0], version, reason=found[0]["note"]), query.fields))

    return router


def _order_of(wish: dict[str, Any]) -> str:
    order = wish.get("productOrder")
    name = text(order.get("id")) if isinstance(order, dict) else None
    if not name:
        raise Refused("the cancellation names no productOrder with an id", kind="malformed")
    return name


def _wished_for(wish: dict[str, Any]) -> datetime | None:
    told = wish.get("requestedCancellationDate")
    return moment(told) if isinstance(told, str) else None


def _newest(document: dict[str, Any]) -> dict[str, Any]:
    """The last cancellation of a whole order, which may have been there before: then nothing was left to cancel."""
    whole = [each for each in document["cancellations"] if not each["item"] and not each["part"]]
    if not whole:
        raise Refused(f"order {document['external_id']} has nothing left to cancel; its items were cancelled one by one", kind="usage")
    newest = whole[-1]
    return {**newest, "order": document["order"], "state": state_of(newest["answer"], over=newest["ended_at"] is not None)}


def _reason_of(asking: Asker, cancellation: str) -> str | None:
    """The reason of a cancellation that was there before: its own, whatever is said now."""
    found = asking.up_to_date().ask("orders.cancellations", ids=(cancellation,), personal=True)
    return found[0]["note"] if found else None


def _listed(asking: Asker, query: Query, version: int) -> tuple[list[Any], int]:
    options, rest = _options(query)
    showing = _showing(query)
    if not rest and not query.sort:
        found = asking.ask("orders.cancellations", **options, offset=query.offset, limit=query.limit, **showing)
        beyond = query.offset and not found and not found.more
        total = asking.ask("orders.cancellations", **options, limit=0).more if beyond else query.offset + len(found) + found.more
        return [cancel_task(row, version, reason=row["note"]) for row in found], total
    sieve = Sieve(replace(query, filters=tuple(rest)), kept=itemgetter("id"))
    asking.look_through(
        "orders.cancellations",
        lambda found: sieve.take(cancel_task(row, version, reason=row["note"]) for row in found),
        **options,
        **showing,
    )
    ids, total = sieve.page()
    # Whoever asks for no row learns all the same that there are some.
    shown = ids or (sieve.all()[:LIMIT_MAX] if showing["personal"] else [])
    rows = asking.ask("orders.cancellations", ids=shown, limit=len(shown), **showing) if shown else ()
    told = {row["cancellation"]: cancel_task(row, version, reason=row["note"]) for row in rows}
    return [told[name] for name in ids if name in told], total


def _options(query: Query) -> tuple[dict[str, Any], list[Filter]]:
    """What the view finds by, and the filters by which it does not."""
    options: dict[str, Any] = {}
    rest = []
    for each in query.filters:
        name = {"id": "ids", "productOrder.id": "orders"}.get(each.path)
        if name is None or each.operator != "eq" or name in options or any("\0" in value for value in each.values):
            rest.append(each)
        else:
            options[name] = each.values
    return options, rest


def _showing(query: Query) -> dict[str, Any]:
    """The reason is personal, for anybody writes what he likes; it comes where it is asked for."""
    by = (*query.fields, *(each.path for each in query.filters), *map(path_of, query.sort))
    asked = not query.fields or any(name.partition(".")[0] == REASON for name in by)
    return {"personal": asked, "why": query.why}
