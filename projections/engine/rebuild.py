"""Building a projection anew beside the old one, and putting it in its place in one short transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import errors, sql

from o2c.kernel.refusal import Refused
from projections.catalogue import BY_NAME
from projections.engine import tables
from projections.engine.bulk import shardable
from projections.engine.checkpoints import checkpoints
from projections.engine.diff import Diff, difference
from projections.engine.fill import Job, Parked, fill, fill_apart
from projections.engine.fold import Changes, Fold, Waiting, pages, strict_rows
from projections.engine.history import ITSELF, By, answering
from projections.engine.parked import leaving_out
from projections.engine.projection import Projection, reader_of
from projections.engine.same_log import forget_other_log
from projections.engine.seen import Connection, Mark, last_mark
from projections.engine.swap import RolledBack, exchanging, put_back, put_in_place, refuse_foreign_views

Progress = Callable[[str, float], None]
"""Told what is being done (folded, copied, indexed, compared, swapped) and how much of it is done, from 0 to 1."""

PROCESSES_MAX = 2
APART_EVENTS = 30_000
"""From how many events on processes of their own are worth their start."""
SWAP_TRIES = 60
CLOSE_S = 0.05
"""The shadow is close behind when what had come meanwhile took no longer than this: the rest is folded with the tables at rest."""

_LOCK = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
"""Waits for a lock that only one session can have, and takes it. Parameter: its name."""

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours"
"""Takes a lock that only one session can have if it is free, and says whether it was. Parameter: its name."""

_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
"""Gives a lock back. Parameter: its name."""

_LONGER_THAN = "SELECT FROM o2c.event ORDER BY position OFFSET %s LIMIT 1"
"""One row if the log has more events than a number. Parameter: the number."""

_QUIET = "SET LOCAL client_min_messages = warning"
"""Keeps notices away until the end of the transaction. No parameters."""

_ANALYZE = sql.SQL("ANALYZE {}, {}")
"""Counts two tables anew for the planner. Parts: the tables."""

_SIZES = sql.SQL("SELECT (SELECT count(*) FROM {}) AS groups, (SELECT count(*) FROM {}) AS rows")
"""How many documents and rows a projection has. Parts: its table of documents, its table of rows."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild made: documents and rows there were afterwards, how they differ from those before, and how long the swap held the tables."""

    name: str
    position: int
    groups: int
    rows: int
    diff: Diff
    swap_ms: float

    @property
    def differing(self) -> int:
        """How many rows were not as they should have been at the position they stood at."""
        return self.diff.differing


def _silent(stage: str, share: float) -> None:
    return None


