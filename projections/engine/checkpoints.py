"""The checkpoint of a projection: how far its tables have folded the log. Only the worker that read it may move it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine.projection import Projection
from projections.engine.seen import Mark

_CHECKPOINTS = """SELECT name, position, event_id::text, shape_version, generation, swapped_at IS NOT NULL AS swapped
FROM projection.checkpoint WHERE name = ANY(%s)"""
"""The checkpoints of some projections. Parameter: their names."""

_REACHED = """SELECT e.position AS top, coalesce((
    SELECT CASE WHEN count(*) = {count} AND NOT bool_or(
        c.position > e.position OR (c.position = e.position AND c.event_id <> e.event_id)) THEN min(c.position) END
    FROM projection.checkpoint c WHERE (c.name, c.shape_version) IN ({pairs})
), -1) AS reached
FROM (SELECT position, event_id FROM o2c.event ORDER BY position DESC LIMIT 1) AS e"""
"""How far some projections have come together (-1: not all of them, or of another log), beside the last event. Made with their number and
their names and shapes."""


def reached(projections: Iterable[Projection]) -> str:
    """The statement of the last event of the log (`top`), and how far all of some projections have folded it (`reached`): -1 where one is
    missing, of another shape than here or of another log. No row while the log is empty.

    Names and shapes stand in its text: it is asked before every page, and without parameters it takes a third less.
    """
    pairs = [f"('{projection.name}', {projection.shape_version})" for projection in projections]
    return _REACHED.format(count=len(pairs), pairs=", ".join(pairs))


_MOVE = """WITH unmoved AS MATERIALIZED (
    SELECT c.name FROM projection.checkpoint c
    JOIN unnest(%s::text[], %s::bigint[], %s::bigint[], %s::int[]) AS w (name, position, generation, shape)
        ON w.name = c.name AND w.position = c.position AND w.generation = c.generation AND w.shape = c.shape_version
    ORDER BY c.name FOR UPDATE OF c)
UPDATE projection.checkpoint c SET position = %s, event_id = %s FROM unmoved WHERE c.name = unmoved.name"""
"""Moves the checkpoints that are unchanged, which are locked in the order of their names, so that no two workers wait for each other.

Parameters: arrays of the names, and of the old positions, generations and shapes; the new position and event id.
"""

_RAISE_GENERATION = "UPDATE projection.checkpoint SET generation = generation + 1 WHERE name = %s AND shape_version = %s"
"""Raises the generation of a checkpoint and locks it until the end of the transaction.

Parameters: the projection, the shape of its tables.
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the tables of a projection have folded the log, and the shape they have.

    `generation` is raised whenever the tables are swapped or a group is folded outside of a worker's batch; `swapped` says whether a swap
    ever was.
    """

    name: str
    mark: Mark
    shape_version: int
    generation: int
    swapped: bool


def checkpoints(conn: Connection, projections: Iterable[Projection]) -> dict[str, Checkpoint]:
    """The checkpoints of the given projections by name."""
    rows = conn.execute(_CHECKPOINTS, ([projection.name for projection in projections],)).fetchall()
    return {
        row["name"]: Checkpoint(
            row["name"], Mark(row["position"], row["event_id"]), row["shape_version"], row["generation"], row["swapped"]
        )
        for row in rows
    }


def move_checkpoints(conn: Connection, old: Sequence[Checkpoint], new: Mark) -> bool:
    """Move checkpoints to `new` if each still is as `old` says. False when another worker moved one, or its tables were swapped: then roll
    back."""
    columns = (
        [each.name for each in old],
        [each.mark.position for each in old],
        [each.generation for each in old],
        [each.shape_version for each in old],
    )
    return conn.execute(_MOVE, (*columns, new.position, new.event_id)).rowcount == len(old)


def seize(conn: Connection, projection: Projection) -> None:
    """Lock the checkpoint, and make workers drop what they have folded but not written. Needs a transaction around it.

    While the row is locked no worker can park events or write rows. Raises Refused (conflict) when the tables have another shape.
    """
    seized = conn.execute(_RAISE_GENERATION, (projection.name, projection.shape_version))
    if seized.rowcount != 1:
        raise Refused(f"projection {projection.name} was given another shape meanwhile; catch up again", kind="conflict")
