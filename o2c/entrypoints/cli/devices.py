"""Devices and stock on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.devices import show_device, stock_levels

devices = typer.Typer(
    no_args_is_help=True, help="Devices: look at one by its IMEI, block one that was lost or stolen, unblock one that was found."
)
stock = typer.Typer(no_args_is_help=True, help="Stock: how many SIMs, numbers and devices there are of each kind or SKU, by state.")
Imei = Annotated[str, typer.Argument(metavar="IMEI", help="The device's 15 digits.")]


@devices.command("show")
def devices_show(imei: Imei, output: Output = Format.table) -> None:
    """Show a device: its SKU, how it stands, who has it, and everything that happened to it.

    Example: o2c devices show 001010120000003
    """
    with looking() as session:
        show_one(show_device(session.app, imei), output)


@devices.command("block")
def devices_block(
    imei: Imei,
    cause: Annotated[str, typer.Option(metavar="CAUSE", help="lost, stolen or not-returned.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Mark a device as one that must not be used: nobody gets it from stock again. What is owed for it stays owed.

    Example: o2c devices block 001010120000003 --cause stolen --actor ann
    """
    from o2c.desk.devices import block  # needs the rules; what only shows does not

    with opened() as session:
        block(session.app, Context(actor, command_id=command_id), imei, cause)
        err.print(f"device {imei} is blocked: {cause}")


@devices.command("unblock")
def devices_unblock(
    imei: Imei,
    reason: Annotated[str, typer.Option(metavar="REASON", help="found, came-back or blocked-in-error.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Take the mark off a device: whoever holds it keeps it, one that nobody holds is in stock again once it was looked at.

    Example: o2c devices unblock 001010120000003 --reason found --actor ann
    """
    from o2c.desk.devices import unblock  # needs the rules; what only shows does not

    with opened() as session:
        unblock(session.app, Context(actor, command_id=command_id), imei, reason)
        err.print(f"device {imei} is not blocked: {reason}")


@stock.command("levels")
def stock_levels_shown(
    kind: Annotated[str, typer.Option(metavar="KIND", help="sim, number or device alone.")] = "",
    output: Output = Format.table,
) -> None:
    """Show how many pieces of stock there are by kind, class (of devices: SKU) and state.

    Example: o2c stock levels --kind device
    """
    with looking() as session:
        current(session)
        show_rows(stock_levels(session.app, kind=kind), output, empty="nothing was taken into stock yet")
