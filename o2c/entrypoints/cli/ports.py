"""Number ports on the command line: calling one off, and those that were late."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.orders import cancel_port
from o2c.entrypoints.cli.cancel import told_of
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, rows_wanted, show_rows
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.ports import late_ports

ports = typer.Typer(no_args_is_help=True, help="Number ports: which were late, and calling one off.")
COLUMNS = ("external_id", "item", "agreed_on", "ported_on", "late_working_days", "cause", "state")


@ports.command("cancel")
def ports_cancel(
    order: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    item: Annotated[
        list[str] | None, typer.Option(metavar="ITEM", help="Which item; may be left out when only one brings a number, or repeated.")
    ] = None,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Call off the port of a number, and nothing else: the line keeps the number it has from us and goes on.

    Exit 4 from the clearing house's cut-off on, in Great Britain 17:00 on the working day before.

    It does not matter what the customer has of the line already. The donor is told where it was asked, and the order is complete when it
    has answered; the days promised follow. Nothing to show means it was called off already.

    Example: o2c ports cancel WEB-1001 --item 1 --actor ann --reason "keeps the old contract"
    """
    if not reason.strip():
        raise Refused("--reason stands in the log for good; say why")
    with opened() as session:
        done = cancel_port(session.app, Context(actor, command_id=command_id), order, items=item or (), note=reason)
        told_of(done, order, output)


@ports.command("late")
def ports_late(
    market: Annotated[str, typer.Option(metavar="MARKET", help="Only ports of this market, such as GB.")] = "",
    unfinished: Annotated[bool, typer.Option("--open", help="Only those that are still to be done.")] = False,
    identifiers: Annotated[bool, typer.Option("--identifiers", help="Numbers in full, not masked.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List the ports that missed the day agreed for them: by how many days, and why.

    Days late run from the first day missed to the cut-over, or to the day agreed now, in calendar days and in the market's working days. A
    window that was given up in time, because the line would not be on, was not missed.

    Example: o2c ports late --market GB -o json
    """
    with looking() as session:
        current(session)
        rows = late_ports(session.app, market=market, unfinished=unfinished, identifiers=identifiers, limit=rows_wanted(limit, output))
        show_rows(rows, output, empty="no port was late", columns=COLUMNS, limit=0)
