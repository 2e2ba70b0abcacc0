"""The desk for projections: building them anew, putting back, mending, and deciding about events that a fold could not take.

Who did what, and why, stands in their history. `home` is the data folder of the store, where the operator's key for the blind index may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from o2c.desk.act import permitted
from o2c.engine.app import Context, Engine
from o2c.views.finding import kept
from o2c.views.lookup_key import key_of
from o2c.views.projections import LOOKUPS, Checked, chosen, reports
from projections.engine import operations
from projections.engine.fill import OnStage
from projections.engine.fold import FoldFailed
from projections.engine.history import By
from projections.engine.projection import Projection
from projections.engine.rebuild import RebuildResult
from projections.engine.swap import RollbackResult

__all__ = ["FoldFailed", "RebuildResult", "RollbackResult", "percent_of", "rebuild", "repair", "retry", "rollback", "skip"]


STAGES = {"folded": (0, 80), "copied": (80, 10), "indexed": (90, 0), "compared": (95, 0), "swapped": (100, 0)}
"""Where each stage of a rebuild begins and how long it is, of a hundred."""


def percent_of(stage: str, share: float) -> float:
    """How far a rebuild is, in percent, at a share of one of its stages."""
    begins, length = STAGES[stage]
    return begins + length * share


def no_progress(name: str, stage: str, share: float) -> None:
    """For who does not ask how far it is."""


def rebuild(
    app: Engine, home: Path, context: Context, names: Sequence[str] | None = None, *, reason: str = "", progress: OnStage = no_progress
) -> list[RebuildResult]:
    """Build projections anew from the log, all when none is named, and swap them in.

    Raises Refused (missing) for a name that is none; FoldFailed at the first event that a fold cannot take, and that table is unchanged.
    """
    by = _by(permitted(context, "projections.rebuild"), reason)
    projections = chosen(home, names)
    if LOOKUPS in {projection.name for projection in projections}:
        kept(app, key_of(home))  # leaves nothing behind of another key
    return [built for projection in projections if (built := _rebuilt(app, projection, by, progress))]


def _rebuilt(app: Engine, projection: Projection, by: By, progress: OnStage) -> RebuildResult | None:
    def told(stage: str, share: float) -> None:
        progress(projection.name, stage, share)

    return operations.rebuild(app.dsn, projection, told, by=by)


def rollback(app: Engine, home: Path, context: Context, name: str, *, reason: str) -> RollbackResult:
    """Put back in place what the last rebuild of a projection replaced. Raises Refused: usage (no reason), missing, conflict,
    unavailable."""
    by = _by(permitted(context, "projections.rollback"), reason)
    [projection] = chosen(home, [name])
    return operations.rollback(app.dsn, projection, by)


def repair(
    app: Engine, home: Path, context: Context, names: Sequence[str] | None = None, *, sample: int = 0, recent: int = 0
) -> Iterator[Checked]:
    """Check projections against the log and make what differs what the log says, group by group; one projection after the other.

    `sample` and `recent` as in `verify`. Raises FoldFailed.
    """
    by = _by(permitted(context, "projections.repair"), "differed from what the log says")
    for projection, report in reports(app, home, names, sample=sample, recent=recent):
        mended = operations.repair(app.dsn, projection, report.wrong_groups, by)
        yield Checked(projection.name, report.groups, report.rows, report.differing, mended)


def retry(app: Engine, home: Path, context: Context, name: str = "", group: str = "", *, reason: str = "") -> int:
    """Let parked groups take their events again, in order; how many still wait. All groups, of all projections, unless they are named.

    Raises Refused (missing) for a projection that is none, or a group that is not parked.
    """
    by = _by(permitted(context, "projections.retry"), reason)
    return sum(operations.retry(app.dsn, projection, group or None, by) for projection in chosen(home, [name] if name else None))


def skip(app: Engine, home: Path, context: Context, name: str, group: str, *, reason: str, position: int | None = None) -> bool:
    """Set the first parked event of a group aside for good and fold on; whether the group goes on.

    With `position` only the event there is set aside, so that a repeat does no harm. Raises Refused: usage (no reason), missing (the group
    is not parked), conflict (another event is the first), unavailable (during a rebuild).
    """
    by = _by(permitted(context, "projections.skip"), reason)
    [projection] = chosen(home, [name])
    return operations.skip(app.dsn, projection, group, by, position=position)


def _by(context: Context, reason: str) -> By:
    return By(context.actor, reason)
