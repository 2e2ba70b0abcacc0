"""The description of the service (OpenAPI 3.1), completed: an example of each request, the problems that can come of it, and what each part
is about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

from o2c.entrypoints.http.calls import Call, calls
from o2c.entrypoints.http.examples import ANY_VERSION, EXAMPLES, WISH
from o2c.entrypoints.http.links import links
from o2c.entrypoints.http.problems import MEDIA_TYPE, TYPES
from o2c.entrypoints.http.tmf.events import ATTRIBUTES, SHAPE
from o2c.entrypoints.http.tmf.readable import READABLE
from o2c.entrypoints.http.tmf.schemas import components, thing
from o2c.entrypoints.http.webhooks import message_schemas, webhooks

TAGS: Mapping[str, str] = {
    "access": "Who may what, and who was shown what is personal.",
    "accounts": "Billing accounts.",
    "assurance": "What leaks between fulfilment and billing.",
    "balance": "What an account owes, and what is held for it.",
    "care": "What is agreed with customers about their care, and the courtesy contacts that they are owed.",
    "catalogue": "What is sold, and at which prices.",
    "allowances": "Included units, what is left of them, and packs of more.",
    "collections": "What is owed past its due day, what holds its collection, and promises to pay.",
    "complaints": "What customers complain of, and what became of it.",
    "conformance": "Whether the declared rules of the trade were kept.",
    "counterfactual": "What would have come of the same orders under another policy.",
    "customers": "Customers, and contacts with them.",
    "devices": "Devices in stock and with customers.",
    "diagnose": "Whether the store is in order.",
    "disputes": "What customers dispute of their invoices.",
    "events": "The log itself, as a feed.",
    "fallout": "What could not go on by itself: the queue, and what is done about it.",
    "hooks": "Subscribers outside that are told of events.",
    "credit-notes": "Credit notes: what was taken off an invoice.",
    "instalments": "Devices that are paid in instalments.",
    "invoices": "Invoices: all that one says, as a PDF, a page or UBL, and its void.",
    "issuers": "Issuers whose tokens are believed.",
    "journeys": "What people tried before there was an order, and what came of it.",
    "jeopardy": "Promises that are in danger, before they are broken.",
    "keys": "API keys.",
    "ledger": "The books: what each event posted, how the accounts stand, and days that are closed.",
    "limits": "Limits of what a bill may come to.",
    "messages": "What customers are told of their orders.",
    "metrics": "Figures, each with the events that it is counted from.",
    "number-ranges": "Ranges of numbers that an authority approved beforehand for invoices and credit notes.",
    "numbers": "Numbers in stock, kept and given out.",
    "offers": "What offers to customers whom we let down come to.",
    "orders": "Orders from capture to their end.",
    "partners": "Systems outside that orders need.",
    "payments": "Invoices, deposits and money that came.",
    "ports": "Numbers that are brought along.",
    "prepaid": "Money that pays for usage before it is used.",
    "products": "What customers have in service.",
    "projections": "The tables that are folded from the log.",
    "promises": "Days that customers were promised, kept, broken and open.",
    "queues": "Queues of fallouts, and when they clear.",
    "quota": "Units that are granted to sessions of the network before they are used.",
    "refunds": "Giving the money of customers back by the way in which it came.",
    "returns": "Withdrawals of consumers from contracts: goods that come back, and money.",
    "sims": "SIMs in stock and in use.",
    "sql": "Statements of an analyst's.",
    "status": "The store in numbers.",
    "stock": "How much there is of what.",
    "streams": "The events of one thing.",
    "triggers": "What is done when something happens: triggers, what they set off, and what they would have.",
    "usage": "Records of what was used.",
    "vouchers": "Codes that lower a price: campaigns, and what became of each use.",
}
"""What the operations of a group are about."""
ALWAYS = (400, 401, 403, 422, 429, 503)
"""What any call may come to, whatever it asks: what cannot be read, nobody known, forbidden, one that does not fit, too often, and a store
that does not answer."""
PROBLEM = {"$ref": "#/components/schemas/Problem"}
HEADERS = {"Idempotency-Key": WISH, "If-Match": ANY_VERSION}


def describe(service: FastAPI) -> None:
    """Let a service tell of itself in full."""

    def told() -> dict[str, Any]:
        if service.openapi_schema is None:
            made = get_openapi(title=service.title, version=version("o2c"), openapi_version="3.1.0", routes=service.routes)
            by_name = {call.operation.name: call for call in calls()}
            used = set()
            for methods in made["paths"].values():
                for one in methods.values():
                    used.update(one.get("tags", ()))
                    if found := links(one.get("operationId", "")):
                        one["responses"][found[0]]["links"] = found[1]
                    if one.get("operationId") in EXAMPLES:
                        _complete(one, by_name.get(one["operationId"]))
            things = {each.schema: thing(each.attributes, each.name) for each in READABLE}
            made["components"]["schemas"] |= {**components(), **things, SHAPE: thing(ATTRIBUTES, "event"), **message_schemas()}
            made["webhooks"] = webhooks()
            made["tags"] = [{"name": name, "description": TAGS[name]} for name in sorted(used & set(TAGS))]
            service.openapi_schema = made
        return service.openapi_schema

    service.openapi = told  # type: ignore[method-assign]  # how FastAPI is told

    @cache
    def written() -> bytes:
        return json.dumps(told(), ensure_ascii=False, separators=(",", ":")).encode()

    # Many callers that want it at once are sent the same bytes: it is large, and nobody else waits while it is made.
    @service.get("/api/v1/openapi.json", include_in_schema=False)
    def description() -> Response:
        return Response(written(), media_type="application/json")


def _complete(told: dict[str, Any], call: Call | None) -> None:
    """Add to an operation what its signature does not say."""
    example = EXAMPLES[told["operationId"]]
    for parameter in told.get("parameters", ()):
        if (value := {**HEADERS, **example}.get(parameter["name"])) is not None:
            parameter["example"] = value
    if call is not None and "requestBody" in told:
        body = example[call.whole] if call.whole else {name: example[name] for name in call.body.model_fields if name in example}
        told["requestBody"]["content"]["application/json"]["example"] = body
    for status in sorted(_statuses(call)):
        told["responses"].setdefault(str(status), _problem(status))
    # A model brings its schema under a media type in which no problem is ever sent.
    told["responses"]["default"]["content"] = {MEDIA_TYPE: {"schema": PROBLEM}}


def _statuses(call: Call | None) -> Iterator[int]:
    """The problems that can come of an operation, beside those that are told of as the default."""
    yield from (*ALWAYS, 409)
    if call is None or call.parameters:
        yield 404
    if call is not None and call.method == "POST":
        yield from (413, 415)
    if call is not None and call.operation.decided_by:
        yield from (412, 428)


def _problem(status: int) -> dict[str, Any]:
    titles = [title for code, title, _ in TYPES.values() if code == status]
    content = {MEDIA_TYPE: {"schema": PROBLEM}}
    headers = (
        {"Retry-After": {"description": "After so many seconds it may go.", "schema": {"type": "integer"}}} if status in (429, 503) else {}
    )
    return {"description": f"{' or '.join(titles)} (RFC 9457).", "content": content, **({"headers": headers} if headers else {})}
