"""Folding in memory: the one loop all four ways of running a projection share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from projections.engine.projection import Doc, Key, Projection, Row, derive, reader_of
from projections.engine.seen import START, Connection, Mark, Reader, Seen


class FoldFailed(Exception):
    """A fold could not take an event. The message names the event and where the fold stood, never a value: it may be personal."""


class Waiting(NamedTuple):
    """An event that its group has not taken, and why."""

    position: int
    event_id: str
    error: str


def explain(error: BaseException) -> str:
    """Where a fold failed, in one line without any value."""
    trace, where = error.__traceback__, ""
    while trace:
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {where}"


@dataclass(slots=True)
class Fold:
    """Documents of one projection while events pass by. A failing event parks its group there and then; strict folds raise FoldFailed."""

    projection: Projection
    names: frozenset[str]
    strict: bool = False
    docs: dict[str, Doc] = field(default_factory=dict)
    waiting: dict[str, list[Waiting]] = field(default_factory=dict)

    def concerned(self, page: Iterable[Seen]) -> list[tuple[str, Seen]]:
        """The events of a page that concern the projection, with the group of each."""
        of, names = self.projection.group, self.names
        return [(group, seen) for seen in page if seen.type in names and (group := of(seen)) is not None]

    def take(self, concerned: Iterable[tuple[str, Seen]]) -> None:
        """Fold events into the documents of their groups."""
        evolve, restrict, initial = self.projection.evolve, self.projection.restrict, self.projection.initial
        for group, seen in concerned:
            if group in self.waiting:
                self._park(group, seen, "waits for an earlier event")
                continue
            old = self.docs.get(group, initial)
            try:
                if (new := evolve(old, restrict(seen))) is not old:
                    self.docs[group] = new
            except Exception as error:  # noqa: BLE001 - whatever a fold raises stops its own group and nothing else
                self._park(group, seen, explain(error))

    def _park(self, group: str, seen: Seen, error: str) -> None:
        if self.strict:
            where = f"{seen.type} at position {seen.position} ({seen.stream} version {seen.version})"
            raise FoldFailed(f"projection {self.projection.name} cannot take {where}: {error}") from None
        self.waiting.setdefault(group, []).append(Waiting(seen.position, seen.event_id, error))


def pages(conn: Connection, reader: Reader, after: int, bound: Mark) -> Iterator[tuple[list[Seen], Mark]]:
    """The log from `after` to `bound` (an event behind the horizon), page by page, each with the mark it ends at."""
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
    """Fold the log up to `bound`, of business time no later than `at`: all of it, or the given streams; a group in `before` stops short of that position."""
    reader, limits = reader_of([projection], streams), before or {}
    fold = Fold(projection, reader.wanted)
    for page, _ in pages(conn, reader, START.position, bound):
        due = page if at is None else [seen for seen in page if seen.occurred_at <= at]
        fold.take((group, seen) for group, seen in fold.concerned(due) if group not in limits or seen.position < limits[group])
    return fold


def strict_rows(projection: Projection, group: str, doc: Doc) -> dict[Key, Row]:
    """The rows of a document. Raises FoldFailed naming the group when they do not fit."""
    try:
        return derive(projection, group, doc)
    except Exception as error:  # noqa: BLE001 - raised on as our own, without the message: it may hold personal values
        raise FoldFailed(f"projection {projection.name} cannot make rows of group {group}: {explain(error)}") from None


@dataclass(slots=True)
class Changes:
    """What has to be written: documents, rows to put, keys of rows to delete (with their group)."""

    docs: dict[str, Doc] = field(default_factory=dict)
    put: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)

    def add(self, projection: Projection, group: str, old: Doc | None, new: Doc) -> None:
        """Compare a document with what is stored. Raises what `derive` raises."""
        if new == old:
            return
        after = derive(projection, group, new)
        before: dict[Key, Row] = {} if old is None else derive(projection, group, old)
        self.docs[group] = new
        self.put += [row for key, row in after.items() if before.get(key) != row]
        self.gone += [row for key, row in before.items() if key not in after]
