"""The figures of orders and fallouts on the command line: which there are, and one with what it is counted from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from o2c.entrypoints.cli.options import completing
from o2c.entrypoints.cli.output import Format, Output, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking
from o2c.views.metrics import DIMENSIONS, METRICS, explain_metric, list_metrics
from o2c.views.reading import time_of

_EVENTS = ("events_numerator", "events_denominator")


def metrics_list(output: Output = Format.table) -> None:
    """List the figures of orders and fallouts, each with its definition, its unit, and by what it can be told.

    Example: o2c metrics list -o json
    """
    show_rows(list_metrics(), output, empty="", columns=("name", "unit", "meaning"), limit=0)


def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The figure: fallout-rate.", autocompletion=completing(METRICS))],
    by: Annotated[str, typer.Option(metavar="WHAT", help=f"By {', '.join(DIMENSIONS)}.", autocompletion=completing(DIMENSIONS))] = "",
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="Only what was captured or fell out from then on.")] = "",
    to: Annotated[str, typer.Option(metavar="TIME", help="Only what was captured or fell out before then.")] = "",
    output: Output = Format.table,
) -> None:
    """Show one figure with its formula and value; as JSON, with the ids of all events of its numerator and denominator.

    A table counts the events. Each id can be looked up with `o2c sql` or found in `o2c events find`, so the value can be counted again.

    Example: o2c metrics explain fallout-rate --by reason -o json
    Example: o2c metrics explain time-to-resolve --from 2026-01-01 --to 2026-02-01
    """
    since, until = (time_of(text) if text else None for text in (from_, to))
    with looking() as session:
        current(session)
        told = explain_metric(session.app, name, by=by, since=since, until=until)
        show_one(_counted(told) if output is Format.table else told, output)


def _counted(told: Mapping[str, Any]) -> dict[str, Any]:
    """The figure for a table: how many events there are, in place of their ids."""
    found = {key: len(value) if key in _EVENTS else value for key, value in told.items()}
    return {**found, "rows": [_counted(row) for row in told["rows"]]} if "rows" in told else found
