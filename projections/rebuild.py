"""Building a projection anew beside the old one, and putting it in its place in one short transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from psycopg import Rollback, errors, sql

from o2c.kernel.refusal import Refused
from projections import tables
from projections.compare import compare_rows
from projections.fold import Changes, Fold, pages, strict_rows
from projections.projection import Doc, Projection, reader_of
from projections.seen import START, Connection, Mark, Reader, last_mark

Progress = Callable[[str, int], None]
"""Told what is being done (folded, copied) and how many (events, documents) so far."""

COPY_DOCS = 10_000
SWAP_TRIES = 60


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild made. `differing` counts old rows that were not as they should have been at the position they stood at."""

    name: str
    position: int
    groups: int
    rows: int
    differing: int


def _silent(stage: str, count: int) -> None:
    return None


def rebuild(
    dsn: str, projection: Projection, progress: Progress = _silent, *, strict: bool = True, only_outdated: bool = False
) -> Rebuilt | None:
    """Fold the whole log into shadow tables and swap them in; the old table stays as `<name>_old` until the next rebuild.

    One at a time for each projection; `only_outdated` returns None when another has just done it. A strict rebuild raises FoldFailed at the
    first event it cannot take; otherwise such events park their group. Raises Refused when long readers or foreign views keep the tables.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        with _alone(conn, projection):
            if only_outdated and tables.checkpoints(conn, [projection])[projection.name].shape_version >= projection.shape_version:
                return None
            return _rebuild(conn, projection, strict, progress)


@contextmanager
def _alone(conn: Connection, projection: Projection) -> Iterator[None]:
    name = (f"rebuild of projection {projection.name}",)
    conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", name)
    try:
        yield
    finally:
        conn.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", name)


def _rebuild(conn: Connection, projection: Projection, strict: bool, progress: Progress) -> Rebuilt:
    reader = reader_of([projection])
    fold = Fold(projection, reader.wanted, strict)
    at, differing = _fold_to_old(conn, fold, reader, progress)
    for page, mark in pages(conn, reader, at.position, last_mark(conn)):
        fold.take(fold.concerned(page))
        at = mark
        progress("folded", len(fold.docs))
    with conn.transaction():
        conn.execute("SET LOCAL client_min_messages = warning")
        tables.create(conn, projection, "_new")
    _copy(conn, fold, progress)
    for turn in range(SWAP_TRIES):
        at = _follow(conn, fold, reader, at)
        if (rows := _swap(conn, fold, at)) is not None:
            return Rebuilt(projection.name, at.position, len(fold.docs), rows, differing)
        time.sleep(min(turn / 10, 1))
    raise Refused(
        f"projection {projection.name} is built but readers do not let go of the old table; end them and rebuild", kind="unavailable"
    )


def _fold_to_old(conn: Connection, fold: Fold, reader: Reader, progress: Progress) -> tuple[Mark, int]:
    """Fold to where the old table stands and count how many of its rows differ from that, both in one snapshot."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        mark = tables.checkpoints(conn, [fold.projection])[fold.projection.name].mark
        for page, _ in pages(conn, reader, START.position, mark):
            fold.take(fold.concerned(page))
            progress("folded", len(fold.docs))
        return mark, sum(1 for _ in compare_rows(conn, fold.projection, fold.docs))


def _copy(conn: Connection, fold: Fold, progress: Progress) -> None:
    """Fill the shadow tables, a batch a transaction: an open one would hold up every reader of the log."""
    left, copied = iter(fold.docs.items()), 0
    while batch := dict(islice(left, COPY_DOCS)):
        rows = [row for group, doc in batch.items() for row in strict_rows(fold.projection, group, doc).values()]
        with conn.transaction():
            tables.copy_in(conn, fold.projection, batch, rows, "_new")
        copied += len(batch)
        progress("copied", copied)


def _follow(conn: Connection, fold: Fold, reader: Reader, at: Mark) -> Mark:
    """Bring the shadow to the horizon."""
    for page, mark in pages(conn, reader, at.position, last_mark(conn)):
        concerned = fold.concerned(page)
        before: dict[str, Doc | None] = {group: fold.docs.get(group) for group, _ in concerned}
        fold.take(concerned)
        changes = Changes()
        for group, old in before.items():
            if group in fold.docs:
                strict_rows(fold.projection, group, fold.docs[group])
                changes.add(fold.projection, group, old, fold.docs[group])
        with conn.transaction():
            tables.write(conn, fold.projection, changes, "_new")
        at = mark
    return at


def _swap(conn: Connection, fold: Fold, at: Mark) -> int | None:
    """Put the shadow in place; its number of rows, or None when it has to catch up first or readers are in the way."""
    projection, count = fold.projection, None
    try:
        with conn.transaction():
            conn.execute("SET LOCAL lock_timeout = '1s'")
            conn.execute("SET LOCAL client_min_messages = warning")
            row = conn.execute("SELECT position FROM projection.checkpoint WHERE name = %s FOR UPDATE", (projection.name,)).fetchone()
            if row is None or row["position"] > at.position:
                raise Rollback
            tables.put_in_place(conn, projection)
            conn.execute("DELETE FROM projection.parked WHERE name = %s", (projection.name,))
            tables.park(conn, projection, fold.waiting)
            conn.execute(
                "UPDATE projection.checkpoint SET position = %s, event_id = %s, shape_version = %s, generation = generation + 1,"
                " swapped_at = clock_timestamp() WHERE name = %s",
                (at.position, at.event_id, projection.shape_version, projection.name),
            )
            found = conn.execute(sql.SQL("SELECT count(*) AS n FROM {}").format(tables.table(projection))).fetchone()
            count = found["n"] if found else 0
    except errors.LockNotAvailable:
        return None
    except errors.DependentObjectsStillExist:
        message = f"a view still reads projection.{projection.name}_old; drop it or make it read projection.{projection.name}"
        raise Refused(message, kind="conflict") from None
    return count
