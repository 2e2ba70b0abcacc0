"""Offers to customers whom we let down, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.entrypoints.cli.wishes import text_of
from o2c.views.offers import DAYS, list_offers, offer_effects

offers = typer.Typer(
    no_args_is_help=True,
    help="Offers to customers whom we let down: which are in force, and what they come to beside those who were held out.",
)
LISTED = ("offer", "remedy", "days", "eligible", "left", "held_out", "held_out_left", "kept_points")


@offers.command("list")
def offers_list(output: Output = Format.table) -> None:
    """List the offers in force: on which grounds, what, why, and what share of the customers is held out.

    Example: o2c offers list
    """
    with looking() as session:
        show_rows(list_offers(session.app), output)


@offers.command("load")
def offers_load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Offers of your own (TOML), with a version.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Put offers of your own (TOML) in force, in place of those before.

    An offer that keeps its name keeps the customers who are held out of it.

    Example: o2c offers load offers.toml --actor ann
    """
    from o2c.desk.complaints import load_offers  # needs the rules; the lists do not

    with opened() as session:
        done = load_offers(session.app, Context(actor, command_id=command_id), definitions=text_of(file))
        err.print("these offers are in force already" if done.unchanged else "these offers are in force")


@offers.command("effect")
def offers_effect(
    days: Annotated[
        int, typer.Option(metavar="N", help="Within how many days a customer who leaves would have left.", show_default=True)
    ] = DAYS,
    output: Output = Format.table,
) -> None:
    """Show what each offer comes to: how many customers left of those who could have it, and of those who were held out of it.

    Example: o2c offers effect --days 30 -o jsonl
    """
    with looking() as session:
        current(session)
        show_rows(offer_effects(session.app, days=days), output, columns=LISTED)