def rebuild(
    dsn: str,
    projection: Projection,
    progress: Progress = _silent,
    *,
    strict: bool = True,
    only_outdated: bool = False,
    processes: int | None = None,
    by: By = ITSELF,
) -> Rebuilt | None:
    """Fold the whole log into shadow tables and swap them in; the old tables stay as `<name>_old` until the next rebuild.

    One at a time for each projection; `only_outdated` returns None when another has just done it. A strict rebuild raises FoldFailed at the
    first event it cannot take; otherwise such events park their group. `processes` fold apart; left out, as many as there are cores, two at
    most, where the log is long enough. A projection that is not of the catalogue is folded in this process. Ended at any moment it leaves the
    tables in place as they were. Raises Refused when long readers or foreign views keep the tables.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        with _alone(conn, projection):
            forget_other_log(conn, projection)
            if only_outdated and checkpoints(conn, [projection])[projection.name].shape_version >= projection.shape_version:
                return None
            refuse_foreign_views(conn, projection)
            shards = _shards(conn, projection, processes)
            return _rebuild(conn, dsn, leaving_out(conn, projection), shards, strict, progress, by)


def rollback(dsn: str, projection: Projection, by: By) -> RolledBack:
    """Put the tables that the last rebuild replaced back in place; the next catch-up goes on from where they stood.

    A second time goes forward again. Raises Refused: usage when nobody answers for it, missing when none are kept, conflict when they are of another shape than this program's or
    events were set aside since, unavailable while the projection is rebuilt or readers keep the tables.
    """
    answering(by, "a rollback shows every reader an older answer")
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        with not_rebuilt_meanwhile(conn, projection):
            return put_back(conn, projection, by)


@contextmanager
def _alone(conn: Connection, projection: Projection) -> Iterator[None]:
    name = (f"rebuild of projection {projection.name}",)
    conn.execute(_LOCK, name)
    try:
        yield
    finally:
        conn.execute(_UNLOCK, name)


@contextmanager
def not_rebuilt_meanwhile(conn: Connection, projection: Projection) -> Iterator[None]:
    """No rebuild begins within the block. Raises Refused (unavailable) when one is at work."""
    name = (f"rebuild of projection {projection.name}",)
    row = conn.execute(_TRY_LOCK, name).fetchone()
    if not row or not row["ours"]:
        raise Refused(f"projection {projection.name} is being rebuilt; wait for it, then decide again", kind="unavailable")
    try:
        yield
    finally:
        conn.execute(_UNLOCK, name)


def _shards(conn: Connection, projection: Projection, processes: int | None) -> int:
    if BY_NAME.get(projection.name) is not projection or not shardable(projection):
        return 1
    if processes is not None:
        return max(processes, 1)
    found = conn.execute(_LONGER_THAN, (APART_EVENTS,)).fetchone()
    return 1 if found is None else min(PROCESSES_MAX, os.cpu_count() or 1)


def _rebuild(conn: Connection, dsn: str, projection: Projection, shards: int, strict: bool, progress: Progress, by: By) -> Rebuilt:
    before = checkpoints(conn, [projection])[projection.name].mark
    # To where the old rows stand, so that both can be compared; a table that has folded nothing has nothing to compare.
    upto = before if before.position else last_mark(conn)
    with conn.transaction():
        conn.execute(_QUIET)
        tables.drop(conn, projection, "_gone")
        tables.create(conn, projection, "_new", indexed=False)
    shadow = tables.shadow_id(conn, projection)
    jobs = [Job(projection.name, upto.position, number, shards, strict, shadow) for number in range(shards)]
    waiting = fill(conn, projection, jobs[0], progress) if shards == 1 else fill_apart(dsn, jobs, progress)
    tables.index(conn, projection, "_new")
    conn.execute(_ANALYZE.format(tables.table(projection, "_new"), tables.doc_table(projection, "_new")))
    progress("indexed", 1)
    diff = difference(conn, projection, reader_of([projection]), upto) if before.position else Diff()
    progress("compared", 1)
    return _put_in_place(conn, Shadow(conn, projection, upto, waiting, strict=strict, by=by), diff, progress)


class Shadow:
    """The filled tables of a rebuild, which follow the log until they are swapped in."""

    def __init__(self, conn: Connection, projection: Projection, at: Mark, waiting: Parked, *, strict: bool, by: By) -> None:
        self.conn, self.projection, self.at, self.by = conn, projection, at, by
        self._reader = reader_of([projection])
        self._fold = Fold(projection, self._reader.wanted, strict, waiting={group: [*events] for group, events in waiting.items()})

    @property
    def waiting(self) -> dict[str, list[Waiting]]:
        """What is parked, by group."""
        return self._fold.waiting

    def follow(self, bound: Mark) -> None:
        """Fold on to an event behind the horizon, a page a transaction."""
        for page, mark in pages(self.conn, self._reader, self.at.position, bound):
            concerned = self._fold.concerned(page)
            before = tables.load_docs(self.conn, self.projection, {group for group, _ in concerned}, "_new")
            self._fold.docs = dict(before)
            self._fold.take(concerned)
            changes = Changes()
            for group, doc in self._fold.docs.items():
                strict_rows(self.projection, group, doc)
                changes.add(self.projection, group, before.get(group), doc)
            with self.conn.transaction():
                tables.write(self.conn, self.projection, changes, "_new")
            self.at = mark

    def swap(self) -> float | None:
        """Fold on to where the tables in place stand, at rest, and take their place; in how many milliseconds. None when readers are in the way."""
        at, waiting = self.at, {group: [*events] for group, events in self.waiting.items()}
        try:
            with exchanging(self.conn, self.projection) as stand:
                began = time.perf_counter()
                if stand.position > self.at.position:
                    self.follow(stand)
                put_in_place(self.conn, self.projection, self.at, self.waiting, self.by)
        except errors.LockNotAvailable:
            self.at, self._fold.waiting = at, waiting
            return None
        return (time.perf_counter() - began) * 1000


def _put_in_place(conn: Connection, shadow: Shadow, diff: Diff, progress: Progress) -> Rebuilt:
    projection = shadow.projection
    for turn in range(SWAP_TRIES):
        for _ in range(SWAP_TRIES):
            began = time.perf_counter()
            shadow.follow(last_mark(conn))
            if time.perf_counter() - began < CLOSE_S:
                break
        if (swap_ms := shadow.swap()) is not None:
            progress("swapped", 1)
            tables.drop(conn, projection, "_gone")
            return Rebuilt(projection.name, shadow.at.position, *_counts(conn, projection), diff, round(swap_ms, 1))
        time.sleep(min(turn / 10, 1))
    raise Refused(
        f"projection {projection.name} is built but readers do not let go of the old table; end them and rebuild", kind="unavailable"
    )


def _counts(conn: Connection, projection: Projection) -> tuple[int, int]:
    row = conn.execute(_SIZES.format(tables.doc_table(projection), tables.table(projection))).fetchone()
    return (row["groups"], row["rows"]) if row else (0, 0)
