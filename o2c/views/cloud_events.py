"""An event as a hook is told of it in our own format: a CloudEvents 1.0 object in JSON."""

from __future__ import annotations

import json
from typing import Any

from o2c.kernel.event import types_by_name
from o2c.kernel.periods import stamp
from o2c.views.following import EventRecord

MEDIA_TYPE = "application/cloudevents+json"
SOURCE = "/o2c"


def cloud_event(event: EventRecord) -> dict[str, Any]:
    """The event as CloudEvents 1.0 has it; `sequence` is its position in the log, so long that texts compare as the numbers do.

    The type ends in the version of its shape. Beside the standard's attributes stand the event's own: its order and customer, who caused it
    and through which channel, its `streamversion`, and the id of the event that led to it. No attribute is null, as the standard wants it.
    """
    known = types_by_name().get(event.type)
    told = {
        "specversion": "1.0",
        "id": event.id,
        "source": SOURCE,
        "type": f"{event.type}.v{known.schema_version() if known else 1}",
        "subject": event.stream,
        "time": stamp(event.occurred_at),
        "datacontenttype": "application/json",
        "sequence": f"{event.position:020}",
        "recordedtime": stamp(event.recorded_at),
        "streamversion": event.version,
        "order": event.order,
        "customer": event.customer,
        "actor": event.actor,
        "channel": event.channel,
        "causation": event.causation,
    }
    return {**{name: value for name, value in told.items() if value is not None}, "data": event.data}


def as_bytes(value: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
