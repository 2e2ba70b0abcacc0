"""Fallout: what could not go on by itself, since when, whose turn it is, and what ended it."""

from __future__ import annotations

from collections.abc import Iterator

from o2c.kernel.event import Event
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.open_fallouts import ENDINGS, OF_ITEM, OF_STEP, closes

_TOLD = {
    "reason": "reason", "class": "fault_class", "origin": "origin", "waiting_for": "waiting_for", "queue": "queue",
    "recoverability": "recoverability", "detail": "detail", "partner_code": "partner_code",
}  # fmt: skip

SUMMARY = """
SELECT reason, queue, count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'closed') AS closed,
    count(DISTINCT stream) AS streams, sum(attempts) AS attempts, min(opened_at) FILTER (WHERE state = 'open') AS oldest_open_at
FROM projection.fallout GROUP BY reason, queue ORDER BY reason, queue
"""


def _concerns(event: type[Event]) -> bool:
    return event.shape == "fell-out" or event.shape in OF_STEP | OF_ITEM or event.type_name in ENDINGS


def _evolve(doc: Doc, seen: Seen) -> Doc:
    if seen.shape == "fell-out":
        return {**doc, seen.body["fallout"]: _opened(doc.get(seen.body["fallout"], {}), seen)}
    ended = {
        fallout: {**known, "state": "closed", "closed_at": seen.at, "closed_by": seen.type}
        for fallout, known in doc.items()
        if known["state"] == "open" and closes(seen, known["item"], known["step"], fallout)
    }
    return {**doc, **ended} if ended else doc


def _opened(known: Row, seen: Seen) -> Row:
    told = {column: seen.body.get(name, "") for column, name in _TOLD.items()}
    first = {"order_id": seen.order_id, "opened_at": seen.at, "attempts": 0, "cause_event": str(seen.position)}
    row = {**first, **known, **told, "item": seen.item, "step": seen.step, "state": "open", "closed_at": None, "closed_by": None}
    return {**row, "attempts": row["attempts"] + 1}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    for fallout, known in doc.items():
        yield {"fallout": fallout, "stream": stream, **known}


FALLOUT = Projection(
    name="fallout",
    meaning="One row a fallout for good: where it stopped and why, whom it waits for, attempts, and the event that closed it.",
    shape_version=1,
    columns={
        "fallout": "text", "order_id": "text", "stream": "text", "item": "text", "step": "text", "reason": "text", "class": "text",
        "origin": "text", "waiting_for": "text", "queue": "text", "opened_at": "timestamptz", "attempts": "integer", "state": "text",
        "closed_at": "timestamptz", "closed_by": "text", "cause_event": "text", "recoverability": "text",
        "detail": "text", "partner_code": "text",
    },
    key=("fallout",),
    indexes=("fallout", "order_id", "state, queue, opened_at"),
    types=_concerns,
    fields=frozenset({"fallout", *_TOLD.values()}),
    group=lambda seen: seen.stream,
    found_by="stream",
    evolve=_evolve,
    rows=_rows,
    views={"fallout_summary": SUMMARY},
)  # fmt: skip
