"""How projections stand: how far they are, what was done to them, what is parked or skipped, and whether they are what the log says.

`home` is the data folder of the store, where the operator's key for the blind index may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.finding import kept, under_another_key
from o2c.views.lookup_key import given_key, key_of
from projections.catalogue import ALL, BY_NAME
from projections.engine import operations
from projections.engine.compare import Difference
from projections.engine.history import Deed
from projections.engine.operations import Status
from projections.engine.parked import ParkedGroup, SkippedEvent
from projections.engine.projection import Projection
from projections.engine.some_groups import Scope
from projections.engine.verify import Report
from projections.lookups import NAME as LOOKUPS
from projections.lookups import lookups

__all__ = [
    "LOOKUPS",
    "Checked",
    "Deed",
    "Difference",
    "ParkedGroup",
    "SkippedEvent",
    "Status",
    "caught_up_with",
    "chosen",
    "list_deeds",
    "list_parked",
    "list_skipped",
    "list_statuses",
    "verify",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a projection found: how many groups and rows the log yields, what differs, and what of it was mended."""

    name: str
    groups: int
    rows: int
    differing: Sequence[Difference]
    mended: Sequence[Difference] = ()

    @property
    def left(self) -> list[Difference]:
        """What differs still."""
        return [difference for difference in self.differing if difference not in self.mended]


def chosen(home: Path, names: Sequence[str] | None) -> list[Projection]:
    """The projections of these names; of all, the one that needs the operator's key only where there is a key. Raises Refused (missing)."""
    unknown = [name for name in names or [] if name not in (*BY_NAME, LOOKUPS)]
    if unknown:
        raise Refused(f"no projection {unknown[0]}; there are {', '.join((*BY_NAME, LOOKUPS))}", kind="missing")
    key = key_of(home) if names and LOOKUPS in names else given_key(home)
    known = {**BY_NAME, **({LOOKUPS: lookups(key)} if key else {})}
    return [known[name] for name in names or known]


def caught_up_with(app: Engine, home: Path, projections: Sequence[Projection]) -> None:
    """Bring these projections up to date; on a standby they are as far as the primary folded them."""
    if not app.takes_writes:
        return
    operations.catch_up(app.dsn, [projection for projection in projections if projection.name in BY_NAME])
    if LOOKUPS in {projection.name for projection in projections}:
        kept(app, key_of(home))


def list_statuses(app: Engine, home: Path) -> list[Status]:
    """How far each projection has read, what is parked, and whether it needs a rebuild."""
    key = given_key(home)
    known = operations.status(app.dsn, [*ALL, *([lookups(key)] if key else [])])
    outdated = {LOOKUPS} if key and under_another_key(app, key) else set()
    return [replace(one, state="needs rebuild") if one.name in outdated else one for one in known]


def list_deeds(app: Engine, home: Path, names: Sequence[str] | None = None) -> list[Deed]:
    """Who rebuilt, rolled back, retried, skipped or mended what, and why, the first first."""
    return operations.history(app.dsn, chosen(home, names))


def list_parked(app: Engine, home: Path, names: Sequence[str] | None = None) -> list[ParkedGroup]:
    """The groups that stand still before an event their fold could not take, the longest first."""
    return operations.list_parked(app.dsn, chosen(home, names))


def list_skipped(app: Engine, home: Path, names: Sequence[str] | None = None) -> list[SkippedEvent]:
    """The events that were set aside for good, in the order in which they were."""
    return operations.list_skipped(app.dsn, chosen(home, names))


def verify(app: Engine, home: Path, names: Sequence[str] | None = None, *, sample: int = 0, recent: int = 0) -> Iterator[Checked]:
    """Check projections against the log: fold it again and compare documents and rows, one projection after the other.

    With `sample` or `recent` only so many groups at random are looked at, or those of so many last events. Raises FoldFailed.
    """
    for projection, report in reports(app, home, names, sample=sample, recent=recent):
        yield Checked(projection.name, report.groups, report.rows, report.differing)


def reports(app: Engine, home: Path, names: Sequence[str] | None, *, sample: int, recent: int) -> Iterator[tuple[Projection, Report]]:
    """Projections, brought up to date, each with what a check of it finds."""
    projections = chosen(home, names)
    caught_up_with(app, home, projections)
    for projection in projections:
        yield projection, operations.verify(app.dsn, projection, Scope(sample, recent))
