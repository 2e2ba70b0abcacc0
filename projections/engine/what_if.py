"""What if a fold were another one: the history through a projection out of a file, into a scratch schema, beside the live tables.

The log is read on a connection that only reads; what comes out is written by another one, in a schema of its own (`projections/scratch.py`).
Neither is within reach of the file's code.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c.kernel.refusal import Refused
from projections.catalogue import BY_NAME
from projections.engine import bulk, tables
from projections.engine.checkpoints import Checkpoint, checkpoints
from projections.engine.diff import Diff, compared
from projections.engine.fill import Job, Told, copy, folded
from projections.engine.fold import FoldFailed, explain
from projections.engine.parked import leaving_out, parked_groups
from projections.engine.projection import KINDS, Projection, reader_of
from projections.engine.scratch import scratch
from projections.engine.seen import Connection, Mark, Seen, last_mark

PASS_EVENTS = 500_000
"""How many events are folded at once: their documents are held in memory."""
_READ_ONLY = "-c default_transaction_read_only=on"

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Lets all statements of the transaction see the tables at one moment. No parameters."""

_ROLE = "SELECT current_user::text AS name"
"""The role that the session acts as. No parameters."""

_LET_READ = sql.SQL("GRANT USAGE ON SCHEMA {0} TO {1}; ALTER DEFAULT PRIVILEGES IN SCHEMA {0} GRANT SELECT ON TABLES TO {1}")
"""Lets a role read every table that is made in a schema from now on. Parts: the schema, the role."""

_ANALYZE = sql.SQL("ANALYZE {}, {}")
"""Counts two tables anew for the planner. Parts: the tables."""

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
    """Which part of the history: events of an order's streams, from one position or business time on and before another; all when none is set."""

    order: str | None = None
    first: int | None = None
    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def condition(self, streams: Sequence[str] | None) -> sql.Composable:
        """It as a condition on the rows of the log; `streams` are those of the order."""
        bounds = {
            "position >= {}": self.first,
            "position < {}": self.before,
            "occurred_at >= {}": self.since,
            "occurred_at < {}": self.until,
            "stream = ANY({})": streams,
        }
        asked = [sql.SQL(text).format(sql.Literal(bound)) for text, bound in bounds.items() if bound is not None]
        return sql.SQL(" AND ").join(asked) if asked else bulk.EVERYTHING


