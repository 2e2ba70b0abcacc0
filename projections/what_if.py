"""What if a fold were another one: the history through a projection out of a file, in memory, beside the live one. Nothing is written."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c.kernel.refusal import Refused
from projections import tables
from projections.catalogue import BY_NAME
from projections.fold import Fold, FoldFailed, explain, pages, strict_rows
from projections.parked import leaving_out
from projections.projection import Projection, Row, reader_of
from projections.seen import START, Connection, Mark, Seen, last_mark

_READ_ONLY = "-c default_transaction_read_only=on"
Rows = dict[tuple[Any, ...], Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Which part of the history: events of an order's streams, from one position or business time on and before another; all when none is set."""

    order: str | None = None
    first: int | None = None
    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, seen: Seen) -> bool:
        """Whether an event lies in it."""
        return not (
            (self.first is not None and seen.position < self.first)
            or (self.before is not None and seen.position >= self.before)
            or (self.since is not None and seen.occurred_at < self.since)
            or (self.until is not None and seen.occurred_at >= self.until)
        )


EVERYTHING = Stretch()


class Change(NamedTuple):
    """A row that comes out differently: its key (the group first), the live row, the other one (None: there is none)."""

    key: tuple[Any, ...]
    live: Row | None
    other: Row | None

    @property
    def columns(self) -> list[str]:
        """The columns whose values differ; none for a row that only one of them has."""
        if self.live is None or self.other is None:
            return []
        return [name for name in {**self.live, **self.other} if self.live.get(name) != self.other.get(name)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a what-if showed: events folded, rows it yields, rows there are in the live one, and every row that differs.

    `beside` says what the live rows were: the tables as they stand, the live fold over the same stretch, or nothing of that name.
    """

    name: str
    events: int
    rows: int
    live_rows: int
    beside: str
    changes: tuple[Change, ...]

    @property
    def by_column(self) -> dict[str, int]:
        """In how many rows each column differs."""
        return dict(Counter(column for change in self.changes for column in change.columns).most_common())


def read_only(dsn: str) -> str:
    """A connection string whose sessions refuse to write."""
    options = f"{conninfo_to_dict(dsn).get('options') or ''} {_READ_ONLY}".strip()
    return make_conninfo(dsn, options=options)


@contextmanager
def only_reading(dsn: str) -> Iterator[str]:
    """The connection string for a file's code, which is also all that the environment tells meanwhile.

    It keeps a file from writing by mistake. Whoever must be certain of a stranger's file gives O2C_DSN a role that may not write.
    """
    safe = read_only(dsn)
    before = {name: os.environ.get(name) for name in ("O2C_DSN", "PGOPTIONS")}
    os.environ.update(O2C_DSN=safe, PGOPTIONS=_READ_ONLY)
    try:
        yield safe
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def load(path: Path) -> list[Projection]:
    """The projections that a file of Python defines. Raises Refused (usage) when it does not load, defines none, or one reads personal fields."""
    spec = importlib.util.spec_from_file_location("what_if", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise Refused(f"{path} is no file of Python; write one that defines a Projection")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise Refused(f"{path} does not load: {type(error).__name__} in line {error.lineno}") from None
    except BaseException as error:  # noqa: BLE001 - whatever a file raises, SystemExit too, is said in one line
        raise Refused(f"{path} does not load: {explain(error)}") from None
    found = [
        value for value in vars(module).values() if isinstance(value, Projection) and not any(value is known for known in BY_NAME.values())
    ]
    if not found:
        raise Refused(f"{path} defines no Projection; write WHAT_IF = dataclasses.replace(ORDERS, evolve=...)")
    for projection in found:
        if projection.personal:
            raise Refused(f"{path}: {projection.name} reads personal fields, and what it yields is shown; leave them out")
    return found


def what_if(dsn: str, projection: Projection, stretch: Stretch = EVERYTHING) -> Outcome:
    """Fold a stretch of the history through a projection and compare its rows with the live ones of the same name.

    Of the whole history those are the tables, at their checkpoint and without what is parked; of a stretch, what the live fold makes of it.
    Raises FoldFailed, naming the event, when the fold or its rows fail.
    """
    with tables.session(read_only(dsn)) as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        live = BY_NAME.get(projection.name)
        checkpoint = _checkpoint(conn, live) if live and stretch == EVERYTHING else None
        bound = checkpoint.mark if checkpoint else last_mark(conn)
        limits = tables.parked_groups(conn, live) if live and checkpoint else {}
        strict = Fold(projection, reader_of([projection]).wanted, strict=True)
        events = _fold(conn, strict, bound, stretch, limits)
        if live and checkpoint:
            beside, rows = "the tables", _keyed(live, tables.stored_rows(conn, live))
        elif live:
            beside, fold = "the live fold", Fold(live, reader_of([live]).wanted)
            _fold(conn, fold, bound, stretch, {})
            rows = _rows(fold)
        else:
            beside, rows = "nothing of that name", {}
    other = _rows(strict)
    return Outcome(projection.name, events, len(other), len(rows), beside, tuple(_changes(rows, other)))


def _checkpoint(conn: Connection, live: Projection) -> tables.Checkpoint | None:
    row = conn.execute("SELECT to_regclass('projection.checkpoint') IS NOT NULL AS made").fetchone()
    known = tables.checkpoints(conn, [live]).get(live.name) if row and row["made"] else None
    return known if known and known.shape_version == live.shape_version else None


def _fold(conn: Connection, fold: Fold, bound: Mark, stretch: Stretch, limits: dict[str, int]) -> int:
    """Fold the stretch; how many events it took."""
    streams = None if stretch.order is None else _streams(conn, stretch.order)
    fold.projection = leaving_out(conn, fold.projection)
    reader, events = reader_of([fold.projection], streams), 0
    of = _naming(fold.projection)
    for page, _ in pages(conn, reader, START.position if stretch.first is None else stretch.first - 1, bound):
        due = [(group, seen) for seen in page if seen.type in fold.names and stretch.holds(seen) and (group := of(seen)) is not None]
        mine = [(group, seen) for group, seen in due if group not in limits or seen.position < limits[group]]
        fold.take(mine)
        events += len(mine)
    return events


def _naming(projection: Projection) -> Callable[[Seen], str | None]:
    """The group of an event; the event is named when the projection cannot say it."""

    def group(seen: Seen) -> str | None:
        try:
            return projection.group(seen)
        except Exception as error:  # noqa: BLE001 - raised on as our own, without the message: it may hold values
            where = f"{seen.type} at position {seen.position} ({seen.stream} version {seen.version})"
            raise FoldFailed(f"projection {projection.name} cannot name the group of {where}: {explain(error)}") from None

    return group


def _streams(conn: Connection, order: str) -> list[str]:
    rows = conn.execute("SELECT DISTINCT stream FROM o2c.event WHERE order_id = %s::uuid", (order,)).fetchall()
    return [row["stream"] for row in rows]


def _rows(fold: Fold) -> Rows:
    made = (row for group, doc in fold.docs.items() for row in strict_rows(fold.projection, group, doc).values())
    return _keyed(fold.projection, made)


def _keyed(projection: Projection, rows: Iterator[Row]) -> Rows:
    return {(row["group_key"], *(row[column] for column in projection.key)): row for row in rows}


def _changes(live: Rows, other: Rows) -> Iterator[Change]:
    for key in sorted({*live, *other}, key=str):
        if live.get(key) != other.get(key):
            yield Change(key, live.get(key), other.get(key))
