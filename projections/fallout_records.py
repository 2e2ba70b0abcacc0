"""Records of fallouts: who has each in hand, whom we wait for and since when, and how often it was touched and handed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from o2c.kernel.event import Event
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen, stamp

INITIAL: Doc = {
    "owner": "", "claimed_until": None, "queue": "", "snoozed_until": None, "waits_for": "", "waits_until": None, "asked": False, "level": 0,
    "waiting": [], "origin": "", "touches": 0, "handovers": 0, "first_touch_at": None, "tickets": [], "proposed_by": "", "last_owner": "", "reopened": False, "reopenings": 0,
    "deeds": [],
}  # fmt: skip


ACTIONS = {
    "fallout.claimed": "claim", "fallout.assigned": "assign", "fallout.released": "release", "fallout.snoozed": "snooze",
    "fallout.paused": "wait", "fallout.information-requested": "request-information", "fallout.resumed": "resume",
    "fallout.escalated": "escalate", "fallout.noted": "note", "fallout.ticket-linked": "link-ticket",
    "fallout.origin-changed": "change-origin", "fallout.force-proposed": "force", "fallout.reopened": "reopen", "fallout.settled": "settle",
}  # fmt: skip
"""The action behind each event, by its name in the table of actions; an event that is none of these is called by its own name."""


def _concerns(event: type[Event]) -> bool:
    return event.type_name.startswith("fallout.") and event.of_stream == "fallout"


def _evolve(doc: Doc, record: Seen) -> Doc:
    after = _handled(doc, record)
    deed = {
        "event": record.event_id, "position": str(record.position), "did": ACTIONS.get(record.type, record.type.removeprefix("fallout.")), "at": record.at, "handed_over": after["handovers"] > doc["handovers"],
    }  # fmt: skip
    return {**after, "deeds": [*doc["deeds"], deed]}


def _handled(doc: Doc, record: Seen) -> Doc:
    body = record.body
    doc = {**doc, "touches": doc["touches"] + 1, "first_touch_at": doc["first_touch_at"] or record.at}
    match record.type:
        case "fallout.claimed":
            return {**_given(doc, body["by"]), "claimed_until": _until(record)}
        case "fallout.assigned":
            moved = bool(body["queue"]) and body["queue"] != doc["queue"]
            given = _given(doc, body["to"])
            return {**given, "claimed_until": None, "queue": body["queue"] or doc["queue"], "handovers": given["handovers"] + moved}
        case "fallout.released":
            return {**doc, "owner": "", "claimed_until": None}
        case "fallout.snoozed":
            return {**_ended(doc, record.at), "snoozed_until": _until(record)}
        case "fallout.paused" | "fallout.information-requested":
            wait = {"for": body["waits_for"], "from": record.at, "to": None}
            ended = _ended(doc, record.at)
            asked = record.type == "fallout.information-requested"
            return {
                **ended, "waits_for": body["waits_for"], "waits_until": _until(record), "asked": asked, "waiting": [*ended["waiting"], wait]
            }  # fmt: skip
        case "fallout.resumed":
            return _ended(doc, record.at)
        case "fallout.reopened":
            return {**doc, "reopened": True, "reopenings": doc["reopenings"] + 1}
        case "fallout.settled":
            return {**_ended(doc, record.at), "reopened": False, "owner": "", "claimed_until": None}
        case "fallout.escalated":
            return {**doc, "level": body["level"]}
        case "fallout.ticket-linked":
            return {**doc, "tickets": [*doc["tickets"], {"system": body["system"], "ticket": body["ticket"]}]}
        case "fallout.origin-changed":
            return {**doc, "origin": body["origin"]}
        case "fallout.force-proposed":
            return {**doc, "proposed_by": body["by"]}
    return doc


def _until(record: Seen) -> str | None:
    until = record.body["until"]
    return stamp(datetime.fromisoformat(until)) if until else None


def _given(doc: Doc, to: str) -> Doc:
    """The fallout in somebody's hand; it was handed over where somebody else had it before."""
    handed_over = bool(to and doc["last_owner"] and to != doc["last_owner"])
    return {**doc, "owner": to, "last_owner": to or doc["last_owner"], "handovers": doc["handovers"] + handed_over}


def _ended(doc: Doc, at: str) -> Doc:
    """Without wait or snooze; a wait under way ends now."""
    waiting: list[Any] = [{**wait, "to": wait["to"] or at} for wait in doc["waiting"]]
    return {**doc, "snoozed_until": None, "waits_for": "", "waits_until": None, "asked": False, "waiting": waiting}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    told = {name: value for name, value in doc.items() if name != "last_owner"}
    yield {"fallout": stream.removeprefix("fallout-"), **told}


FALLOUT_RECORDS = Projection(
    name="fallout_records",
    meaning="One row a fallout that somebody handled: who has it, whom we wait for, snooze, level, tickets, origin, touches and hand-overs.",
    shape_version=4,
    columns={
        "fallout": "text", "owner": "text", "claimed_until": "timestamptz", "queue": "text", "snoozed_until": "timestamptz",
        "waits_for": "text", "waits_until": "timestamptz", "asked": "boolean", "level": "integer", "waiting": "jsonb", "origin": "text",
        "touches": "integer", "handovers": "integer", "first_touch_at": "timestamptz", "tickets": "jsonb", "proposed_by": "text", "reopened": "boolean", "reopenings": "integer",
        "deeds": "jsonb",
    },
    key=("fallout",),
    indexes=("fallout", "owner"),
    types=_concerns,
    fields=frozenset({"by", "until", "to", "queue", "waits_for", "level", "system", "ticket", "origin"}),
    group=lambda record: record.stream,
    found_by="stream",
    initial=INITIAL,
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

CLAIMED = """SELECT r.fallout, r.owner, r.claimed_until, r.touches, f.acts, f.stream FROM projection.fallout_records r JOIN projection.fallout f
ON f.fallout = r.fallout WHERE r.owner = ANY(%s) AND r.claimed_until > %s ORDER BY r.claimed_until, r.fallout"""
"""The fallouts that people have in hand: claimed, and neither given back nor on, in claims that have not run out. Parameters: the people,
the time."""
