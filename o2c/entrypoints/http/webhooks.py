"""What the service sends to hooks, for its description (OpenAPI 3.1, `webhooks`): a message for each type of event, and for each TMF622
notification.

Source: Standard Webhooks (headers, signature), CloudEvents 1.0, TM Forum TMF622 v4.0.0 and v5.0.0 "Notification Resource Models".
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from o2c.entrypoints.http.tmf.schemas import TEXT, Schema, name_of, ref
from o2c.running.hooks import NEVER_TOLD
from o2c.views.cloud_events import MEDIA_TYPE, SOURCE
from o2c.views.event_types import event_types, stream_categories
from o2c.views.notifications import wanted

JSON = "application/json"
TOLD = "Told."
"""How the names of shapes of events begin among the schemas."""
_TIME: Schema = {"type": "string", "format": "date-time"}
_HEADERS = {
    "webhook-id": ({"type": "string"}, "The id of this message: the same however often it comes."),
    "webhook-timestamp": ({"type": "string", "pattern": "^[0-9]+$"}, "When it was sent, in seconds since 1970."),
    "webhook-signature": (
        {"type": "string", "pattern": "^v1,[0-9A-Za-z+/=]+( v1,[0-9A-Za-z+/=]+)*$"},
        "HMAC-SHA256 with the hook's secret over id, timestamp and body with dots between; two while a secret is renewed.",
    ),
}
_ENVELOPE: dict[str, Schema] = {
    "specversion": {"const": "1.0"}, "id": {"type": "string", "format": "uuid"}, "source": {"const": SOURCE}, "type": TEXT, "subject": TEXT,
    "time": _TIME, "datacontenttype": {"const": JSON}, "sequence": {"type": "string", "pattern": "^[0-9]{20,}$"}, "recordedtime": _TIME,
    "streamversion": {"type": "integer", "minimum": 1}, "order": TEXT, "customer": TEXT, "actor": TEXT, "channel": TEXT, "causation": TEXT,
    "data": {"type": "object"},
}  # fmt: skip
_ASKED: Schema = {
    "type": "object",
    "description": "The exchange with a partner of which it came, if any.",
    "properties": {"partner": TEXT, "answer": TEXT, "code": TEXT, "latency_ms": {"type": "integer", "minimum": 0}},
    "required": ["partner", "answer"],
    "additionalProperties": False,
}
_MAY_LACK = ("order", "customer", "causation")
_NOTICE = ("eventId", "eventTime", "timeOcurred", "eventType", "correlationId", "domain", "title", "description", "priority", "event")
_ANSWERS = {
    "2XX": {"description": "It was taken; it is not sent again."},
    "410": {"description": "The hook is told nothing any more until it is resumed."},
    "default": {"description": "It was not taken; it is tried again, and later messages of the same stream wait."},
}


def webhooks() -> dict[str, Any]:
    """Every message by its name: the stored name of the event, or version and name of the notification."""
    events = {cls.type_name: _message(inspect.getdoc(cls) or "", MEDIA_TYPE, ref(f"{TOLD}{cls.type_name}")) for cls in _told()}
    notices = {
        f"tmf622.v{version}.{name}": _message(f"TMF622 v{version}: {name}.", JSON, ref(f"{name}_v{version}"))
        for version in (4, 5)
        for name in wanted("", f"tmf622-v{version}")
    }
    return {**events, **notices}


def message_schemas() -> dict[str, Schema]:
    """The shapes that the messages refer to."""
    bodies, found = models_json_schema([(cls, "validation") for cls in _told()], ref_template=f"#/components/schemas/{TOLD}{{model}}")
    parts: dict[str, Schema] = {f"{TOLD}{name}": _open(schema) for name, schema in found.get("$defs", {}).items()}
    envelope: Schema = {"type": "object", "properties": _ENVELOPE, "required": [name for name in _ENVELOPE if name not in _MAY_LACK]}
    for cls in _told():
        body = _open(parts.pop(bodies[cls, "validation"]["$ref"].rpartition("/")[2]))
        body["properties"] = {name: schema for name, schema in body.get("properties", {}).items() if name not in cls.personal}
        body["properties"]["asked"] = _ASKED
        body["required"] = [name for name in body.get("required", ()) if name not in cls.personal]
        own = {"type": {"const": f"{cls.type_name}.v{cls.schema_version()}"}, "data": {**body, "additionalProperties": False}}
        parts[f"{TOLD}{cls.type_name}"] = {"allOf": [ref("CloudEvent"), {"properties": own}]}
    return {**parts, "CloudEvent": envelope, **dict(_notices())}


def _told() -> list[Any]:
    """The types of events that anybody outside may be told of."""
    return [cls for cls in event_types() if not set(stream_categories(cls)) <= NEVER_TOLD]


def _open(schema: Any) -> Any:
    """A schema of what is stored as one of what is told: an identifier that is masked fits no pattern and has another length."""
    if isinstance(schema, dict):
        return {name: _open(part) for name, part in schema.items() if name not in ("pattern", "minLength", "maxLength", "format")}
    return [_open(part) for part in schema] if isinstance(schema, list) else schema


def _notices() -> Iterator[tuple[str, Schema]]:
    for version in (4, 5):
        for name in wanted("", f"tmf622-v{version}"):
            thing = "CancelProductOrder" if name.startswith("Cancel") else "ProductOrder"
            inner = thing[0].lower() + thing[1:]
            event = {
                "type": "object",
                "properties": {inner: ref(name_of(thing, version))},
                "required": [inner],
                "additionalProperties": False,
            }
            properties = {
                **dict.fromkeys(_NOTICE, TEXT),
                "eventType": {"const": name},
                "eventTime": _TIME,
                "timeOcurred": _TIME,
                "event": event,
            }
            needed = [*_NOTICE, *(["@type", "source", "reportingSystem"] if version == 5 else [])]
            yield f"{name}_v{version}", {"type": "object", "properties": properties, "required": needed}


def _message(description: str, media_type: str, schema: Schema) -> dict[str, Any]:
    """A message that a hook is sent."""
    summary, _, _ = description.partition("\n")
    told = {
        "summary": summary,
        "description": description,
        "tags": ["hooks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": kind, "description": meaning}
            for name, (kind, meaning) in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {media_type: {"schema": schema}}},
        "responses": _ANSWERS,
    }
    return {"post": told}
