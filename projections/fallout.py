"""Fallouts: steps that could not go on by themselves, since when, in whose queue they are, and the event that closed each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from o2c.kernel.event import Event
from projections import blame
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen, stamp
from projections.fallout_standing import CLOCK, STANDING
from projections.open_fallouts import ENDINGS, OF_ITEM, OF_STEP, closes
from projections.ranking import RANK

_FIELDS = {
    "reason": "reason", "class": "fault_class", "origin": "origin", "waiting_for": "waiting_for", "queue": "queue",
    "recoverability": "recoverability", "detail": "detail", "partner_code": "partner_code", "severity": "severity",
    "code_version": "code_version",
}  # fmt: skip
"""The column of each field that an event of the shape `fell-out` has for a fallout."""
_OF_ORDER = frozenset({"order.captured", "order.planned", "order.revised", "order.amended", "promise.revised", "invoice.issued"})
_NOT_CLOSED: Row = {"closed_at": None, "closed_by": None, "closed_event": None}
_GROUPED_BY = ("step", "reason", "partner_code", "offering", "plan_version")
"""What fallouts of one group have in common. The partner follows from the step."""
INITIAL: Doc = {
    **blame.INITIAL,
    "order": {"priority": 4, "category": "", "tier": "", "channel": "", "plan_version": "", "currency": "", "market": ""},
    "items": {},
    "due": {},
    "fallouts": {},
}

SUMMARY_VIEW = """
SELECT reason, queue, count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'closed') AS closed,
    count(DISTINCT stream) AS streams, sum(attempts) AS attempts, min(opened_at) FILTER (WHERE state = 'open') AS oldest_open_at
