"""Running forward: pages of the log folded in memory, each batch written with its checkpoint in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from psycopg import Rollback

from o2c.kernel.refusal import Refused
from projections.catalogue import ALL
from projections.engine import tables
from projections.engine.checkpoints import Checkpoint, checkpoints, move_checkpoint, seize
from projections.engine.fold import Changes, Fold, Waiting, explain, pages
from projections.engine.history import ITSELF, By, answering, note
from projections.engine.parked import leaving_out, park, parked_groups, set_aside
from projections.engine.projection import Doc, Projection, reader_of
from projections.engine.rebuild import not_rebuilt_meanwhile, rebuild
from projections.engine.same_log import refuse_other_log
from projections.engine.seen import Connection, Mark, Reader, Seen, last_mark, names_of

BATCH_DOCS = 20_000
"""Documents touched before a batch is written: far behind, a larger batch writes each document less often."""
BATCH_EVENTS = 50_000
CACHE_DOCS = 100_000
TOGETHER_DOCS = 1_000

_NO_FLUSH = "SET synchronous_commit = off"
"""Lets the commits of a session wait for no flush to disk. No parameters."""

_TAKE_PARKED = "DELETE FROM projection.parked WHERE name = %s AND group_key = %s RETURNING position"
"""Takes the parked events of a group out of the list and returns their positions. Parameters: the projection, the group."""


def catch_up(dsn: str, projections: Sequence[Projection] = ALL, upto: int | None = None) -> int:
    """Bring projections to the horizon, or to the last event up to the position `upto`; the position they reached at least.

    A projection of an older shape is rebuilt; an event that a fold cannot take parks its group. Many may run at once: who is overtaken goes
    on from where the other got to. Raises Refused when the tables or the log come from a newer program, or the tables from another log.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        refuse_other_log(conn, projections)
        target = last_mark(conn, upto)
        outdated = [projection for projection in projections if _outdated(conn, projection)]
        current = [projection for projection in projections if projection not in outdated]
        Forward(conn, current).bring(target)
        for projection in outdated:
            up_to_shape(conn, dsn, projection)
            Forward(conn, [projection]).bring(target)
    return target.position


def up_to_shape(conn: Connection, dsn: str, projection: Projection) -> None:
    """Rebuild a projection whose tables have an older shape. Raises Refused when they have a newer one."""
    if _outdated(conn, projection):
        rebuild(dsn, projection, strict=False, only_outdated=True)


def _outdated(conn: Connection, projection: Projection) -> bool:
    stored = checkpoints(conn, [projection])[projection.name].shape_version
    if stored > projection.shape_version:
        raise Refused(f"projection {projection.name} was built by a newer program; use that one", kind="conflict")
    return stored < projection.shape_version


def _never() -> bool:
    return False


