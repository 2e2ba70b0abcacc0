"""TMF622 Product Ordering, v4 and v5, over the same orders: the same functions, another shape.

Source: TM Forum TMF622 Product Ordering API v4.0.0 and v5.0.0; what the conformance kit asks for and the readings of TMF630 are in
`queries`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from o2c.desk.act import Refused
from o2c.desk.amending import Amendment, AmendmentAsSent, merged
from o2c.desk.capture import Captured
from o2c.entrypoints.http.native import POSITION
from o2c.entrypoints.http.tmf.asking import (
    Asker,
    Asking,
    IfMatch,
    Reading,
    Sent,
    made,
    read_object,
    read_patch,
    refuse_other_media,
)
from o2c.entrypoints.http.tmf.finding import is_unaided, options_of, quick_filters, quick_sorts, sort_of
from o2c.entrypoints.http.tmf.patching import CARRIED_OUT, MEDIA_TYPES, MERGE, QUERY, amendment_of, patched, sent_as
from o2c.entrypoints.http.tmf.product_orders import BASE, FROM_PAPER, ONLY_V5, personal_among, product_order
from o2c.entrypoints.http.tmf.queries import LIMIT_MAX, SCAN_MAX, Filter, Query, Sieve, chosen, page, path_of, query_of
from o2c.entrypoints.http.tmf.schemas import orders_described
from o2c.entrypoints.http.tmf.types import TYPES
from o2c.entrypoints.http.tmf.values import moment
from o2c.entrypoints.http.versions import expected_of, same, tag_of
from o2c.entrypoints.verbs_and_views import named
from o2c.views.begun import begun_document
from o2c.views.versions import versions_of

DRAFT = "draft"
LOOKED_AT_MAX = 3_000
"""So many orders are looked through for what the store does not find by itself: with two or three thousand of them a reader waits two
seconds or so."""


def ordering(version: int) -> APIRouter:
    """The orders of a version: a list, one, and a new one."""
    router = APIRouter(prefix=BASE.format(version=version), tags=[f"TMF622 v{version}"])
    attributes = frozenset(TYPES[version]["ProductOrder"]) | {"@type", "@baseType", "@schemaLocation"}
    told_of = orders_described(version, attributes)

    @router.get("/productOrder", **told_of["list"])
    def orders(request: Request, asking: Reading) -> Response:
        """Orders, by their creation: filtered by any attribute, in the order asked for, a page at a time."""
        query = query_of(request, attributes)
        things, total = _listed(asking.up_to_date(), query, version)
        return page(request, query, things, total)

    @router.post("/productOrder", status_code=201, **told_of["create"])
    def create(request: Request, asking: Asking, body: Sent) -> Response:
        """Take an order down, whatever it lacks; it is judged afterwards. The same external id of the same owner is the same order."""
        refuse_other_media(request)
        paper = read_object(body, "the order")
        if paper.get("requestedInitialState") == DRAFT:
            raise Refused("drafts are not kept here; send the order when it is to be carried out", kind="usage")
        captured = _captured(asking, body)
        document = _document(asking, captured)
        shown = document if captured.resubmitted else {**document, "paper": json.loads(body)}
        told = {POSITION: str(captured.position), "Idempotent-Replayed": str(captured.repeated).lower()}
        answer = made(product_order(shown, version), told)
        if captured.resubmitted and not captured.repeated and version == 5:
            answer.status_code = 202  # The first one stays in force until a person has looked at the difference.
        return answer

    @router.get("/productOrder/{identity:path}", **told_of["show"])
    def show(request: Request, asking: Reading, identity: str) -> Response:
        """One order, or with `at` as it stood at that time."""
        return shown_one(request, asking, identity, version, query_of(request, attributes))

    @router.patch("/productOrder/{identity:path}", **told_of["patch"])
    def patch(request: Request, asking: Asking, identity: str, body: Sent, if_match: IfMatch = None) -> Response:
        """Change an order: its category, description, contact, priority or one note more; and by a merge patch its items, account and days,
        which is an amendment of what is carried out (409 where a line is past its point of no return)."""
        kind = refuse_other_media(request, MEDIA_TYPES)
        wish = read_patch(body, "the patch")

        def found() -> Amendment:
            before = product_order(asking.ask("orders.document", identity, personal=True), version)
            return amendment_of(before, merged(before, wish) if kind in MERGE else patched(before, wish, which=kind == QUERY))

        if kind in MERGE and isinstance(wish, dict) and wish.keys() & set(CARRIED_OUT):
            return shown_one(request, asking, _revised(asking, identity, wish, if_match), version, query_of(request, attributes))
        amendment = AmendmentAsSent(sent=sent_as(kind, wish), found=found)
        wanting = _deciding(asking, "orders.annotate", {"name": identity, "amendment": amendment}, if_match) if if_match else asking
        order = wanting.ask("orders.annotate", identity, amendment).stream.removeprefix("order-")
        return shown_one(request, asking, order, version, query_of(request, attributes))

    return router


def _revised(asking: Asker, identity: str, wish: Mapping[str, Any], if_match: str | None) -> str:
    """Change what is carried out of an order by a merge patch on its paper. Raises Refused: usage for one that changes what it says beside
    that too, conflict."""
    if other := sorted(wish.keys() - set(CARRIED_OUT)):
        raise Refused(
            f"change {', '.join(other[:5])[:200]} by a patch of its own, without {', '.join(sorted(wish.keys() & set(CARRIED_OUT)))}"
        )
    told = {"name": identity, "paper": wish, "merge": True}
    wanting = _deciding(asking, "orders.amend", told, if_match) if if_match else asking
    done = wanting.ask("orders.amend", identity, wish, merge=True)
    if done.refused:
        raise Refused(done.refused, kind="conflict")
    return str(done.written.stream.removeprefix("order-"))


def _deciding(asking: Asker, operation: str, told: Mapping[str, Any], if_match: str) -> Asker:
    """The asker, deciding by what If-Match says; who may not is not told what there is."""
    admitted = named(operation).admit(asking.context, asking.session.app, **told)
    return asking.deciding(expected_of(if_match, versions_of(asking.session.app, "orders.show", admitted["name"])))


def _captured(asking: Asker, body: bytes) -> Captured:
    try:
        return cast("Captured", asking.ask("orders.capture", body))
    except Refused as refused:
        if refused.kind == "usage" and "cannot be read" in str(refused):
            raise Refused(str(refused), kind="malformed") from None
        raise


def _document(asking: Asker, captured: Captured) -> dict[str, Any]:
    """The order that a paper was taken down as: of the events that it began with, or read back."""
    if captured.began:
        return cast("dict[str, Any]", asking.ask_of("orders.document", begun_document, captured.order, captured.began, captured.position))
    return cast("dict[str, Any]", asking.ask("orders.document", captured.order, personal=captured.resubmitted))


def shown_one(request: Request, asking: Asker, identity: str, version: int, query: Query, *, status: int = 200) -> Response:
    """One order with its entity tag."""
    at = moment(query.at) if query.at else None
    if query.at and at is None:
        raise Refused("at is a time with its zone, such as 2026-01-05T09:00:00Z", kind="malformed")
    # The tag is read first: an order that changes between the two has an older tag than its page, and a decision by it is refused.
    tag = _tag_of(asking, identity) if at is None else ""
    if tag and same(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    document = asking.ask("orders.document", identity, at=at, personal=personal_among(query.fields), why=query.why)
    return JSONResponse(chosen(product_order(document, version), query.fields), status_code=status, headers={"ETag": tag} if tag else {})


def _tag_of(asking: Asker, identity: str) -> str:
    """The entity tag of an order; who may not see it is not told what there is."""
    admitted = named("orders.document").admit(asking.context, asking.session.app, name=identity)
    return tag_of(versions_of(asking.session.app, "orders.show", admitted["name"]))


def _listed(asking: Asker, query: Query, version: int) -> tuple[list[Mapping[str, Any]], int]:
    """The page that was asked for, and how many orders there are: found by the store where it can, else looked through."""
    options, rest = options_of(query, version)
    if options is None:
        asking.admitted("orders.documents")
        return [], 0
    sort = sort_of(query, version)
    if rest or sort is None:
        return _looked_through(asking, options, version, query, rest)
    showing = _showing(query, version)
    found = asking.ask("orders.documents", **options, sort=sort, offset=query.offset, limit=query.limit, **showing)
    total = query.offset + len(found) + found.more if found or found.more or not query.offset else _total(asking, options, showing)
    if total and not found and _is_by_paper(query):
        # Whoever asks for no row learns all the same that there are some.
        asking.ask("orders.documents", **options, limit=LIMIT_MAX, **showing)
    return [product_order(document, version) for document in found], total


def _total(asking: Asker, options: Mapping[str, Any], showing: Mapping[str, Any]) -> int:
    return int(asking.ask("orders.documents", **options, limit=0, **showing).more)


def _looked_through(
    asking: Asker, options: dict[str, Any], version: int, query: Query, rest: Sequence[Filter]
) -> tuple[list[Mapping[str, Any]], int]:
    """By what the store does not find by: every order is looked at, and only those of the page are shown, and taken down as shown."""
    showing = _showing(query, version)
    looking = {"personal": _is_by_paper(query), "brief": version == 4 or not _is_by(query, ONLY_V5.__contains__), "why": query.why}
    most = LOOKED_AT_MAX if is_unaided(rest) else SCAN_MAX
    if _total(asking, options, {"personal": looking["personal"]}) > most:
        raise _too_many(query, rest, version, most)
    sieve = Sieve(replace(query, filters=tuple(rest)), kept=itemgetter("id"))
    asking.look_through(
        "orders.documents", lambda found: sieve.take(product_order(document, version) for document in found), **options, **looking
    )
    ids, total = sieve.page()
    # Whoever asks for no row learns all the same that there are some.
    shown = ids or (sieve.all()[:LIMIT_MAX] if looking["personal"] else [])
    found = asking.ask("orders.documents", orders=shown, limit=len(shown), **showing) if shown else ()
    told = {document["order"]: product_order(document, version) for document in found}
    return [told[name] for name in ids if name in told], total


def _too_many(query: Query, rest: Sequence[Filter], version: int, most: int) -> Refused:
    unknown = [each.path for each in rest] or list(map(path_of, query.sort))
    return Refused(
        f"more than {most} orders would have to be looked through for {', '.join(unknown)[:100]}; filter as well by "
        f"{', '.join(quick_filters(version))}, and sort by one of {', '.join(quick_sorts(version))}: the store finds those itself",
        kind="malformed",
    )


def _showing(query: Query, version: int) -> dict[str, Any]:
    """What is personal comes where it is asked for, and counts as shown where orders are found or sorted by it."""
    return {"personal": personal_among(query.fields) or _is_by_paper(query), "brief": version == 4, "why": query.why}


def _is_by_paper(query: Query) -> bool:
    """Whether orders are found or sorted by what stands in their papers."""
    return _is_by(query, FROM_PAPER.__contains__)


def _is_by(query: Query, holds: Callable[[str], bool]) -> bool:
    """Whether orders are found or sorted by one of some attributes."""
    return any(holds(path.partition(".")[0]) for path in (*(each.path for each in query.filters), *map(path_of, query.sort)))
