"""Whether projections were folded from this log: after a restore the log may lack events that they have folded."""

from __future__ import annotations

from collections.abc import Sequence

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine.projection import Projection

_OF_OTHER_LOG = b"""SELECT c.name, c.position, (SELECT coalesce(max(position), 0) FROM o2c.event) AS top, e.event_id IS NOT NULL AS other
    FROM projection.checkpoint c LEFT JOIN o2c.event e ON e.position = c.position
    WHERE c.name = ANY(%s) AND c.event_id IS NOT NULL AND e.event_id IS DISTINCT FROM c.event_id ORDER BY c.name"""
"""The projections whose last event is not in this log, with the log's last position. Parameter: the names of projections."""

_FORGET = """UPDATE projection.checkpoint SET position = 0, event_id = NULL, shape_version = 0, generation = generation + 1
WHERE name = %s"""
"""Sets a checkpoint to the start of the log, with the shape of no program. Parameter: the projection."""


def of_other_log(conn: Connection, projections: Sequence[Projection]) -> dict[str, str]:
    """The projections whose last event is not in this log, each with a text that says why."""
    texts = {}
    for row in conn.execute(_OF_OTHER_LOG, ([projection.name for projection in projections],)).fetchall():
        where = "another event stands there" if row["other"] else "no event stands there"
        ahead = f"lies ahead of this log, which ends at {row['top']}"
        texts[row["name"]] = (
            f"position {row['position']} {ahead}" if row["position"] > row["top"] else f"{where}, at position {row['position']}"
        )
    return texts


def refuse_other_log(conn: Connection, projections: Sequence[Projection]) -> None:
    """Raises Refused (conflict) when the last event of a projection is not in this log: its rows would be of two histories."""
    for name, wrong in of_other_log(conn, projections).items():
        raise Refused(
            f"projection {name} was folded from another log than this ({wrong}): restored, or copied; run `o2c projections rebuild {name}`",
            kind="conflict",
        )


def forget_other_log(conn: Connection, projection: Projection) -> None:
    """Before a rebuild: if the projection is of another log, set its checkpoint to the start and its shape to that of no program."""
    if of_other_log(conn, [projection]):
        # With this program's shape a worker would fold events of this log onto rows of the other one.
        conn.execute(_FORGET, (projection.name,))
