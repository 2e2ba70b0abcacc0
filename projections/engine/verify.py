"""Checking the tables against the log, mending the groups that differ, and looking back to a position or time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.checkpoints import Checkpoint, checkpoints, seize
from projections.engine.compare import Difference, compare_docs, compare_rows
from projections.engine.fold import Fold, FoldFailed, fold_log, strict_rows
from projections.engine.history import ITSELF, By, note
from projections.engine.parked import parked_groups, without_skipped
from projections.engine.projection import Projection, Row
from projections.engine.seen import last_mark
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
        return verified(conn, projection, scope)


def verified(conn: Connection, projection: Projection, scope: Scope = ALL_GROUPS) -> Report:
    """Verify on a session that is open: for whoever checks one small projection after the other, connecting is most of it. Raises as `verify` does."""
    tables.prepare(conn, [projection])
    with conn.transaction():
        conn.execute(_SNAPSHOT)
        checkpoint = _checkpoint(conn, projection)
        groups = groups_in_scope(conn, projection, checkpoint.mark, scope)
        fold, differing = _check(conn, projection, checkpoint, groups)
    rows = sum(len(strict_rows(projection, group, doc)) for group, doc in fold.docs.items())
    return Report(projection.name, checkpoint.mark.position, len(fold.docs), rows, differing)


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
        fold, differing = _check(conn, projection, _checkpoint(conn, projection), [group])
    except FoldFailed:
        return ()
    if fold.waiting or not differing:
        return ()
    docs = {name: doc for name, doc in fold.docs.items() if name == group}
    tables.replace_group(
        conn, projection, group, docs, [row for doc in docs.values() for row in strict_rows(projection, group, doc).values()]
    )
    return differing


def _checkpoint(conn: Connection, projection: Projection) -> Checkpoint:
    checkpoint = checkpoints(conn, [projection])[projection.name]
    if checkpoint.shape_version != projection.shape_version:
        raise Refused(f"projection {projection.name} has tables of another shape; catch up first", kind="conflict")
    return checkpoint


def _check(
    conn: Connection, projection: Projection, checkpoint: Checkpoint, groups: Sequence[str] | None
) -> tuple[Fold, tuple[Difference, ...]]:
    """The fold of the groups (None: all) up to the checkpoint, and the documents and rows of the tables that differ from it."""
    streams = None if groups is None else streams_of(conn, projection, groups)
    parked = parked_groups(conn, projection)
    fold = fold_log(conn, without_skipped(conn, projection), checkpoint.mark, before=parked, streams=streams)
    if groups is not None:
        names = set(groups)
        fold.docs = {group: doc for group, doc in fold.docs.items() if group in names}
        fold.waiting = {group: events for group, events in fold.waiting.items() if group in names}
    return fold, (*compare_docs(conn, projection, fold.docs, groups), *compare_rows(conn, projection, fold.docs, groups))


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
