"""What all views share: projections that are current, and values as JSON shows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from o2c.engine.app import Engine
from o2c.kernel.money import from_minor, to_minor
from o2c.kernel.periods import local_time, parse_time, stamp
from o2c.kernel.refusal import Refused
from o2c.store.passing import UNTOLD
from projections.catalogue import ALL
from projections.engine.checkpoints import reached
from projections.engine.operations import catch_up, held_up, refuse_missing_tables

Rows = list[dict[str, Any]]
PART_MAX = 1_000
_TYPED = re.compile(r"-?[0-9]+(\.[0-9]+)?")
"""What a person writes for an amount; a paper may use exponents, a slip of the keyboard makes one."""
REACHED = reached(ALL)
"""Where the log ends, and how far all projections have folded it."""


T = TypeVar("T")


class Page(list[T]):
    """The first rows of a list, with how many `more` there are behind them."""

    more: int = 0


def part_of(app: Engine, rows: str, count: str, picked: Mapping[str, Any], offset: int, limit: int) -> Page[Any]:
    """A part of a list by two statements: one of its rows with how many there are in all (`n`), one for that alone where no row is left.

    Raises Refused (usage) for an offset or a limit that is none.
    """
    if offset < 0 or not 0 <= limit <= PART_MAX:
        raise Refused(f"give an offset of 0 or more, and at most {PART_MAX} rows at once")
    found = app.reads.rows(rows, **picked, offset=offset, limit=limit)
    is_all = limit > 0 and offset == 0
    total = found[0]["n"] if found else 0 if is_all else app.reads.rows(count, **picked)[0]["n"]
    page: Page[Any] = Page(plain({name: value for name, value in row.items() if name != "n"}) for row in found)
    page.more = max(total - offset - len(page), 0)
    return page


def part_after_part(ask: Callable[..., Page[Any]], most: int | None = None) -> Iterator[Any]:
    """The rows of a list that gives parts, `most` of them (None: all). `ask` takes an offset and a limit."""
    offset = 0
    while most is None or offset < most:
        page = ask(offset=offset, limit=PART_MAX if most is None else min(PART_MAX, most - offset))
        yield from page
        offset += len(page)
        if not page.more:
            return


def page_of(rows: Rows, total: str) -> Page[Any]:
    """Rows that each say in the column `total` how many there are in all, without that column."""
    page: Page[Any] = Page(plain({name: value for name, value in row.items() if name != total}) for row in rows)
    page.more = rows[0][total] - len(rows) if rows else 0
    return page


def caught_up(app: Engine) -> str:
    """Reading commands first catch up: what was written before is seen. On a standby, what the primary has projected; Refused when it has
    not.

    Gives the reason, in a line, why what is read now lacks events that are in the log already: a transaction elsewhere that holds all
    readers up. Empty while none does.
    """
    if not app.takes_writes:
        refuse_missing_tables(app.dsn)
        return ""
    top, folded = _place(app)
    if 0 <= top <= folded:
        return ""
    # Of many who ask at once one folds, and the others find it done.
    with app.catching_up:
        if 0 <= top <= _place(app)[1]:
            return ""
        behind = held_up(app.dsn, catch_up(app.dsn))
    if behind is None:
        return ""
    return f"{behind.lag_events} events of the log are not seen yet, for {behind.blocker} holds all readers up: what is shown is as of before them"


def folded_to(app: Engine, position: int) -> bool:
    """Whether all projections have folded the log up to a position; False where that cannot be told in a word."""
    return position <= _place(app)[1]


def _place(app: Engine) -> tuple[int, int]:
    """The position of the last event, and the one up to which all projections have folded, in one short statement; -1 for what it cannot
    tell."""
    if not app.sees_log:
        return -1, -1
    try:
        rows = app.reads.rows(REACHED)
    except UNTOLD:
        return -1, -1
    return (rows[0]["top"], rows[0]["reached"]) if rows else (-1, -1)


def all_seen(app: Engine) -> None:
    """Catch up, for a caller that cannot be told anything beside its answer. Raises Refused (unavailable) when readers are held up."""
    if reason := caught_up(app):
        raise Refused(f"{reason}; ask again", kind="unavailable")


def plain(value: Any) -> Any:
    """A value as JSON shows it: times as stamps, positions as strings (they pass 2^53 one day)."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def row_of(record: Any) -> dict[str, Any]:
    """A dataclass with a `position` as a row for JSON."""
    return {**plain(asdict(record)), "position": str(record.position)}


def decimal_text(amount_minor: int, currency: str) -> str:
    """An amount as decimal text: 23.99."""
    return from_minor(amount_minor, currency)


def amount_text(amount_minor: int, currency: str) -> str:
    """An amount as a person reads it: 23.99 GBP."""
    return f"{from_minor(amount_minor, currency)} {currency}"


def time_of(text: str) -> datetime:
    """A time as a person writes it: RFC 3339, or a bare date meaning midnight UTC. Raises Refused."""
    try:
        return parse_time(text if "T" in text.upper() or " " in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise Refused(f"{text} is no time: {error}; write 2026-04-15 or 2026-04-15T09:00:00Z") from None


def time_in(text: str, zone: str) -> datetime:
    """A time as a person writes it: RFC 3339, or a bare date meaning its midnight by the clock of a market. Raises Refused."""
    at = time_of(text)
    return at if "T" in text.upper() or " " in text else local_time(at.date(), 0, 0, zone)


def day_of(text: str) -> date:
    """A day as a person writes it. Raises Refused."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text} is no day; write it as 2026-02-16") from None


def position_of(text: str) -> int | None:
    """A position as a person writes it; None for a text that is none, such as a time."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def page_of_streams(
    app: Engine,
    prefix: str,
    names: Sequence[str],
    offset: int,
    limit: int,
    *,
    own: Callable[[Sequence[str]], Collection[str]] | None = None,
) -> tuple[list[str], Page[Any]]:
    """The streams of a kind by name, a part of them, and an empty page that says how many more there are; with `names`, those alone.

    `own` tells which of some streams are to be seen. Raises Refused (usage) for an offset or a limit that is none.
    """
    if offset < 0 or not 0 <= limit <= PART_MAX:
        raise Refused(f"give an offset of 0 or more, and at most {PART_MAX} rows at once")
    found = app.reads.streams_like(prefix)
    if names:
        wanted = {f"{prefix}{name}" for name in names}
        found = [stream for stream in found if stream in wanted]
    if own is not None:
        seen = own(found)
        found = [stream for stream in found if stream in seen]
    part, page = found[offset : offset + limit], Page[Any]()
    page.more = max(len(found) - offset - len(part), 0)
    return part, page


def minor_of(amount: str, currency: str) -> int:
    """An amount of money, in minor units. Raises Refused for what is no plain decimal, or is nothing."""
    try:
        if _TYPED.fullmatch(amount) is None:
            raise ValueError(f"{amount[:40]!r} is not a decimal amount")
        amount_minor = to_minor(amount, currency)
    except ValueError as error:
        raise Refused(f"{error}; write the amount as 23.99") from None
    if amount_minor <= 0:
        raise Refused("an amount of money is more than nothing; write the amount as 23.99")
    return amount_minor
