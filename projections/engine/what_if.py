"""The what-if: fold the history by a projection from a file, into a scratch schema, and compare the rows with the live tables.

One connection reads the log and cannot write. Another writes the rows, and only in a schema of its own (`projections/engine/scratch.py`).
The code of a file runs in another process and reaches neither (`projections/engine/apart.py`).
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.catalogue import BY_NAME
from projections.engine import bulk, tables
from projections.engine.checkpoints import Checkpoint, checkpoints
from projections.engine.diff import Diff, compare_tables
from projections.engine.fill import Job, OnShare, copy_shard, fold_shard
from projections.engine.fold import Fold, FoldFailed, MakeFold, explain
from projections.engine.parked import parked_groups, without_skipped
from projections.engine.projection import KINDS, Projection, reader_of
from projections.engine.scratch import scratch
from projections.engine.seen import Mark, Seen, last_mark

PASS_EVENTS = 500_000
"""How many events are folded in one pass: their documents are held in memory."""
_READ_ONLY = "-c default_transaction_read_only=on"

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Lets all statements of the transaction see the tables at one moment. No parameters."""

_COUNT_EVENTS = sql.SQL("SELECT count(*) AS n FROM o2c.event WHERE position <= {} AND {}")
"""How many events up to a position meet a condition. Parts: the position, the condition."""

_COUNT_ROWS = sql.SQL("SELECT count(*) AS n FROM {}")
"""How many rows a table has. Part: the table."""

_CHECKPOINTS_ARE_MADE = "SELECT to_regclass('projection.checkpoint') IS NOT NULL AS made"
"""Whether the table of checkpoints is there. No parameters."""

_STREAMS_OF_ORDER = "SELECT DISTINCT stream FROM o2c.event WHERE order_id = %s::uuid"
"""All streams with an event that names an order. Parameter: the order's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the history: the events of an order's streams, from a position or business time on, and before another.

    All events by default.
    """

    order: str | None = None
    first: int | None = None
    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def condition(self, streams: Sequence[str] | None) -> sql.Composable:
        """The condition on an event of the stretch; `streams` are those of the order."""
        bounds = {
            "position >= {}": self.first,
            "position < {}": self.before,
            "occurred_at >= {}": self.since,
            "occurred_at < {}": self.until,
            "stream = ANY({})": streams,
        }
        conditions = [sql.SQL(text).format(sql.Literal(bound)) for text, bound in bounds.items() if bound is not None]
        return sql.SQL(" AND ").join(conditions) if conditions else bulk.NO_CONDITION


WHOLE_HISTORY = Stretch()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a what-if: the number of events folded, of its rows and of the live rows, and how the rows differ.

    In a difference `expected` is the row of the what-if and `actual` the live row. `compared_with` says where the live rows come from:
    the tables, the live fold over the same stretch, or nothing of that name. `schema` is where both are kept, None when they were
    dropped.
    """

    name: str
    events: int
    rows: int
    live_rows: int
    compared_with: str
    diff: Diff
    schema: str | None = None


def read_only(dsn: str) -> str:
    """The connection string of sessions that cannot write."""
    options = f"{conninfo_to_dict(dsn).get('options') or ''} {_READ_ONLY}".strip()
    return make_conninfo(dsn, options=options)


def load(path: Path) -> list[Projection]:
    """Run a file of Python here, and give the projections that it defines.

    Raises Refused (usage) when it does not load, defines none, or one reads personal fields.
    """
    spec = importlib.util.spec_from_file_location("what_if", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise Refused(f"{path} is no file of Python; write one that defines a Projection")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise Refused(f"{path} does not load: {type(error).__name__} in line {error.lineno}") from None
    except BaseException as error:  # noqa: BLE001 - any error of a file, SystemExit too, becomes one line
        raise Refused(f"{path} does not load: {explain(error)}") from None
    projections = [
        value for value in vars(module).values() if isinstance(value, Projection) and not any(value is ours for ours in BY_NAME.values())
    ]
    if not projections:
        raise Refused(f"{path} defines no Projection; write WHAT_IF = dataclasses.replace(ORDERS, evolve=...)")
    for projection in projections:
        if projection.personal:
            raise Refused(f"{path}: {projection.name} reads personal fields, and what it yields is shown; leave them out")
    return [replace(projection, found_by=_found_by(projection)) for projection in projections]


def _found_by(projection: Projection) -> Literal["stream", "order", "event"] | None:
    """A changed copy with a `group` of its own still has the original's `found_by`, which is wrong for its groups."""
    return projection.found_by if any(projection.group is ours.group for ours in BY_NAME.values()) else None


