"""Rebuilding a projection: new tables, the shadow, are filled beside the old ones and replace them in one short transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import errors, sql

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.turns import Turn, holder, holders, turn_of_name, wait_for
from projections.catalogue import BY_NAME
from projections.engine import tables
from projections.engine.bulk import shardable
from projections.engine.checkpoints import checkpoints
from projections.engine.diff import Diff, compare_shadow
from projections.engine.fill import Job, OnShare, fill, fill_in_processes
from projections.engine.fold import Changes, Fold, WaitingEvent, WaitingEvents, pages, strict_rows
from projections.engine.history import ITSELF, By, require_reason
from projections.engine.ownership import let_make
from projections.engine.parked import without_skipped
from projections.engine.projection import Projection, reader_of
from projections.engine.same_log import forget_other_log
from projections.engine.seen import Mark, last_mark
from projections.engine.swap import RollbackResult, exchanging, put_back, put_in_place, refuse_foreign_views

PROCESSES_MAX = 2
APART_EVENTS = 30_000
"""A log with more events than this is folded by several processes: below that their start takes longer than they save."""
SWAP_TRIES = 60
CLOSE_S = 0.05
"""When folding the new events takes less than this the shadow is close enough: the swap folds the rest while it holds the tables."""

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours"
"""Takes a lock that only one session can have if it is free, and says whether it was. Parameter: its name."""

_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
"""Gives a lock back. Parameter: its name."""

_LONGER_THAN = "SELECT FROM o2c.event ORDER BY position OFFSET %s LIMIT 1"
"""One row if the log has more events than a number. Parameter: the number."""

_QUIET = "SET LOCAL client_min_messages = warning"
"""Keeps notices away until the end of the transaction. No parameters."""

_SIZES = sql.SQL("SELECT (SELECT count(*) FROM {}) AS groups, (SELECT count(*) FROM {}) AS rows")
"""How many documents and rows a projection has. Parts: its table of documents, its table of rows."""


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """The result of a rebuild: the documents (`groups`) and rows of the new tables, how they differ from the old, the time of the swap."""

    name: str
    position: int
    groups: int
    rows: int
    diff: Diff
    swap_ms: float

    @property
    def differing(self) -> int:
        """How many of the old rows were wrong at the position up to which they were folded."""
        return self.diff.differing


def no_progress(stage: str, share: float) -> None:
    """Report nothing."""


def rebuild(
    dsn: str,
    projection: Projection,
    progress: OnShare = no_progress,
    *,
    strict: bool = True,
    only_outdated: bool = False,
    processes: int | None = None,
    by: By = ITSELF,
) -> RebuildResult | None:
    """Fold the whole log into shadow tables and swap them in; the old tables stay as `<name>_old` until the next rebuild.

    A projection is rebuilt by one session at a time; who waits for another says so. With `only_outdated` nothing is done, and None
    returned, when its tables have this program's shape already. A strict rebuild raises FoldFailed at the first event that fails; otherwise
    such an event parks its group. `processes` is the number of processes that fold; by default there are as many as cores, two at most, and
    one where the log is short or the projection is not in the catalogue. A rebuild that is killed leaves the tables in place as they were.
    Raises Refused when readers do not release the tables, or views of others read the kept ones; unavailable when another rebuild of it
    goes on.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        with _one_at_a_time(conn, projection):
            let_make(conn, [projection])
            forget_other_log(conn, projection)
            if only_outdated and checkpoints(conn, [projection])[projection.name].shape_version >= projection.shape_version:
                return None
            refuse_foreign_views(conn, projection)
            shards = _shards(conn, projection, processes)
            return _rebuild(conn, dsn, without_skipped(conn, projection), shards, strict, progress, by)


def rollback(dsn: str, projection: Projection, by: By) -> RollbackResult:
    """Swap the tables with those that the last rebuild replaced; the next catch-up goes on from the position of the latter.

    A second rollback swaps them back. Raises Refused: usage when `by` names no person or reason, missing when no tables are kept,
    conflict when they have another shape than this program's or events were skipped since, unavailable during a rebuild or when readers
    do not release the tables.
    """
    require_reason(by, "a rollback shows every reader an older answer")
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        let_make(conn, [projection])
        with not_rebuilt_meanwhile(conn, projection):
            return put_back(conn, projection, by)


@contextmanager
def _one_at_a_time(conn: Connection, projection: Projection) -> Iterator[None]:
    wait_for(conn, _turn(projection))
    try:
        yield
    finally:
        conn.execute(_UNLOCK, (_lock(projection),))


def rebuilders(conn: Connection, projections: Sequence[Projection]) -> dict[str, str]:
    """Who rebuilds which of these projections now, by name, in words."""
    found = holders(conn, [_lock(projection) for projection in projections])
    return {projection.name: str(found[_lock(projection)]) for projection in projections if _lock(projection) in found}


def _lock(projection: Projection) -> str:
    return f"rebuild of projection {projection.name}"


def _turn(projection: Projection) -> Turn:
    return turn_of_name(f"the rebuild of projection {projection.name}", _lock(projection), "projection.checkpoint", of_session=True)


