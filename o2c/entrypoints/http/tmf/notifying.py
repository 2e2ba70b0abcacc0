"""TMF622 notifications, v4 and v5: what a hub is told of an order, in the shape of its version.

Source: TM Forum TMF622 v4.0.0 and v5.0.0, "Notification Resource Models".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from o2c.entrypoints.http.tmf.product_orders import cancel_task, product_order
from o2c.entrypoints.http.tmf.values import stamp_ms
from o2c.running.hooks import NATIVE, Delivery, EventRecord, HookState, Message, Session, Teller
from o2c.views import notifications as told
from o2c.views.cloud_events import as_bytes
from o2c.views.masking import masked_answer
from o2c.views.reading import plain

JSON = "application/json"
_SYSTEM = {"id": "o2c", "name": "o2c", "@type": "ReportingResource", "@referredType": "LogicalResource"}
_PARTS = {
    told.MILESTONE: "productOrderMilestone",
    told.ERROR: "productOrderErrorMessage",
    told.JEOPARDY: "productOrderJeopardyAlert",
}
"""What a notification of v5 tells beside the order's id, by its name."""


class Notices:
    """The notifications of a version."""

    def __init__(self, version: int) -> None:
        self.version = version

    def types(self, state: HookState) -> tuple[str, ...]:
        """All that happens to orders."""
        return told.types_of_orders()

    def kinds(self, session: Session, state: HookState, events: Sequence[EventRecord]) -> Iterable[tuple[EventRecord, str]]:
        """The notifications that the hub's query leaves."""
        return told.notifications(session.app, events, told.wanted(state.query, state.format))

    def message(self, session: Session, hook: str, state: HookState, delivery: Delivery, event: EventRecord) -> Message:
        """The notification, with the order as it stood right after the event; identifiers in it masked unless the hook is told them in
        full."""
        before, after = told.as_it_stood(session.app, event)
        made = notification(delivery.kind, delivery, event, before, after, self.version)
        return Message(JSON, as_bytes(made if state.unmasked else masked_answer(made)))


TELLERS: Mapping[str, Teller] = {**NATIVE, "tmf622-v4": Notices(4), "tmf622-v5": Notices(5)}
"""All formats that hooks are told in."""


def notification(
    kind: str, delivery: Delivery, event: EventRecord, before: Mapping[str, Any] | None, after: Mapping[str, Any], version: int
) -> dict[str, Any]:
    """A notification of a kind. `before` and `after` are the order's documents around the event."""
    at = stamp_ms(plain(event.occurred_at))
    made = {
        "eventId": f"{event.id}/{delivery.part}",
        "eventTime": at,
        "timeOcurred": at,
        "eventType": kind,
        "correlationId": after["order"],
        "domain": "Commercial",
        "title": kind,
        "description": event.type,
        "priority": str(after["priority"]),
        "event": _payload(kind, event, before, after, version),
    }
    return {**made, "source": _SYSTEM, "reportingSystem": _SYSTEM, "@type": kind, "@baseType": "Event"} if version == 5 else made


def _payload(kind: str, event: EventRecord, before: Mapping[str, Any] | None, after: Mapping[str, Any], version: int) -> dict[str, Any]:
    if kind in (told.CANCEL_CREATE, told.CANCEL_STATE):
        old, new = told.cancellations_of(before or {"cancellations": []}), told.cancellations_of(after)
        changed = [row for name, row in new.items() if name not in old or old[name]["state"] != row["state"]]
        return {"cancelProductOrder": cancel_task(changed[-1], version, reason=None)}
    whole = product_order(after, version)
    if kind in _PARTS:
        part = {name: whole[name] for name in ("id", "href", "state", "@type", _PARTS[kind]) if name in whole}
        return {"productOrder": part}
    return {"productOrder": whole}
