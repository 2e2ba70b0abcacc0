"""Messages to customers: what each was to be told, of which milestone, and what became of it. The words and addresses are personal and stay
in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen, stamp

_TOLD = ("order", "customer", "milestone", "about", "language", "template", "media", "due_at")
_STANDING = {
    "message.withheld": "withheld", "message.begun": "sending", "message.sent": "sent", "message.deferred": "due",
    "message.outcome-lost": "unknown", "message.resend-asked": "due",
}  # fmt: skip


def _evolve(doc: Doc, record: Seen) -> Doc:
    body = record.body
    if record.type == "message.scheduled":
        media = body["media"]
        told = {**{name: body[name] for name in _TOLD}, "due_at": _time(body)}
        return {
            **told,
            "made_at": record.at,
            "state": "due",
            "medium": media[0] if media else "",
            "attempts": 0,
            "word": "",
            "sent_at": None,
        }
    if record.type == "message.bounced":
        then = body["then"]
        moved = {"state": "due" if then else "bounced", "medium": then or body["medium"], "due_at": _time(body) if then else None}
        return {**doc, **moved, "word": body["code"]}
    return {**doc, **_moved(doc, record, body)}


def _time(body: dict[str, Any]) -> str:
    return stamp(datetime.fromisoformat(body["due_at"]))


def _moved(doc: Doc, record: Seen, body: dict[str, Any]) -> Doc:
    """What another event changes: it is due at a time only as long as it is to be sent."""
    moved: Doc = {"state": _STANDING[record.type], "due_at": None}
    match record.type:
        case "message.begun":
            moved |= {"medium": body["medium"], "attempts": body["attempt"], "transport": body["transport"]}
        case "message.sent":
            moved |= {"sent_at": record.at, "word": body["receipt"]}
        case "message.deferred":
            moved |= {"due_at": _time(body), "word": body["code"]}
        case "message.resend-asked":
            moved |= {"due_at": record.at, "medium": body["medium"]}
        case "message.outcome-lost":
            moved |= {"word": body["word"]}
        case "message.withheld":
            moved |= {"word": body["reason"]}
    return moved


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    if "milestone" in doc:
        yield {
            "message": stream.removeprefix("message-"),
            "order_id": doc["order"] or None,
            "customer_id": doc["customer"],
            **{name: doc[name] for name in ("milestone", "about", "language", "template", "state", "medium", "attempts", "word")},
            "transport": doc.get("transport", ""),
            **{name: doc[name] for name in ("made_at", "due_at", "sent_at")},
        }


MESSAGES = Projection(
    name="messages",
    meaning="One row a message to a customer: of which milestone of which order, and what became of it. Due at a time only while it is to be sent.",
    shape_version=1,
    columns={
        "message": "text", "order_id": "text", "customer_id": "text", "milestone": "text", "about": "text", "state": "text", "medium": "text",
        "transport": "text", "language": "text", "template": "text", "attempts": "integer", "word": "text", "made_at": "timestamptz",
        "due_at": "timestamptz", "sent_at": "timestamptz",
    },
    key=("message",),
    indexes=("order_id", "customer_id, made_at", "state, due_at"),
    types=frozenset({"message.scheduled", "message.bounced", *_STANDING}),
    fields=frozenset({*_TOLD, "medium", "attempt", "transport", "receipt", "code", "then", "word", "reason"}),
    group=lambda record: record.stream,
    found_by="stream",
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

DUE = "SELECT message FROM projection.messages WHERE state = 'due' AND due_at <= %s ORDER BY due_at, made_at, message LIMIT %s"
"""The messages that are to be sent by a time, the first due first, and of those that waited for the same morning what happened first.
Parameters: the time, how many."""

STUCK = "SELECT message FROM projection.messages WHERE state = 'sending' ORDER BY message"
"""The messages that somebody had in hand. No parameters."""

LISTED = """SELECT m.message, m.customer_id AS customer, m.order_id AS "order", o.external_id, m.milestone, m.about, m.state, m.medium, m.transport,
    m.language, m.template, m.attempts, m.word, m.made_at, m.due_at, m.sent_at, count(*) OVER () AS n
FROM projection.messages m LEFT JOIN projection.orders o ON o.order_id = m.order_id
WHERE (%(customer)s = '' OR m.customer_id = %(customer)s) AND (%(order)s = '' OR m.order_id = %(order)s)
    AND (%(milestone)s = '' OR m.milestone = %(milestone)s) AND (%(state)s = '' OR m.state = %(state)s)
ORDER BY m.made_at DESC, m.message LIMIT %(limit)s"""
"""Messages, the last first, and how many there are (`n`). Parameters, by name, each empty for any: customer, order (its id), milestone,
state; and the `limit` (NULL: all)."""

SILENCES = """WITH asked AS (
    SELECT c.contact, c.customer_id, c.order_id, c.medium, c.contacted_at FROM projection.contacts c
    WHERE c.topic = 'where-is-my-order' AND c.direction = 'inbound'
        AND (%(customer)s = '' OR c.customer_id = %(customer)s) AND (%(order)s = '' OR c.order_id = %(order)s)
), told AS (
    SELECT a.contact, GREATEST(
        (SELECT max(m.sent_at) FROM projection.messages m WHERE m.customer_id = a.customer_id AND m.sent_at < a.contacted_at
            AND (a.order_id IS NULL OR m.order_id = a.order_id)),
        (SELECT max(c.contacted_at) FROM projection.contacts c WHERE c.customer_id = a.customer_id AND c.direction = 'outbound'
            AND c.contacted_at < a.contacted_at AND (a.order_id IS NULL OR c.order_id = a.order_id))) AS told_at,
        (SELECT min(o.captured_at) FROM projection.orders o WHERE o.customer_id = a.customer_id AND o.captured_at <= a.contacted_at
            AND (a.order_id IS NULL OR o.order_id = a.order_id)) AS captured_at
    FROM asked a
)
SELECT a.contact, a.customer_id AS customer, a.order_id AS "order", o.external_id, a.medium, a.contacted_at, t.told_at,
    extract(epoch FROM a.contacted_at - coalesce(t.told_at, t.captured_at))::bigint AS silence_s, count(*) OVER () AS n
FROM asked a JOIN told t USING (contact) LEFT JOIN projection.orders o ON o.order_id = a.order_id
ORDER BY a.contacted_at DESC, a.contact LIMIT %(limit)s"""
"""Who asked where an order is, the last first, with when he had last been told of it and the seconds since (since its capture, where he
never was; NULL where there is no order). Parameters, by name, empty for any: customer, order (its id); and the `limit` (NULL: all)."""

SENT = """SELECT e.position, e.event_id::text AS event, e.stream, e.type, e.occurred_at, e.actor, e.body ->> 'medium' AS medium, m.milestone, m.order_id AS "order"
FROM projection.messages m JOIN o2c.event e ON e.stream = 'message-' || m.message AND e.type = 'message.sent'
WHERE (m.order_id = ANY(%(orders)s) OR m.customer_id = %(customer)s)"""
"""Messages that went out about some orders, or to a customer, each time that one did. Parameters: `orders` (their ids), `customer` (empty
text: nobody)."""

DAYS_TOLD = """SELECT order_id, about AS promised_on, medium, sent_at FROM projection.messages
WHERE milestone = 'delay' AND sent_at IS NOT NULL AND (cardinality(%(orders)s::text[]) = 0 OR order_id = ANY(%(orders)s)) ORDER BY sent_at, message"""
"""The messages that went out about a new day of an order, the first first. Parameter: `orders` (none: any)."""
