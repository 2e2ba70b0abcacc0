"""Waits: who was waited for at each step of an order and since when; of an order that is over, what its end really waited for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from o2c.kernel.event import Event
from o2c.orders.rollup import GATES, SUSPENSION
from projections.captures import APART
from projections.critical_path import WAITERS, critical_path
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen, stamp
from projections.open_fallouts import ENDINGS, OF_ITEM, OF_STEP
from projections.order_progress import channel_of

UNDER_WAY = {
    "activation": "partner", "activation-cancel": "partner", "appointment": "partner", "appointment-cancel": "partner", "credit": "partner", "cutover": "partner",
    "delivery": "partner", "esim": "partner", "esim-cancel": "partner", "esim-download": "customer", "identity": "partner",
    "number-change": "partner", "porting": "partner", "porting-cancel": "partner", "qualification": "partner", "service-change": "partner", "service-change-cancel": "partner",
    "switch-match": "partner", "switch-order": "partner", "switch-trigger": "partner", "switch-cancel": "partner",
}  # fmt: skip
"""Who is waited for while a step is under way: its partner; for a profile to be downloaded, the customer. Of any other step, we
ourselves."""
LEAD = timedelta(hours=1)
"""A step that is asked for further ahead waits for a day that the customer wished; a shorter lead is how we work. The longest of a step is
half an hour."""
_HELD_UP_BY = {
    "activation": "partner",
    "delivery": "partner",
    "cut-over": "partner",
    "download": "customer",
    "code": "customer",
    "sim": "us",
}
"""Who is to blame for a window that was missed, by what stood in its way."""
_PORTED = frozenset({"porting.scheduled", "porting.rescheduled", "porting.window-kept"})
_PAUSED = frozenset({"fallout.paused", "fallout.information-requested"})
_RESUMED = frozenset({"fallout.resumed", "fallout.snoozed", "fallout.settled"})
_SHAPES = OF_STEP | OF_ITEM | {
    "requested", "recall", "accepted", "silent", "parked", "unparked", "fell-out", "resumed", "renewed", "retry", "expected",
}  # fmt: skip
_OWN = ENDINGS | _PAUSED | _RESUMED | {"order.captured", "order.planned", "order.revised"}


def _concerns(event: type[Event]) -> bool:
    return event.type_name in _OWN or event.shape in _SHAPES


def _order_of(record: Seen) -> str | None:
    """The order of an event in its own stream, or in the record of a fallout of it."""
    return record.order_id if record.stream.startswith(("order-", "fallout-")) else None


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.stream.startswith("fallout-"):
        return _handled(doc, record)
    if record.type == "order.captured":
        told = {"external_id": record.body["external_id"], "channel": channel_of(record), "market": record.body.get("market", "")}
        return {**doc, **told, "captured_at": record.at}
    if record.type in ("order.planned", "order.revised"):
        return {**doc, "steps": {**doc["steps"], **_planned(doc, record)}}
    if record.type in ENDINGS:
        return {**doc, "closed_at": record.at, "steps": {place: _moved(step, record.at, "") for place, step in doc["steps"].items()}}
    if record.shape in OF_ITEM:
        return _item_over(doc, record)
    place = f"{record.item}/{record.step}"
    if not record.item and record.step not in (*GATES, SUSPENSION):
        return doc
    return _stepped(doc, record, place)


def _planned(doc: Doc, record: Seen) -> Doc:
    """The steps of the plan, each with the places that it waits for; of items that are planned anew they stand as they did, until events of
    their own."""
    found: Doc = {}
    for item in record.body["items"]:
        for step in item["steps"]:
            waits = [wait if "/" in wait else f"{item['item']}/{wait}" for wait in step.get("waits", ())]
            place = f"{item['item']}/{step['step']}"
            found[place] = {**doc["steps"].get(place, {"line": [], "known": None}), "waits": waits}
    return found


def _stepped(doc: Doc, record: Seen, place: str) -> Doc:
    """After an event of a step: who is waited for from now on, and when it is known to be over."""
    step = doc["steps"].get(place, {"waits": [], "line": [], "known": None})
    body, who = record.body, UNDER_WAY.get(record.step, "us")
    if record.shape in OF_STEP | {"renewed"}:
        after = _moved(step, record.at, "")
        doc = _agreed(doc, record) if record.type in _PORTED else doc
    elif record.step == SUSPENSION and record.shape == "requested":
        after = _moved(step, record.at, body["waits_for"], body["due_at"])
    elif record.shape in ("requested", "recall"):
        after = _asked(doc, step, record, who)
    elif record.shape == "fell-out":
        after = _moved(step, record.at, body["waiting_for"], body.get("expected_at"))
        doc = {**doc, "fallouts": {**doc["fallouts"], body["fallout"]: [place, body["waiting_for"]]}}
    elif record.shape in ("retry", "expected"):
        after = {**step, "known": _stamped(body.get("due_at") or body.get("expected_at"))}
    elif record.shape == "resumed":
        after = _moved(step, record.at, who)
    else:
        after = _moved(step, record.at, _partner(record.step), body.get("ask_again_at"))
    return {**doc, "steps": {**doc["steps"], place: after}}


def _partner(step: str) -> str:
    """Who is waited for once a partner took the work, or does not answer: for a download the customer, as before."""
    return "customer" if UNDER_WAY.get(step) == "customer" else "partner"


def _moved(step: Row, at: str, who: str, known: Any = None) -> Row:
    """The step with who is waited for from a time on (empty: nobody). What was foreseen for later does not come."""
    line = [change for change in step["line"] if change[0] < at]
    if (line[-1][1] if line else "") != who:
        line = [*line, [at, who]]
    return {**step, "line": line, "known": _stamped(known)}


def _asked(doc: Doc, step: Row, record: Seen, who: str) -> Row:
    """A step that was asked for: before it is due somebody else may be waited for."""
    due_at = _stamped(record.body["due_at"])
    assert due_at is not None
    is_port = record.step == "cutover"
    ahead = _notice(doc, record) if is_port else []
    if not is_port and due_at > record.at:
        far = datetime.fromisoformat(due_at) - record.occurred_at > LEAD and record.shape != "recall"
        ahead = [[record.at, "customer" if far else "us"], [due_at, who]]
    if not ahead:
        return _moved(step, record.at, who, due_at)
    after = _moved(step, record.at, ahead[0][1], ahead[-1][0])
    return {
        **after,
        "line": [*after["line"], *(change for before, change in pairwise(ahead) if change[1] != before[1])],
    }


def _agreed(doc: Doc, record: Seen) -> Doc:
    names = ("window_opens_at", "agreed_on", "deadline_on", "wished_on", "missed_on", "cause")
    return {**doc, "ports": {**doc["ports"], record.item: {name: record.body.get(name, "") for name in names}}}


def _notice(doc: Doc, record: Seen) -> list[list[str]]:
    """Who is waited for until the agreed window of a port opens: the notice that the market's rules want, up to the day by which they want
    the port done; after that the day that the customer wished, else whoever kept the line from being on. Nothing where no window lies
    ahead."""
    port = doc["ports"].get(record.item, {})
    opens = _stamped(port.get("window_opens_at"))
    if opens is None or opens <= record.at:
        return []
    agreed, deadline = port["agreed_on"], port["deadline_on"]
    if port["missed_on"]:
        who = _HELD_UP_BY.get(port["cause"], "partner")
        return [[record.at, who], [opens, "partner"]]
    if not (agreed and deadline) or agreed <= deadline:
        return [[record.at, "regulator"], [opens, "partner"]]
    days = datetime.fromisoformat(agreed) - datetime.fromisoformat(deadline)
    over = stamp(datetime.fromisoformat(opens) - days)
    later = "customer" if port["wished_on"] > deadline else "partner"
    noticed = [[record.at, "regulator"], [over, later]] if over > record.at else [[record.at, later]]
    return [*noticed, [opens, "partner"]]


def _item_over(doc: Doc, record: Seen) -> Doc:
    """An item ended: none of its steps is waited for any more. What its partners are asked to drop is asked for after that."""
    of = f"{record.item}/"
    steps = {place: _moved(step, record.at, "") if place.startswith(of) else step for place, step in doc["steps"].items()}
    return {**doc, "steps": steps}


def _handled(doc: Doc, record: Seen) -> Doc:
    """The desk waits for somebody about a fallout, or does not any more: then for whom its code says."""
    place, told = doc["fallouts"].get(record.stream.removeprefix("fallout-"), ("", ""))
    step = doc["steps"].get(place)
    if step is None or not step["line"] or not step["line"][-1][1]:
        return doc
    if record.type in _RESUMED:
        return {**doc, "steps": {**doc["steps"], place: _moved(step, record.at, told, step["known"])}}
    who = record.body["waits_for"] if record.body["waits_for"] in WAITERS else "partner"
    return {**doc, "steps": {**doc["steps"], place: _moved(step, record.at, who, step["known"])}}


def _stamped(at: Any) -> str | None:
    return stamp(datetime.fromisoformat(at)) if at else None


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    if "captured_at" in doc:
        closed = doc["closed_at"]
        spans = critical_path(doc["steps"], _time(doc["captured_at"]), _time(closed)) if closed else []
        yield {
            "order_id": order_id,
            **{name: doc[name] for name in ("external_id", "channel", "market", "captured_at", "closed_at")},
            "steps": {} if closed else {place: step for place, step in doc["steps"].items() if step["line"]},
            "spans": [[stamp(span.begun), stamp(span.ended), span.who, span.place] for span in spans],
        }


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


WAITS = Projection(
    name="waits",
    meaning="One row an order: while it is open, for each step who is waited for from when on (`steps`); once it is over, what its end waited for (`spans`: from, to, who, item/step).",
    shape_version=1,
    columns={
        "order_id": "text", "external_id": "text", "channel": "text", "market": "text", "captured_at": "timestamptz", "closed_at": "timestamptz",
        "steps": "jsonb", "spans": "jsonb",
    },
    key=("order_id",),
    indexes=("order_id", "captured_at"),
    types=_concerns,
    fields=frozenset({
        "external_id", "channel", "market", "items", "due_at", "ask_again_at", "expected_at", "waiting_for", "waits_for", "fallout",
        "window_opens_at", "agreed_on", "deadline_on", "wished_on", "missed_on", "cause",
    }),
    group=_order_of,
    found_by="order",
    initial={"closed_at": None, "steps": {}, "fallouts": {}, "ports": {}},
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

WAITED = f"""SELECT w.* FROM projection.waits w
WHERE (w.order_id = ANY(%(orders)s) OR (cardinality(%(orders)s::text[]) = 0 AND NOT {APART.format(order_id="w.order_id")}))
    AND (%(since)s::timestamptz IS NULL OR w.captured_at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR w.captured_at < %(until)s)
ORDER BY w.captured_at, w.order_id"""
"""What orders waited for, by capture time. Parameters: `orders` (none: any but those of programs and of tests of our own), and from `since`
on and before `until` they were captured (NULL: any)."""

OPEN = (
    f"SELECT * FROM projection.waits w WHERE closed_at IS NULL AND NOT {APART.format(order_id='w.order_id')} ORDER BY captured_at, order_id"
)
"""What the open orders wait for, by capture time, but for those of programs and of tests of our own. No parameters."""

_COMPLETED = """SELECT w.* FROM projection.waits w JOIN projection.captures c USING (order_id)
WHERE c.ended_by IN ('order.completed', 'order.partially-completed')"""
"""What the completed orders waited for. No parameters."""

COHORT = f"""{_COMPLETED} AND w.order_id <> %(order)s
    AND c.offerings = (SELECT offerings FROM projection.captures WHERE order_id = %(order)s) ORDER BY w.order_id"""
"""What the other orders waited for that are complete and of the same offerings as an order. Parameter: its id (`order`)."""

COMPLETED = f"{_COMPLETED} ORDER BY w.order_id"
"""What all orders waited for that are complete. No parameters."""
