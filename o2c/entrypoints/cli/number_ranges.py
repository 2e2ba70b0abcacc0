"""Ranges of numbers of invoices and credit notes on the command line: approve one, close one, see what is left of each."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.reading import day_of

number_ranges = typer.Typer(
    no_args_is_help=True,
    help="Ranges of numbers that an authority approved for invoices or credit notes: take one into use, see what is left of each, close one.",
)
COLUMNS = ("range", "papers", "last", "next", "left", "state", "low", "days_left", "valid_from", "valid_to", "approval")


@number_ranges.command("approve")
def number_ranges_approve(
    first: Annotated[int, typer.Argument(metavar="FIRST", help="Its first number.", min=1)],
    last: Annotated[int, typer.Argument(metavar="LAST", help="Its last number.", min=1)],
    prefix: Annotated[str, typer.Option("--prefix", metavar="PREFIX", help="What stands before the digits: SETP.")],
    approval: Annotated[str, typer.Option("--approval", metavar="TEXT", help="The authority's reference of its decision.")],
    valid_from: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day on which it may be used: 2026-01-01.")],
    actor: Actor,
    valid_to: Annotated[str, typer.Option("--until", metavar="DAY", help="The last day on which it may be used; none when left out.")] = "",
    low_at: Annotated[
        int | None, typer.Option("--low-at", metavar="N", help="Warn once so many are left; a tenth when left out.", min=0)
    ] = None,
    low_days: Annotated[int, typer.Option("--low-days", metavar="N", help="Warn once they last no more days.", min=0)] = 30,
    market: Annotated[str, typer.Option(metavar="CODE", help="The market of the supplier.", show_default=True)] = "GB",
    papers: Annotated[str, typer.Option("--for", metavar="PAPERS", help="invoices or credit-notes.", show_default=True)] = "invoices",
    command_id: CommandId = "",
) -> None:
    """Let invoices, or credit notes, take their numbers from a range that the authority approved, after those approved before.

    From the first range on, such papers of the market's supplier bear numbers of ranges alone: where none is left, one waits as a fallout
    (BIL-SERIES) until another is approved, and then goes on by itself.

    Example: o2c number-ranges approve 990000001 990005000 --prefix SETP --approval 18760000001 --from 2027-01-01 --actor ann
    """
    from o2c.desk.number_ranges import approve_range  # needs the rules; the list does not

    with opened() as session:
        written = approve_range(
            session.app,
            Context(actor, command_id=command_id),
            first,
            last,
            prefix=prefix,
            approval=approval,
            valid_from=day_of(valid_from),
            valid_to=day_of(valid_to) if valid_to else None,
            low_at=low_at,
            low_days=low_days,
            market=market,
            papers=papers,
        )
        was = "was approved already" if written.repeated or written.unchanged else f"gives {papers.replace('-', ' ')} their numbers"
        err.print(f"{prefix}{first} to {last} {was}")


@number_ranges.command("close")
def number_ranges_close(
    number_range: Annotated[str, typer.Argument(metavar="RANGE", help="The range, by its first number.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Take no further number of a range; what was issued keeps its own.

    Example: o2c number-ranges close SETP990000001 --actor ann
    """
    from o2c.desk.number_ranges import close_range

    with opened() as session:
        close_range(session.app, Context(actor, command_id=command_id), number_range)
        err.print(f"range {number_range} gives no further number")


@number_ranges.command("list")
def number_ranges_list(
    market: Annotated[str, typer.Option(metavar="CODE", help="Only those of this market's supplier.")] = "",
    output: Output = Format.table,
) -> None:
    """List the ranges of numbers that were approved: what is left of each, how long that lasts, and which runs low.

    Example: o2c number-ranges list
    """
    from o2c.views.number_ranges import list_ranges

    with looking() as session:
        show_rows(list_ranges(session.app, market=market), output, columns=COLUMNS, empty="no range of numbers was approved")
