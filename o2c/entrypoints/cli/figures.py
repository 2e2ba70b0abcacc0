"""The figures of orders and fallouts on the command line: which there are, and one with what it is counted from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from o2c.entrypoints.cli.options import completing
from o2c.entrypoints.cli.output import Format, Limit, Output, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking
from o2c.views.course import daily_flow, fallout_ages, order_durations, order_funnel, orders_of_metric
from o2c.views.metrics import DIMENSIONS, METRICS, explain_metric, headlines, list_metrics
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


From = Annotated[str, typer.Option("--from", metavar="TIME", help="Only from then on.")]
To = Annotated[str, typer.Option(metavar="TIME", help="Only before then.")]


def _window(from_: str, to: str) -> dict[str, Any]:
    return {"since": time_of(from_) if from_ else None, "until": time_of(to) if to else None}


def flow(from_: From = "", to: To = "", output: Output = Format.table) -> None:
    """Show how many orders were captured and ended, and fallouts came and went, by day.

    Days are of UTC; a day on which nothing came or went is left out.

    Example: o2c metrics flow --from 2026-01-05
    """
    with looking() as session:
        current(session)
        show_rows(daily_flow(session.app, **_window(from_, to)), output, empty="nothing came or went", limit=0)


def funnel(from_: From = "", to: To = "", output: Output = Format.table) -> None:
    """Show how far orders came, and on the way to which stage they fell out.

    Example: o2c metrics funnel -o json
    """
    with looking() as session:
        current(session)
        show_rows(order_funnel(session.app, **_window(from_, to)), output, empty="no orders", limit=0)


def overview(from_: From = "", to: To = "", output: Output = Format.table) -> None:
    """Show the figures of the overview, counted together.

    Example: o2c metrics headlines --from 2026-01-01
    """
    with looking() as session:
        current(session)
        told = headlines(session.app, **_window(from_, to))
        show_rows(told, output, empty="", columns=("name", "value", "unit", "numerator", "denominator"), limit=0)


def ages(output: Output = Format.table) -> None:
    """Show how many open fallouts are of which age.

    Example: o2c metrics ages -o json
    """
    with looking() as session:
        current(session)
        show_rows(fallout_ages(session.app), output, empty="", limit=0)


def durations(from_: From = "", to: To = "", limit: Limit = None, output: Output = Format.table) -> None:
    """Show how long orders took from capture to end, the slowest first, with percentiles.

    Example: o2c metrics durations --limit 10
    """
    with looking() as session:
        current(session)
        told = order_durations(session.app, **_window(from_, to), limit=rows_wanted(limit, output))
        show_one(told, output)


def orders(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The figure: fallout-rate.", autocompletion=completing(METRICS))],
    from_: From = "",
    to: To = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show the orders that a figure is counted from.

    Example: o2c metrics orders fallout-rate
    """
    with looking() as session:
        current(session)
        rows = orders_of_metric(session.app, name, **_window(from_, to), limit=rows_wanted(limit, output))
        show_rows(rows, output, empty="no order counts for it", limit=limit)
