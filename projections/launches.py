"""Launches: since when each offering has been on sale, by the first that was published of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen, stamp


def _evolve(doc: Doc, record: Seen) -> Doc:
    said = record.body.get("valid_from")
    first = {"launched_at": stamp(datetime.fromisoformat(said)) if said else record.at, "published_event": record.event_id}
    return {"offerings": {record.body["offering"]: first, **doc["offerings"]}}


def _rows(_: str, doc: Doc) -> Iterator[Row]:
    for offering, row in doc["offerings"].items():
        yield {"offering": offering, **row}


LAUNCHES = Projection(
    name="launches",
    meaning="One row an offering: when it was launched, which is the start of the validity that was published first, or that publishing itself.",
    shape_version=1,
    columns={"offering": "text", "launched_at": "timestamptz", "published_event": "text"},
    key=("offering",),
    indexes=("offering",),
    types=frozenset({"catalogue.offering-published"}),
    fields=frozenset({"offering", "valid_from"}),
    group=lambda record: record.stream,
    found_by="stream",
    initial={"offerings": {}},
    evolve=_evolve,
    rows=_rows,
)

LAUNCHED = "SELECT offering, launched_at FROM projection.launches"
"""When each offering was launched. No parameters."""