@contextmanager
def not_rebuilt_meanwhile(conn: Connection, projection: Projection) -> Iterator[None]:
    """Within the block no rebuild of the projection can begin. Raises Refused (unavailable) during a rebuild."""
    row = conn.execute(_TRY_LOCK, (_lock(projection),)).fetchone()
    if not row or not row["ours"]:
        found = holder(conn, _lock(projection), "projection.checkpoint")
        raise Refused(
            f"projection {projection.name} is being rebuilt by {found or 'another'}; wait for it, then decide again", kind="unavailable"
        )
    try:
        yield
    finally:
        conn.execute(_UNLOCK, (_lock(projection),))


def _shards(conn: Connection, projection: Projection, processes: int | None) -> int:
    if BY_NAME.get(projection.name) is not projection or not shardable(projection):
        return 1
    if processes is not None:
        return max(processes, 1)
    is_long = conn.execute(_LONGER_THAN, (APART_EVENTS,)).fetchone() is not None
    return 1 if not is_long else min(PROCESSES_MAX, os.cpu_count() or 1)


def _rebuild(conn: Connection, dsn: str, projection: Projection, shards: int, strict: bool, progress: OnShare, by: By) -> RebuildResult:
    old = checkpoints(conn, [projection])[projection.name].mark
    # Up to the position of the old rows, so that both can be compared; old tables at the start of the log are empty, and not compared.
    upto = old if old.position else last_mark(conn)
    with conn.transaction():
        conn.execute(_QUIET)
        tables.drop(conn, projection, "_gone")
        tables.make_shadow(conn, projection)
    shadow = tables.shadow_id(conn, projection)
    jobs = [Job(projection.name, upto.position, number, shards, strict, shadow) for number in range(shards)]
    waiting = fill(conn, projection, jobs[0], progress) if shards == 1 else fill_in_processes(dsn, jobs, progress)
    tables.index(conn, projection)
    progress("indexed", 1)
    diff = compare_shadow(conn, projection, reader_of([projection]), upto) if old.position else Diff()
    progress("compared", 1)
    return _swap_in(conn, Shadow(conn, projection, upto, waiting, strict=strict, by=by), diff, progress)


class Shadow:
    """The filled tables of a rebuild, which are folded further until they are swapped in. `at` is how far they are."""

    def __init__(self, conn: Connection, projection: Projection, at: Mark, waiting: WaitingEvents, *, strict: bool, by: By) -> None:
        self.conn, self.projection, self.at, self.by = conn, projection, at, by
        self._reader = reader_of([projection])
        self._fold = Fold(projection, self._reader.type_names, strict, waiting={group: [*events] for group, events in waiting.items()})

    @property
    def waiting(self) -> dict[str, list[WaitingEvent]]:
        """The events that wait, by group."""
        return self._fold.waiting

    def follow(self, bound: Mark) -> None:
        """Fold further, up to `bound`, which is before the horizon: one transaction a page."""
        for page, mark in pages(self.conn, self._reader, self.at.position, bound):
            events = self._fold.assign_groups(page)
            old = tables.load_docs(self.conn, self.projection, {group for group, _ in events}, "_new")
            self._fold.docs = dict(old)
            self._fold.take(events)
            changes = Changes()
            for group, doc in self._fold.docs.items():
                strict_rows(self.projection, group, doc)
                changes.add(self.projection, group, old.get(group), doc)
            with self.conn.transaction():
                tables.write(self.conn, self.projection, changes, "_new")
            self.at = mark

    def swap(self) -> float | None:
        """Lock the tables in place, fold up to their position and replace them.

        Returns the milliseconds that took, or None, and nothing is changed, when readers hold the tables.
        """
        at, waiting = self.at, {group: [*events] for group, events in self.waiting.items()}
        try:
            with exchanging(self.conn, self.projection) as in_place:
                started = time.perf_counter()
                if in_place.position > self.at.position:
                    self.follow(in_place)
                put_in_place(self.conn, self.projection, self.at, self.waiting, self.by)
        except errors.LockNotAvailable:
            self.at, self._fold.waiting = at, waiting
            return None
        return (time.perf_counter() - started) * 1000


def _swap_in(conn: Connection, shadow: Shadow, diff: Diff, progress: OnShare) -> RebuildResult:
    projection = shadow.projection
    for turn in range(SWAP_TRIES):
        for _ in range(SWAP_TRIES):
            started = time.perf_counter()
            shadow.follow(last_mark(conn))
            if time.perf_counter() - started < CLOSE_S:
                break
        if (swap_ms := shadow.swap()) is not None:
            progress("swapped", 1)
            tables.drop(conn, projection, "_gone")
            return RebuildResult(projection.name, shadow.at.position, *_counts(conn, projection), diff, round(swap_ms, 1))
        time.sleep(min(turn / 10, 1))
    raise Refused(
        f"projection {projection.name} is built but readers do not let go of the old table; end them and rebuild", kind="unavailable"
    )


def _counts(conn: Connection, projection: Projection) -> tuple[int, int]:
    row = conn.execute(_SIZES.format(tables.doc_table(projection), tables.table(projection))).fetchone()
    return (row["groups"], row["rows"]) if row else (0, 0)