def what_if(
    dsn: str,
    projection: Projection,
    stretch: Stretch = WHOLE_HISTORY,
    *,
    keep: bool = False,
    progress: OnShare = lambda stage, share: None,
    fold: MakeFold = Fold,
) -> Outcome:
    """Fold a stretch of the history through a projection, in a scratch schema, and compare its rows with the live ones of the same name.

    For the whole history the live rows are those of the tables, without parked events; for a stretch they are those of the live fold over
    it. With `keep` the schema stays: it holds the rows under the projection's name and, for a stretch, those of the live fold as
    `<name>_live`. A long history is folded in several passes, each over a shard of the groups, if the projection shares its `group` with
    one of the catalogue. `fold` makes the fold that takes the history; it runs here by default. Raises FoldFailed, naming the event, when
    the fold or its rows fail; Refused (usage) when this login may not read the log or make a schema, conflict when the live tables were
    exchanged or mended meanwhile.
    """
    if unknown := {kind for kind in projection.columns.values() if kind not in KINDS}:
        raise Refused(f"projection {projection.name} has columns of kind {min(unknown)}; there are {', '.join(KINDS)}")
    with tables.session(read_only(dsn)) as log, scratch(dsn, keep=keep) as (out, schema), _reading_refused(log):
        trial = _Trial(log, out, schema, stretch, progress, fold)
        return trial.compare(projection, BY_NAME.get(projection.name), keep=keep)


@contextmanager
def _reading_refused(log: Connection) -> Iterator[None]:
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise Refused(
            f"the role {log.info.user} may not read what a fold needs: {error.diag.message_primary}; ask as one who may read the log, as a"
            " projector may (readers see masked views, over which no fold comes out as the live one)"
        ) from None


