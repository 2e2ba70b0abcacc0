"""How results are shown: data on stdout as a table, JSON or JSON lines; everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

IDS = frozenset({"fallout", "order", "external_id", "reason", "opened_at", "captured_at"})
"""Columns that are copied from the screen, or short: they stay on one line."""
PIPE_WIDTH = 1_000
"""A pipe has no edge to fold at."""

err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


class Format(StrEnum):
    """`table` for people, `json` one value, `jsonl` one object a line."""

    table = "table"
    json = "json"
    jsonl = "jsonl"


Output = Annotated[Format, typer.Option("-o", "--output", help="How to show the data.", show_default=True)]


def show_rows(rows: Iterable[Mapping[str, Any]], output: Format, *, empty: str = "nothing to show", columns: Sequence[str] = ()) -> None:
    """Rows of equal shape. `jsonl` writes as it reads, so that a pipe can follow; `columns` are those a table has room for."""
    with patient_pipe():
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
            _table([{name: row[name] for name in columns or row} for row in found])


@contextmanager
def patient_pipe() -> Iterator[None]:
    """A reader that has seen enough (`head`) ends the command well."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


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
        table.add_column(name, overflow="fold", no_wrap=name in IDS)
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def _cell(value: Any) -> Text:
    """A value as text, never as markup: a channel's own words may hold brackets, or codes that a terminal would obey."""
    return Text("".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in _words(value)))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ("\n" if value and isinstance(value[0], dict) else ", ").join(map(_words, value))
    return "" if value is None else str(value)
