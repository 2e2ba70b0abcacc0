"""How results are shown: data on stdout as a table, JSON or JSON lines; everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 1_000
"""A pipe has no edge to fold at."""

err = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """`table` for people, `json` one value, `jsonl` one object a line."""

    table = "table"
    json = "json"
    jsonl = "jsonl"


Output = Annotated[Format, typer.Option("-o", "--output", help="How to show the data.", show_default=True)]


def show_rows(rows: Iterable[Mapping[str, Any]], output: Format, *, empty: str = "nothing to show") -> None:
    """Rows of equal shape. `jsonl` writes as it reads, so that a pipe can follow."""
    if output is Format.jsonl:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    found = list(rows)
    if output is Format.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    elif not found:
        err.print(empty)
    else:
        _table(found)


def show_one(value: Mapping[str, Any], output: Format) -> None:
    """One object; as a table, a line for each field."""
    if output is Format.json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    elif output is Format.jsonl:
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    else:
        _table([{"field": key, "value": part} for key, part in value.items()])


def _table(rows: list[Mapping[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
