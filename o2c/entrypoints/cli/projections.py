"""Projections on the command line: how they stand, built anew, checked against the log."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import opened
from o2c.kernel.refusal import Refused
from projections import engine
from projections.catalogue import BY_NAME
from projections.projection import Projection

projections = typer.Typer(no_args_is_help=True, help="Opinions about the log: rows that can be thrown away and rebuilt.")
Names = Annotated[list[str] | None, typer.Argument(help="Which ones; all when left out.")]
Differs = 5


def _chosen(names: list[str] | None) -> list[Projection]:
    unknown = [name for name in names or [] if name not in BY_NAME]
    if unknown:
        raise Refused(f"no projection {unknown[0]}; there are {', '.join(BY_NAME)}", kind="missing")
    return [BY_NAME[name] for name in names or BY_NAME]


@projections.command("status")
def projections_status(output: Output = Format.table) -> None:
    """How far each projection has read, what is parked, whether it needs a rebuild.

    Example: o2c projections status -o json
    """
    with opened() as session:
        rows = [
            {
                "name": s.name,
                "state": s.state,
                "position": str(s.position),
                "lag_events": s.lag_events,
                "parked": s.parked,
                "shape": s.shape_version,
            }
            for s in engine.status(session.app.dsn)
        ]
        show_rows(rows, output)


@projections.command("rebuild")
def projections_rebuild(names: Names = None, output: Output = Format.table) -> None:
    """Fold the log anew into fresh tables and swap them in; readers never see an empty one. Tells how many rows came out differently.

    Example: o2c projections rebuild orders
    """
    with opened() as session:
        built = [engine.rebuild(session.app.dsn, projection) for projection in _chosen(names)]
        show_rows([{key: str(getattr(one, key)) for key in one.__dataclass_fields__} for one in built if one], output)


@projections.command("verify")
def projections_verify(names: Names = None, output: Output = Format.table) -> None:
    """Fold the log again and compare with the tables; exit 5 when anything differs.

    Example: o2c projections verify
    """
    with opened() as session:
        engine.catch_up(session.app.dsn)
        reports = [engine.verify(session.app.dsn, projection) for projection in _chosen(names)]
        show_rows([{"name": r.name, "groups": r.groups, "rows": r.rows, "differing": len(r.differing)} for r in reports], output)
        for report in reports:
            for difference in report.differing[:10]:
                err.print(
                    f"{report.name}: {difference.key} differs from what the log says; `o2c projections rebuild {report.name}` mends it"
                )
    if any(report.differing for report in reports):
        raise typer.Exit(Differs)