class _Trial:
    """A stretch of the log, and the scratch schema for the tables that are folded from it."""

    def __init__(self, log: Connection, out: Connection, schema: str, stretch: Stretch, progress: OnShare, fold: MakeFold) -> None:
        self.log, self.out, self.schema, self.stretch, self.progress, self.fold = log, out, schema, stretch, progress, fold
        self.streams = None if stretch.order is None else _streams(log, stretch.order)

    def compare(self, projection: Projection, live: Projection | None, *, keep: bool) -> Outcome:
        """Fold the projection over the stretch, and the live one too unless its tables can be used, and compare the rows."""
        checkpoint = _checkpoint(self.log, live) if live and self.stretch == WHOLE_HISTORY else None
        at = checkpoint.mark if checkpoint else last_mark(self.log)
        limits = parked_groups(self.log, live) if live and checkpoint else {}
        old = live if live and checkpoint else self._fold_live(live, projection, at)
        events = itertools.count()
        new = _limited(without_skipped(self.log, replace(projection, schema=self.schema)), limits, events)
        self._fill_shadow(new, at, self.fold, strict=True)
        folded = next(events)
        with self.log.transaction():
            self.log.execute(_SNAPSHOT)
            now = _mark_now(self.log, old, checkpoint) if checkpoint else at
            diff = compare_tables(self.log, old, new, reader_of([new]), at, now)
            rows, live_rows = _count(self.log, tables.table(new, "_new")), _count(self.log, tables.table(old))
        self.progress("compared", 1)
        if keep:
            self._name_kept(old, new, live)
        compared_with = "the tables" if checkpoint else "the live fold" if live else "nothing of that name"
        return Outcome(projection.name, folded, rows, live_rows, compared_with, diff, self.schema if keep else None)

    def _fold_live(self, live: Projection | None, projection: Projection, at: Mark) -> Projection:
        """Scratch tables with the live fold of the stretch, or empty ones where no projection has that name."""
        old = replace(live or projection, schema=self.schema)
        if live:
            self._fill_shadow(_limited(without_skipped(self.log, old), {}, itertools.count()), at, Fold, strict=False)
            tables.rename(self.out, old, "_new", "")
        else:
            tables.make_shadow(self.out, old, "")
        return old

    def _fill_shadow(self, projection: Projection, at: Mark, fold: MakeFold, *, strict: bool) -> None:
        """Fold the stretch into the shadow of a projection, one shard of its groups after the other."""
        tables.make_shadow(self.out, projection)
        only = self.stretch.condition(self.streams)
        passes = self._passes(projection, at, only)
        for number in range(passes):
            job = Job(projection.name, at.position, number, passes, strict, tables.shadow_id(self.out, projection))
            copy_shard(self.out, fold_shard(self.log, projection, job, self.progress, only, fold), job, self.progress)
        tables.index(self.out, projection)
        self.progress("indexed", 1)

    def _passes(self, projection: Projection, at: Mark, only: sql.Composable) -> int:
        if not bulk.shardable(projection):
            return 1
        count = _COUNT_EVENTS.format(sql.Literal(at.position), only)
        row = self.log.execute(count).fetchone()
        return 1 + (row["n"] if row else 0) // PASS_EVENTS

    def _name_kept(self, old: Projection, new: Projection, live: Projection | None) -> None:
        if old.schema == self.schema:
            tables.rename(self.out, old, "", "_live")
            if not live:
                tables.drop(self.out, old, "_live")
        tables.rename(self.out, new, "_new", "")


def _checkpoint(conn: Connection, live: Projection) -> Checkpoint | None:
    row = conn.execute(_CHECKPOINTS_ARE_MADE).fetchone()
    checkpoint = checkpoints(conn, [live]).get(live.name) if row and row["made"] else None
    return checkpoint if checkpoint and checkpoint.shape_version == live.shape_version else None


def _mark_now(conn: Connection, live: Projection, before: Checkpoint) -> Mark:
    """How far the live tables are folded now. Raises Refused when they were exchanged or mended since `before`."""
    now = checkpoints(conn, [live])[live.name]
    if now.generation != before.generation:
        raise Refused(f"the tables of projection {live.name} were exchanged or mended meanwhile; ask again", kind="conflict")
    return now.mark


def _limited(projection: Projection, limits: Mapping[str, int], events: Iterator[int]) -> Projection:
    """The projection without the events of a group in `limits` from that position on. It counts its events in `events`.

    When its `group` fails, the error names the event.
    """
    of = projection.group

    def group(record: Seen) -> str | None:
        try:
            name = of(record)
        except Exception as error:  # noqa: BLE001 - raised again as FoldFailed, without the message, for it may hold personal values
            where = f"{record.type} at position {record.position} ({record.stream} version {record.version})"
            raise FoldFailed(f"projection {projection.name} cannot name the group of {where}: {explain(error)}") from None
        if name is None or (name in limits and record.position >= limits[name]):
            return None
        next(events)
        return name

    return replace(projection, group=group)


def _streams(conn: Connection, order: str) -> list[str]:
    rows = conn.execute(_STREAMS_OF_ORDER, (order,)).fetchall()
    return [row["stream"] for row in rows]


def _count(conn: Connection, relation: sql.Identifier) -> int:
    row = conn.execute(_COUNT_ROWS.format(relation)).fetchone()
    return int(row["n"]) if row else 0
