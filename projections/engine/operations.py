"""The operations on projections: all that other packages call, in one place, and how far each projection is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from o2c.store.connection import Connection
from o2c.store.horizon import blocker
from projections.catalogue import ALL
from projections.engine import tables
from projections.engine.checkpoints import Checkpoint, checkpoints
from projections.engine.compare import Difference
from projections.engine.fold import FoldFailed
from projections.engine.history import By, Deed, history
from projections.engine.incremental import catch_up, followed, retry, skip
from projections.engine.parked import ParkedGroup, SkippedEvent, all_parked_groups, list_parked, list_skipped
from projections.engine.projection import Projection
from projections.engine.rebuild import RebuildResult, rebuild, rebuilders, rollback
from projections.engine.same_log import of_other_log
from projections.engine.seen import Mark, Seen, last_mark
from projections.engine.some_groups import Scope
from projections.engine.verify import Report, as_of, repair, verify, verify_together

__all__ = [
    "ALL", "By", "Deed", "Difference", "FoldFailed", "ParkedGroup", "Projection", "RebuildResult", "Report", "Scope", "Seen", "SkippedEvent", "Status",
    "as_of", "catch_up", "followed", "history", "horizon_mark", "list_parked", "list_skipped", "rebuild", "refuse_missing_tables", "repair", "retry", "rollback", "skip", "status", "verify", "verify_together",
]  # fmt: skip


HELD_S = 1.0
"""A transaction that is open for longer than this is named as one that holds readers up: an append takes milliseconds."""
_LAG = """SELECT (SELECT count(*) FROM o2c.event WHERE position > %(position)s) AS events,
    coalesce((SELECT greatest(extract(epoch FROM clock_timestamp() - recorded_at), 0) FROM o2c.event WHERE position > %(position)s
        ORDER BY position LIMIT 1), 0)::float8 AS seconds"""
"""How many committed events follow a position, and the age in seconds of the first. Parameter: `position`."""

State = Literal["current", "behind", "needs rebuild", "newer than this program", "of another log"]


@dataclass(frozen=True, slots=True)
class Status:
    """How far a projection is.

    `lag_events` counts the committed events of any type after its position; `lag_s` is the age in seconds of the first. `parked` counts
    groups. `blocker` names the transaction, with its process, that keeps all readers from committed events. `other_log` says why a
    projection cannot have been folded from this log; it is None for one that was. `rebuilt_by` is the process that rebuilds it now.
    """

    name: str
    position: int
    lag_events: int
    lag_s: float
    parked: int
    shape_version: int
    state: State
    blocker: str | None
    other_log: str | None = None
    rebuilt_by: str | None = None


def refuse_missing_tables(dsn: str, projections: Sequence[Projection] = ALL) -> None:
    """Raises Refused (conflict) where tables are missing on a server that takes no writes."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)


def status(dsn: str, projections: Sequence[Projection] = ALL) -> list[Status]:
    """The status of each of the given projections, in the order given."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        stored = checkpoints(conn, projections)
        lags = {position: _lag(conn, position) for position in {checkpoint.mark.position for checkpoint in stored.values()}}
        held_by, others, rebuilding = blocker(conn, HELD_S), of_other_log(conn, projections), rebuilders(conn, projections)
        parked = all_parked_groups(conn, projections)
    statuses = [_status_of(projection, stored[projection.name], lags, len(parked[projection.name]), held_by) for projection in projections]
    known = [replace(one, rebuilt_by=rebuilding.get(one.name)) for one in statuses]
    return [replace(one, state="of another log", other_log=others[one.name]) if one.name in others else one for one in known]


def _lag(conn: Connection, position: int) -> tuple[int, float]:
    """The number of committed events after a position, those after the horizon too, and the age of the first by the server's clock."""
    row = conn.execute(_LAG, {"position": position}).fetchone()
    return (row["events"], row["seconds"]) if row else (0, 0.0)


def held_up(dsn: str, position: int) -> Status | None:
    """How far all projections that stand at a position are behind, and what holds them there; None while nothing does."""
    with tables.session(dsn) as conn:
        lag, lag_s = _lag(conn, position)
        held_by = blocker(conn, HELD_S) if lag else None
    return Status("all", position, lag, lag_s, 0, 0, "behind", held_by) if held_by else None


def horizon_mark(dsn: str) -> Mark:
    """The mark of the last event before the horizon."""
    with tables.session(dsn) as conn:
        return last_mark(conn)


def _status_of(
    projection: Projection, checkpoint: Checkpoint, lags: dict[int, tuple[int, float]], parked: int, held_by: str | None
) -> Status:
    lag, lag_s = lags[checkpoint.mark.position]
    state: State = "behind" if lag else "current"
    if checkpoint.shape_version != projection.shape_version:
        state = "needs rebuild" if checkpoint.shape_version < projection.shape_version else "newer than this program"
    return Status(projection.name, checkpoint.mark.position, lag, lag_s, parked, checkpoint.shape_version, state, held_by if lag else None)
