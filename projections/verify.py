"""Two ways of folding the log anew without touching the tables: to check them, and to look back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from o2c.kernel.refusal import Refused
from projections import tables
from projections.compare import Difference, compare_docs, compare_rows
from projections.fold import fold_log, strict_rows
from projections.projection import Projection, Row
from projections.seen import last_mark


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found: how many groups and rows the log yields, and every document or row that is not so in the tables."""

    name: str
    position: int
    groups: int
    rows: int
    differing: tuple[Difference, ...]


def verify(dsn: str, projection: Projection) -> Report:
    """Fold the log again up to the checkpoint and compare documents and rows, all in one snapshot.

    A parked group is compared as it stood before its first parked event. Raises Refused when the tables have another shape, FoldFailed when
    a document yields no valid rows.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            checkpoint = tables.checkpoints(conn, [projection])[projection.name]
            if checkpoint.shape_version != projection.shape_version:
                raise Refused(f"projection {projection.name} has tables of another shape; catch up first", kind="conflict")
            fold = fold_log(conn, projection, checkpoint.mark, before=tables.parked_groups(conn, projection))
            differing = (*compare_docs(conn, projection, fold.docs), *compare_rows(conn, projection, fold.docs))
    rows = sum(len(strict_rows(projection, group, doc)) for group, doc in fold.docs.items())
    return Report(projection.name, checkpoint.mark.position, len(fold.docs), rows, differing)


def as_of(
    dsn: str, projection: Projection, position: int | None = None, at: datetime | None = None, streams: Sequence[str] | None = None
) -> list[Row]:
    """The rows as they stood at a position of the log, or by what had happened at a business time (or both), in key order.

    With `streams` only their events are read: the rows of groups that no other stream has a part in. Times are stamps. A group stands still
    before an event its fold cannot take. Raises FoldFailed when a document yields no valid rows.
    """
    with tables.session(dsn) as conn:
        fold = fold_log(conn, projection, last_mark(conn, position), at=at, streams=streams)
    return [row for group in sorted(fold.docs) for _, row in sorted(strict_rows(projection, group, fold.docs[group]).items())]