FROM projection.fallout GROUP BY reason, queue ORDER BY reason, queue
"""
"""The view `projection.fallout_summary`: how many fallouts there are of each reason in each queue, and since when the oldest is open."""


def _concerns(event: type[Event]) -> bool:
    own = event.shape in OF_STEP | OF_ITEM | {"fell-out", "expected", "resumed", "requested", "recall", "retry", "renewed"}
    return own or event.type_name in ENDINGS | _OF_ORDER


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type in _OF_ORDER:
        return _told(doc, record)
    if record.shape in ("requested", "recall"):
        doc = _next_try(doc, record, None)
        return {**doc, "due": {**doc["due"], _step_of(record): stamp(datetime.fromisoformat(record.body["due_at"]))}}
    if record.shape == "renewed":
        return _next_try(doc, record, None)
    if record.shape == "retry":
        return _next_try(doc, record, record.body["due_at"])
    if record.type == "order.validated" and (tier := record.body.get("tier")):
        # The party for which the order was validated may be another one than the channel had named.
        doc = {**doc, "order": {**doc["order"], "tier": tier}}
    fallouts = doc["fallouts"]
    if record.shape == "fell-out":
        return {**doc, "fallouts": {**fallouts, record.body["fallout"]: _opened(doc, record)}}
    if record.shape == "resumed":
        return _acted(doc, record)
    if record.shape == "expected":
        return _next_try(doc, record, record.body["expected_at"], detail=record.body.get("detail", ""))
    closed = {
        fallout: {**row, "state": "closed", "closed_at": record.at, "closed_by": record.type, "closed_event": record.event_id}
        for fallout, row in fallouts.items()
        if row["state"] == "open" and closes(record, row["item"], row["step"], fallout)
    }
    due = {step: at for step, at in doc["due"].items() if step != _step_of(record)} if record.shape == "done" else doc["due"]
    return {**doc, "due": due, "fallouts": {**fallouts, **closed}} if closed or len(due) < len(doc["due"]) else doc


def _next_try(doc: Doc, record: Seen, at: str | None, **more: Any) -> Doc:
    """The open fallouts of a step with the time at which it goes on by itself (None: not by itself)."""
    of = record.item, record.step
    told = {"retry_at": stamp(datetime.fromisoformat(at)) if at else None, **more}
    found = {name: row for name, row in doc["fallouts"].items() if row["state"] == "open" and (row["item"], row["step"]) == of}
    return {**doc, "fallouts": {**doc["fallouts"], **{name: {**row, **told} for name, row in found.items()}}} if found else doc


def _step_of(record: Seen) -> str:
    return f"{record.item}/{record.step}"


def _told(doc: Doc, record: Seen) -> Doc:
    """What an order says of itself: who sent it and how urgent it is, and of its items what they are, cost and are promised for. Of an
    invoice, its market."""
    body = record.body
    match record.type:
        case "invoice.issued":
            return {**doc, "order": {**doc["order"], "market": body.get("market", "")}}
        case "order.captured":
            header = {"priority": body["priority"], "channel": body.get("channel") or record.channel}
            header |= {name: body.get(name, "") for name in ("category", "tier")}
            return {**blame.captured(doc, record), "order": {**doc["order"], **header, "market": body.get("market", "")}}
        case "order.planned":
            items = {item["item"]: _item(item) for item in body["items"]}
            plan = {name: body.get(name, "") for name in ("plan_version", "currency")}
            return {**blame.planned(doc, record), "order": {**doc["order"], **plan}, "items": items}
        case "order.revised":
            items = {item["item"]: {**_item(item), "promised_on": _promised_before(doc, item)} for item in body["items"]}
            return {**blame.planned(doc, record), "items": {**doc["items"], **items}}
        case "order.amended":
            return {**doc, "order": {**doc["order"], **{name: body[name] for name in ("priority", "category") if name in body["amended"]}}}
    item = {**doc["items"].get(record.item, _item({})), "promised_on": body["promised_on"]}
    return {**doc, "items": {**doc["items"], record.item: item}}


def _promised_before(doc: Doc, item: dict[str, Any]) -> str | None:
    """The day of an item that is planned anew: it moves by an event of its own."""
    known = doc["items"].get(item["item"])
    return known["promised_on"] if known else item.get("promised_on") or None


def _item(planned: dict[str, Any]) -> Row:
    held = planned.get("recurring_minor", 0) + planned.get("one_time_minor", 0)
    return {"offering": planned.get("offering", ""), "revenue_minor": held, "promised_on": planned.get("promised_on") or None}


def _opened(doc: Doc, record: Seen) -> Row:
    old = doc["fallouts"].get(record.body["fallout"], {})
    before = (row for name, row in doc["fallouts"].items() if name != record.body["fallout"])
    again = any(row["state"] == "closed" and (row["item"], row["step"]) == (record.item, record.step) for row in before)
    fields = {column: record.body.get(name, 0 if name == "severity" else "") for column, name in _FIELDS.items()}
    first = {
        "order_id": record.order_id,
        "opened_at": record.at,
        "attempts": 0,
        "cause_event": str(record.position),
        "opened_event": record.event_id,
        "due_at": doc["due"].get(_step_of(record)),
        "repeated": again,
        "partner": "",
        "acts": 0,
        "acted_at": None,
        "deeds": [],
        **blame.UNKNOWN,
    }
    asked = (record.body.get("asked") or {}).get("partner")
    expected_at = record.body.get("expected_at")
    goes_on = {"in_hand_by": None, "in_hand_since": None, "retry_at": stamp(datetime.fromisoformat(expected_at)) if expected_at else None}
    row = {**first, **old, **fields, **goes_on, "item": record.item, "step": record.step, "state": "open", **_NOT_CLOSED}
    return {**row, "attempts": row["attempts"] + 1, "partner": asked or row["partner"]}


def _acted(doc: Doc, record: Seen) -> Doc:
    """What a person did about a fallout: each deed, when first, and whose wrong value a correction shows."""
    row = doc["fallouts"].get(record.body.get("fallout", ""))
    if row is None:
        return doc
    doc, found = blame.corrected(doc, record) if record.type == "fallout.correction-applied" else (doc, {})
    deed = {"event": record.event_id, "position": str(record.position), "did": _deed(record), "at": record.at}
    acted = {**row, **found, "acts": row["acts"] + 1, "acted_at": row["acted_at"] or record.at, "deeds": [*row["deeds"], deed]}
    acted |= {"in_hand_by": record.actor, "in_hand_since": record.at}
    return {**doc, "fallouts": {**doc["fallouts"], record.body["fallout"]: acted}}


def _deed(record: Seen) -> str:
    """The action behind an event, by its name in the table of actions. Where it was not kept whether a value was corrected, one was."""
    if record.type == "fallout.correction-applied":
        return "retry" if record.body.get("corrected") in ([], ()) else "correct"
    decided = str(record.body.get("decision", ""))
    return {"approve": "decide", "decline": "decide", "amend": "decide", "fail": "fail-item"}.get(decided, decided)


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    order = doc["order"]
    for fallout, row in doc["fallouts"].items():
        item = doc["items"].get(row["item"], _item({}))
        full = {**order, **item, **row}
        yield {"fallout": fallout, "stream": stream, **full, "group_id": group_of(full)}


def group_of(row: Row) -> str:
    """The group of a fallout: a name made of what it has in common with its like."""
    parts = json.dumps([row[name] for name in _GROUPED_BY])
    return hashlib.sha256(parts.encode()).hexdigest()[:10]


FALLOUT = Projection(
    name="fallout",
    meaning="One row a fallout, which stays: where it stopped and why, its group, what it holds up, whom it waits for, attempts, and the event that closed it.",
    shape_version=9,
    columns={
        "fallout": "text", "order_id": "text", "stream": "text", "item": "text", "step": "text", "reason": "text", "class": "text",
        "origin": "text", "waiting_for": "text", "queue": "text", "opened_at": "timestamptz", "attempts": "integer", "state": "text",
        "closed_at": "timestamptz", "closed_by": "text", "cause_event": "text", "recoverability": "text",
        "detail": "text", "partner_code": "text", "severity": "integer", "code_version": "text", "acts": "integer",
        "acted_at": "timestamptz", "priority": "integer", "category": "text", "tier": "text", "channel": "text", "offering": "text",
        "plan_version": "text", "promised_on": "date", "revenue_minor": "bigint", "currency": "text", "group_id": "text",
        "market": "text", "partner": "text", "opened_event": "text", "closed_event": "text", "due_at": "timestamptz", "repeated": "boolean",
        "deeds": "jsonb", "origin_event": "text", "origin_channel": "text", "origin_agent": "text", "origin_field": "text",
        "origin_at": "timestamptz", "in_hand_by": "text", "in_hand_since": "timestamptz", "retry_at": "timestamptz",
    },
    key=("fallout",),
    indexes=("fallout", "order_id", "state, queue, opened_at", "group_id, state"),
    types=_concerns,
    fields=frozenset({
        *blame.FIELDS, *_FIELDS.values(), "asked", "currency", "decision", "due_at", "expected_at", "market", "priority", "category", "tier", "plan_version", "promised_on", "amended",
    }),
    group=lambda record: record.stream,
    found_by="stream",
    initial=INITIAL,
    evolve=_evolve,
    rows=_rows,
    views={"fallout_summary": SUMMARY_VIEW},
)  # fmt: skip

SHOWN = {
    "fallout": "fallout", "order": "order_id",
    **{name: name for name in ("item", "step", "reason", "class", "origin", "waiting_for", "queue", "opened_at", "attempts")},
}  # fmt: skip
"""The name under which each part of a fallout is shown, and the column it comes from."""

_SHOWN_COLUMNS = ", ".join(f'{column} AS "{name}"' for name, column in SHOWN.items())

_OF_WHOM = """LEFT JOIN projection.orders o ON o.order_id = f.order_id
LEFT JOIN projection.invoices i ON f.stream = 'invoice-' || i.invoice"""
"""The order and the invoice of a fallout `f`."""

_RECORD = """r.owner, r.claimed_until, r.queue AS queue_now, r.snoozed_until, r.waits_for, r.waits_until, r.asked, r.level, r.waiting, r.touches,
r.handovers, r.tickets, r.origin AS origin_now, r.proposed_by, r.reopened, r.reopenings"""
"""What the record `r` of a fallout says; all NULL where nobody handled it."""

_FILTERED = f"""FROM projection.fallout f {_OF_WHOM} LEFT JOIN projection.fallout_records r ON r.fallout = f.fallout
{STANDING}
CROSS JOIN LATERAL (SELECT {RANK} AS rank) AS k
WHERE (cardinality(%(fallouts)s::text[]) = 0 OR f.fallout = ANY(%(fallouts)s)) AND (%(everything)s OR f.state = 'open' OR r.reopened) AND (%(queue)s = '' OR coalesce(nullif(r.queue, ''), f.queue) = %(queue)s)
AND (%(group)s = '' OR f.group_id = %(group)s) AND (%(owner)s = '' OR s.owner = %(owner)s) AND (%(reason)s = '' OR f.reason = %(reason)s)
AND (%(order)s = '' OR f.order_id = %(order)s) AND (%(customer)s = '' OR coalesce(o.customer_id, i.customer_id) = %(customer)s)
AND (%(state)s = '' OR s.state = %(state)s) AND (%(due_by)s::timestamptz IS NULL OR s.next_at <= %(due_by)s)
AND (%(rank_max)s::integer IS NULL OR k.rank <= %(rank_max)s) AND (%(opened_by)s::timestamptz IS NULL OR f.opened_at <= %(opened_by)s)
AND (%(after_rank)s::integer IS NULL OR (k.rank, f.opened_at, f.fallout) > (%(after_rank)s, %(after_at)s::timestamptz, %(after_id)s))"""
"""Open fallouts `f`, and those looked at again, with their records `r` and how they stand. Parameters: `fallouts` (ids; none: any),
`everything` (closed ones too), `queue`, `reason`, `order` (its id), `customer`, `group`, `owner` (a person, or the team of a queue) and
`state` (empty text: any); `due_by`, the latest next date, `opened_by`, until when it fell out, and `rank_max` (NULL: any); `after_rank`,
`after_at` and `after_id`, the place by rank behind which they come (NULL: from the first); those of `STANDING` and of `RANK`."""

LISTED = f"""SELECT {", ".join(f'f.{column} AS "{name}"' for name, column in SHOWN.items())}, f.state, f.closed_at, f.stream, f.detail,
f.severity, f.code_version, f.group_id AS "group", f.promised_on, f.revenue_minor, f.currency, f.acts, f.offering, f.partner,
f.channel, f.origin_event, f.origin_channel, f.origin_agent, f.origin_field, k.rank, f.in_hand_by, f.in_hand_since, f.retry_at,
{_RECORD}, o.external_id, coalesce(o.customer_id, i.customer_id) AS customer, i.invoice, count(*) OVER () AS n
{_FILTERED}
ORDER BY CASE %(sort)s WHEN 'queue' THEN f.queue WHEN 'reason' THEN f.reason WHEN 'order' THEN o.external_id
    WHEN 'customer' THEN coalesce(o.customer_id, i.customer_id) END,
    CASE %(sort)s WHEN 'rank' THEN k.rank END, CASE %(sort)s WHEN 'newest' THEN f.opened_at END DESC, CASE %(sort)s WHEN 'attempts' THEN f.attempts END DESC, f.opened_at, f.fallout
