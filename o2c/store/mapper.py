"""From facts to stored rows and back: bytes, personal fields apart, old schema versions brought up to date."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from eventsourcing.persistence import Mapper, MapperDeserialisationError, Notification, StoredEvent
from pydantic import ValidationError
from pydantic_core import to_json

from o2c.kernel.event import Asked, Fact, types_by_name, upcast

ASKED, EXCHANGE = "asked", "exchange"
"""Where the exchange with a partner stands beside the fields of an event: in its body, and what may tell of a person among the personal
fields."""
_IN_BODY = ("partner", "answer", "code", "latency_ms")


@dataclass(frozen=True)
class StoredFact(Notification):
    """A stored event with its whole envelope. `topic` is our own event name, `state` the body without its personal fields, as JSON."""

    event_id: str
    schema: int
    occurred_at: datetime
    actor: str
    channel: str
    command_id: str
    causation: str | None
    order_id: str | None
    customer_id: str | None
    personal: str | None = field(repr=False)
    recorded_at: datetime | None


class FactMapper(Mapper[str]):
    """The library's mapper, validating both ways and naming events by their stored names."""

    def to_stored_event(self, domain_event: Any) -> StoredFact:
        """Give a fact as it is stored: its stored name, its body as JSON, and the personal fields apart."""
        fact: Fact = domain_event
        event = fact.event
        return StoredFact(
            originator_id=fact.stream,
            originator_version=fact.version,
            topic=event.type_name,
            state=_body(fact).encode(),
            id=fact.position or 0,
            event_id=fact.event_id,
            schema=event.schema_version(),
            occurred_at=fact.occurred_at,
            actor=fact.actor,
            channel=fact.channel,
            command_id=fact.command_id,
            causation=fact.causation,
            order_id=fact.order_id,
            customer_id=fact.customer_id,
            personal=_personal(fact),
            recorded_at=fact.recorded_at,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The fact of a stored event. Raises MapperDeserialisationError naming the event, never its values: they may be personal."""
        assert isinstance(stored_event, StoredFact)
        stored = stored_event
        where = f"{stored.topic} at {stored.originator_id} version {stored.originator_version}"
        cls = types_by_name().get(stored.topic)
        if cls is None:
            raise MapperDeserialisationError(
                f"cannot read {where}: this program knows no such event; use the program version that wrote it"
            )
        if not 1 <= stored.schema <= cls.schema_version():
            raise MapperDeserialisationError(f"cannot read {where}: its schema version {stored.schema} is unknown; use a newer program")
        try:
            body = {**json.loads(stored.state), **(json.loads(stored.personal) if stored.personal else {})}
            asked = asked_of(body)
            event = cls.model_validate(upcast(stored.topic, stored.schema, body))
        except ValidationError as error:
            fields = ", ".join(".".join(str(part) for part in flaw["loc"]) or flaw["type"] for flaw in error.errors(include_input=False))
            raise MapperDeserialisationError(f"cannot read {where}: fields {fields} do not fit its class") from None
        except (ValueError, TypeError):
            raise MapperDeserialisationError(f"cannot read {where}: its body is no JSON object") from None
        return Fact(
            stream=str(stored.originator_id),
            version=stored.originator_version,
            event=event,
            event_id=stored.event_id,
            occurred_at=stored.occurred_at,
            actor=stored.actor,
            channel=stored.channel,
            command_id=stored.command_id,
            causation=stored.causation,
            order_id=stored.order_id,
            customer_id=stored.customer_id,
            position=stored.id,
            recorded_at=stored.recorded_at,
            asked=asked,
        )


def asked_of(body: dict[str, Any]) -> Asked | None:
    """Take the exchange with a partner out of a stored body and its personal fields; what is left is the event's own."""
    told, private = body.pop(ASKED, None), body.pop(EXCHANGE, {})
    return Asked(**told, **private) if told else None


def _body(fact: Fact) -> str:
    event = fact.event
    body = event.model_dump_json(exclude=set(event.personal)) if event.personal else event.model_dump_json()
    return body if fact.asked is None else _with(body, ASKED, {name: getattr(fact.asked, name) for name in _IN_BODY})


def _personal(fact: Fact) -> str | None:
    event = fact.event
    personal = event.model_dump_json(include=set(event.personal)) if event.personal else None
    if fact.asked is None:
        return personal
    return _with(personal or "{}", EXCHANGE, {"digest": fact.asked.digest, "data": dict(fact.asked.data)})


def _with(json_object: str, name: str, value: Any) -> str:
    """A JSON object with one member more; its text is not read again for that."""
    return f'{json_object[:-1]}{"," if len(json_object) > 2 else ""}"{name}":{to_json(value).decode()}}}'
