"""Closings: the days on which the books were closed, and up to which event each took postings."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen


def _evolve(doc: Doc, record: Seen) -> Doc:
    body = record.body
    told = {name: body[name] for name in ("upto", "postings", "late", "totals", "digest")}
    closing = {"closed_on": body["day"], "since": body["since"] or None, **told, "closed_at": record.at, "event": record.event_id}
    return {"closings": [*doc["closings"], closing]}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    yield from doc["closings"]


CLOSINGS = Projection(
    name="closings",
    meaning="One row a closing of the books: the day, the events up to the position `upto` are in it, the accounts at its end. What comes later for a closed day "
    "is posted on the day after.",
    shape_version=1,
    columns={
        "closed_on": "date", "since": "date", "upto": "bigint", "postings": "bigint", "late": "bigint", "totals": "jsonb", "digest": "text",
        "closed_at": "timestamptz", "event": "text",
    },
    key=("event",),
    types=frozenset({"ledger.closed"}),
    fields=frozenset({"day", "since", "upto", "postings", "late", "totals", "digest"}),
    group=lambda record: record.stream,
    found_by="stream",
    initial={"closings": []},
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

LISTED = "SELECT closed_on, since, upto, postings, late, totals, digest, closed_at, event FROM projection.closings ORDER BY closed_on DESC LIMIT %s"
"""The closings of the books, the last one first. Parameter: how many at most (NULL: all)."""
