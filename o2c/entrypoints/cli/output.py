"""How results are shown: data on stdout as a table, JSON or JSON lines; everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import typer
from rich.console import Console

from o2c.entrypoints.cli.tables import printable, table_of, told_rows, width_of_page

TABLE_ROWS = 100
"""What a person reads of a table; --limit says otherwise."""

err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


class Format(StrEnum):
    """`table` for people, `json` one value, `jsonl` one object a line."""

    table = "table"
    json = "json"
    jsonl = "jsonl"


Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=0, help=f"At most so many; 0 for all. A table has {TABLE_ROWS} unless said.")
]
Output = Annotated[Format, typer.Option("-o", "--output", help="How to show the data.", show_default=True)]


def rows_wanted(limit: int | None, output: Format) -> int | None:
    """How many rows to ask a view for (None: all)."""
    return (TABLE_ROWS if limit is None and output is Format.table else limit) or None


def show_rows(
    rows: Iterable[Mapping[str, Any]],
    output: Format,
    *,
    empty: str = "nothing to show",
    columns: Sequence[str] = (),
    limit: int | None = None,
    less: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> None:
    """Rows of equal shape, the first `limit` of them where it is given; how many more there are is said on stderr.

    `jsonl` writes as it reads, so that a pipe can follow. `columns` are those of a table, in order; `less` makes of a row what a table
    says.
    """
    most = rows_wanted(limit, output)
    with patient_pipe():
        if output is Format.jsonl:
            for row in islice(rows, most):
                sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
            return
        found = list(rows)
        shown = found[:most]
        if output is Format.json:
            sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1) + "\n")
        elif not found:
            err.print(empty)
        else:
            told = [less(row) for row in shown] if less else shown
            _table([{name: row[name] for name in columns or row} for row in told])
        if output is Format.table and (more := len(found) - len(shown) + getattr(rows, "more", 0)):
            err.print(f"and {more:,} more; --limit 0 shows all")


@contextmanager
def patient_pipe() -> Iterator[None]:
    """A reader that has seen enough (`head`) ends the command well."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def show_one(value: Mapping[str, Any], output: Format, *, columns: Mapping[str, Sequence[str]] | None = None) -> None:
    """One object; for people a line for each field, then a table for each list of things, with those `columns` that are given for it."""
    with patient_pipe():
        if output is Format.json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
        elif output is Format.jsonl:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        else:
            _page(value, columns or {})


def _page(value: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> None:
    """Empty fields are left out; what is said in sentences or commands stands under its name, for a folded command cannot be copied."""
    lists = {key: part for key, part in value.items() if isinstance(part, list) and part and (isinstance(part[0], dict) or _spoken(part))}
    fields = {key: part if part not in ([], {}) else "none" for key, part in value.items() if key not in lists and part not in (None, "")}
    [told] = told_rows([fields])
    _table([{"field": key, "value": part} for key, part in told.items()])
    for name, rows in lists.items():
        sys.stdout.write(f"\n{name}\n")
        if isinstance(rows[0], dict):
            # Amounts of a part are in the currency of the whole, where the part names none.
            of_whole = {"currency": value["currency"]} if value.get("currency") and "currency" not in rows[0] else {}
            _table([{column: row.get(column) for column in columns.get(name) or row} | of_whole for row in rows])
        else:
            sys.stdout.writelines(f"{printable(line)}\n" for line in rows)


def _spoken(lines: Sequence[Any]) -> bool:
    return all(isinstance(line, str) for line in lines) and any(" " in line for line in lines)


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    width = width_of_page()
    table, left_out = table_of(told_rows(rows), width)
    Console(highlight=False, width=width).print(table)
    if left_out and err.is_terminal:
        err.print(f"no room for {', '.join(left_out)}: a wider terminal, or -o json, has all")
