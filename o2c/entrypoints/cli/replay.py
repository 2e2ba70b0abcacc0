"""Replaying the history through another fold on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.entrypoints.cli.differences import rebuilding
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import opened
from o2c.views import replaying
from o2c.views.replaying import Outcome, changes, whole

POSITION_OR_TIME = "POSITION|TIME"


def replay(
    file: Annotated[Path, typer.Option("--with", metavar="PATH.py", help="Python that defines one Projection or more.")],
    order: Annotated[str, typer.Option(metavar="ID", help="Only the streams of this order: its id or external id.")] = "",
    from_: Annotated[str, typer.Option("--from", metavar=POSITION_OR_TIME, help="Only events from here on.")] = "",
    to: Annotated[str, typer.Option("--to", metavar=POSITION_OR_TIME, help="Only events before this.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="At most so many differences in a table.")] = 20,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the scratch schema with the rows that came out, and name it.")] = False,
    output: Output = Format.table,
) -> None:
    """Ask what if: fold the history through a projection of your own and see how its rows differ from the live ones.

    The file defines it, mostly as a changed copy: `from projections.orders import ORDERS`, then `WHAT_IF = dataclasses.replace(ORDERS,
    evolve=...)`. It is folded into a scratch schema of its own, dropped at the end, and its code runs in a process that can reach neither
    log nor tables. Of the whole history it is compared with the tables as they stand, of a part of it with what the live fold makes of that
    part. Times are business times. All differences are counted and the first thousand shown; with --keep, query the rest.

    Example: o2c replay --with what_if.py --order WEB-1001
    """
    with opened() as session, rebuilding("replaying") as told:
        outcomes = replaying.replay(session.app, file, order=order, from_=from_, to=to, keep=keep, progress=told)
    if output is Format.json:
        show_rows([whole(outcome) for outcome in outcomes], output)
    elif output is Format.jsonl:
        show_rows((cell for outcome in outcomes for cell in changes(outcome)), output)
    else:
        for outcome in outcomes:
            _table(outcome, limit)
    for outcome in outcomes:
        err.print(
            f"{outcome.name}: {outcome.events} events make {outcome.rows} rows, {outcome.compared_with} {outcome.live_rows};"
            f" {outcome.diff.differing} differ"
        )
        if outcome.diff.not_compared:
            err.print(f"{outcome.name}: not compared: {', '.join(outcome.diff.not_compared)} (only one side has them, or of another type)")
        if outcome.schema:
            err.print(f"{outcome.name}: kept in {outcome.schema}; drop it when it has answered: DROP SCHEMA {outcome.schema} CASCADE")


def _table(outcome: Outcome, limit: int) -> None:
    diff = outcome.diff
    if not diff.differing:
        return
    kinds = {**diff.columns, "(new row)": diff.gained, "(no such row)": diff.lost}
    counts = [{"projection": outcome.name, "column": kind, "rows": count} for kind, count in kinds.items() if count]
    show_rows(counts, Format.table)
    cells = list(changes(outcome))
    if limit:
        print()
        show_rows(cells[:limit], Format.table)
    if len(cells) > limit:
        err.print(f"{len(cells) - limit} more; see them with -o jsonl")
