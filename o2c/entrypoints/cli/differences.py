"""A rebuild as it goes on, and what it changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from o2c.entrypoints.cli.output import err
from o2c.kernel.refusal import Refused
from projections.engine.operations import Difference, RebuildResult

STAGES = {"folded": (0, 80), "copied": (80, 10), "indexed": (90, 0), "compared": (95, 0), "swapped": (100, 0)}
"""Where each stage begins and how long it is, of a hundred."""


@contextmanager
def rebuilding(name: str, doing: str = "rebuilding") -> Iterator[Callable[[str, float], None]]:
    """A bar with the time that is left, on a terminal; elsewhere a line for each stage. On stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[stage]}"), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task, reached = bar.add_task(f"{doing} {name}", total=100, stage=""), ""

        def told(stage: str, share: float) -> None:
            nonlocal reached
            begins, length = STAGES[stage]
            bar.update(task, completed=begins + length * share, stage=stage)
            if stage != reached and not err.is_terminal:
                err.print(f"{doing} {name}: {stage}")
            reached = stage

        yield told


def shown(one: RebuildResult, *, rows: bool) -> dict[str, Any]:
    """What a rebuild made as one row, with the rows that differ if they are asked for."""
    told: dict[str, Any] = {
        "name": one.name, "position": str(one.position), "groups": one.groups, "rows": one.rows, "differing": one.differing,
        "gained": one.diff.gained, "lost": one.diff.lost, "changed": dict(one.diff.columns), "not_compared": list(one.diff.not_compared),
        "swap_ms": one.swap_ms,
    }  # fmt: skip
    return {**told, "differences": [_difference(one.name, row) for row in one.diff.rows]} if rows else told


def write_differences(file: Path, built: Sequence[RebuildResult]) -> None:
    """One JSON object a line. Raises Refused when the file cannot be written."""
    try:
        with file.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(_difference(one.name, row), ensure_ascii=False) + "\n" for one in built for row in one.diff.rows)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}; name another file") from None


def _difference(name: str, row: Difference) -> dict[str, Any]:
    return {"projection": name, "key": [str(part) for part in row.key], "old": row.actual, "new": row.expected}
