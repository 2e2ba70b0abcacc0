"""The other side of `apart.py`: the process that runs a file's code. It confines itself, then loads the file, then answers questions."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from o2c.kernel.event import load_event_types
from o2c.kernel.refusal import Refused
from projections.engine.confined import confine
from projections.engine.fold import Fold, FoldFailed, explain, strict_rows
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import NOTHING_PERSONAL, Seen, names_of
from projections.engine.what_if import load

DOCUMENTS = 500
"""How many documents go into one answer."""


class Description(BaseModel):
    """What a projection is, but for its code. `types` are names; `chosen` says that a predicate chose them."""

    name: str
    meaning: str
    shape_version: int
    columns: dict[str, str]
    key: tuple[str, ...]
    types: frozenset[str]
    chosen: bool
    initial: dict[str, Any]
    fields: frozenset[str] | None
    indexes: tuple[str, ...]
    found_by: Literal["stream", "order", "event"] | None


def described(projection: Projection) -> dict[str, Any]:
    """What the other side is told of a projection."""
    chosen = not isinstance(projection.types, frozenset)
    fields = None if projection.fields is None else frozenset(projection.fields)
    return Description(
        name=projection.name, meaning=projection.meaning, shape_version=projection.shape_version, columns=dict(projection.columns),
        key=tuple(projection.key), types=names_of(projection.types), chosen=chosen, initial=projection.initial, fields=fields,
        indexes=tuple(projection.indexes), found_by=projection.found_by,
    ).model_dump(mode="json")  # fmt: skip


def _seen(row: list[Any]) -> Seen:
    return Seen._make([*row[:-1], NOTHING_PERSONAL])


class Answers:
    """What is asked of the projections of a file, each by its number."""

    def __init__(self) -> None:
        self._projections: list[Projection] = []
        self._page: dict[int, Seen] = {}
        self._fold: Fold
        self._left: Iterator[tuple[str, Doc]] | None = None

    def load(self, path: str) -> dict[str, Any]:
        """Confine this process, then run the file. Raises Refused."""
        load_event_types()
        confined = confine()
        self._projections = load(Path(path))
        return {"confined": confined, "projections": [described(projection) for projection in self._projections]}

    def groups(self, number: int, page: list[list[Any]]) -> list[Any]:
        """The group of each event of a page, or why it has none that can be told."""
        records = [_seen(row) for row in page]
        self._page = {record.position: record for record in records}
        return [self._group(self._projections[number], record) for record in records]

    def _group(self, projection: Projection, record: Seen) -> Any:
        try:
            return projection.group(record)
        except Exception as error:  # noqa: BLE001 - told to the other side, which names the event
            return {"error": explain(error)}

    def evolve(self, number: int, doc: Doc, record: list[Any]) -> Doc:
        """The document after an event."""
        projection = self._projections[number]
        return projection.evolve(doc, projection.restrict(_seen(record)))

    def rows(self, number: int, group: str, doc: Doc) -> list[Row]:
        """The rows of a document."""
        return list(self._projections[number].rows(group, doc))

    def begin(self, number: int) -> None:
        """Forget all documents."""
        projection = self._projections[number]
        self._fold, self._left = Fold(projection, names_of(projection.types), strict=True), None

    def take(self, number: int, events: list[tuple[str, int]]) -> None:
        """Fold events of the last page. Raises FoldFailed."""
        self._fold.take((group, self._page[position]) for group, position in events)

    def documents(self, number: int) -> list[dict[str, Any]]:
        """The next documents with their rows; none when all were given. Raises FoldFailed."""
        self._left = iter(self._fold.docs.items()) if self._left is None else self._left
        return [{"group": group, "doc": doc, "rows": self._rows(number, group, doc)} for group, doc in islice(self._left, DOCUMENTS)]

    def _rows(self, number: int, group: str, doc: Doc) -> list[Row]:
        rows = strict_rows(self._projections[number], group, doc).values()
        return [{name: value for name, value in row.items() if name != "group_key"} for row in rows]


def _answered(answers: Answers, line: str) -> str:
    question, *rest = json.loads(line)
    try:
        return json.dumps(["answer", getattr(answers, question)(*rest)])
    except Refused as refusal:
        return json.dumps(["refused", str(refusal)])
    except FoldFailed as failure:
        return json.dumps(["failed", str(failure)])
    except BaseException as error:  # noqa: BLE001 - whatever a file's code raises, the other side tells in one line
        return json.dumps(["raised", explain(error)])


def main() -> None:
    """Answer a line of JSON on standard input by one on standard output, until there are no more."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a file prints is for the person who runs it, at once, for this process is killed when it is not needed any more
    sys.stdout = sys.stderr
    gc.disable()  # documents hold no cycles
    answers = Answers()
    for line in sys.stdin:
        print(_answered(answers, line), file=told, flush=True)


if __name__ == "__main__":
    main()
