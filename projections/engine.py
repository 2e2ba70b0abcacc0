"""The engine of the projections: the same fold run forward, anew, back in time, and as a check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from projections import tables
from projections.catalogue import ALL
from projections.compare import Difference
from projections.fold import FoldFailed
from projections.incremental import catch_up, retry
from projections.projection import Projection
from projections.rebuild import Rebuilt, rebuild
from projections.seen import Mark, Seen, last_mark
from projections.verify import Report, as_of, verify

__all__ = [
    "ALL", "Difference", "FoldFailed", "Projection", "Rebuilt", "Report", "Seen", "Status",
    "as_of", "catch_up", "horizon_mark", "rebuild", "retry", "status", "verify",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """How a projection stands: events of any type behind the horizon it has not read, groups parked, shape of its tables."""

    name: str
    position: int
    lag_events: int
    parked: int
    shape_version: int
    state: Literal["current", "behind", "needs rebuild", "newer than this program"]


def status(dsn: str, projections: Sequence[Projection] = ALL) -> list[Status]:
    """How the given projections stand, in the order given."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        last = last_mark(conn).position
        stored = tables.checkpoints(conn, projections)
        lags: dict[int, int] = {}
        for position in {checkpoint.mark.position for checkpoint in stored.values()}:
            row = conn.execute("SELECT count(*) AS n FROM o2c.event WHERE position > %s AND position <= %s", (position, last)).fetchone()
            lags[position] = row["n"] if row else 0
        return [
            _standing(projection, stored[projection.name], lags, len(tables.parked_groups(conn, projection))) for projection in projections
        ]


def horizon_mark(dsn: str) -> Mark:
    """The last event that readers may see."""
    with tables.session(dsn) as conn:
        return last_mark(conn)


def _standing(projection: Projection, checkpoint: tables.Checkpoint, lags: dict[int, int], parked: int) -> Status:
    lag = lags[checkpoint.mark.position]
    state: Literal["current", "behind", "needs rebuild", "newer than this program"] = "behind" if lag else "current"
    if checkpoint.shape_version != projection.shape_version:
        state = "needs rebuild" if checkpoint.shape_version < projection.shape_version else "newer than this program"
    return Status(projection.name, checkpoint.mark.position, lag, parked, checkpoint.shape_version, state)
