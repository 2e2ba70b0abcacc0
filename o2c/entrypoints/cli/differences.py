"""A rebuild as it goes on, and what it changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from o2c.desk.act import Refused
from o2c.desk.projections import RebuildResult, percent_of
from o2c.entrypoints.cli.output import err
from o2c.views.projections import Difference


@contextmanager
def rebuilding(doing: str = "rebuilding") -> Iterator[Callable[[str, str, float], None]]:
    """A bar with the time that is left, one projection after the other, on a terminal; elsewhere a line for each stage. On stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[stage]}"), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task, reached = bar.add_task(doing, total=100, stage=""), ("", "")

        def told(name: str, stage: str, share: float) -> None:
            nonlocal reached
            if name != reached[0]:
                bar.reset(task, description=f"{doing} {name}")
            bar.update(task, completed=percent_of(stage, share), stage=stage)
            if (name, stage) != reached and not err.is_terminal:
                err.print(f"{doing} {name}: {stage}")
            reached = name, stage

        yield told


def differing(one: RebuildResult, *, rows: bool) -> dict[str, Any]:
    """What a rebuild made as one row, with the rows that differ if they are asked for."""
    told: dict[str, Any] = {
        "name": one.name, "position": str(one.position), "groups": one.groups, "rows": one.rows, "differing": one.differing,
        "gained": one.diff.gained, "lost": one.diff.lost, "changed": dict(one.diff.columns), "not_compared": list(one.diff.not_compared),
        "swap_ms": one.swap_ms,
    }  # fmt: skip
    return {**told, "differences": [_difference(one.name, row) for row in one.diff.rows]} if rows else told


def refuse_unwritable(file: Path) -> None:
    """Raises Refused when the file cannot be written; what is in it stays."""
    with _writable(file, "a"):
        pass


def write_differences(file: Path, built: Sequence[RebuildResult]) -> None:
    """One JSON object a line. Raises Refused when the file cannot be written."""
    with _writable(file, "w") as out:
        out.writelines(json.dumps(_difference(one.name, row), ensure_ascii=False) + "\n" for one in built for row in one.diff.rows)


@contextmanager
def _writable(file: Path, mode: Literal["a", "w"]) -> Iterator[TextIO]:
    try:
        with file.open(mode, encoding="utf-8") as out:
            yield out
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}; name another file") from None


def _difference(name: str, row: Difference) -> dict[str, Any]:
    return {"projection": name, "key": [str(part) for part in row.key], "old": row.actual, "new": row.expected}
