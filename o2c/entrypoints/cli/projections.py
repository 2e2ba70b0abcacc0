"""Projections on the command line: how they stand, built anew, checked against the log."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import Session, opened
from o2c.entrypoints.look_ups import kept, under_another_key
from o2c.entrypoints.lookup_key import given_key, key_of
from o2c.kernel.refusal import Refused
from projections import engine
from projections.catalogue import ALL, BY_NAME
from projections.lookups import NAME as LOOKUPS
from projections.lookups import lookups
from projections.projection import Projection

projections = typer.Typer(no_args_is_help=True, help="Tables folded from the log: how far they are, build them anew, check them.")
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which ones; all when left out.")]
Differs = 5


def _chosen(session: Session, names: list[str] | None) -> list[Projection]:
    """The projections of these names; of all, the one that needs the operator's key only where there is a key."""
    unknown = [name for name in names or [] if name not in (*BY_NAME, LOOKUPS)]
    if unknown:
        raise Refused(f"no projection {unknown[0]}; there are {', '.join((*BY_NAME, LOOKUPS))}", kind="missing")
    key = key_of(session.home) if names and LOOKUPS in names else given_key(session.home)
    known = {**BY_NAME, **({LOOKUPS: lookups(key)} if key else {})}
    return [known[name] for name in names or known]


def _caught_up(session: Session, projections: list[Projection]) -> None:
    engine.catch_up(session.app.dsn, [projection for projection in projections if projection.name in BY_NAME])
    if LOOKUPS in {projection.name for projection in projections}:
        kept(session.app, key_of(session.home))


@projections.command("status")
def projections_status(output: Output = Format.table) -> None:
    """Show how far each projection has read, what is parked, and whether it needs a rebuild.

    Example: o2c projections status -o json
    """
    with opened() as session:
        key = given_key(session.home)
        known = engine.status(session.app.dsn, [*ALL, *([lookups(key)] if key else [])])
        outdated = {LOOKUPS} if key and under_another_key(session.app, key) else set()
        rows = [
            {
                "name": s.name,
                "state": "needs rebuild" if s.name in outdated else s.state,
                "position": str(s.position),
                "lag_events": s.lag_events,
                "parked": s.parked,
                "shape": s.shape_version,
            }
            for s in known
        ]
        show_rows(rows, output)


@projections.command("rebuild")
def projections_rebuild(names: Names = None, output: Output = Format.table) -> None:
    """Build projections anew from the log.

    They are folded into fresh tables, which are then swapped in: readers never see an empty one. Tells how many rows came out differently.

    Example: o2c projections rebuild orders
    """
    with opened() as session:
        chosen = _chosen(session, names)
        if LOOKUPS in {projection.name for projection in chosen}:
            kept(session.app, key_of(session.home))  # leaves nothing behind of another key
        built = [engine.rebuild(session.app.dsn, projection) for projection in chosen]
        show_rows([{key: str(getattr(one, key)) for key in one.__dataclass_fields__} for one in built if one], output)


@projections.command("verify")
def projections_verify(names: Names = None, output: Output = Format.table) -> None:
    """Check projections against the log: fold it again and compare.

    Exit 5 when anything differs; `o2c projections rebuild` mends it.

    Example: o2c projections verify
    """
    with opened() as session:
        chosen = _chosen(session, names)
        _caught_up(session, chosen)
        reports = [engine.verify(session.app.dsn, projection) for projection in chosen]
        show_rows([{"name": r.name, "groups": r.groups, "rows": r.rows, "differing": len(r.differing)} for r in reports], output)
        for report in reports:
            for difference in report.differing[:10]:
                err.print(
                    f"{report.name}: {difference.key} differs from what the log says; `o2c projections rebuild {report.name}` mends it"
                )
    if any(report.differing for report in reports):
        raise typer.Exit(Differs)
