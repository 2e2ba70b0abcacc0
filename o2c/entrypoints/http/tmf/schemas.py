"""What TM Forum's resources look like, for the description of the service: JSON schemas made of the tables of types that answers are made
by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from o2c.entrypoints.http.problems import MEDIA_TYPE, TYPES
from o2c.entrypoints.http.tmf.patching import CHANGEABLE, MERGE, PATCH, QUERY
from o2c.entrypoints.http.tmf.product_orders import TASK_STATES
from o2c.entrypoints.http.tmf.shaping import ACTIONS, META, PRODUCT_STATES, UNTYPED
from o2c.entrypoints.http.tmf.types import TYPES as KINDS
from o2c.entrypoints.http.tmf.types import Attribute
from o2c.views.orders import ORDER_STATES

Schema = dict[str, Any]
JSON = "application/json"
PREFIX = "#/components/schemas/"
ALWAYS = ("id", "href", "@type")
"""Attributes that a resource of ours always has, whatever `fields` asks for."""
TEXT: Schema = {"type": "string"}
_PLAIN: Mapping[str, Schema] = {
    "text": TEXT,
    "time": {"type": "string", "format": "date-time"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "any": {},
    "action": {"type": "string", "enum": list(ACTIONS)},
    "state": {"type": "string", "enum": list(PRODUCT_STATES)},
    "typed": {"type": "object", "properties": {"@type": TEXT}, "required": ["@type"]},
}
_OURS = frozenset({"id", "href", "state", "orderDate", "creationDate", "completionDate", "cancellationDate", "expectedCompletionDate"})
"""What a channel may write of an order, and we decide."""
_COUNT: Schema = {"type": "integer", "minimum": 0}
PAGING: Mapping[str, tuple[Schema, str]] = {
    "fields": (TEXT, "The attributes that are asked for, with commas between; id and href always come."),
    "sort": (TEXT, "What to sort by, with a minus before it downwards."),
    "offset": ({**_COUNT, "maximum": 2**31}, "How many to leave out from the beginning."),
    "limit": ({**_COUNT, "maximum": 1_000}, "How many at most; 100 unless said otherwise."),
    "at": (_PLAIN["time"], "The time as of which it is to be shown."),
    "why": (TEXT, "What what is personal is read for: it stands in the record of who read it."),
}
"""What of a query is no filter."""
_HEADERS: Mapping[str, str] = {
    "X-Total-Count": "How many there are in all.",
    "X-Result-Count": "How many are in this answer.",
    "Link": "The other pages (RFC 8288): self, first, prev, next, last.",
    "ETag": "The versions that this stands at.",
    "Location": "Where it is.",
    "O2C-Position": "The position of the log that the change stands at.",
    "O2C-Hook-Secret": "What signs the messages; it is shown once.",
    "Retry-After": "After so many seconds it may go.",
    "Idempotent-Replayed": "Whether this is the answer to a repeat.",
}


def name_of(kind: str, version: int) -> str:
    """The name of a type of a version among the schemas."""
    return f"{kind}_v{version}"


def ref(name: str) -> Schema:
    """A reference to a schema."""
    return {"$ref": f"{PREFIX}{name}"}


def components() -> dict[str, Schema]:
    """Every type of TMF622 in both versions, as it is answered, and what is sent to make or to change one."""
    made: dict[str, Schema] = {}
    for version, kinds in KINDS.items():
        for kind, attributes in kinds.items():
            made[name_of(kind, version)] = _type(kind, attributes, version)
        for kind in ("ProductOrder", "CancelProductOrder"):
            made[name_of(kind, version)]["required"] = list(ALWAYS)
            made[name_of(f"{kind}Create", version)] = _sent(made[name_of(kind, version)], kind, version)
        made[name_of("Hub", version)] = _hub(version)
        made[name_of("ProductOrderChange", version)] = {
            "type": "object",
            "description": f"What may change of an order: {', '.join(CHANGEABLE)}.",
            "properties": {name: made[name_of("ProductOrder", version)]["properties"][name] for name in CHANGEABLE},
        }
    return {**made, "HubCreate": _HUB, "JsonPatch": _JSON_PATCH}


def _type(kind: str, attributes: Mapping[str, Attribute], version: int) -> Schema:
    properties = {name: _attribute(attribute, version) for name, attribute in attributes.items()}
    properties |= {name: TEXT for name in META if name not in properties}
    if "state" in attributes:
        properties["state"] = {"type": "string", "enum": _states(kind, version)}
    needed = [name for name, attribute in attributes.items() if attribute.needed]
    if version == 5 and kind not in UNTYPED:
        needed.append("@type")
    return {"type": "object", "properties": properties, **({"required": needed} if needed else {})}


def _states(kind: str, version: int) -> list[str]:
    if kind == "CancelProductOrder":
        return list(TASK_STATES.values())
    # v4 has no item that is done in part.
    return [state for state in ORDER_STATES if kind == "ProductOrder" or version == 5 or state != "partial"]


def _attribute(attribute: Attribute, version: int) -> Schema:
    one = _PLAIN[attribute.kind] if attribute.kind in _PLAIN else ref(name_of(attribute.kind, version))
    return {"type": "array", "items": one} if attribute.several else one


def _sent(whole: Schema, kind: str, version: int) -> Schema:
    """What is sent to make one: without what we decide, and with what the standard asks for."""
    properties = {name: schema for name, schema in whole["properties"].items() if name not in _OURS}
    needed = "productOrderItem" if kind == "ProductOrder" else "productOrder"
    told = [needed, "@type"] if version == 5 else [needed]
    return {"type": "object", "properties": properties, "required": told}


_HUB: Schema = {
    "type": "object",
    "properties": {
        "callback": {"type": "string", "description": "The https address that is told."},
        "query": {"type": "string", "description": "`eventType=` with names of notifications; all where there is none."},
    },
    "required": ["callback"],
}
_JSON_PATCH: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 100,
    "items": {
        "type": "object",
        "properties": {
            "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": {"type": "string", "description": "A JSON pointer (RFC 6901)."},
            "from": {"type": "string"},
            "value": {},
        },
        "required": ["op", "path"],
    },
}


def _hub(version: int) -> Schema:
    names = ["id", "callback", "query", *(["href", "@type"] if version == 5 else [])]
    return {"type": "object", "properties": dict.fromkeys(names, TEXT), "required": names, "additionalProperties": False}


def thing(attributes: Iterable[str], name: str) -> Schema:
    """A resource that is read only: it has these attributes, and no other."""
    properties = {attribute: TEXT if attribute in (*ALWAYS, "name") else {} for attribute in sorted(attributes)}
    return {
        "type": "object",
        "description": f"A {name}.",
        "properties": properties,
        "required": list(ALWAYS),
        "additionalProperties": False,
    }


def answer(schema: Schema | None, description: str, *headers: str) -> dict[str, Any]:
    """An answer of a schema, or an empty one, with these headers."""
    told: dict[str, Any] = {"description": description}
    if schema is not None:
        told["content"] = {JSON: {"schema": schema}}
    if headers:
        told["headers"] = {name: {"description": _HEADERS[name], "schema": TEXT} for name in headers}
    return told


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that may come of any request here, and these."""
    return {status: _problem(status) for status in sorted({400, 401, 403, 429, 503, *statuses})}


