"""How a table fits where it is read: which columns there is room for, how narrow each may be, and values as people say them.

One mechanism for all tables. A command names the columns in the order in which they are read; what each is worth stands here, once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

GAP = 2
FOLDED_MIN = 24
CLIPPED_MIN = 24
PIPE_WIDTH = 120
"""Where neither end of a pipe is a terminal."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is worth: those with the lowest `keep` go first where there is no room for all.

    The first `short` letters suffice where there is little room; a `clipped` one is cut to one line rather than folded.
    """

    keep: int = 5
    short: int = 0
    clipped: bool = False


ORDINARY = Column()
COLUMNS: Mapping[str, Column] = {
    "fallout": Column(9, short=8),
    "external_id": Column(9),
    "field": Column(9),
    "value": Column(9),
    "name": Column(9),
    "reason": Column(8),
    "next": Column(7),
    "what": Column(7, clipped=True),
    "type": Column(8),
    "occurred_at": Column(8, short=16),
    "at": Column(8, short=16),
    "state": Column(7),
    "age": Column(7),
    "customer": Column(6),
    "holds": Column(6),
    "found_by": Column(6),
    "by": Column(6),
    "item": Column(6),
    "actor": Column(5),
    "invoice": Column(8),
    "total": Column(7),
    "blocks": Column(4),
    "step": Column(7),
    "asked_at": Column(4, short=16),
    "done_at": Column(6, short=16),
    "expected_at": Column(5, short=16),
    "captured_at": Column(5, short=10),
    "opened_at": Column(3, short=10),
    "queue": Column(3),
    "stands": Column(3),
    "owner": Column(2),
    "waiting_for": Column(2),
    "attempts": Column(1),
    "order": Column(2),
    "account": Column(3),
    "stream": Column(2),
}
"""The columns that are worth more or less than others, by name."""


def width_of_page() -> int:
    """The width to write for: COLUMNS, else that of the terminal, which may stand behind a pipe, else that of a page."""
    if (told := os.environ.get("COLUMNS", "")).isdecimal() and int(told) > 0:
        return int(told)
    for end in (1, 2):
        try:
            return os.get_terminal_size(end).columns or PIPE_WIDTH
        except OSError:
            continue
    return PIPE_WIDTH


def told_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Rows as people read them: amounts with their currency, seconds as a duration, lists in words."""
    return [_told(row) for row in rows]


def _told(row: Mapping[str, Any]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, value in row.items():
        if name == "currency" and any(other.endswith("_minor") for other in row):
            continue
        shown, text = _said(name, value, str(row.get("currency") or ""))
        if name.endswith("_minor") and row.get("currency") == "":
            # Nothing of any currency stands under the same heading as what the other rows come to.
            shown, text = name.removesuffix("_minor"), text if value else ""
        # A count and an amount of the same name each have a column.
        told[f"{shown}_amount" if shown != name and shown in row else shown] = printable(text)
    return told


def _said(name: str, value: Any, currency: str) -> tuple[str, str]:
    """The heading and the text of a value."""
    if name.endswith("_minor") and currency and isinstance(value, int | None):
        from o2c.views.reading import amount_text  # not before there is an amount: a page of help needs no engine

        return name.removesuffix("_minor"), "" if value is None else amount_text(value, currency)
    if name.endswith("_s") and isinstance(value, int | float) and not isinstance(value, bool):
        return name.removesuffix("_s"), duration(value)
    return name, words(value)


def duration(seconds: Any) -> str:
    """Seconds as a person says them."""
    value = float(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if value >= length:
            return f"{value / length:.1f} {unit}"
    return f"{value:.0f} s"


def words(value: Any, currency: str = "") -> str:
    """A value as text: a dictionary as names with values, lists with commas or, of dictionaries, a line each."""
    if isinstance(value, dict):
        inner = str(value.get("currency") or currency)
        pairs = [_part(key, part, inner) for key, part in value.items() if not (key == "currency" and inner)]
        return ", ".join(f"{key} {part}" for key, part in pairs)
    if isinstance(value, list | tuple):
        return ("\n" if value and isinstance(value[0], dict) else ", ").join(words(part, currency) for part in value)
    return "" if value is None else str(value)


def _part(key: str, part: Any, currency: str) -> tuple[str, str]:
    if isinstance(part, dict):
        # Amounts stand under their currency: {"GBP": {"paid_minor": 1}}.
        return key, words(part, key if len(key) == 3 and key.isupper() else currency)
    return _said(key, part, currency)


def printable(text: str) -> str:
    """Text, never markup: a channel's own words may hold codes that a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The columns that a page has room for, with the width of each, and those that were left out."""

    widths: Mapping[str, int]
    shortened: bool
    left_out: tuple[str, ...] = ()


def fitted(rows: Sequence[Mapping[str, str]], width: int) -> Fitted:
    """Which columns fit: first some are shortened, then those worth least go; what is left over goes to those that fold."""
    names = list(rows[0])
    whole = {name: max(len(name), *(len(line) for row in rows for line in row[name].split("\n") or [""])) for name in names}
    least = {name: _least(name, whole[name], rows) for name in names}
    shortened = _sum(least) > width
    if shortened:
        least |= {name: min(least[name], max(_of(name).short, len(name))) for name in names if _of(name).short}
    left_out: list[str] = []
    while _sum(least) > width and len(least) > 1:
        left_out.append(min(reversed(least), key=lambda name: _of(name).keep))
        del least[left_out[-1]]
    spare = width - _sum(least)
    widths = dict(least)
    for name in sorted(least, key=lambda name: whole[name] - least[name]):
        if not (shortened and _of(name).short):
            more = max(0, min(whole[name] - least[name], spare))
            widths[name], spare = least[name] + more, spare - more
    if len(widths) == 1:
        widths = {name: min(length, width) for name, length in widths.items()}
    return Fitted(widths, shortened, tuple(left_out))


def _of(name: str) -> Column:
    return COLUMNS.get(name, ORDINARY)


def _sum(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def _least(name: str, whole: int, rows: Sequence[Mapping[str, str]]) -> int:
    """The narrowest a column may be: the longest word of one that folds, all of one without blanks."""
    if _of(name).clipped:
        return min(whole, CLIPPED_MIN)
    longest = max((len(word) for row in rows for word in row[name].split()), default=0)
    return min(whole, max(longest if longest <= 40 or name != "value" else 40, len(name), FOLDED_MIN))


def table_of(rows: Sequence[Mapping[str, str]], width: int) -> tuple[Table, tuple[str, ...]]:
    """Rows as a table no wider than the page, and the columns that were left out."""
    fit = fitted(rows, width)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    for name, room in fit.widths.items():
        table.add_column(name, width=room, overflow="ellipsis" if _of(name).clipped else "fold", no_wrap=_of(name).clipped)
    for row in rows:
        cells = {name: " ".join(row[name].split()) if _of(name).clipped else row[name] for name in fit.widths}
        cut = {name: text[: _of(name).short] if fit.shortened and _of(name).short else text for name, text in cells.items()}
        table.add_row(*(Text(text) for text in cut.values()))
    return table, fit.left_out
