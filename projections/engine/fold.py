"""Folding in memory: the one loop that all four ways of running a projection share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from o2c.store.connection import Connection
from projections.engine.projection import Doc, Key, Projection, Row, derive, reader_of
from projections.engine.seen import START, Mark, Reader, Seen, names_of


class FoldFailed(Exception):
    """A fold failed at an event. The message names the event and the line of code, and never a value, for a value may be personal."""


class FailedElsewhere(Exception):
    """Code that runs in another process failed there. The message is what `explain` said there."""


class WaitingEvent(NamedTuple):
    """An event that was not folded into its group: it failed, or an earlier event of the group did. `error` says which, and where."""

    position: int
    event_id: str
    error: str


WaitingEvents = Mapping[str, Sequence[WaitingEvent]]
"""The events that wait, by group."""


def explain(error: BaseException) -> str:
    """The type of an error and the line of code that raised it, without any value."""
    if isinstance(error, FailedElsewhere):
        return str(error)
    trace, where = error.__traceback__, ""
    while trace:
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {where}"


@dataclass(slots=True)
class Fold:
    """The documents of one projection, by group.

    When an event fails its group takes no more events: they wait. A strict fold raises FoldFailed.
    """

    projection: Projection
    names: frozenset[str]
    strict: bool = False
    docs: dict[str, Doc] = field(default_factory=dict)
    waiting: dict[str, list[WaitingEvent]] = field(default_factory=dict)

    def assign_groups(self, page: Iterable[Seen]) -> list[tuple[str, Seen]]:
        """The events of a page that belong to the projection, each with its group."""
        of, names = self.projection.group, self.names
        return [(group, record) for record in page if record.type in names and (group := of(record)) is not None]

    def take(self, events: Iterable[tuple[str, Seen]]) -> None:
        """Fold events into the documents of their groups."""
        evolve, restrict, initial = self.projection.evolve, self.projection.restrict, self.projection.initial
        for group, record in events:
            if group in self.waiting:
                self._park(group, record, "waits for an earlier event")
                continue
            old = self.docs.get(group, initial)
            try:
                if (new := evolve(old, restrict(record))) is not old:
                    self.docs[group] = new
            except Exception as error:  # noqa: BLE001 - any error of a fold stops its own group and nothing else
                self._park(group, record, explain(error))

    def take_before(self, page: Iterable[Seen], limits: Mapping[str, int]) -> None:
        """Fold a page, of a group in `limits` only what stands before that position."""
        self.take((group, record) for group, record in self.assign_groups(page) if group not in limits or record.position < limits[group])

    def end(self) -> None:
        """Called when no more events come, before the documents are read."""

    def _park(self, group: str, record: Seen, error: str) -> None:
        if self.strict:
            where = f"{record.type} at position {record.position} ({record.stream} version {record.version})"
            raise FoldFailed(f"projection {self.projection.name} cannot take {where}: {error}") from None
        self.waiting.setdefault(group, []).append(WaitingEvent(record.position, record.event_id, error))


MakeFold = Callable[[Projection, frozenset[str], bool], Fold]
"""Makes the fold of a projection, given the names of its types and whether it is strict."""


def pages(conn: Connection, reader: Reader, after: int, bound: Mark) -> Iterator[tuple[list[Seen], Mark]]:
    """The log after the position `after` up to `bound`, which is before the horizon: pages of records, each with the mark of its end."""
    at = Mark(after, None)
    while at.position < bound.position:
        page, end = reader.page(conn, at.position, bound.position)
        at = end or bound
        yield page, at


def fold_log(
    conn: Connection,
    projection: Projection,
    bound: Mark,
    *,
    at: datetime | None = None,
    before: Mapping[str, int] | None = None,
    streams: Sequence[str] | None = None,
) -> Fold:
    """Fold the log, or the given streams of it, up to `bound`.

    Events with a business time later than `at` are left out, and so are the events of a group in `before` from that position on.
    """
    reader = reader_of([projection], streams)
    fold = Fold(projection, reader.type_names)
    for page, _ in pages(conn, reader, START.position, bound):
        due = page if at is None else [record for record in page if record.occurred_at <= at]
        fold.take_before(due, before or {})
    return fold


def fold_together(
    conn: Connection, projections: Sequence[Projection], bounds: Mapping[str, Mark], before: Mapping[str, Mapping[str, int]]
) -> list[Fold]:
    """Fold several projections by one reading of the log, each up to its bound and without what `before` leaves out, both by its name."""
    folds = [Fold(projection, names_of(projection.types)) for projection in projections]
    furthest = max(bounds.values(), key=lambda mark: mark.position)
    for page, _ in pages(conn, reader_of(projections), START.position, furthest):
        for fold in folds:
            upto = bounds[fold.projection.name].position
            fold.take_before([record for record in page if record.position <= upto], before[fold.projection.name])
    return folds


def strict_rows(projection: Projection, group: str, doc: Doc) -> dict[Key, Row]:
    """The rows of a document. Raises FoldFailed, with the group, when they do not fit the table."""
    try:
        return derive(projection, group, doc)
    except Exception as error:  # noqa: BLE001 - raised again as FoldFailed, without the message, for it may hold personal values
        raise FoldFailed(f"projection {projection.name} cannot make rows of group {group}: {explain(error)}") from None


@dataclass(slots=True)
class Changes:
    """Changes to write: documents, rows to add or replace (`put`), and rows to delete (`gone`)."""

    docs: dict[str, Doc] = field(default_factory=dict)
    put: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)

    def add(self, projection: Projection, group: str, old: Doc | None, new: Doc) -> None:
        """Add the changes from the old document of a group to the new one. Raises as `derive` does."""
        if new == old:
            return
        after = derive(projection, group, new)
        before: dict[Key, Row] = {} if old is None else derive(projection, group, old)
        self.docs[group] = new
        self.put += [row for key, row in after.items() if before.get(key) != row]
        self.gone += [row for key, row in before.items() if key not in after]