class Forward:
    """Brings projections of this program's shape forward over one connection.

    What was folded stays in hand from one call to the next: a batch is written only where its checkpoint still stands as it was seen, so that
    whoever wrote meanwhile is never written over.
    """

    def __init__(self, conn: Connection, projections: Sequence[Projection], *, stop: Callable[[], bool] = _never) -> None:
        self._conn, self._projections, self._stop = conn, projections, stop
        self._reader = reader_of(projections)
        self._batches: dict[str, Batch] = {}
        # A crash takes rows and checkpoint back together, and they are folded again: no flush to wait for.
        conn.execute(_NO_FLUSH)

    def bring(self, target: Mark) -> None:
        """To a mark behind the horizon, or as far as what is written when `stop()` says so. Raises Refused when another program rebuilt one."""
        while not self._stop():
            self._take_up()
            behind = [batch.mark for batch in self._batches.values() if batch.mark.position < target.position]
            if not behind:
                return
            # Those furthest behind first, all at one position so that they share what is read.
            start, *later = sorted({mark.position: mark for mark in behind}.values())
            self._advance(
                [batch for batch in self._batches.values() if batch.mark.position == start.position], start, later[0] if later else target
            )

    def _take_up(self) -> None:
        """A batch for each projection that has none, from where its checkpoint stands."""
        lost = [projection for projection in self._projections if projection.name not in self._batches]
        stored = checkpoints(self._conn, lost) if lost else {}
        for projection in lost:
            checkpoint = stored[projection.name]
            if checkpoint.shape_version != projection.shape_version:
                raise Refused(f"projection {projection.name} was given another shape meanwhile; catch up again", kind="conflict")
            self._batches[projection.name] = Batch(self._conn, projection, checkpoint)

    def _advance(self, cohort: Sequence[Batch], start: Mark, bound: Mark) -> None:
        for page, mark in pages(self._conn, self._reader, start.position, bound):
            for batch in cohort:
                batch.take(page)
            if (mark == bound or any(batch.full for batch in cohort)) and not self._flush(cohort, mark):
                return
            if self._stop():
                self._batches.clear()  # what was folded and not written is folded again by whoever goes on
                return

    def _flush(self, cohort: Sequence[Batch], mark: Mark) -> bool:
        """Whether all were written. A little of many goes in one transaction; much is written one by one, or it would hold up every reader."""
        little = len(cohort) > 1 and sum(batch.touched for batch in cohort) <= TOGETHER_DOCS
        if not (little and self._flush_together(cohort, mark)):
            for batch in cohort:
                if not batch.flush(mark):
                    del self._batches[batch.name]
        return all(batch.name in self._batches for batch in cohort)

    def _flush_together(self, cohort: Sequence[Batch], mark: Mark) -> bool:
        done = False
        with self._conn.transaction():
            if not all(batch.write(mark) for batch in cohort):
                raise Rollback
            done = True
        for batch in cohort if done else ():
            batch.written(mark)
        return done


class Batch:
    """What one worker has folded for one projection since its checkpoint."""

    def __init__(self, conn: Connection, projection: Projection, checkpoint: Checkpoint) -> None:
        self._conn, self._projection, self._checkpoint = conn, projection, checkpoint
        self._fold = Fold(leaving_out(conn, projection), names_of(projection.types))
        self._stuck = frozenset(parked_groups(conn, projection))
        self._known: set[str] = set()
        self._clear()

    def _clear(self) -> None:
        self._before: dict[str, Doc | None] = {}
        self._events: dict[str, list[Seen]] = {}
        self._count = 0
        self._stuck |= self._fold.waiting.keys()
        self._fold.waiting = {group: [] for group in self._stuck}
        if len(self._known) > CACHE_DOCS:
            self._known, self._fold.docs = set(), {}

    @property
    def name(self) -> str:
        return self._projection.name

    @property
    def mark(self) -> Mark:
        """What is written reaches up to here."""
        return self._checkpoint.mark

    @property
    def touched(self) -> int:
        """How many documents have to be written."""
        return len(self._before)

    @property
    def full(self) -> bool:
        """Whether it is time to write."""
        return len(self._before) >= BATCH_DOCS or self._count >= BATCH_EVENTS

    def take(self, page: Sequence[Seen]) -> None:
        """Fold a page; the documents it touches are loaded in one query."""
        concerned = self._fold.concerned(page)
        self._count += len(page)
        unknown = {group for group, _ in concerned} - self._known
        if unknown:
            self._fold.docs |= tables.load_docs(self._conn, self._projection, unknown)
            self._known |= unknown
        for group, seen in concerned:
            self._before.setdefault(group, self._fold.docs.get(group))
            self._events.setdefault(group, []).append(seen)
        self._fold.take(concerned)

    def flush(self, mark: Mark) -> bool:
        """Write everything and move the checkpoint, or nothing: False when another worker was faster."""
        done = False
        with self._conn.transaction():
            if not self.write(mark):
                raise Rollback
            done = True
        if done:
            self.written(mark)
        return done

    def write(self, mark: Mark) -> bool:
        """What flush does, in a transaction of the caller's, who rolls back when it is False and says `written` when all is."""
        changes = self._changes()
        if not move_checkpoint(self._conn, self._checkpoint, mark):
            return False
        tables.write(self._conn, self._projection, changes)
        park(self._conn, self._projection, self._fold.waiting)
        return True

    def written(self, mark: Mark) -> None:
        """Go on from there."""
        old = self._checkpoint
        self._checkpoint = Checkpoint(old.name, mark, old.shape_version, old.generation, old.swapped)
        self._clear()

    def _changes(self) -> Changes:
        changes = Changes()
        for group, old in self._before.items():
            new = self._fold.docs.get(group)
            if new is None:
                continue
            try:
                changes.add(self._projection, group, old, new)
            except Exception as error:  # noqa: BLE001 - whatever the rows of a group raise stops that group and nothing else
                self._take_back(group, old, explain(error))
        return changes

    def _take_back(self, group: str, old: Doc | None, error: str) -> None:
        if old is None:
            del self._fold.docs[group]
        else:
            self._fold.docs[group] = old
        self._fold.waiting[group] = [Waiting(seen.position, seen.event_id, error) for seen in self._events[group]]