EVERYTHING = Stretch()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a what-if showed: events folded, rows it yields, rows there are in the live one, and how they differ (all counted, the first kept).

    In a difference `expected` is the row of the what-if, `found` the live one. `beside` says what the live rows were: the tables as they
    stand, the live fold over the same stretch, or nothing of that name. `schema` holds the tables of both where they were kept.
    """

    name: str
    events: int
    rows: int
    live_rows: int
    beside: str
    diff: Diff
    schema: str | None = None


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


def what_if(
    dsn: str, projection: Projection, stretch: Stretch = EVERYTHING, *, keep: bool = False, told: Told = lambda stage, share: None
) -> Outcome:
    """Fold a stretch of the history through a projection, in a scratch schema, and compare its rows with the live ones of the same name.

    Of the whole history those are the tables, without what is parked; of a stretch, what the live fold makes of it. To `keep` the schema leaves
    in it the rows under the projection's name and, of a stretch, those of the live fold as `<name>_live`. Long histories are folded in
    several passes, a part of the groups each, where the projection names its groups as one of the catalogue does.
    Raises FoldFailed, naming the event, when the fold or its rows fail; Refused (usage) when this login may not read the log or make a schema,
    conflict when the live tables were exchanged or mended meanwhile.
    """
    if strange := {kind for kind in projection.columns.values() if kind not in KINDS}:
        raise Refused(f"projection {projection.name} has columns of kind {min(strange)}; there are {', '.join(KINDS)}")
    with tables.session(read_only(dsn)) as log, scratch(dsn, keep=keep) as (out, schema), _explained(log):
        trial = _Trial(log, out, schema, stretch, told)
        return trial.compared(projection, BY_NAME.get(projection.name), keep=keep)


@contextmanager
def _explained(log: Connection) -> Iterator[None]:
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise Refused(
            f"the role {log.info.user} may not read what a fold needs: {error.diag.message_primary}; ask as one who may read the log, as a"
            " projector may (readers see masked views, over which no fold comes out as the live one)"
        ) from None


class _Trial:
    """A stretch of the log, and the scratch schema that folds of it go into."""

    def __init__(self, log: Connection, out: Connection, schema: str, stretch: Stretch, told: Told) -> None:
        self.log, self.out, self.schema, self.stretch, self.told = log, out, schema, stretch, told
        self.streams = None if stretch.order is None else _streams(log, stretch.order)
        role = log.execute(_ROLE).fetchone()
        assert role
        out.execute(_LET_READ.format(sql.Identifier(schema), sql.Identifier(role["name"])))

    def compared(self, projection: Projection, live: Projection | None, *, keep: bool) -> Outcome:
        """Fold it, fold the live one too where no table stands for it, and compare."""
        checkpoint = _checkpoint(self.log, live) if live and self.stretch == EVERYTHING else None
        at = checkpoint.mark if checkpoint else last_mark(self.log)
        limits = parked_groups(self.log, live) if live and checkpoint else {}
        old = live if live and checkpoint else self._live(live, projection, at)
        taken = itertools.count()
        # A copy that names its groups otherwise still says where those of the original are found.
        found_by = projection.found_by if any(projection.group is known.group for known in BY_NAME.values()) else None
        new = _naming(leaving_out(self.log, replace(projection, schema=self.schema, found_by=found_by)), limits, taken)
        self._filled(new, at, strict=True)
        events = next(taken)
        with self.log.transaction():
            self.log.execute(_SNAPSHOT)
            now = _moved_on(self.log, old, checkpoint) if checkpoint else at
            diff = compared(self.log, old, new, reader_of([new]), at, now)
            rows, live_rows = _count(self.log, tables.table(new, "_new")), _count(self.log, tables.table(old))
        self.told("compared", 1)
        if keep:
            self._leave(old, new, live)
        beside = "the tables" if checkpoint else "the live fold" if live else "nothing of that name"
        return Outcome(projection.name, events, rows, live_rows, beside, diff, self.schema if keep else None)

    def _live(self, live: Projection | None, projection: Projection, at: Mark) -> Projection:
        """What to compare with where no table holds it: the live fold of the stretch, or an empty table."""
        old = replace(live or projection, schema=self.schema)
        if live:
            self._filled(_naming(leaving_out(self.log, old), {}, itertools.count()), at, strict=False)
            tables.rename(self.out, old, "_new", "")
        else:
            tables.create(self.out, old)
        return old

    def _filled(self, projection: Projection, at: Mark, *, strict: bool) -> None:
        """Fold the stretch into the shadow of a projection, a part of its groups after the other."""
        tables.create(self.out, projection, "_new", indexed=False)
        only = self.stretch.condition(self.streams)
        passes = self._passes(projection, at, only)
        for number in range(passes):
            job = Job(projection.name, at.position, number, passes, strict, tables.shadow_id(self.out, projection))
            copy(self.out, folded(self.log, projection, job, self.told, only), job, self.told)
        tables.index(self.out, projection, "_new")
        self.out.execute(_ANALYZE.format(tables.table(projection, "_new"), tables.doc_table(projection, "_new")))
        self.told("indexed", 1)

    def _passes(self, projection: Projection, at: Mark, only: sql.Composable) -> int:
        if not bulk.shardable(projection):
            return 1
        count = _COUNT_EVENTS.format(sql.Literal(at.position), only)
        row = self.log.execute(count).fetchone()
        return 1 + (row["n"] if row else 0) // PASS_EVENTS

    def _leave(self, old: Projection, new: Projection, live: Projection | None) -> None:
        if old.schema == self.schema:
            tables.rename(self.out, old, "", "_live")
            if not live:
                tables.drop(self.out, old, "_live")
        tables.rename(self.out, new, "_new", "")


def _checkpoint(conn: Connection, live: Projection) -> Checkpoint | None:
    row = conn.execute(_CHECKPOINTS_ARE_MADE).fetchone()
    known = checkpoints(conn, [live]).get(live.name) if row and row["made"] else None
    return known if known and known.shape_version == live.shape_version else None


def _moved_on(conn: Connection, live: Projection, seen: Checkpoint) -> Mark:
    """Where the live tables stand now. Raises Refused when they are not those any more that were looked at."""
    now = checkpoints(conn, [live])[live.name]
    if now.generation != seen.generation:
        raise Refused(f"the tables of projection {live.name} were exchanged or mended meanwhile; ask again", kind="conflict")
    return now.mark


def _naming(projection: Projection, limits: Mapping[str, int], taken: Iterator[int]) -> Projection:
    """The projection, which names an event whose group it cannot say; a group in `limits` stops short of that position. What it takes is counted."""
    of = projection.group

    def group(seen: Seen) -> str | None:
        try:
            found = of(seen)
        except Exception as error:  # noqa: BLE001 - raised on as our own, without the message: it may hold values
            where = f"{seen.type} at position {seen.position} ({seen.stream} version {seen.version})"
            raise FoldFailed(f"projection {projection.name} cannot name the group of {where}: {explain(error)}") from None
        if found is None or (found in limits and seen.position >= limits[found]):
            return None
        next(taken)
        return found

    return replace(projection, group=group)


def _streams(conn: Connection, order: str) -> list[str]:
    rows = conn.execute(_STREAMS_OF_ORDER, (order,)).fetchall()
    return [row["stream"] for row in rows]


def _count(conn: Connection, relation: sql.Identifier) -> int:
    row = conn.execute(_COUNT_ROWS.format(relation)).fetchone()
    return int(row["n"]) if row else 0
