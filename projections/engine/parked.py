"""Parked events, at which a fold failed or which wait behind such an event, and skipped ones, which a person has left out for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.fold import WaitingEvent
from projections.engine.history import By
from projections.engine.projection import Projection
from projections.engine.seen import Seen

_FIRST = b"""
SELECT p.name, p.group_key, p.position, e.type, p.parked_at, p.error, p.behind
FROM (SELECT DISTINCT ON (name, group_key) *, count(*) OVER (PARTITION BY name, group_key) - 1 AS behind
      FROM projection.parked WHERE name = ANY(%s) ORDER BY name, group_key, position) p
JOIN o2c.event e USING (position) ORDER BY p.parked_at, p.name, p.group_key"""
"""The first parked event of each group and how many wait behind it, the longest parked first. Parameter: the names of projections."""

_SKIPPED = b"""
SELECT s.name, s.group_key, s.position, e.type, s.error, s.actor, s.reason, s.skipped_at
FROM projection.skipped s JOIN o2c.event e USING (position) WHERE s.name = ANY(%s) ORDER BY s.skipped_at, s.name, s.position"""
"""The skipped events of some projections in the order in which they were skipped. Parameter: the names of projections."""

_SKIP_FIRST = """
INSERT INTO projection.skipped (name, group_key, position, event_id, error, actor, reason)
SELECT name, group_key, position, event_id, error, %s, %s FROM projection.parked
WHERE name = %s AND group_key = %s ORDER BY position LIMIT 1 RETURNING position"""
"""Lists the first parked event of a group as skipped and returns its position. Parameters: by whom, why, the projection, the group."""

_LIST_IS_MADE = "SELECT to_regclass('projection.skipped') IS NOT NULL AS made"
"""Whether the list of skipped events is there. No parameters."""

_POSITIONS = "SELECT name, position FROM projection.skipped WHERE name = ANY(%s)"
"""The skipped events of some projections, each with its position. Parameter: the names of projections."""


_GROUPS = "SELECT name, group_key, min(position) AS first FROM projection.parked WHERE name = ANY(%s) GROUP BY name, group_key"
"""The parked groups of some projections, each with the position of its first parked event. Parameter: the names of projections."""

_PARK = """INSERT INTO projection.parked (name, group_key, position, event_id, error)
SELECT %s, x.* FROM unnest(%s::text[], %s::bigint[], %s::uuid[], %s::text[]) AS x ON CONFLICT DO NOTHING"""
"""Lists events as parked. Parameters: the projection, then the events' groups, positions, ids and errors."""


@dataclass(frozen=True, slots=True)
class ParkedGroup:
    """A parked group: the event at which the fold failed, the error without any value, and how many events wait behind it."""

    projection: str
    group: str
    position: int
    type: str
    since: datetime
    error: str
    behind: int


@dataclass(frozen=True, slots=True)
class SkippedEvent:
    """An event that every way of running the fold leaves out. `reason` is the free text of the person who decided it."""

    projection: str
    group: str
    position: int
    type: str
    error: str
    actor: str
    reason: str
    skipped_at: datetime


def list_parked(dsn: str, projections: Sequence[Projection]) -> list[ParkedGroup]:
    """The parked groups, the longest parked first."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        return [ParkedGroup(*row.values()) for row in conn.execute(_FIRST, ([projection.name for projection in projections],)).fetchall()]


def list_skipped(dsn: str, projections: Sequence[Projection]) -> list[SkippedEvent]:
    """The skipped events, in the order in which they were skipped."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        return [
            SkippedEvent(*row.values()) for row in conn.execute(_SKIPPED, ([projection.name for projection in projections],)).fetchall()
        ]


def parked_groups(conn: Connection, projection: Projection) -> dict[str, int]:
    """The parked groups, each with the position of its first parked event."""
    return all_parked_groups(conn, [projection])[projection.name]


def all_parked_groups(conn: Connection, projections: Sequence[Projection]) -> dict[str, dict[str, int]]:
    """The parked groups of each of the projections, by its name."""
    found: dict[str, dict[str, int]] = {projection.name: {} for projection in projections}
    for row in conn.execute(_GROUPS, (list(found),)).fetchall():
        found[row["name"]][row["group_key"]] = row["first"]
    return found


def park(conn: Connection, projection: Projection, waiting: Mapping[str, Sequence[WaitingEvent]]) -> None:
    """Add waiting events to the list of parked ones."""
    columns: list[list[Any]] = [[], [], [], []]
    for group, events in waiting.items():
        for event in events:
            for column, value in zip(columns, (group, *event), strict=True):
                column.append(value)
    if columns[0]:
        conn.execute(_PARK, (projection.name, *columns))


def skip_first(conn: Connection, projection: Projection, group: str, by: By, position: int | None) -> int:
    """Write the first parked event of a group into the list of skipped ones, and return its position.

    Needs a transaction that holds the checkpoint. Raises Refused: missing when the group is not parked, conflict when `position` is given
    and the first parked event is at another.
    """
    skipped = conn.execute(_SKIP_FIRST.encode(), (*by, projection.name, group)).fetchone()
    if skipped is None:
        raise Refused(f"{group} is not parked in projection {projection.name}; see `o2c projections parked`", kind="missing")
    if position is not None and skipped["position"] != position:
        raise Refused(f"{group} stands before position {skipped['position']}, not {position}; look again, decide again", kind="conflict")
    return int(skipped["position"])


def without_skipped(conn: Connection, projection: Projection) -> Projection:
    """The projection without its skipped events: they belong to no group. Every way of running a fold uses this one."""
    [limited] = all_without_skipped(conn, [projection])
    return limited


def all_without_skipped(conn: Connection, projections: Sequence[Projection]) -> list[Projection]:
    """Each of the projections without its skipped events, in the order given."""
    row = conn.execute(_LIST_IS_MADE).fetchone()
    if not row or not row["made"]:
        return list(projections)
    skipped: dict[str, set[int]] = defaultdict(set)
    for row in conn.execute(_POSITIONS, ([projection.name for projection in projections],)).fetchall():
        skipped[row["name"]].add(row["position"])
    return [_without(one, frozenset(skipped[one.name])) if one.name in skipped else one for one in projections]


def _without(projection: Projection, positions: frozenset[int]) -> Projection:
    of = projection.group

    def group(record: Seen) -> str | None:
        return None if record.position in positions else of(record)

    return replace(projection, group=group)
