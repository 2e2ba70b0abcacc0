"""The due rows of a page as they are carried out: those of one stream together, and some hundreds of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from o2c.kernel.identifiers import derived_id
from o2c.store.reads import DueRow

CHUNK_ROWS = 400
"""About how many rows are read, decided and written together."""


@dataclass(frozen=True)
class Task:
    """The due rows of one stream, in the fixed order."""

    stream: str
    rows: tuple[DueRow, ...]

    @cached_property
    def command_id(self) -> str:
        """The id of the command that carries the rows out: the same rows are the same command, whoever attends to them."""
        # With what made each row due: after an outage a partner may name a moment once more at which its call was parked before.
        rows = ((row.entry, row.cause) for row in self.rows)
        return derived_id(
            "attend", self.stream, *(f"{e.item}/{e.step}/{e.kind}/{e.attempt}/{e.due_at.isoformat()}/{cause}" for e, cause in rows)
        )


def tasks_of(rows: Sequence[DueRow]) -> list[Task]:
    """Due rows by their streams, in the order of the first row of each."""
    by_stream: dict[str, list[DueRow]] = {}
    for row in rows:
        by_stream.setdefault(row.entry.stream, []).append(row)
    return [Task(stream, tuple(mine)) for stream, mine in by_stream.items()]


def left_of(tasks: list[Task], tried: list[Task], again: list[Task]) -> list[Task]:
    """The tasks that were not tried, and those to be tried again, in the order in which they stand."""
    over = {task.stream for task in tried} - (left := {task.stream: task for task in again}).keys()
    return [left.get(task.stream, task) for task in tasks if task.stream not in over]


def chunks(tasks: list[Task]) -> list[list[Task]]:
    """Divide the tasks into chunks of some CHUNK_ROWS rows, each stream whole."""
    found: list[list[Task]] = []
    size = CHUNK_ROWS
    for task in tasks:
        if size >= CHUNK_ROWS:
            found.append([])
            size = 0
        found[-1].append(task)
        size += len(task.rows)
    return found
