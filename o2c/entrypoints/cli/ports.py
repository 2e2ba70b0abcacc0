"""Number ports on the command line: calling one off."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.orders import cancel_port
from o2c.entrypoints.cli.cancel import told_of
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import opened

ports = typer.Typer(no_args_is_help=True, help="Number ports: call off the port of a number that a line was to bring.")


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

    It does not matter what the customer has of the line already. The donor is told where it was asked, and the order is complete when it has
    answered; the days promised follow. Nothing to show means it was called off already.

    Example: o2c ports cancel WEB-1001 --item 1 --actor ann --reason "keeps the old contract"
    """
    if not reason.strip():
        raise Refused("--reason stands in the log for good; say why")
    with opened() as session:
        done = cancel_port(session.app, Context(actor, command_id=command_id), order, items=item or (), note=reason)
        told_of(done, order, output)