def retry(dsn: str, projection: Projection, group: str | None = None, by: By = ITSELF) -> int:
    """Let parked groups, or one, take their events again, in order, each in a transaction of its own; the number of groups that still wait.

    Raises Refused (missing) when the group is not parked.
    """
    with _of_this_shape(dsn, projection) as conn:
        reader, waiting = reader_of([projection]), parked_groups(conn, projection)
        if group is not None and group not in waiting:
            raise Refused(f"{group} is not parked in projection {projection.name}; see `o2c projections parked`", kind="missing")
        for one in waiting if group is None else [group]:
            with conn.transaction():
                seize(conn, projection)
                note(conn, projection, "retried", by, group=one)
                _retry_group(conn, leaving_out(conn, projection), reader, one)
        return len(parked_groups(conn, projection))


def skip(dsn: str, projection: Projection, group: str, by: By, *, position: int | None = None) -> bool:
    """Set the first parked event of a group aside for good and fold on; whether the group goes on (False: a later event parks it again).

    Whoever says the `position` he means is protected from skipping another event by a repeat. Raises Refused: usage when nobody answers for
    it, missing when the group is not parked, conflict when another event is the first, unavailable while the projection is rebuilt.
    """
    answering(by, "a skipped event is left out for good")
    with _of_this_shape(dsn, projection) as conn, not_rebuilt_meanwhile(conn, projection), conn.transaction():
        seize(conn, projection)
        skipped = set_aside(conn, projection, group, by, position)
        note(conn, projection, "skipped", by, group=group, position=skipped)
        _retry_group(conn, leaving_out(conn, projection), reader_of([projection]), group)
        return group not in parked_groups(conn, projection)


@contextmanager
def _of_this_shape(dsn: str, projection: Projection) -> Iterator[Connection]:
    with tables.session(dsn) as conn:
        tables.prepare(conn, [projection])
        if _outdated(conn, projection):
            raise Refused(f"projection {projection.name} has tables of an older shape; catch up first", kind="conflict")
        yield conn


def _retry_group(conn: Connection, projection: Projection, reader: Reader, group: str) -> None:
    rows = conn.execute(_TAKE_PARKED, (projection.name, group)).fetchall()
    fold = Fold(projection, reader.wanted, docs=tables.load_docs(conn, projection, [group]))
    old = fold.docs.get(group)
    events = fold.concerned(reader.some(conn, [row["position"] for row in rows]))
    fold.take(events)
    changes = Changes()
    if group in fold.docs:
        try:
            changes.add(projection, group, old, fold.docs[group])
        except Exception as error:  # noqa: BLE001 - the group goes on waiting, with the error written down
            fold.waiting = {group: [Waiting(seen.position, seen.event_id, explain(error)) for _, seen in events]}
            changes = Changes()
    tables.write(conn, projection, changes)
    park(conn, projection, fold.waiting)
