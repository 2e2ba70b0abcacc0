"""Instalments on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.instalments import show_instalments
from o2c.views.reading import day_of

instalments = typer.Typer(no_args_is_help=True, help="Devices paid in instalments: how far an agreement is, and settling it.")
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account.")]
COLUMNS = ("order", "item", "offering", "state", "total_minor", "count", "billed", "next_minor", "on", "settlement_minor", "currency")


@instalments.command("show")
def instalments_show(
    account: Account,
    on: Annotated[str, typer.Option(metavar="DAY", help="What settles them on this day, as 2026-02-16; today when left out.")] = "",
    output: Output = Format.table,
) -> None:
    """Show what an account pays in instalments, and what settles each agreement on a day, beside what bills have by then.

    Example: o2c instalments show BA-C-1 --on 2026-02-16
    """
    with looking() as session:
        rows = show_instalments(session.app, account, on=day_of(on) if on else None)
        show_rows(rows, output, empty="nothing is paid in instalments", columns=COLUMNS)


@instalments.command("settle")
def instalments_settle(
    account: Account,
    order: Annotated[str, typer.Option(metavar="ORDER", help="The order with which the device came, by its id.")],
    item: Annotated[str, typer.Option(metavar="ITEM", help="Its item.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Bill at once all that is left of an agreement: an invoice over it follows, and no bill has an instalment any more.

    Example: o2c instalments settle BA-C-1 --order 6f9619ff-8b86-5d01-b42d-00cf4fc964ff --item 1 --actor ann
    """
    from o2c.desk.instalments import settle  # needs the rules; what only shows does not

    with opened() as session:
        settle(session.app, Context(actor, command_id=command_id), account, order, item)
        err.print(f"item {item} of order {order} is settled; an invoice over what was left follows")
