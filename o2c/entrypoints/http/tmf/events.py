"""TMF688 Event Management, read only: what happened, in the order of the log, a page at a time.

Source: TM Forum TMF688 v4, "Event". Whoever wants each event once as it comes reads the feed, or is told by a hook.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.tmf.asking import Reading
from o2c.entrypoints.http.tmf.product_orders import order_path
from o2c.entrypoints.http.tmf.queries import Filter, Query, chosen, page, query_of
from o2c.entrypoints.http.tmf.schemas import answer, listing, paged, problems, ref, showing
from o2c.entrypoints.http.tmf.values import moment, stamp_ms
from o2c.views.event_types import event_types
from o2c.views.following import EventRecord
from o2c.views.reading import plain, position_of

BASE = "/tmf-api/event/v4"
ATTRIBUTES = frozenset({
    "id", "href", "eventId", "eventTime", "timeOccurred", "eventType", "title", "description", "domain", "correlationId", "event", "relatedParty", "source",
    "@type",
})  # fmt: skip
SHAPE = "Event_TMF688"
"""The name of its shape in the description of the service."""
MILLISECOND = timedelta(milliseconds=1)
_NAMES = {"id": "positions", "eventType": "types", "correlationId": "order", "relatedParty.id": "customer"}
"""By attribute, the option of the view that finds by it."""
_BY = "events are found by id, eventType, eventTime, correlationId (an order) and relatedParty.id, one value each, and come in the order of the log"


def events() -> APIRouter:
    """The events: a list, and one."""
    router = APIRouter(prefix=BASE, tags=["TMF688"])

    @router.get(
        "/event",
        name="TMF688 event list",
        summary="List events",
        operation_id="tmf688.event.list",
        responses=paged(ref(SHAPE)),
        openapi_extra=listing(ATTRIBUTES),
    )
    def several(request: Request, asking: Reading) -> Response:
        """Events, the first first: of a type, of an order or a customer, from a time on or before one."""
        query = query_of(request, ATTRIBUTES)
        options = _options(query)
        if options is None:
            asking.admitted("events.page")
            return page(request, query, [], 0)
        found = asking.ask("events.page", **options, offset=query.offset, limit=query.limit, why=query.why)
        beyond = query.offset and not found and not found.more
        total = asking.ask("events.page", **options, limit=0).more if beyond else query.offset + len(found) + found.more
        return page(request, query, [_event(record) for record in found], total)

    @router.get(
        "/event/{identity}",
        name="TMF688 event show",
        summary="Show one event",
        operation_id="tmf688.event.show",
        responses={200: answer(ref(SHAPE), "The event."), **problems(404, 422)},
        openapi_extra=showing("why"),
    )
    def one(request: Request, asking: Reading, identity: str) -> Response:
        """One event, by its place in the log."""
        query, place = query_of(request, ATTRIBUTES), position_of(identity)
        asking.admitted("events.page")
        found = asking.ask("events.page", positions=(place,), why=query.why) if place is not None else ()
        if not found:
            raise Refused(f"there is no event {identity[:60]}; see the list of them", kind="missing")
        return JSONResponse(chosen(_event(found[0]), query.fields))

    return router


def _options(query: Query) -> dict[str, Any] | None:
    """What the view is asked to find by; None for what can fit no event. Raises Refused (malformed) for what it does not find by."""
    options: dict[str, Any] = {}
    if query.sort not in ((), ("id",), ("+id",)):
        raise Refused(_BY, kind="malformed")
    for each in query.filters:
        found = _times(each) if each.path == "eventTime" else _named(each)
        if found.keys() & options.keys():
            raise Refused(_BY, kind="malformed")
        options |= found
    return None if any(value in ((), "") for value in options.values()) else options


def _named(each: Filter) -> dict[str, Any]:
    name = _NAMES.get(each.path)
    several = name in ("positions", "types")
    if name is None or each.operator != "eq" or (len(each.values) > 1 and not several):
        raise Refused(_BY, kind="malformed")
    if name == "positions":
        return {name: tuple(place for value in each.values if (place := position_of(value)) is not None)}
    known = {cls.type_name for cls in event_types()}
    if name == "types":
        return {name: tuple(value for value in each.values if value in known)}
    return {name: "" if "\0" in each.values[0] else each.values[0]}


def _times(each: Filter) -> dict[str, datetime]:
    """Times are told to the millisecond, and compared so."""
    at = moment(each.values[0].replace(" ", "+"))
    if at is None or len(each.values) > 1:
        raise Refused("eventTime is compared with one time with its zone, such as 2026-01-05T09:00:00.000Z", kind="malformed")
    return {
        "eq": {"since": at, "until": at + MILLISECOND},
        "gt": {"since": at + MILLISECOND},
        "gte": {"since": at},
        "lt": {"until": at},
        "lte": {"until": at + MILLISECOND},
    }[each.operator]


def _event(record: EventRecord) -> dict[str, Any]:
    at, identity = stamp_ms(plain(record.occurred_at)), str(record.position)
    told = {
        "id": identity,
        "href": f"{BASE}/event/{identity}",
        "eventId": record.id,
        "eventTime": at,
        "timeOccurred": at,
        "eventType": record.type,
        "title": record.type,
        "description": f"{record.stream}, version {record.version}",
        "domain": record.stream.partition("-")[0],
        "correlationId": record.order,
        "event": {
            **({"productOrder": {"id": record.order, "href": order_path(record.order, 4)}} if record.order else {}),
            "data": record.data,
            "causation": record.causation,
        },
        "relatedParty": [
            {"id": record.actor, "role": "actor", "@referredType": "Individual", "@type": "RelatedParty"},
            *(
                [{"id": record.customer, "role": "customer", "@referredType": "Customer", "@type": "RelatedParty"}]
                if record.customer
                else []
            ),
        ],
        "source": {"id": "o2c", "name": record.channel, "@referredType": "LogicalResource", "@type": "EntityRef"},
        "@type": "Event",
    }
    return {name: value for name, value in told.items() if value is not None}
