"""Intakes: how many lines of each file or batch became orders, were duplicates, or were refused."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

_COUNTS = ("lines", "captured", "duplicates", "resubmitted", "refused")


def _group(record: Seen) -> str | None:
    return record.stream if record.stream.startswith("intake-") else None


def _evolve(doc: Doc, record: Seen) -> Doc:
    counts = {name: record.body.get(name, 0) for name in _COUNTS}
    return {**doc, "closings": [*doc["closings"], {**counts, "closed_at": record.at}]}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    for number, closing in enumerate(doc["closings"], 1):
        yield {"intake": stream, "closing": number, **closing}


INTAKES = Projection(
    name="intakes",
    meaning="One row a closing of an intake: lines read, orders captured, exact duplicates, changed resubmissions, lines refused.",
    shape_version=1,
    columns={"intake": "text", "closing": "integer", **dict.fromkeys(_COUNTS, "integer"), "closed_at": "timestamptz"},
    key=("intake", "closing"),
    types=frozenset({"intake.closed"}),
    fields=frozenset(_COUNTS),
    group=_group,
    found_by="stream",
    initial={"closings": []},
    evolve=_evolve,
    rows=_rows,
)

SUMS = """SELECT coalesce(sum(lines), 0)::bigint AS lines, coalesce(sum(captured), 0)::bigint AS captured,
    coalesce(sum(duplicates), 0)::bigint AS duplicates, coalesce(sum(resubmitted), 0)::bigint AS resubmitted,
    coalesce(sum(refused), 0)::bigint AS refused
FROM projection.intakes"""
"""What became of the lines of all intakes together. No parameters."""