OFFSET %(offset)s LIMIT %(limit)s"""
"""Fallouts with the order, customer and invoice of each, and how many there are in all (`n`); the oldest first unless `sort` says
otherwise.

Parameters: those of the filter, `sort`, `offset`, `limit` (NULL: all).
"""

MATCHED = f"""SELECT f.fallout, (SELECT position FROM projection.checkpoint WHERE name = 'fallout') AS position {_FILTERED}
AND CASE %(standing)s WHEN 'closed' THEN f.state = 'closed' AND NOT coalesce(r.reopened, false) WHEN 'reopened' THEN coalesce(r.reopened, false)
    ELSE f.state = 'open' OR coalesce(r.reopened, false) END
ORDER BY k.rank, f.opened_at, f.fallout"""
"""The ids of fallouts by rank, with the position of the log that they are as of. Parameters: those of the filter, and `standing`:
`open` (and those looked at again), `closed`, or `reopened`."""

TREND_DAYS = 7
_TREND = ", ".join(
    f"count(*) FILTER (WHERE (f.opened_at AT TIME ZONE 'UTC')::date = %(today)s::date - {ago})" for ago in reversed(range(TREND_DAYS))
)
AGES = (("under an hour", 3_600), ("under four hours", 14_400), ("under a day", 86_400), ("under a week", 604_800), ("longer", None))
"""The ages that open fallouts are counted by, each up to so many seconds."""
AGED = """SELECT words AS age, (SELECT count(*) FROM projection.fallout f WHERE f.state = 'open'
    AND extract(epoch FROM %(now)s::timestamptz - f.opened_at) >= least_s
    AND (most_s IS NULL OR extract(epoch FROM %(now)s::timestamptz - f.opened_at) < most_s)) AS open
