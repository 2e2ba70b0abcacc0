"""Events that a fold could not take: listed, tried again, or set aside for good by a person who answers for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from o2c.kernel.refusal import Refused
from projections.engine import tables
from projections.engine.history import By
from projections.engine.projection import Projection
from projections.engine.seen import Connection, Seen

_FIRST = b"""
SELECT p.name, p.group_key, p.position, e.type, p.parked_at, p.error, p.behind
FROM (SELECT DISTINCT ON (name, group_key) *, count(*) OVER (PARTITION BY name, group_key) - 1 AS behind
      FROM projection.parked WHERE name = ANY(%s) ORDER BY name, group_key, position) p
JOIN o2c.event e USING (position) ORDER BY p.parked_at, p.name, p.group_key"""
_SKIPPED = b"""
SELECT s.name, s.group_key, s.position, e.type, s.error, s.actor, s.reason, s.skipped_at
FROM projection.skipped s JOIN o2c.event e USING (position) WHERE s.name = ANY(%s) ORDER BY s.skipped_at, s.name, s.position"""
_SET_ASIDE = """
INSERT INTO projection.skipped (name, group_key, position, event_id, error, actor, reason)
SELECT name, group_key, position, event_id, error, %s, %s FROM projection.parked
WHERE name = %s AND group_key = %s ORDER BY position LIMIT 1 RETURNING position"""


@dataclass(frozen=True, slots=True)
class Parked:
    """A group that stands still: the event it could not take, where the fold failed (never a value), and how many events wait behind."""

    projection: str
    group: str
    position: int
    type: str
    since: datetime
    error: str
    behind: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """An event that was set aside for good: every way of running the fold leaves it out. `reason` is a person's free text."""

    projection: str
    group: str
    position: int
    type: str
    error: str
    actor: str
    reason: str
    skipped_at: datetime


def parked(dsn: str, projections: Sequence[Projection]) -> list[Parked]:
    """The groups that stand still, the longest first."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        return [Parked(*row.values()) for row in conn.execute(_FIRST, ([known.name for known in projections],)).fetchall()]


def skipped(dsn: str, projections: Sequence[Projection]) -> list[Skipped]:
    """The events that were set aside, in the order in which that was done."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        return [Skipped(*row.values()) for row in conn.execute(_SKIPPED, ([known.name for known in projections],)).fetchall()]


def set_aside(conn: Connection, projection: Projection, group: str, by: By, position: int | None) -> int:
    """Note the first parked event of a group as skipped; its position. Needs a transaction that holds the checkpoint.

    Raises Refused: missing when the group is not parked, conflict when another event than the one at `position` is the first.
    """
    done = conn.execute(_SET_ASIDE.encode(), (*by, projection.name, group)).fetchone()
    if done is None:
        raise Refused(f"{group} is not parked in projection {projection.name}; see `o2c projections parked`", kind="missing")
    if position is not None and done["position"] != position:
        raise Refused(f"{group} stands before position {done['position']}, not {position}; look again, decide again", kind="conflict")
    return int(done["position"])


def leaving_out(conn: Connection, projection: Projection) -> Projection:
    """The projection as every executor folds it: events that were set aside concern no group any more."""
    made = conn.execute("SELECT to_regclass('projection.skipped') IS NOT NULL AS made").fetchone()
    if not made or not made["made"]:
        return projection
    rows = conn.execute("SELECT position FROM projection.skipped WHERE name = %s", (projection.name,)).fetchall()
    return _without(projection, frozenset(row["position"] for row in rows)) if rows else projection


def _without(projection: Projection, positions: frozenset[int]) -> Projection:
    of = projection.group

    def group(seen: Seen) -> str | None:
        return None if seen.position in positions else of(seen)

    return replace(projection, group=group)
