"""Checking the tables against the log, mending the groups that differ, and looking back to a position or time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.checkpoints import checkpoints, seize
from projections.engine.compare import Difference, compare_docs, compare_rows
from projections.engine.fold import Fold, FoldFailed, fold_log, fold_together, strict_rows
from projections.engine.history import ITSELF, By, note
from projections.engine.parked import all_parked_groups, all_without_skipped, parked_groups, without_skipped
from projections.engine.projection import Projection, Row
from projections.engine.seen import Mark, last_mark
from projections.engine.some_groups import ALL_GROUPS, Scope, groups_in_scope, streams_of

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Lets all statements of the transaction see log and tables at one moment. No parameters."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a verification: how many groups and rows the log yields, and every document or row of the tables that differs."""

    name: str
    position: int
    groups: int
    rows: int
    differing: tuple[Difference, ...]

    @property
    def wrong_groups(self) -> list[str]:
        """The groups with anything that differs."""
        return list(dict.fromkeys(str(difference.key[0]) for difference in self.differing))


def verify(dsn: str, projection: Projection, scope: Scope = ALL_GROUPS) -> Report:
    """Fold the log again up to the checkpoint, and compare the documents and rows of the groups in scope, all in one snapshot.

    A parked group is folded without its parked events. Raises Refused when the tables have another shape, or when `scope` is a part of
    the groups and the projection has no `found_by`; FoldFailed when a document yields no valid rows.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        with conn.transaction():
            conn.execute(_SNAPSHOT)
            mark = _mark(conn, projection)
            groups = groups_in_scope(conn, projection, mark, scope)
            fold, differing = _check(conn, projection, mark, groups)
        return _report(mark, fold, differing)


def verify_together(dsn: str, projections: Sequence[Projection]) -> list[Report]:
    """Verify all groups of several projections in one snapshot, by one reading of the log and one of the tables.

    What all of them hold is in memory at once: it is for a small log, where statements cost more than what they read. Raises as `verify`
    does.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        with conn.transaction():
            conn.execute(_SNAPSHOT)
            marks, parked = _marks(conn, projections), all_parked_groups(conn, projections)
            folds = fold_together(conn, all_without_skipped(conn, projections), marks, parked)
            stored = tables.stored_together(conn, projections)
    return [
        _report(marks[fold.projection.name], fold, _differing(fold, docs, rows)) for fold, (docs, rows) in zip(folds, stored, strict=True)
    ]


def _report(mark: Mark, fold: Fold, differing: tuple[Difference, ...]) -> Report:
    rows = sum(len(strict_rows(fold.projection, group, doc)) for group, doc in fold.docs.items())
    return Report(fold.projection.name, mark.position, len(fold.docs), rows, differing)


def _differing(fold: Fold, docs: Iterable[Row], rows: Iterable[Row]) -> tuple[Difference, ...]:
    return (*compare_docs(docs, fold.docs), *compare_rows(fold.projection, rows, fold.docs))


def repair(dsn: str, projection: Projection, groups: Iterable[str], by: By = ITSELF) -> list[Difference]:
    """Fold groups again and replace their documents and rows, and return the differences that were mended.

    Each group has a short transaction of its own, which holds the checkpoint, so that workers drop what they have in memory. A group at
    whose events the fold fails is left as it is. Raises as `verify` does.
    """
    mended: list[Difference] = []
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        for group in groups:
            with conn.transaction():
                seize(conn, projection)
                if differing := _mend(conn, projection, group):
                    note(conn, projection, "mended", by, group=group)
                    mended += differing
    return mended


def _mend(conn: Connection, projection: Projection, group: str) -> tuple[Difference, ...]:
    try:
        fold, differing = _check(conn, projection, _mark(conn, projection), [group])
    except FoldFailed:
        return ()
    if fold.waiting or not differing:
        return ()
    docs = {name: doc for name, doc in fold.docs.items() if name == group}
    tables.replace_group(
        conn, projection, group, docs, [row for doc in docs.values() for row in strict_rows(projection, group, doc).values()]
    )
    return differing


def _mark(conn: Connection, projection: Projection) -> Mark:
    return _marks(conn, [projection])[projection.name]


def _marks(conn: Connection, projections: Sequence[Projection]) -> dict[str, Mark]:
    """How far the tables of each projection have folded the log, by its name."""
    stored = checkpoints(conn, projections)
    for projection in projections:
        if stored[projection.name].shape_version != projection.shape_version:
            raise Refused(f"projection {projection.name} has tables of another shape; catch up first", kind="conflict")
    return {name: checkpoint.mark for name, checkpoint in stored.items()}


def _check(conn: Connection, projection: Projection, mark: Mark, groups: Sequence[str] | None) -> tuple[Fold, tuple[Difference, ...]]:
    """The fold of the groups (None: all) up to the mark, and the documents and rows of the tables that differ from it."""
    streams = None if groups is None else streams_of(conn, projection, groups)
    parked = parked_groups(conn, projection)
    fold = fold_log(conn, without_skipped(conn, projection), mark, before=parked, streams=streams)
    if groups is not None:
        names = set(groups)
        fold.docs = {group: doc for group, doc in fold.docs.items() if group in names}
        fold.waiting = {group: events for group, events in fold.waiting.items() if group in names}
    return fold, _differing(fold, tables.stored_docs(conn, projection, groups), tables.stored_rows(conn, projection, groups))


def as_of(
    dsn: str, projection: Projection, position: int | None = None, at: datetime | None = None, streams: Sequence[str] | None = None
) -> list[Row]:
    """The rows, by group and key, from the events up to a position of the log, and up to a business time; times are stamps.

    With `streams` only the events of those streams are read, so that only groups with no event elsewhere come out right. A group is
    folded up to the first event at which the fold fails. Raises FoldFailed when a document yields no valid rows.
    """
    with tables.session(dsn) as conn:
        fold = fold_log(conn, without_skipped(conn, projection), last_mark(conn, position), at=at, streams=streams)
    return [row for group in sorted(fold.docs) for _, row in sorted(strict_rows(projection, group, fold.docs[group]).items())]
