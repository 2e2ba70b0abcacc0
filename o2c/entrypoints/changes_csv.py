"""Lists of changes to products as CSV: read for every face that takes one, and what failed of one written back, to be corrected and handed
in again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from o2c.desk.act import Refused

if TYPE_CHECKING:
    from o2c.desk.bulk_changes import RowChanged

OURS = ("row", "why")
"""The columns that we add to what failed; a list that has them still is read without them."""
FORMULAS = ("=", "+", "-", "@")
"""How a text begins that a spreadsheet takes for a formula (OWASP ASVS 5.0, 1.2.10)."""


def rows_of(text: str, name: str) -> list[dict[str, str]]:
    """The rows of a list with a heading. Raises Refused (usage) for one that cannot be read, and for a row that is longer or shorter than
    the heading."""
    try:
        read = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        rows = list(read)
    except csv.Error as error:
        raise Refused(f"{name} cannot be read as CSV: {type(error).__name__}; write it anew") from None
    if read.fieldnames is None or "product" not in read.fieldnames:
        raise Refused(f"{name} has no column named product; its first line names the columns")
    if longer := [place for place, row in enumerate(rows, 2) if None in row or None in row.values()]:
        raise Refused(f"{name}: line {longer[0]} has more or fewer fields than its first line")
    return [{column: _read(value) for column, value in row.items() if column not in OURS} for row in rows]


def failed_of(changes: Sequence[Mapping[str, str]], done: Iterable[RowChanged]) -> str:
    """The rows of a list that failed, as a list of their own: each with the place that it had, counted from 1, and why."""
    columns = list(dict.fromkeys(column for change in changes for column in change))
    to = io.StringIO(newline="")
    written = csv.DictWriter(to, ["row", *columns, "why"], lineterminator="\n")
    written.writeheader()
    for one in done:
        if one.result == "failed":
            row = {"row": str(one.row), **changes[one.row - 1], "why": one.why}
            written.writerow({column: _written(value) for column, value in row.items()})
    return to.getvalue()


def _written(value: str) -> str:
    """A value that is no formula in a spreadsheet; it is read back as it was."""
    return f"'{value}" if value.startswith(FORMULAS) else value


def _read(value: str) -> str:
    return value[1:] if value[:1] == "'" and value[1:].startswith(FORMULAS) else value