def _problem(status: int) -> dict[str, Any]:
    titles = " or ".join(title for code, title, _ in TYPES.values() if code == status)
    told = answer(None, f"{titles} (RFC 9457).", *(("Retry-After",) if status in (429, 503) else ()))
    return {**told, "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}


def paged(schema: Schema) -> dict[int | str, dict[str, Any]]:
    """The answers of a list: all of it, or the part that was asked for."""
    several: Schema = {"type": "array", "items": schema}
    headers = ("X-Total-Count", "X-Result-Count", "Link")
    return {
        200: answer(several, "All that fit, or the first of them.", *headers),
        206: answer(several, "The part that was asked for.", *headers),
        **problems(422),
    }


def listing(attributes: Iterable[str]) -> dict[str, Any]:
    """How a list is asked for: a part of it, in an order, filtered by attributes (through any depth, `relatedParty.id`)."""
    filters = [_query(name, TEXT, "Those that have it; commas are or.") for name in sorted(attributes)]
    return {"parameters": [*(_query(name, *PAGING[name]) for name in ("fields", "sort", "offset", "limit", "why")), *filters]}


def showing(*more: str) -> dict[str, Any]:
    """How one thing is asked for."""
    return {"parameters": [_query(name, *PAGING[name]) for name in ("fields", *more)]}


def _query(name: str, schema: Schema, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def body(schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """A body that is sent, by media type."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in schemas.items()}}}


def changes(version: int) -> dict[str, Any]:
    """How a change in part is sent."""
    change = ref(name_of("ProductOrderChange", version))
    return body({**dict.fromkeys(MERGE, change), PATCH: ref("JsonPatch"), QUERY: ref("JsonPatch")})


def orders_described(version: int, attributes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How the paths of productOrder of a version are described, by what is done there."""
    order, wished = ref(name_of("ProductOrder", version)), ref(name_of("ProductOrderCreate", version))
    taken = {201: answer(order, "It is taken down.", "Location", "O2C-Position", "Idempotent-Replayed")}
    if version == 5:
        taken[202] = answer(order, "The first one stays in force until a person has looked at the difference.", "Location", "O2C-Position")
    shown = {200: answer(order, "The order.", "ETag"), 304: answer(None, "As you have it.", "ETag")}
    described: dict[str, dict[str, Any]] = {
        "list": {"responses": paged(order), "openapi_extra": listing(attributes)},
        "create": {"responses": {**taken, **problems(409, 413, 415, 422)}, "openapi_extra": body({JSON: wished})},
        "show": {"responses": {**shown, **problems(404, 422)}, "openapi_extra": showing("at", "why")},
        "patch": {
            "responses": {200: answer(order, "The order as it is now.", "ETag"), **problems(404, 409, 412, 413, 415, 422)},
            "openapi_extra": changes(version),
        },
    }
    said = {
        "list": "List product orders",
        "create": "Take down a product order",
        "show": "Show one product order",
        "patch": "Change what does not touch how a product order is carried out",
    }
    return {
        did: {"name": f"tmf622.v{version}.{did}", "operation_id": f"tmf622.v{version}.{did}", "summary": said[did], **told}
        for did, told in described.items()
    }
