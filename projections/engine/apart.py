"""Projections of somebody's file, kept apart: its code runs in a process that has no connection and can make none (`confined.py`).

That process is given events and gives back groups, documents and rows, as lines of JSON. All of it is data here: what a file answers is
checked like any other input, and no code of it is ever called in a process that has a connection.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from o2c.kernel.event import types_by_name
from o2c.kernel.refusal import Refused
from projections.engine.apart_there import Description
from projections.engine.fold import FailedElsewhere, Fold, FoldFailed, MakeFold
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

logger = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
_KEPT_OF_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


class _Loaded(BaseModel):
    confined: bool
    projections: list[Description]


class _Failure(BaseModel):
    error: str


class _Folded(BaseModel):
    group: str
    doc: dict[str, Any]
    rows: list[dict[str, Any]]


_GROUPS = TypeAdapter(list[str | _Failure | None])
_DOC = TypeAdapter(dict[str, Any])
_ROWS = TypeAdapter(list[dict[str, Any]])
_FOLDED = TypeAdapter(list[_Folded])
_NOTHING: TypeAdapter[None] = TypeAdapter(None)
_LOADED = TypeAdapter(_Loaded)


class Foreign(NamedTuple):
    """A projection of a file, whose code runs elsewhere, and what folds it there a page at a time."""

    projection: Projection
    fold: MakeFold


@contextmanager
def loaded_apart(file: Path) -> Iterator[list[Foreign]]:
    """The projections that a file of Python defines, for the length of the block.

    A line in the log says so where this system cannot confine the file's process. Raises Refused (usage) as `load` does.
    """
    with _process() as process:
        there = _There(process, file)
        loaded = there.ask(_LOADED, "load", str(file.absolute()))
        if not loaded.confined:
            logger.warning(
                "file_not_confined", file=str(file), hint="this system lets its code do what you may do, in the database too; read it first"
            )
        yield [_Distant(there, number, described).foreign() for number, described in enumerate(loaded.projections)]


@contextmanager
def _process() -> Iterator[subprocess.Popen[str]]:
    """A process for code of somebody's, killed at the end of the block: it knows no connection string, and inherits no file but its
    pipes."""
    environment = {name: os.environ[name] for name in _KEPT_OF_ENVIRONMENT if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-P", "-B", "-m", "projections.engine.apart_there"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, encoding="utf-8", env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()


class _There:
    """The other side of the pipes: a question is a line, and its answer the next line."""

    def __init__(self, process: subprocess.Popen[str], file: Path) -> None:
        self._process, self._file = process, file

    def ask(self, shape: TypeAdapter[Answer], *question: Any) -> Answer:
        """The answer, of the expected shape. Raises Refused or FoldFailed as the other side says, and FoldFailed where it died or talks
        nonsense."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):  # it died: its silence is told below
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise FoldFailed(f"the process that ran {self._file} ended (exit {self._process.wait()}) before it had answered")
        try:
            kind, told = json.loads(line)
            if kind == "answer":
                return shape.validate_python(told, strict=False)
        except (ValueError, TypeError, ValidationError):
            kind, told = "failed", f"{self._file} gave an answer that fits no question"
        text = " ".join(str(told).split())
        raise Refused(text) if kind == "refused" else FoldFailed(text) if kind == "failed" else FailedElsewhere(text)


class _Distant:
    """A projection whose functions are asked for elsewhere: one at a time, or a page of events in one question."""

    def __init__(self, there: _There, number: int, described: Description) -> None:
        self._there, self._number, self._described = there, number, described
        self._groups: dict[int, str | _Failure | None] = {}
        self._rows: dict[str, list[Row]] = {}

    def foreign(self) -> Foreign:
        """The projection as the engine knows one. It reads no personal field and has no view, whatever its file says."""
        of = self._described
        chosen = frozenset(cls for name, cls in types_by_name().items() if name in of.types)
        projection = Projection(
            name=of.name, meaning=of.meaning, shape_version=of.shape_version, columns=of.columns, key=of.key, initial=of.initial, fields=of.fields,
            types=chosen.__contains__ if of.chosen else of.types, group=self._group, evolve=self._evolve, rows=self._rows_of, indexes=of.indexes,
            found_by=of.found_by,
        )  # fmt: skip
        return Foreign(projection, lambda projection, names, strict: _FoldElsewhere(self, projection, names, strict))

    def _group(self, record: Seen) -> str | None:
        [group] = [self._groups.pop(record.position)] if record.position in self._groups else self._ask(_GROUPS, "groups", [record])
        if isinstance(group, _Failure):
            raise FailedElsewhere(group.error)
        return group

    def _evolve(self, doc: Doc, record: Seen) -> Doc:
        return self._ask(_DOC, "evolve", doc, record)

    def _rows_of(self, group: str, doc: Doc) -> list[Row]:
        return self._rows.pop(group) if group in self._rows else self._ask(_ROWS, "rows", group, doc)

    def _ask(self, shape: TypeAdapter[Answer], question: str, *more: Any) -> Answer:
        return self._there.ask(shape, question, self._number, *more)

    def _ask_whole(self, shape: TypeAdapter[Answer], question: str, *more: Any) -> Answer:
        try:
            return self._ask(shape, question, *more)
        except FailedElsewhere as failure:
            raise FoldFailed(f"projection {self._described.name} cannot be folded: {failure}") from None

    def begin(self) -> None:
        """Forget all documents."""
        self._ask_whole(_NOTHING, "begin")

    def look_ahead(self, page: list[Seen]) -> None:
        """Ask for the groups of a whole page, and let the other side keep its events."""
        groups = self._ask_whole(_GROUPS, "groups", page)
        self._groups = {record.position: group for record, group in zip(page, groups, strict=True)}

    def take(self, events: Iterable[tuple[str, Seen]]) -> None:
        """Fold some events of the page into the documents of their groups. Raises FoldFailed."""
        self._ask_whole(_NOTHING, "take", [(group, record.position) for group, record in events])

    def documents(self) -> Mapping[str, Doc]:
        """All documents, whose rows are known from then on. Raises FoldFailed."""
        docs: dict[str, Doc] = {}
        while some := self._ask_whole(_FOLDED, "documents"):
            docs |= {folded.group: folded.doc for folded in some}
            self._rows |= {folded.group: folded.rows for folded in some}
        return docs


class _FoldElsewhere(Fold):
    """A strict fold whose documents are elsewhere until it ends."""

    def __init__(self, distant: _Distant, projection: Projection, names: frozenset[str], strict: bool) -> None:
        super().__init__(projection, names, strict)
        self._distant = distant
        distant.begin()

    def assign_groups(self, page: Iterable[Seen]) -> list[tuple[str, Seen]]:
        """The events of a page that belong to the projection, each with its group."""
        mine = [record for record in page if record.type in self.names]
        self._distant.look_ahead(mine)
        return super().assign_groups(mine)

    def take(self, events: Iterable[tuple[str, Seen]]) -> None:
        """Fold events of the page whose groups were assigned last."""
        self._distant.take(events)

    def end(self) -> None:
        """Fetch the documents."""
        self.docs.update(self._distant.documents())
