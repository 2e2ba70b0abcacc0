"""The incremental way of running a fold: pages of the log are folded in memory, and each batch is written together with its checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from psycopg import Rollback

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.catalogue import ALL
from projections.engine import tables
from projections.engine.checkpoints import Checkpoint, checkpoints, move_checkpoints, seize
from projections.engine.fold import Changes, Fold, WaitingEvent, explain, pages
from projections.engine.history import ITSELF, By, note, require_reason
from projections.engine.parked import all_parked_groups, all_without_skipped, park, parked_groups, skip_first, without_skipped
from projections.engine.projection import Doc, Projection, reader_of
from projections.engine.rebuild import not_rebuilt_meanwhile, rebuild
from projections.engine.same_log import refuse_other_log
from projections.engine.seen import Mark, Reader, Seen, last_mark, names_of

BATCH_DOCS = 20_000
"""A batch is written when it has changed so many documents. Far behind, a larger batch writes each document less often."""
BATCH_EVENTS = 50_000
"""A batch is also written when it has read so many events."""
CACHE_DOCS = 100_000
"""A worker that has more documents than this in memory forgets them after the next write."""
TOGETHER_DOCS = 1_000
"""Batches of several projections with no more changed documents than this are written in one transaction."""

_NO_FLUSH = "SET synchronous_commit = off"
"""Lets the commits of a session wait for no flush to disk. No parameters."""

_TAKE_PARKED = "DELETE FROM projection.parked WHERE name = %s AND group_key = %s RETURNING position"
"""Takes the parked events of a group out of the list and returns their positions. Parameters: the projection, the group."""


def catch_up(dsn: str, projections: Sequence[Projection] = ALL, upto: int | None = None) -> int:
    """Fold projections up to the horizon, or to the last event up to the position `upto`, and return the position that all have reached.

    A projection of an older shape is rebuilt. An event at which a fold fails parks its group. Several calls may run at once: each goes on
    from the latest checkpoint. Raises Refused when the tables or the log come from a newer program, or the tables from another log.
    """
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        refuse_other_log(conn, projections)
        target = last_mark(conn, upto)
        stored = checkpoints(conn, projections)
        outdated = [projection for projection in projections if _is_older(stored[projection.name], projection)]
        current = [projection for projection in projections if projection not in outdated]
        # Mostly there is nothing to fold, and then the classes of events need not be imported.
        if any(stored[projection.name].mark.position < target.position for projection in current):
            Forward(conn, current).fold_to(target)
        for projection in outdated:
            rebuild_outdated(conn, dsn, projection)
            Forward(conn, [projection]).fold_to(target)
    return target.position


@contextmanager
def followed(dsn: str, projections: Sequence[Projection]) -> Iterator[Callable[[], None]]:
    """What folds projections up to the horizon each time it is called, over one connection and with what it folded before still in memory.

    Raises Refused as `catch_up` does.
    """
    catch_up(dsn, projections)
    with tables.session(dsn) as conn:
        forward = Forward(conn, projections)
        yield lambda: forward.fold_to(last_mark(conn))


def rebuild_outdated(conn: Connection, dsn: str, projection: Projection) -> None:
    """Rebuild a projection if its tables have an older shape. Raises Refused when they have a newer one."""
    if _outdated(conn, projection):
        rebuild(dsn, projection, strict=False, only_outdated=True)


def _outdated(conn: Connection, projection: Projection) -> bool:
    return _is_older(checkpoints(conn, [projection])[projection.name], projection)


def _is_older(stored: Checkpoint, projection: Projection) -> bool:
    if stored.shape_version > projection.shape_version:
        raise Refused(f"projection {projection.name} was built by a newer program; use that one", kind="conflict")
    return stored.shape_version < projection.shape_version


def _never() -> bool:
    return False


class Forward:
    """Folds projections forward over one connection. Their tables have this program's shape.

    The documents stay in memory from one call to the next. That is safe, for a batch is written only if its checkpoint is unchanged: when
    another worker has written in between, the batch is dropped.
    """

    def __init__(self, conn: Connection, projections: Sequence[Projection], *, stop: Callable[[], bool] = _never) -> None:
        self._conn, self._projections, self._stop = conn, projections, stop
        self._reader = reader_of(projections)
        self._batches: dict[str, Batch] = {}
        # A crash loses rows and checkpoint together, and the events are folded again, so that no commit needs to wait for the disk.
        conn.execute(_NO_FLUSH)

    def fold_to(self, target: Mark) -> None:
        """Fold and write up to `target`, which is before the horizon, or end earlier when `stop()` is true.

        Raises Refused when another program has rebuilt a projection in another shape.
        """
        while not self._stop():
            self._begin_batches()
            behind = [batch.mark for batch in self._batches.values() if batch.mark.position < target.position]
            if not behind:
                return
            # The projections that are furthest behind come first, up to the position of the next ones: from there they read the same pages.
            start, *later = sorted({mark.position: mark for mark in behind}.values())
            self._fold_pages(
                [batch for batch in self._batches.values() if batch.mark.position == start.position], start, later[0] if later else target
            )

    def _begin_batches(self) -> None:
        """Begin a batch, at the checkpoint, for each projection that has none."""
        without = [projection for projection in self._projections if projection.name not in self._batches]
        if not without:
            return
        # What is parked and skipped is read after the checkpoints: whoever changes it raises the generation, and the batch is dropped.
        stored, parked = checkpoints(self._conn, without), all_parked_groups(self._conn, without)
        for projection in all_without_skipped(self._conn, without):
            checkpoint = stored[projection.name]
            if checkpoint.shape_version != projection.shape_version:
                raise Refused(f"projection {projection.name} was given another shape meanwhile; catch up again", kind="conflict")
            self._batches[projection.name] = Batch(self._conn, projection, checkpoint, parked[projection.name])

    def _fold_pages(self, cohort: Sequence[Batch], start: Mark, bound: Mark) -> None:
        for page, mark in pages(self._conn, self._reader, start.position, bound):
            for batch in cohort:
                batch.take(page)
            if (mark == bound or any(batch.full for batch in cohort)) and not self._flush(cohort, mark):
                return
            if self._stop():
                self._batches.clear()  # unwritten events are folded again by the next worker
                return

    def _flush(self, cohort: Sequence[Batch], mark: Mark) -> bool:
        """Write all batches; False when one of them was dropped.

        Small ones go in one transaction, larger ones each in its own: a long transaction would hold up every reader of the log.
        """
        small = len(cohort) > 1 and sum(batch.touched for batch in cohort) <= TOGETHER_DOCS
        if not (small and self._flush_together(cohort, mark)):
            for batch in cohort:
                if not batch.flush(mark):
                    del self._batches[batch.name]
        return all(batch.name in self._batches for batch in cohort)

    def _flush_together(self, cohort: Sequence[Batch], mark: Mark) -> bool:
        done, changes = False, [batch.changes() for batch in cohort]
        with self._conn.transaction():
            if not move_checkpoints(self._conn, [batch.checkpoint for batch in cohort], mark):
                raise Rollback
            for batch, of_batch in zip(cohort, changes, strict=True):
                batch.write(of_batch)
            done = True
        for batch in cohort if done else ():
            batch.begin_at(mark)
        return done


class Batch:
    """The events of one projection that a worker has folded since the checkpoint, and the documents they changed.

    The projection is one without its skipped events, and `parked` are its parked groups, both as they stood no earlier than the checkpoint.
    """

    def __init__(self, conn: Connection, projection: Projection, checkpoint: Checkpoint, parked: Iterable[str]) -> None:
        self._conn, self._projection, self.checkpoint = conn, projection, checkpoint
        self._fold = Fold(projection, names_of(projection.types))
        self._parked = frozenset(parked)
        self._loaded: set[str] = set()
        self._clear()

    def _clear(self) -> None:
        self._before: dict[str, Doc | None] = {}
        self._events: dict[str, list[Seen]] = {}
        self._count = 0
        self._parked |= self._fold.waiting.keys()
        self._fold.waiting = {group: [] for group in self._parked}
        if len(self._loaded) > CACHE_DOCS:
            self._loaded, self._fold.docs = set(), {}

    @property
    def name(self) -> str:
        """The name of the projection."""
        return self._projection.name

    @property
    def mark(self) -> Mark:
        """How far the tables have folded the log."""
        return self.checkpoint.mark

    @property
    def touched(self) -> int:
        """How many documents the batch has to write."""
        return len(self._before)

    @property
    def full(self) -> bool:
        """Whether the batch should be written now."""
        return len(self._before) >= BATCH_DOCS or self._count >= BATCH_EVENTS

    def take(self, page: Sequence[Seen]) -> None:
        """Fold a page. The documents of its groups that are not in memory are loaded by one query."""
        events = self._fold.assign_groups(page)
        self._count += len(page)
        missing = {group for group, _ in events} - self._loaded
        if missing:
            self._fold.docs |= tables.load_docs(self._conn, self._projection, missing)
            self._loaded |= missing
        for group, record in events:
            self._before.setdefault(group, self._fold.docs.get(group))
            self._events.setdefault(group, []).append(record)
        self._fold.take(events)

    def flush(self, mark: Mark) -> bool:
        """Write all changes and move the checkpoint to `mark`.

        False, and nothing is written, when another worker has moved the checkpoint.
        """
        done, changes = False, self.changes()
        with self._conn.transaction():
            if not move_checkpoints(self._conn, [self.checkpoint], mark):
                raise Rollback
            self.write(changes)
            done = True
        if done:
            self.begin_at(mark)
        return done

    def write(self, changes: Changes) -> None:
        """Write changes in a transaction of the caller, who has moved the checkpoint in it, and calls `begin_at` after the commit."""
        tables.write(self._conn, self._projection, changes)
        park(self._conn, self._projection, self._fold.waiting)

    def begin_at(self, mark: Mark) -> None:
        """Begin the next batch at `mark`, up to which everything is written."""
        old = self.checkpoint
        self.checkpoint = Checkpoint(old.name, mark, old.shape_version, old.generation, old.swapped)
        self._clear()

    def changes(self) -> Changes:
        """What the batch has to write: reckoned before the transaction begins, for that holds up whoever reads the log."""
        changes = Changes()
        for group, old in self._before.items():
            new = self._fold.docs.get(group)
            if new is None:
                continue
            try:
                changes.add(self._projection, group, old, new)
            except Exception as error:  # noqa: BLE001 - any error of a group's rows stops that group and nothing else
                self._take_back(group, old, explain(error))
        return changes

    def _take_back(self, group: str, old: Doc | None, error: str) -> None:
        if old is None:
            del self._fold.docs[group]
        else:
            self._fold.docs[group] = old
        self._fold.waiting[group] = [WaitingEvent(record.position, record.event_id, error) for record in self._events[group]]


def retry(dsn: str, projection: Projection, group: str | None = None, by: By = ITSELF) -> int:
    """Fold the parked events of all groups, or of one, again, and return how many groups are still parked.

    Each group has a transaction of its own. Raises Refused (missing) when the group is not parked.
    """
    with _of_this_shape(dsn, projection) as conn:
        reader, parked = reader_of([projection]), parked_groups(conn, projection)
        if group is not None and group not in parked:
            raise Refused(f"{group} is not parked in projection {projection.name}; see `o2c projections parked`", kind="missing")
        for one in parked if group is None else [group]:
            with conn.transaction():
                seize(conn, projection)
                note(conn, projection, "retried", by, group=one)
                _retry_group(conn, without_skipped(conn, projection), reader, one)
        return len(parked_groups(conn, projection))


def skip(dsn: str, projection: Projection, group: str, by: By, *, position: int | None = None) -> bool:
    """Leave the first parked event of a group out for good and fold the events behind it. False when one of those parks the group again.

    With `position` only the event at that position is skipped, so that a repeated call cannot skip the next one. Raises Refused: usage
    when `by` names no person or reason, missing when the group is not parked, conflict when its first parked event is at another
    position, unavailable during a rebuild.
    """
    require_reason(by, "a skipped event is left out for good")
    with _of_this_shape(dsn, projection) as conn, not_rebuilt_meanwhile(conn, projection), conn.transaction():
        seize(conn, projection)
        skipped = skip_first(conn, projection, group, by, position)
        note(conn, projection, "skipped", by, group=group, position=skipped)
        _retry_group(conn, without_skipped(conn, projection), reader_of([projection]), group)
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
    fold = Fold(projection, reader.type_names, docs=tables.load_docs(conn, projection, [group]))
    old = fold.docs.get(group)
    events = fold.assign_groups(reader.some(conn, [row["position"] for row in rows]))
    fold.take(events)
    changes = Changes()
    if group in fold.docs:
        try:
            changes.add(projection, group, old, fold.docs[group])
        except Exception as error:  # noqa: BLE001 - the group stays parked, with the error
            fold.waiting = {group: [WaitingEvent(record.position, record.event_id, explain(error)) for _, record in events]}
            changes = Changes()
    tables.write(conn, projection, changes)
    park(conn, projection, fold.waiting)