FROM unnest(%(words)s::text[], %(least)s::bigint[], %(most)s::bigint[]) WITH ORDINALITY AS ages (words, least_s, most_s, place) ORDER BY place"""
"""How many open fallouts are of which age, the youngest first. Parameters: `now`, and of each age its `words`, its `least` seconds, and its
`most` (NULL: any)."""
_CURRENCIES = "count(DISTINCT nullif(f.currency, '')) FILTER (WHERE f.state = 'open')"

GROUPED = f"""SELECT f.group_id AS "group", min(f.step) AS step, min(f.reason) AS reason, min(f.partner_code) AS partner_code,
min(f.offering) AS offering, min(f.plan_version) AS plan_version, count(*) AS count, count(*) FILTER (WHERE f.state = 'open') AS open,
min(f.opened_at) AS first_at, max(f.opened_at) AS last_at, ARRAY[{_TREND}] AS trend_7d,
CASE WHEN {_CURRENCIES} <= 1 THEN coalesce(sum(f.revenue_minor) FILTER (WHERE f.state = 'open'), 0)::bigint END AS revenue_minor,
CASE WHEN {_CURRENCIES} <= 1 THEN coalesce(max(f.currency) FILTER (WHERE f.state = 'open'), '') END AS currency,
round((sum({CLOCK}) / 3600)::numeric, 2) AS hours_lost, (array_agg(f.fallout ORDER BY f.state DESC, f.opened_at, f.fallout))[1] AS sample,
count(*) OVER () AS n
FROM projection.fallout f LEFT JOIN projection.fallout_records r ON r.fallout = f.fallout
WHERE (%(queue)s = '' OR coalesce(nullif(r.queue, ''), f.queue) = %(queue)s) AND (%(reason)s = '' OR f.reason = %(reason)s)
GROUP BY f.group_id HAVING NOT %(open_only)s OR count(*) FILTER (WHERE f.state = 'open') > 0
ORDER BY open DESC, revenue_minor DESC NULLS LAST, count DESC, f.group_id LIMIT %(limit)s"""
"""Groups of like fallouts, those with most open ones first, and how many there are in all (`n`); `revenue_minor` and `currency` are NULL
where the open ones are of several currencies. Parameters: `queue`, `reason` (empty text: any), `open_only`, `today`, `now`, `limit` (NULL:
all)."""

WORKLIST = """SELECT f.fallout, f.order_id, f.stream, f.item, f.step, f.reason, f.queue, f.origin, f.cause_event, f.acts, coalesce(nullif(r.queue, ''), f.queue) AS queue_now,
f.opened_at, f.opened_event, f.priority, f.tier, f.category, f.promised_on,
r.owner, r.claimed_until, r.waits_for, r.waits_until, r.snoozed_until, r.level, r.waiting, r.touches, r.tickets, r.proposed_by
FROM projection.fallout f LEFT JOIN projection.fallout_records r ON r.fallout = f.fallout
WHERE f.state = 'open' AND (%(all)s OR f.stream = ANY(%(streams)s) OR f.fallout = ANY(%(fallouts)s))"""
"""Open fallouts, with what their records say (NULL where nobody handled one). Parameters: `all`, or those of some `streams` and some
`fallouts`."""

OPEN_OF_ORDER = (
    f"""SELECT {_SHOWN_COLUMNS}, detail FROM projection.fallout WHERE state = 'open' AND order_id = %(order)s ORDER BY opened_at, fallout"""
)
"""The open fallouts of an order with their details, the oldest first. Parameter: `order`, its id."""

ROW_OF_FALLOUT = f"""SELECT f.*, f.group_id AS "group", {RANK} AS rank,
{_RECORD}, o.external_id, coalesce(o.customer_id, i.customer_id) AS customer, i.invoice
FROM projection.fallout f {_OF_WHOM} LEFT JOIN projection.fallout_records r ON r.fallout = f.fallout
WHERE f.fallout = %(name)s OR (length(%(name)s) BETWEEN 8 AND 35 AND f.fallout LIKE %(begins)s)"""
"""The row of a fallout with its record, order, customer and invoice. Parameters: `name`, its id or the first letters of it, `begins`, those
again with `%`, and those of `RANK`."""

ROWS_OF_FALLOUTS = "SELECT * FROM projection.fallout WHERE fallout = ANY(%s)"
"""The rows of some fallouts. Parameter: their ids."""

OPEN_OF_CUSTOMER = f"""SELECT {", ".join(f'f.{column} AS "{name}"' for name, column in SHOWN.items())} FROM projection.fallout f {_OF_WHOM}
WHERE f.state = 'open' AND coalesce(o.customer_id, i.customer_id) = %s ORDER BY f.opened_at, f.fallout"""
"""The open fallouts of a customer's orders and invoices, the oldest first. Parameter: the customer's id."""

OPEN_LIKE = f"""SELECT f.fallout, f.stream, f.item, f.step, f.reason, f.order_id AS "order", o.external_id FROM projection.fallout f {_OF_WHOM}
WHERE f.state = 'open' AND (%(group)s = '' OR f.group_id = %(group)s) AND (%(reason)s = '' OR f.reason = %(reason)s) ORDER BY f.stream, f.fallout"""
"""The open fallouts of a group, or of a reason, by stream. Parameters: `group`, `reason` (empty text: any)."""

COUNT_OF_GROUP = "SELECT count(*) AS n FROM projection.fallout WHERE group_id = %s"
"""How many fallouts a group ever had. Parameter: the group."""

FOR_FIGURES = """SELECT f.*, r.deeds AS handled, r.waiting, r.origin AS origin_now, coalesce(c.apart, '') AS apart
FROM projection.fallout f LEFT JOIN projection.fallout_records r ON r.fallout = f.fallout LEFT JOIN projection.captures c ON c.order_id = f.order_id
ORDER BY f.cause_event::numeric, f.fallout"""
"""All fallouts with what people did, whom they waited for, and whether their order is a program's or a test of our own, in the order in
which they fell out. No parameters."""

COUNT_BY_STATE = "SELECT state AS key, count(*) AS n FROM projection.fallout GROUP BY 1"
"""How many fallouts are open and how many closed. No parameters."""

COUNT_BY_REASON = "SELECT reason AS key, count(*) AS n FROM projection.fallout GROUP BY 1 ORDER BY 1"
"""How many fallouts there ever were for each reason. No parameters."""

OPEN_BY_REASON = "SELECT reason AS key, count(*) AS n FROM projection.fallout WHERE state = 'open' GROUP BY 1 ORDER BY 1"
"""How many fallouts are open for each reason. No parameters."""

COUNT_BY_REASON_AND_QUEUE = """SELECT reason, queue, count(*) AS n, count(*) FILTER (WHERE state = 'open') AS open
FROM projection.fallout GROUP BY 1, 2 ORDER BY 3 DESC, 1"""
"""How many fallouts there ever were for each reason in each queue, and how many are open; the most frequent first. No parameters."""

UNMAPPED = """SELECT step, partner_code AS raw, count(*) AS count, min(fallout) AS sample FROM projection.fallout WHERE reason = %s
GROUP BY step, partner_code ORDER BY count(*) DESC, step, partner_code"""
"""Partners' codes that were mapped to none of ours, by step; the most frequent first. Parameter: our code for such."""

OF_STREAMS = "SELECT * FROM projection.fallout WHERE order_id = ANY(%s) AND stream = 'order-' || order_id ORDER BY opened_at, fallout"
"""The fallouts of some orders in their own streams, the oldest first. Parameter: the orders' ids."""

QUEUE_DAYS = """WITH stood AS (SELECT coalesce(nullif(r.queue, ''), f.queue) AS queue, f.opened_at, f.closed_at
    FROM projection.fallout f LEFT JOIN projection.fallout_records r ON r.fallout = f.fallout
), happened (queue, at, came, closed) AS (
    SELECT queue, opened_at, 1, 0 FROM stood UNION ALL SELECT queue, closed_at, 0, 1 FROM stood WHERE closed_at IS NOT NULL
)
SELECT queue, (at AT TIME ZONE 'UTC')::date AS day, sum(came)::integer AS came, sum(closed)::integer AS closed FROM happened GROUP BY 1, 2 ORDER BY 1, 2"""
"""How many fallouts came to each queue and were closed in it on each day (UTC) on which any did. One that went to another queue counts
there. No parameters."""
